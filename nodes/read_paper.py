"""Stage `read_paper`: from a paper (or a goal alone) to a `PaperBrief`.

The stage's settle step is a guard: what has no evidence in the paper's own text does not pass.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.engineers.protocol import Stage
from trainwright.graph.errors import PaperError, Refusal
from trainwright.graph.state import PaperBrief
from trainwright.tools.toolbox import NoArguments, Tool, Workbench

from .lookups import LOOKUPS
from .reading_on import READ_OUTPUT

__all__ = ["READ_SECTION", "STAGE", "parsed_paper"]


TEXT = "paper/paper.md"
"""The paper's text, in the run's folder, once it was read."""


class SectionName(BaseModel):
    """Which section to read."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="Number or title, or a part of the title.")


def parsed_paper(bench: Workbench) -> Any:
    """The paper of a run, read; a second time costs little.

    Raises:
        PaperError: it cannot be read.
    """
    from trainwright.tools.papers import fetch_paper, parse_paper

    folder: Path = bench.folder / "paper"
    source = fetch_paper(bench.request.paper, folder)
    return parse_paper(source, folder)


def open_paper(bench: Workbench, _: NoArguments) -> dict[str, Any]:
    """Fetch and read the paper."""
    if not bench.request.paper:
        return {"paper": None, "goal": bench.request.goal}
    parsed = parsed_paper(bench)
    return {
        "paper": parsed.title,
        "source": bench.request.paper if "\n" not in bench.request.paper else "text given by the person",
        "arxiv_id": parsed.arxiv_id,
        "doi": parsed.doi,
        "sha256": parsed.sha256,
        "pages": parsed.pages,
        "abstract": parsed.abstract[:1_500],
        "sections": [
            f"{s.number} {s.title}".strip() + (f" (page {s.page})" if s.page else "") for s in parsed.sections
        ],
        "tables": [f"page {t.page}: {t.caption[:120]}" for t in parsed.tables][:60],
        "warnings": parsed.warnings,
        "goal": bench.request.goal,
    }


def extract_facts(bench: Workbench, _: NoArguments) -> BaseModel | dict[str, Any]:
    """Claims, settings, methods, data sets, each with its evidence."""
    if not bench.request.paper:
        return {"claims": [], "hyperparameters": [], "datasets": [], "methods": [], "metrics": [], "warnings": []}
    from trainwright.tools.papers import extract

    facts: BaseModel = extract(parsed_paper(bench))
    return facts


def read_section(bench: Workbench, wanted: SectionName) -> dict[str, Any]:
    """The text of one section."""
    if not bench.request.paper:
        raise PaperError("There is no paper in this run.")
    from trainwright.tools.papers import find_section

    parsed = parsed_paper(bench)
    section = find_section(parsed, wanted.name)
    if section is None:
        return {"found": None, "sections": [f"{s.number} {s.title}".strip() for s in parsed.sections]}
    return {"found": f"{section.number} {section.title}".strip(), "page": section.page, "text": section.text}


def settle(bench: Workbench, brief: PaperBrief) -> PaperBrief:
    """The brief, if the paper was read, and every piece of evidence stands in it.

    Raises:
        Refusal: naming what has no evidence, or saying that the paper was not read.
    """
    if not bench.request.paper:
        if brief.claims or brief.hyperparameters:
            raise Refusal("there is no paper, so there can be no claims and no settings from it")
        return brief
    if not (bench.folder / TEXT).is_file():
        raise Refusal("the paper of this run was never opened", hint="open_paper reads it.")
    if not brief.title.strip() and not brief.summary.strip():
        raise Refusal("the brief has neither a title nor a summary, though there is a paper")
    from trainwright.tools.papers import quote_in

    parsed = parsed_paper(bench)
    for item in [*brief.claims, *brief.hyperparameters]:
        label = getattr(item, "metric", None) or getattr(item, "name", "")
        if not quote_in(parsed, item.quote):
            raise Refusal(f"{label}: the quote {item.quote[:120]!r} does not stand in the paper")
    return brief.model_copy(
        update={
            "source": bench.request.paper if "\n" not in bench.request.paper else "text",
            "sha256": parsed.sha256,
            "pages": parsed.pages,
            "text_path": TEXT,
            "warnings": brief.warnings or parsed.warnings,
        }
    )


READ_SECTION = Tool("read_section", "The text of one section of the paper.", SectionName, read_section)

STAGE = Stage(
    name="read_paper",
    field="brief",
    finish=PaperBrief,
    settle=settle,
    tools=(
        Tool("open_paper", "Title, sections, tables and warnings of the paper of this run.", NoArguments, open_paper),
        Tool(
            "extract_facts",
            "Claims, hyperparameters, methods, data sets and metrics found in the paper, with quotes and pages.",
            NoArguments,
            extract_facts,
        ),
        READ_SECTION,
        READ_OUTPUT,
        LOOKUPS["papers"],
        LOOKUPS["web"],
    ),
    filled=("source", "arxiv_id", "doi", "sha256", "pages", "text_path", "warnings"),
)
