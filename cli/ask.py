"""The question at a gate, put to the person at the terminal.

`ask` reads lines and returns what was decided, or None for later. It does not carry anything out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trainwright.graph.errors import RequestError

from .cards import diff_lines
from .request import answer_spec
from .screen import Line, Screen

__all__ = ["Answer", "ask"]

MENU = "[a]pprove  [f]eedback, to send it back  [r]eject and end the run  [l]ater"


@dataclass(frozen=True)
class Answer:
    """What a person decided: a type of LangChain's human-in-the-loop decision, and its words."""

    type: Literal["approve", "reject", "respond"]
    message: str = ""


def ask(screen: Screen, waiting: Mapping[str, Any], read: Callable[[str], str] = input) -> Answer | None:
    """Ask what a run waits for.

    Args:
        screen: where the choices are shown.
        waiting: `gate` and `card` of what waits.
        read: reads one line after showing a prompt; the standard input.

    Returns:
        The answer; None when the person wants to answer later.

    Raises:
        KeyboardInterrupt: the person pressed Ctrl-C.
    """
    try:
        if waiting.get("gate") == "ask_person":
            return _question(screen, waiting, read)
        return _gate(screen, waiting, read)
    except EOFError:
        return None


def _question(screen: Screen, waiting: Mapping[str, Any], read: Callable[[str], str]) -> Answer | None:
    screen.show([Line("An empty line answers later.", "faint")])
    while text := _line(read, "answer> "):
        try:
            return Answer("respond", answer_spec(waiting, text))
        except RequestError as error:
            screen.show([Line(str(error), "warn")])
    return None


def _gate(screen: Screen, waiting: Mapping[str, Any], read: Callable[[str], str]) -> Answer | None:
    card = waiting.get("card") or {}
    menu = f"{MENU}  [d]ifference in full" if card.get("diff") else MENU
    while True:
        screen.show([Line(menu, "faint")])
        choice = _line(read, "decision> ").lower()
        if choice in ("a", "approve", "y", "yes"):
            return Answer("approve")
        if choice in ("r", "reject"):
            return Answer("reject")
        if choice in ("l", "later", ""):
            return None
        if choice in ("d", "diff", "difference") and card.get("diff"):
            screen.show(diff_lines(card, None))
        elif choice in ("f", "feedback"):
            if text := _line(read, "what should change> "):
                return Answer("reject", text)
            screen.show([Line("Nothing was said, so nothing was decided.", "warn")])
        else:
            screen.show([Line(f"{choice!r} is none of these.", "warn")])


def _line(read: Callable[[str], str], prompt: str) -> str:
    """One line of input, without what cannot be written as UTF-8."""
    return read(prompt).encode("utf-8", "replace").decode("utf-8").strip()
