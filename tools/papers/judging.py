"""Whether a text is a paper at all: invoices, recipes, letters and forms are told from research.

The bar is low, since a short abstract is a paper for us: it asks for signs of research, not for quality.
"""

from __future__ import annotations

import re

from trainwright.graph.errors import PaperError

from .records import ParsedPaper
from .vocabulary import methods_in

__all__ = ["check_paper"]

_SIGNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\bwe (?:propose|present|show|introduce|study|evaluate|report|train|use|find|describe|investigate|compare|apply)\b",
        r"\b(?:this|our|the) (?:paper|work|study|article|approach|experiments?|results?|method|model|network|analysis)\b",
        r"\bdata ?sets?\b|\bcorpus\b|\bbenchmarks?\b",
        r"\bexperiment(?:s|al)?\b|\bevaluat(?:e|ed|ion)\b",
        r"\baccurac|\berror rates?\b|\bF1\b|\bAUC\b|\bR?MSE\b|\bMAE\b|R²|\bmean (?:absolute|squared) errors?\b|\bprecision\b|"
        r"\brecall\b|\bBLEU\b",
        r"\bclassif(?:y|ier|ication)|\bregression\b|\bclustering\b|\bpredict(?:ion|ive|ors?)\b",
        r"\bneural\b|\bmachine learning\b|\bdeep learning\b|\blearning (?:rate|algorithm|method)s?\b|\bclassifiers?\b",
        r"\balgorithms?\b|\btheorem\b|\bhypothes[ie]s\b",
        r"\bbaselines?\b|state[- ]of[- ]the[- ]art|\boutperform",
        r"\btrain(?:ed|ing)\b.{0,60}\b(?:set|data|model|test)\b|\btest set\b|\bcross[- ]validation\b",
        r"\bet al\b|\bstatistical(?:ly)?\b|\bsignifican(?:t|ce)\b",
        r"\babstract\b|\bkeywords?\b|\brelated work\b|\bmethodology\b",
    )
)
_CITATION = re.compile(
    r"\[\d{1,3}(?:\s*[,–-]\s*\d{1,3})*\]|\([A-Z][\w'’-]+(?: et al\.?| (?:and|&) [A-Z][\w'’-]+)?,? (?:19|20)\d\d[a-z]?\)"
)
_FOREIGN = re.compile(
    r"(?i)\b(?:résumé|zusammenfassung|resumen|riassunto|resumo|literatur|références|bibliografía|einleitung)\b|摘要|引言|参考文献|аннотация|введение"
)
_WORDS = 15


def check_paper(paper: ParsedPaper, name: str) -> None:
    """Refuse what is no paper.

    Raises:
        PaperError: naming the file, and what would be one.
    """
    text = "\n".join([paper.title, *(s.title for s in paper.sections), *(p.text for p in paper.paragraphs)])
    words = len(re.findall(r"\w+", text))
    if any("is damaged" in warning for warning in paper.warnings) and words < 4 * _WORDS:
        raise PaperError(f"{name} is damaged: only {words} words of it are left.", hint="Download it again.")
    if words < _WORDS and not re.search(r"[\u3040-\u9fff\uac00-\ud7af]{40}", text):
        raise PaperError(
            f"{name} has only {words} words: that is no paper.", hint="Give the whole paper, or at least its abstract."
        )
    found = sum(bool(sign.search(text)) for sign in _SIGNS) + bool(methods_in(text))
    citations = len(_CITATION.findall(text))
    cited = 2 * (citations >= 4 or len(paper.references) >= 4) + bool(_FOREIGN.search(text)) * 2
    needed = 2 if not paper.pages or words < 400 else 3
    if found + cited < needed:
        raise PaperError(
            f"{name} is not a research paper: it has {words} words, and none of a paper's marks (a method, data, "
            "experiments, results, references).",
            hint="Give the paper itself: a PDF, Markdown or text file, or an arXiv id.",
        )
