"""What a person's own words say to the built-in engineer: a method, settings, a metric.

A goal and the feedback of a rejection are read the same way. Only what a recipe can take is understood; everything
else in the words is left alone. Nothing here reads a paper.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from trainwright.graph.state import PlannedHyperparameter
from trainwright.recipes.catalog import Recipe, check_hyperparameter
from trainwright.tools.toolbox import Workbench

__all__ = ["StatedSetting", "planned", "rejection", "settings_in"]

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?(?![\w.]*\w)"
NAME = r"(?P<name>[A-Za-zα-ω][\w ]*?)"
NAME_VALUE = re.compile(rf"{NAME}\s*(?:[=:]|\bof\b|\bto\b|\bis\b|\s)\s*(?P<value>{NUMBER})")
NAME_WORD = re.compile(rf"{NAME}\s*[=:]\s*(?P<value>[A-Za-z]\w*)")
VALUE_NAME = re.compile(r"(?<![\w.=])(?P<value>\d+)[ -](?P<name>[A-Za-z]+(?: [a-z]+)?)")
LONGEST_NAME = 5
"""Words of a setting's name at most."""


@dataclass(frozen=True)
class StatedSetting:
    """A setting in a person's words.

    Attributes:
        name, value: canonical, as the recipe takes them.
        words: as they stand there.
    """

    name: str
    value: str | int | float | bool
    words: str


def settings_in(text: str, recipe: Recipe) -> list[StatedSetting]:
    """The settings of a recipe that a text states, each once; the later one of two counts."""
    found: dict[str, StatedSetting] = {}
    for pattern in (VALUE_NAME, NAME_WORD, NAME_VALUE):
        for match in pattern.finditer(text):
            stated = _stated(match["name"], match["value"], match[0], recipe, first=pattern is VALUE_NAME)
            if stated is not None:
                found[stated.name] = stated
    return list(found.values())


def _stated(name: str, value: str, words: str, recipe: Recipe, *, first: bool) -> StatedSetting | None:
    """The setting whose name ends (or, after a number, begins) the words; the longest name that the recipe knows."""
    parts = name.split()
    for count in range(min(LONGEST_NAME, len(parts)), 0, -1):
        for some in (parts[:count], parts[-count:]) if first else (parts[-count:],):
            candidate = " ".join(some)
            checked = check_hyperparameter(recipe, candidate, value)
            if isinstance(checked, tuple):
                return StatedSetting(*checked, words if first else words[words.rindex(candidate) :])
    return None


def planned(text: str, recipe: Recipe, where: str) -> list[PlannedHyperparameter]:
    """The stated settings as those of a plan."""
    return [
        PlannedHyperparameter(name=s.name, value=s.value, source="chosen", why=f"{where} says {s.words!r}")
        for s in settings_in(text, recipe)
    ]


def rejection(bench: Workbench) -> str:
    """The feedback of a person who rejected what was shown, if that is why this stage runs; otherwise nothing."""
    last = next((a for a in reversed(bench.approvals) if a.by == "person"), None)
    rejected = last is not None and last.decision == "reject" and bool(last.message.strip())
    return bench.feedback if rejected and last is not None and bench.feedback == last.message.strip() else ""
