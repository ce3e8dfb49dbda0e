"""Which columns are features: what is left when targets, groups and unusable columns are out, and what it makes the data.

A refusal, where no recipe serves what is left, is decided here too.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from trainwright.graph.errors import DataError
from trainwright.graph.state import Modality

from .messages import finding, shown
from .roles import ID_NAME, group_column
from .unsupported import refusal_of

if TYPE_CHECKING:
    from .examining import Examined

__all__ = ["settle_features"]


def settle_features(found: Examined) -> tuple[Modality, str] | None:
    """Settle the features, and the refusal where no recipe serves them.

    Raises:
        DataError: there is no feature.
    """
    _drop_partial(found)
    _drop_other_targets(found)
    left = [name for name in found.facts if name != found.target and name not in found.dropped]
    _recast(found, left)
    group = group_column(found.facts, [found.target, *found.dropped])
    if group and len(left) > 1:
        found.dropped[group] = ("group", "rows with the same value belong together")
        left.remove(group)
    if not left:
        out = ", ".join(f"{shown(n, 40)} ({why})" for n, (_, why) in list(found.dropped.items())[:8])
        raise DataError(
            f"Nothing is left to predict {shown(found.target)} from. {f'Left out: {out}.' if out else ''}".strip(),
            hint="A table needs at least one feature column besides the target.",
        )
    found.features = left
    found.modality = _modality(found, left)
    relevant = {name: found.facts[name] for name in [*left, found.target]}
    return refusal_of(relevant, found.frame[found.main], found.target, found.task or "", named=found.named)


def _drop_partial(found: Examined) -> None:
    """Columns that a part lacks cannot be used: a model would never see them there."""
    parts = found.loaded.parts
    for name in [n for n in found.facts if n != found.target and n not in found.dropped]:
        lacking = [part for part, frame in parts.items() if name not in frame.columns]
        if lacking:
            found.dropped[name] = ("dropped", f"missing in the {lacking[0]} part")
            text = f"Column {shown(name)} is missing in the {lacking[0]} part; it was left out."
            found.findings.append(finding("column_missing_in_part", "warning", text, [name]))


def _drop_other_targets(found: Examined) -> None:
    """Columns such as Y2 beside the target Y1, or label_fine beside label_coarse."""
    stem = re.match(r"(?i)^(y|target|label|class|output|outcome)s?[_ .-]?(\d+|[a-z]+)?$", found.target.strip())
    if not stem:
        return
    other = re.compile(rf"(?i)^{stem[1]}s?[_ .-]?(\d+|[a-z]+)?$" if len(stem[1]) > 1 else r"(?i)^y[_ .-]?\d+$")
    for name in found.facts:
        if name != found.target and name not in found.dropped and other.match(name.strip()):
            found.dropped[name] = ("dropped", "a target too")
            text = (
                f"Column {shown(name)} is called like a target too; it was left out, and only {shown(found.target)} is "
            )
            found.findings.append(finding("other_target", "warning", text + "predicted.", [name]))


def _recast(found: Examined, features: list[str]) -> None:
    """Codes that repeat are categories; a single column of many different words is text."""
    for name in features:
        fact = found.facts[name]
        if fact.kind == "number" and fact.whole and fact.distinct > 2 and ID_NAME.match(name):
            found.facts[name] = replace(fact, kind="category")
    if len(features) == 1 and found.facts[features[0]].kind == "category":
        fact = found.facts[features[0]]
        if str(found.frame[features[0]].dtype) == "str" and fact.distinct > max(20, 0.3 * fact.rows):
            found.facts[features[0]] = replace(fact, kind="text")


def _modality(found: Examined, features: list[str]) -> Modality:
    """Images by the source; text where texts are the substance; else a table."""
    kinds = Counter(found.facts[name].kind for name in features)
    if kinds["image"] or (kinds["vector"] and found.loaded.modality == "images"):
        return "images"
    others = len(features) - kinds["text"]
    longest = max((found.facts[name].words for name in features if found.facts[name].kind == "text"), default=0.0)
    if kinds["text"] and (others <= 1 or (longest >= 5 and others <= 4)):
        return "text"
    return "table"
