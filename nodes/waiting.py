"""The common part of whatever waits for a person: what is stored and shown, and whose answer counts.

An interrupt comes only after `ask` has stored what is asked; repeating that changes nothing. What counts of the answers
is said by `settle`: those that were stored first, or a rejection where the policy's deadline has passed, or what the
interrupt was answered with. An answer that was meant for something else is refused. No gate is here, and nothing is
carried out.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from langgraph.config import get_config
from langgraph.errors import GraphInterrupt
from langgraph.types import interrupt
from pydantic import Field

from trainwright.graph.answers import Answers, Asked, TooLate, moment
from trainwright.graph.errors import Refusal
from trainwright.graph.runs import open_runs
from trainwright.graph.state import Decision, Decisions
from trainwright.tools.policy.actions import Verdict

from .notices import notice_of_waiting

__all__ = [
    "Card",
    "Kind",
    "Reply",
    "Settled",
    "Shown",
    "ask",
    "card_sha256",
    "put",
    "put_in_vain",
    "review",
    "settle",
    "standing_of",
]

Card = dict[str, Any]
Kind = Literal["approve", "edit", "reject", "respond"]

ELSEWHERE = "the graph's own interface"
"""Where an answer came from that no terminal and no `driver.answer` handed in: HTTP, Studio, a program with the graph."""


class Reply(Decisions):
    """The answer to a gate, and, if the answerer says so, to which card."""

    shown: str = Field("", description="`shown` of the request that this answers; refused if something else is shown.")


def card_sha256(card: Card) -> str:
    """The identity of what was shown."""
    return hashlib.sha256(json.dumps(card, sort_keys=True, default=str).encode()).hexdigest()


def review(actions: Sequence[tuple[str, dict[str, Any], str]], allowed: Sequence[Kind]) -> dict[str, Any]:
    """LangChain's human-in-the-loop request for (name, arguments, description) of each action."""
    return {
        "action_requests": [{"name": name, "args": args, "description": text} for name, args, text in actions],
        "review_configs": [{"action_name": name, "allowed_decisions": list(allowed)} for name, _, _ in actions],
    }


@dataclass(frozen=True)
class Shown:
    """What a gate shows.

    Attributes:
        gate: its name.
        card: what an approval binds to.
        text: one sentence that says what is asked.
        more: what is shown besides and follows from the card and what was approved before, such as a difference.
        standing: what is shown besides and changes by itself, such as what remains of the limits.
        actions: how many decisions it takes.
        number: how much was decided before, which tells a card from the same one shown again later.
    """

    gate: str
    card: Card
    text: str
    more: Card
    standing: Card
    actions: int = 1
    number: int = 0

    @property
    def whole(self) -> Card:
        """The card as people see it."""
        return {**self.card, **self.more}


def ask(run: str, turn: str, shown: Shown, verdict: Verdict, problem: str = "") -> Asked:
    """Store what is asked, note that the run waits, and tell whoever wants to know; repeating changes nothing."""
    digest = card_sha256(shown.card)
    # First the notice, which may take seconds: a run that is killed meanwhile is still at work, and `resume` goes on.
    # No deadline runs before it.
    notice_of_waiting(run, shown.gate, digest, shown.number)
    asked = Answers().ask(
        run, shown.gate, turn, shown.card, digest,
        actions=shown.actions, rule=verdict.rule, deadline_hours=verdict.deadline_hours,
    )  # fmt: skip
    waiting = {
        "gate": shown.gate,
        "card": shown.whole,
        "text": shown.text,
        "problem": problem or asked.problem,
        "shown": asked.key,
        "actions": shown.actions,
        "standing": standing_of(shown, asked, verdict),
    }
    if asked.answers:
        waiting["answered"] = asked.answered()
    open_runs().update(run, stage=shown.gate, status="waiting", waiting=waiting)
    return asked


def put(asked: Asked, payload: Card) -> Reply:
    """Put it to a person: the interrupt's answer; or what counts already, where a kill came before the interrupt.

    Raises:
        GraphInterrupt: nobody has answered yet.
        ValidationError: what was answered is no answer.
    """
    try:
        return interrupt(payload, response_schema=Reply)
    except GraphInterrupt:
        # Only now: an answer that came with this invocation must be taken here, and not by the next gate. However soon
        # a deadline ends, nothing is rejected by the invocation that began to ask.
        if asked.open and (asked.new or not asked.expired):
            raise
    decisions = [Decision(type="reject")] * asked.actions if asked.open else _all_stored(asked)
    return Reply(decisions=decisions, shown=asked.key)


