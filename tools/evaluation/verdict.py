"""The paper's claim beside the measured score: reproduced, better, worse, or not comparable and why not.

Rules. A claim is comparable only if metric, data set and split match; the verdict says which does not.

- Metric: the same, or one that is the same number in other words (accuracy and error rate, MSE and RMSE, micro F1 and
  accuracy, macro recall and balanced accuracy). Percentages become fractions.
- Data set: by name, spelling aside; a name with words behind it (`concrete`, `concrete compressive strength`) is taken
  for the same, with a remark, one with words before it (`MNIST`, `Fashion-MNIST`) is not.
- Split: a claim on cross-validation, on a validation part, of a mean over several runs, or with few labels is not
  comparable with one test part; one on an official part not with another split; one on a random part not with an
  official one; one that says nothing of groups or time not with a split by them. A claim that says nothing, or speaks of
  a test or held-out part, is compared: with an official test part as it is, with our own split with that remark.

A comparable claim is reproduced if it lies within the score's 95 % interval.
"""

from __future__ import annotations

import math
import re

from trainwright.graph.state import Claim, ClaimVerdict, Dataset, Evaluation, PaperBrief, TrainingPlan

from .metrics import METRICS

__all__ = ["judge_claim", "same_dataset"]

FILLER = {
    "data", "dataset", "datasets", "set", "sets", "the", "of", "uci", "corpus", "benchmark", "test", "train", "training",
    "all", "sklearn", "scikit", "learn", "full", "openml", "classification", "regression", "recognition", "database",
    "collection", "problem", "task", "csv", "and", "from", "on", "a", "784", "detection",
}  # fmt: skip
SAME = (
    {"digits", "optdigits", "optical handwritten digits", "optical digits", "handwritten digits", "uci digits"},
    {"adult", "census income", "adult census", "census"},
    {
        "breast cancer",
        "wdbc",
        "breast cancer wisconsin",
        "wisconsin breast cancer",
        "breast cancer wisconsin diagnostic",
    },
    {"letter", "letters", "letter image"},
    {"boston housing", "boston", "bostonhousing", "housing"},
    {"california housing", "cal housing"},
    {"mnist", "mnist digits"},
    {"trec", "trec 6", "trec questions", "trec question"},
    {"mr", "movie reviews", "movie review", "mr polarity"},
)
OTHER_PROTOCOL = re.compile(
    r"(?i)(cross.?validat|\d+.?fold|\bcv\b|leave.one.out|\bmean (?:of|over|across)|averag|\bruns\b|\bseeds\b|\btrials\b"
    r"|\d+ (?:random )?(?:splits|divisions))"
)
OTHER_PART = re.compile(r"(?i)(validation|\bdev(?:elopment)?\b|\btrain)")
TEST_PART = re.compile(r"(?i)(\btest\b|held.?out|unseen|evaluation set)")
"""A claim that names both, such as one for a train/test split of 80/20, is for the test part."""

FEW_LABELS = re.compile(
    r"(?i)(\b(?:\d+|one|few|zero|five|ten).?shots?\b|semi.?supervis|\b\d+ ?% (?:of the )?(?:labels|data))"
)
OFFICIAL = re.compile(r"(?i)\b(official|standard split|original (?:test|split)|predefined|provided (?:test|split))")
RANDOM = re.compile(r"(?i)\brandom")
GROUPS = {
    "group": re.compile(r"(?i)(group|subject|speaker|patient|writer|user|unseen|leave.one)"),
    "time": re.compile(r"(?i)(time|chronolog|tempor|future|last|latest|year|month)"),
}
DIFFERENT = {"red", "white", "extended", "small", "mini", "tiny", "large", "hard", "lite", "noisy", "binary", "subset",
             "coimbra", "original", "augmented", "synthetic", "balanced", "letters", "fashion"}  # fmt: skip
"""Words that make another data set of the one before them."""

TWINS = ({"accuracy", "f1_micro"}, {"balanced_accuracy", "recall_macro"})
"""Metrics that are the same number when each row has one label."""

PERCENT = 100.0
UNBOUNDED = ("r2", "mape")
"""Fractions that may well pass 1 in size."""


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    words = [word for word in re.split(r"[^a-z0-9]+", spaced.lower()) if word and word not in FILLER]
    return " ".join(words)


def same_dataset(claimed: str, ours: str) -> bool:
    """Whether two names mean the same data set, spelling aside."""
    return _same(claimed, ours) != ""


def _same(claimed: str, ours: str) -> str:
    """`exactly`, `nearly` (one name has words behind the other), or nothing."""
    a, b = _words(claimed), _words(ours)
    if not a or not b:
        return ""
    if a == b or a.replace(" ", "") == b.replace(" ", ""):
        return "exactly"
    for group in SAME:
        if {a, b} <= {_words(name) for name in group}:
            return "exactly"
    short, long = sorted((a.split(), b.split()), key=len)
    behind = long[len(short) :]
    if long[: len(short)] != short or len("".join(short)) < 5:
        return ""
    return "" if any(word in DIFFERENT or any(c.isdigit() for c in word) for word in behind) else "nearly"


