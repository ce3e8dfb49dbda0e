"""Who decides inside a stage. The built-in engineer, `recipes`, needs no model, no key and no network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.graph.errors import RequestError

if TYPE_CHECKING:
    from trainwright.graph.state import Settings

    from .protocol import Engineer

__all__ = ["ENGINEERS", "check_engineer", "choose_engineer"]

ENGINEERS = ("recipes",)


def check_engineer(name: str) -> None:
    """Refuse an engineer that is not there.

    Raises:
        RequestError: naming those that are.
    """
    if name not in ENGINEERS:
        raise RequestError(f"There is no engineer {name[:60]!r}.", hint=f"There is: {', '.join(ENGINEERS)}.")


def choose_engineer(settings: Settings) -> Engineer:
    """The engineer of a run.

    Raises:
        RequestError: there is none of that name.
    """
    check_engineer(settings.engineer)
    from .recipes import RecipesEngineer

    return RecipesEngineer()