def put_in_vain(payload: Card) -> None:
    """Put it to a person though no answer can be taken; one that comes is dropped, and nothing is stored of it.

    Raises:
        GraphInterrupt: nobody has answered yet.
        ValidationError: what was answered is no answer.
    """
    interrupt(payload, response_schema=Reply)


def _all_stored(there: Asked) -> list[Decision]:
    return [_stored(there, number) for number in range(1, there.actions + 1)]


def standing_of(shown: Shown, asked: Asked, verdict: Verdict) -> Card:
    """What is shown beside a card: what changes by itself, why it is asked, since when and until when."""
    until = {} if asked.until is None else {"until": asked.until}
    return {"rule": asked.rule, "why": verdict.why, "asked_at": asked.asked_at, **until, **shown.standing}


@dataclass(frozen=True)
class Settled:
    """What counts.

    Attributes:
        decisions: one for each action.
        by: who decided; `rule` where a deadline passed.
        late: what is said to an answer that came too late; empty if none did.
    """

    decisions: list[Decision]
    by: Literal["person", "rule"] = "person"
    late: str = ""


def settle(asked: Asked, reply: Reply, check: Callable[[list[Decision]], None]) -> Settled:
    """Whose answer counts; the reply is stored if it is the first.

    Args:
        asked: what is asked.
        reply: what the interrupt was answered with.
        check: raises if decisions cannot be used.

    Raises:
        TrainwrightError: the reply cannot be used; nothing was taken from it.
    """
    there = Answers().again(asked)
    if there.open and there.expired:
        return Settled([Decision(type="reject") for _ in range(there.actions)], "rule", _expired(there))
    if there.open:
        _check_meant(there, reply)
        numbered = _numbered(there, reply)
        check([numbered.get(n) or _stored(there, n) for n in range(1, there.actions + 1)])
        given = {number: decision.model_dump(mode="json") for number, decision in numbered.items()}
        try:
            there = Answers().give(asked.key, given, ELSEWHERE)
        except TooLate as error:
            if (there := Answers().again(asked)).open:
                raise Refusal(error.message) from error
    decisions = _all_stored(there)
    return Settled(decisions, late=_late(there, reply, decisions))


def _stored(there: Asked, number: int) -> Decision:
    return Decision.model_validate(there.answers[number].decision)


def _numbered(there: Asked, reply: Reply) -> dict[int, Decision]:
    """The decisions of a reply by the number of their action: of all, or of those that are open."""
    given = reply.decisions
    numbers = there.open if len(given) == len(there.open) else list(range(1, there.actions + 1))
    if len(given) != len(numbers):
        needed = f"{len(numbers)} decisions are" if len(numbers) > 1 else "One decision is"
        raise Refusal(f"{needed} needed, {len(given)} were given; none was taken.")
    return dict(zip(numbers, given, strict=True))


def _check_meant(there: Asked, reply: Reply) -> None:
    """Refuse an answer to something else: it names another card, or was sent before this one was shown."""
    asked_at, sent = datetime.fromisoformat(there.asked_at), _sent_at()
    if reply.shown and reply.shown != there.key:
        raise Refusal("That answer is to something else that was shown before; nothing was taken from it.")
    if sent is not None and sent < asked_at <= moment():
        raise Refusal(
            f"That answer was sent at {sent.isoformat(timespec='milliseconds')}, before this was shown: it came too "
            "late for what it answered, where the first answer counts, and nothing was taken from it."
        )


def _sent_at() -> datetime | None:
    """When the server was given the invocation under way: its id (UUID version 7) holds the time. None elsewhere."""
    try:
        config = get_config()
    except RuntimeError:
        return None
    found = config.get("run_id") or config.get("metadata", {}).get("run_id")
    try:
        identity = uuid.UUID(str(found))
    except ValueError:
        return None
    return datetime.fromtimestamp((identity.int >> 80) / 1000, UTC) if identity.version == 7 else None


def _late(there: Asked, reply: Reply, decisions: list[Decision]) -> str:
    given = reply.decisions if len(reply.decisions) == len(decisions) else decisions
    if given == decisions:
        return ""
    kinds = ", ".join(decision.type for decision in given)
    return f"An answer ({kinds}) came too late: the first one counts. {there.said()}."


def _expired(there: Asked) -> str:
    return (
        f"{there.gate}: the policy's deadline ({there.until}, rule {there.rule}) passed without an answer, which counts "
        "as a rejection. What was answered after it was not used."
    )
