"""Names of metrics in papers. Those that Trainwright scores come from `evaluation.metrics`; others keep a short name.

A metric that is not scored here is still a claim of the paper, so it is named and not mistaken for a near relative:
a word error rate is no classification error, and a mean average precision no average precision.
"""

from __future__ import annotations

import re

from trainwright.tools.evaluation.metrics import METRICS, parse_metric

__all__ = ["OTHER_METRICS", "bare_error", "is_share", "metric_named"]

OTHER_METRICS: tuple[tuple[str, str, bool], ...] = (
    ("wer", r"(?i:\bword[ -]error(?: rates?)?)|\bWER\b", True),
    ("cer", r"(?i:\bcharacter[ -]error(?: rates?)?)|\bCER\b", True),
    ("per", r"(?i:\bphone(?:me)?[ -](?:classification[ -]|recognition[ -])?error(?: rates?)?)|\bPER\b", True),
    ("eer", r"(?i:\bequal[ -]error(?: rates?)?)|\bEER\b", True),
    ("bleu", r"\bBLEU\b", False),
    ("rouge", r"\bROUGE(?:-[12L])?\b", False),
    ("map", r"(?i:\bmean average precision\b)|\bmAP\b", True),
    ("perplexity", r"(?i:\bperplexit(?:y|ies)\b)|\bPPL\b", False),
    ("bits_per_character", r"(?i:\bbits[ -]per[ -](?:character|byte|dim\w*)\b)|\bBPC\b|\bBPB\b", False),
    ("top5_error", r"(?i:top-?5 (?:test |validation )?err(?:or|\.)?)", True),
    ("top5_accuracy", r"(?i:top-?5 acc(?:uracy|\.)?)", True),
    ("frame_accuracy", r"(?i:\bframe[ -](?:classification[ -])?acc(?:uracy|\.)?)", True),
    ("iou", r"\bm?IoU\b|(?i:intersection over union)", True),
    ("dice", r"\b[Dd]ice (?:score|coefficient|similarity)", True),
    ("exact_match", r"(?i:\bexact match\b)", True),
    ("ndcg", r"\bNDCG(?:@\d+)?\b", True),
    ("mrr", r"\bMRR\b|(?i:mean reciprocal rank)", True),
    ("fid", r"\bFID\b", False),
    ("psnr", r"\bPSNR\b", False),
    ("d_prime", r"\bd-?prime\b|\bd′", False),
)
"""Name, pattern, and whether it is a share in [0, 1] that may be printed in percent."""

_OTHERS = [(name, re.compile(pattern)) for name, pattern, _ in OTHER_METRICS]
_SHARES = {name for name, _, share in OTHER_METRICS if share}
_BARE_ERROR = re.compile(r"\b(?:error|err\.?)(?:s|\s*rates?)?\b", re.IGNORECASE)


def metric_named(text: str) -> str | None:
    """The metric that a phrase names, or None; the first one where it names several."""
    others = [(match.start(), name) for name, pattern in _OTHERS if (match := pattern.search(text))]
    known = parse_metric(text)
    if not others:
        return known
    at, name = min(others)
    if known is None:
        return name
    before = parse_metric(text[:at])
    return before or name


def is_share(name: str) -> bool:
    """Whether values lie in [0, 1] and may be printed in percent."""
    return METRICS[name].fraction if name in METRICS else name in _SHARES


def bare_error(text: str) -> bool:
    """Whether a phrase speaks of an error without saying which."""
    return bool(_BARE_ERROR.search(text))
