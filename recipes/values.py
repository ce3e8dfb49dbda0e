"""Values of hyperparameters as papers write them, to what a script takes: `10^-3`, `2^5`, `ReLU`, `100, 50`.

A value is taken only within its setting's kind and range; what cannot be read is None, never a guess.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trainwright.graph.state import Scalar

__all__ = ["Setting", "plain", "read_value"]

Kind = Literal["float", "int", "words", "sizes"]

NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?")
POWER = re.compile(r"(?:(?P<factor>[\d.]+)(?:\*|x|×|·))?(?P<base>10|2|e)(?:\^|\*\*)\{?\(?(?P<exponent>[+-]?\d+)\)?\}?")
RATIO = re.compile(r"(?P<over>\d+(?:\.\d+)?)/(?P<under>\d+(?:\.\d+)?)")
SIGNS = str.maketrans({"−": "-", "–": "-", "⁻": "-", "\u00a0": " "})


def plain(text: str) -> str:
    """Lower case, with hyphens, underscores and runs of blanks as one blank."""
    return re.sub(r"[\s_\-–—‐‑]+", " ", text.strip().lower()).strip()


@dataclass(frozen=True)
class Setting:
    """A hyperparameter that a plan may fix.

    Attributes:
        name: canonical.
        low, high: inclusive range of a number, or of each layer's size.
        values: words that it takes (besides numbers, if its kind is one).
        aliases: how papers call it, in the form of `plain`.
        synonyms: other words for its values, in the form of `plain`.
        tasks, modalities: where it exists; empty is everywhere.
    """

    name: str
    kind: Kind
    low: float = -math.inf
    high: float = math.inf
    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    synonyms: tuple[tuple[str, str], ...] = ()
    tasks: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()

    @classmethod
    def read(cls, name: str, entry: Mapping[str, Any], synonyms: Mapping[str, Any]) -> Setting:
        """From `recipes.toml`."""
        low, high = entry.get("range", (-math.inf, math.inf))
        values = tuple(entry.get("values", ()))
        others = [(plain(word), value) for value in values for word in [value, *synonyms.get(value, [])]]
        return cls(
            name=name,
            kind=entry["kind"],
            low=low,
            high=high,
            values=values,
            aliases=tuple(plain(alias) for alias in entry.get("aliases", ())),
            synonyms=tuple(others),
            tasks=tuple(entry.get("tasks", ())),
            modalities=tuple(entry.get("modalities", ())),
        )

    def allowed(self) -> str:
        """What it takes, for a person."""
        words = " or ".join(self.values)
        if self.kind == "words":
            return f"one of {', '.join(self.values)}"
        number = (
            "a whole number" if self.kind == "int" else "sizes such as 100-50" if self.kind == "sizes" else "a number"
        )
        span = f"{number} from {self.low:g} to {self.high:g}"
        return f"{span}, or {words}" if words else span


def read_value(setting: Setting, value: Scalar) -> Scalar | None:
    """The value in its canonical form, or None if the setting does not take it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        word = dict(setting.synonyms).get(plain(value))
        if word is not None:
            return word
    if setting.kind == "words":
        return None
    if setting.kind == "sizes":
        return _sizes(setting, value)
    number = _number(value)
    if number is None or not setting.low <= number <= setting.high:
        return None
    if setting.kind == "int":
        return int(number) if number == int(number) else None
    return float(number)


def _number(value: Scalar) -> float | None:
    if isinstance(value, int | float):
        return float(value) if math.isfinite(value) else None
    text = value.translate(SIGNS).strip().lower().replace(" ", "").strip("$")
    if NUMBER.fullmatch(text):
        return float(text.replace(",", ""))
    if found := POWER.fullmatch(text):
        base = math.e if found["base"] == "e" else float(found["base"])
        exponent = int(found["exponent"])
        return float(found["factor"] or 1) * base**exponent if abs(exponent) <= 300 else None
    if (found := RATIO.fullmatch(text)) and float(found["under"]):
        return float(found["over"]) / float(found["under"])
    return None


def _sizes(setting: Setting, value: Scalar) -> str | None:
    """Sizes of layers as `100-50`."""
    text = str(value).translate(SIGNS).strip().strip("()[]").rstrip(",")
    numbers = [_number(part) for part in re.split(r"\s*(?:->|→|-|,|x|×|;|/)\s*", text)]
    if not 1 <= len(numbers) <= 10:
        return None
    sizes = [n for n in numbers if n is not None and setting.low <= n <= setting.high and n == int(n)]
    return "-".join(str(int(size)) for size in sizes) if len(sizes) == len(numbers) else None