def judge_claim(
    claim: Claim | None, result: Evaluation, dataset: Dataset, brief: PaperBrief | None, plan: TrainingPlan
) -> ClaimVerdict | None:
    """The verdict on the claim that the plan chose; None if there is none."""
    if claim is None:
        return None
    value, remarks = _converted(claim, result.metric)
    reasons = []
    if value is None:
        reasons.append(f"the claim is of {claim.metric}, the score of {result.metric}")
    elif not _possible(result.metric, value):
        reasons.append(f"the claim {claim.value:g} is outside the range of {claim.metric}")
    reasons += _other_data(claim, dataset, remarks)
    reasons += _other_split(claim, dataset)
    rivals = _contradictions(claim, brief)
    if rivals:
        stated = ", ".join(f"{v:g}" for v in rivals)
        reasons.append(f"the paper contradicts itself: it also states {stated} for the same thing")
    if dataset.split.kind != "official":
        remarks.append(f"own {dataset.split.kind} split")
    if claim.method and plan.method and _words(claim.method) != _words(plan.method):
        remarks.append(f"claimed for {claim.method[:60]}, measured with {plan.method[:60]}")
    common = {
        "value": claim.value if value is None else value,
        "metric": result.metric if value is not None else claim.metric,
        "quote": claim.quote,
        "page": claim.page,
    }
    if reasons or value is None:
        return ClaimVerdict(verdict="not_comparable", why="; ".join([*reasons, *remarks]), **common)
    why = f"{value:.4g} against {result.value:.4g} [{result.low:.4g}, {result.high:.4g}]"
    if result.low <= value <= result.high:
        return ClaimVerdict(verdict="reproduced", why="; ".join([f"{why}: within the interval", *remarks]), **common)
    higher = result.value > value
    better = higher if result.direction == "higher" else not higher
    return ClaimVerdict(verdict="better" if better else "worse", why="; ".join([why, *remarks]), **common)


def _other_data(claim: Claim, dataset: Dataset, remarks: list[str]) -> list[str]:
    """Why the claim is not on these data; a match that is not exact goes into the remarks.

    A paper that names no data set is no exception: its data set may be one whose name was not recognised.
    """
    if not claim.dataset:
        return ["the paper does not say on which data set"]
    match = _same(claim.dataset, dataset.name)
    if match == "nearly":
        remarks.append(f"{claim.dataset[:60]} is taken for {dataset.name[:60]}")
    return [] if match else [f"the claim is on {claim.dataset[:60]}, the data are {dataset.name[:60]}"]


def _other_split(claim: Claim, dataset: Dataset) -> list[str]:
    """Why the claim is not for such a test part."""
    said, kind = claim.split[:60], dataset.split.kind
    few = FEW_LABELS.search(f"{claim.split} {claim.dataset} {claim.method}")
    if few:
        return [f"the claim is for training with few labels ({few[0]}), the score for training with all"]
    ours = {"official": "the official test part", "group": "groups that training did not see", "time": "later rows"}
    if kind in GROUPS and GROUPS[kind].search(said):
        return []
    if kind in GROUPS or (kind == "official" and RANDOM.search(said) and not OFFICIAL.search(said)):
        return [f"the claim is for {said or 'a test part that is not described'}, the score for {ours[kind]}"]
    if OTHER_PROTOCOL.search(said) or (OTHER_PART.search(said) and not TEST_PART.search(said)):
        return [f"the claim is for {said}, the score for one test part"]
    if kind != "official" and OFFICIAL.search(said):
        return [f"the claim is for {said}, the score for our own {kind} split"]
    return []


def _possible(name: str, value: float) -> bool:
    """Whether a metric can have that value."""
    return math.isfinite(value) and (not METRICS[name].fraction or name in UNBOUNDED or -1 <= value <= 1)


def _converted(claim: Claim, name: str) -> tuple[float | None, list[str]]:
    """The claim in terms of the metric, and what was done to it; None if it is of another one."""
    value, remarks = claim.value, []
    entry = METRICS.get(claim.metric)
    if entry is not None and entry.fraction and claim.metric not in UNBOUNDED and 1 < value <= PERCENT:
        value = round(value / PERCENT, 12)
        remarks.append(f"{claim.value:g} is read as percent")
    pair = {claim.metric, name}
    if claim.metric == name or pair in TWINS:
        return value, remarks
    if pair == {"accuracy", "error_rate"} or (pair == {"f1_micro", "error_rate"}):
        other = round(1.0 - value, 12)
    elif pair == {"rmse", "mse"} and value >= 0:
        other = value**0.5 if name == "rmse" else value**2
    else:
        return None, remarks
    return other, [*remarks, f"{claim.metric} {value:g} is {name} {other:g}"]


def _contradictions(claim: Claim, brief: PaperBrief | None) -> list[float]:
    """Other values that the paper states for the same metric, data set, method and split, named in full."""
    if brief is None or not (claim.dataset and claim.method):
        return []
    key = (claim.metric, _words(claim.dataset), _words(claim.method), claim.split)
    others = {
        c.value
        for c in brief.claims
        if c.dataset and c.method and (c.metric, _words(c.dataset), _words(c.method), c.split) == key
    }
    return sorted(v for v in others if abs(v - claim.value) > 0.0015 * max(1.0, abs(claim.value)))[:3]
