"""The built-in engineer's rule for `read_paper`: open, extract, hand over what has evidence."""

from __future__ import annotations

from typing import Any

from trainwright.tools.toolbox import Workbench

from .recipes import Answers, Call
from .refusals import give_up

__all__ = ["read_paper"]

CLAIMS = 60
"""Claims and settings that a brief holds at most; the paper's own come first."""


def read_paper(bench: Workbench, answers: Answers) -> Call:
    """The next call."""
    for name in ("open_paper", "extract_facts", "finish"):
        if name in answers.bad:
            return give_up(answers.bad[name])
    if "open_paper" not in answers.good:
        return Call("open_paper", {}, "First the paper itself.")
    if "extract_facts" not in answers.good:
        return Call("extract_facts", {}, "What does it claim, and with which settings?")
    return Call("finish", _brief(bench, answers.good["open_paper"], answers.good["extract_facts"]), "All has evidence.")


def _brief(bench: Workbench, paper: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    if not bench.request.paper:
        return {"title": "", "summary": bench.request.goal[:1_500], "method": "", "methods": []}
    methods = list(facts.get("methods", []))
    return {
        "title": paper["paper"] or "",
        "arxiv_id": paper.get("arxiv_id") or "",
        "doi": paper.get("doi") or "",
        "summary": paper.get("abstract") or bench.request.goal[:1_500],
        "method": facts.get("method") or (methods[0] if methods else ""),
        "methods": methods[:40],
        "claims": facts.get("claims", [])[:CLAIMS],
        "hyperparameters": facts.get("hyperparameters", [])[:CLAIMS],
        "datasets": facts.get("datasets", [])[:40],
        "metrics": facts.get("metrics", [])[:20],
        "modality": facts.get("modality", "unknown"),
        "warnings": [*paper.get("warnings", []), *facts.get("warnings", [])][:40],
    }
