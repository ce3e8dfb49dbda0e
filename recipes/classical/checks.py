"""Whether a method has the settings that somebody fixed: none of them is ignored in silence.

Ranges are checked where a plan is made, by the catalog; this is for settings that come by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from contract import BadInput
from methods import Method, Situation, features_of

__all__ = ["check_settings"]


class _Read(dict[str, Any]):
    """Settings that remember which of them were looked at."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        super().__init__(settings)
        self.read: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.read.add(key)
        return super().get(key, default)

    def __contains__(self, key: object) -> bool:
        self.read.add(str(key))
        return super().__contains__(key)


def check_settings(method: Method, fixed: Mapping[str, Any], situation: Situation) -> None:
    """Make sure that the estimator or the features of a method look at each setting.

    Raises:
        BadInput: one of them is not looked at, or cannot be what it is.
    """
    given = _Read(fixed)
    try:
        method.build(given, situation)
        features_of(method, given, situation)
    except (ValueError, TypeError) as error:
        raise BadInput(f"{method.name} does not take these settings: {error}.") from error
    also = {"target"} if situation.regression else set()
    strange = sorted(set(fixed) - given.read - also - ({"width"} if method.name.startswith("svm_") else set()))
    if strange:
        raise BadInput(f"{method.name} for {situation.task} has no setting {', '.join(strange)}.")
