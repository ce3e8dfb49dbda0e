"""How the built-in engineer says no: with the reason, and with what would help."""

from __future__ import annotations

from collections.abc import Mapping

from .recipes import Call

__all__ = ["INPUT_PROBLEMS", "give_up"]

INPUT_PROBLEMS = ("PaperError", "DataError", "RequestError")


def give_up(problem: Mapping[str, str]) -> Call:
    """End the run with a problem that a tool reported."""
    text = (
        " ".join(part for part in (problem.get("error", ""), problem.get("hint", "")) if part) or "No reason was given."
    )
    broken = problem.get("kind", "") in INPUT_PROBLEMS
    return Call("give_up", {"reason": text[:4_000], "broken_input": broken}, "This cannot be mended here.")
