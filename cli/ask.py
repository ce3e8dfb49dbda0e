"""The question at a gate, put to the person at the terminal.

`ask` reads lines and returns what was decided, or None for later. It does not carry anything out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from trainwright.graph.errors import RequestError

from .cards import diff_lines, waiting_lines
from .request import answer_spec
from .screen import Line, Screen
from .typed import read_line

__all__ = ["Answer", "ask"]

MENU = "[a]pprove  [e]dit  [f]eedback, to send it back  [r]eject and end the run  [l]ater"
CALLS = "[a]pprove  [e]dit  [f]eedback  [r]eject  [s]ay it yourself instead  [l]ater"
SEVERAL = "A number in front answers one of them alone: 2a."


@dataclass(frozen=True)
class Answer:
    """What a person decided: a type of LangChain's human-in-the-loop decision, its words, or the edited action.

    `only` has the numbers of the actions that it is for; all that are open when empty.
    """

    type: Literal["approve", "edit", "reject", "respond"]
    message: str = ""
    edited: dict[str, Any] | None = None
    only: tuple[int, ...] = ()


Edit = Callable[[Mapping[str, Any], tuple[int, ...]], Answer]
"""Lets the person edit an action of what waits; RequestError if nothing came of it."""


def ask(
    screen: Screen, waiting: Mapping[str, Any], read: Callable[[str], str] = read_line, edit: Edit | None = None
) -> Answer | None:
    """Ask what a run waits for.

    Args:
        screen: where the choices are shown.
        waiting: `gate` and `card` of what waits, and the name of the `run`.
        read: reads one line after showing a prompt; the standard input.
        edit: lets the person edit; in their editor when None.

    Returns:
        The answer; None when the person wants to answer later.

    Raises:
        KeyboardInterrupt: the person pressed Ctrl-C.
    """
    try:
        if waiting.get("gate") == "ask_person":
            return _question(screen, waiting, read)
        return _gate(screen, waiting, read, edit or _in_editor)
    except EOFError:
        return None


def _in_editor(waiting: Mapping[str, Any], only: tuple[int, ...]) -> Answer:
    from .editing import edited_action
    from .going_on import waiting_row

    found = edited_action(waiting_row(str(waiting.get("run", ""))), only)
    return Answer("edit", edited=found.action, only=(found.number,))


def _question(screen: Screen, waiting: Mapping[str, Any], read: Callable[[str], str]) -> Answer | None:
    screen.show([Line("An empty line answers later.", "faint")])
    while text := _line(read, "answer> "):
        try:
            return Answer("respond", answer_spec(waiting, text))
        except RequestError as error:
            screen.show([Line(str(error), "warn")])
    return None


def _gate(screen: Screen, waiting: Mapping[str, Any], read: Callable[[str], str], edit: Edit) -> Answer | None:
    card = waiting.get("card") or {}
    while True:
        screen.show([Line(_menu(waiting), "faint")])
        typed = _line(read, "decision> ").lower()
        only, choice = _numbered(typed, int(waiting.get("actions") or 1))
        if choice in ("l", "later", ""):
            return None
        if choice in ("d", "diff", "difference") and card.get("diff"):
            screen.show(diff_lines(card, None))
        elif choice in ("w", "whole"):
            screen.show(waiting_lines(waiting, full=True))
        elif (answer := _decided(screen, waiting, read, edit, choice, only)) is not None:
            return answer


def _menu(waiting: Mapping[str, Any]) -> str:
    menu = CALLS if waiting.get("gate") == "approve_tools" else MENU
    if (waiting.get("card") or {}).get("diff"):
        menu += "  [d]ifference in full"
    if waiting_lines(waiting) != waiting_lines(waiting, full=True):
        menu += "  [w]hole card"
    return f"{menu}  {SEVERAL}" if int(waiting.get("actions") or 1) > 1 else menu


def _numbered(typed: str, actions: int) -> tuple[tuple[int, ...], str]:
    """The number in front of a choice, where there are several actions, and the choice."""
    digits = typed[: len(typed) - len(typed.lstrip("0123456789"))]
    if actions < 2 or not digits or not 1 <= int(digits) <= actions:
        return (), typed
    return (int(digits),), typed[len(digits) :].strip()


def _decided(
    screen: Screen,
    waiting: Mapping[str, Any],
    read: Callable[[str], str],
    edit: Edit,
    choice: str,
    only: tuple[int, ...],
) -> Answer | None:
    """The answer that a choice is; None, and said why, if it is none."""
    if choice in ("a", "approve", "y", "yes"):
        return Answer("approve", only=only)
    if choice in ("r", "reject"):
        return Answer("reject", only=only)
    if choice in ("f", "feedback"):
        return _with_words(screen, read, "reject", "what should change> ", only)
    if choice in ("s", "say") and waiting.get("gate") == "approve_tools":
        return _with_words(screen, read, "respond", "answer> ", only)
    if choice in ("e", "edit"):
        try:
            return edit(waiting, only)
        except RequestError as error:
            screen.show([Line(str(error), "warn")])
            return None
    screen.show([Line(f"{choice!r} is none of these.", "warn")])
    return None


def _with_words(
    screen: Screen,
    read: Callable[[str], str],
    kind: Literal["reject", "respond"],
    prompt: str,
    only: tuple[int, ...],
) -> Answer | None:
    if text := _line(read, prompt):
        return Answer(kind, text, only=only)
    screen.show([Line("Nothing was said, so nothing was decided.", "warn")])
    return None


def _line(read: Callable[[str], str], prompt: str) -> str:
    """One line of input, without what cannot be written as UTF-8."""
    return read(prompt).encode("utf-8", "replace").decode("utf-8").strip()
