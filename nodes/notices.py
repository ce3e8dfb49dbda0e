"""What a person is told who is not watching: that a run waits, how it ended, that a limit is nearly used up.

Where to, and on which of these occasions, says the configuration file alone: no paper, no data, no model and no code
can name an address. A notice says the run's name, what it is about in fixed words, and the command that shows the
rest: no text of the run goes out with it, no score, no path. The policy is asked for each address, as for all that
acts.

A notice goes through the journal: sent at most once for each wait and each end. One that a crash came between is not
sent again, but noted. Nothing here ever stops a run, or raises: what could not be sent is a `note` event, a line in the
log, and a note in the report.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from langgraph.config import get_config

from trainwright.graph.effects import Journal
from trainwright.graph.errors import TrainwrightError
from trainwright.graph.events import emit
from trainwright.graph.redaction import redact
from trainwright.graph.state import Status
from trainwright.tools import notices

if TYPE_CHECKING:
    from trainwright.tools.policy.actions import Action

__all__ = ["KIND", "notice_of_budget", "notice_of_end", "notice_of_waiting", "undelivered"]

log = logging.getLogger("trainwright")

KIND = "notification"
"""How the journal and the policy call it."""

WAITS_FOR = {
    "approve_plan": "the approval of its plan",
    "approve_job": "the approval of its training job",
    "approve_publish": "the approval of its publication",
    "approve_tools": "the approval of a tool call",
    "ask_person": "an answer to a question",
}

ENDED: dict[Status, tuple[str, notices.Level]] = {
    Status.PUBLISHED: ("has published its model", "success"),
    Status.DRY_RUN: ("has made its plan (dry run)", "success"),
    Status.FAILED: ("has failed", "failure"),
    Status.GAVE_UP: ("has given up", "failure"),
    Status.STEP_LIMIT: ("has stopped at its limit of steps", "warning"),
    Status.BUDGET_LIMIT: ("has stopped at its budget", "warning"),
    Status.DEADLINE: ("has stopped at its limit of time", "warning"),
    Status.REJECTED: ("has ended: it was not allowed to go on", "info"),
}

FAILED = (Status.FAILED, Status.GAVE_UP)


class _Notice(NamedTuple):
    """One notice: its occasions of the configuration, what identifies it, what it says, how urgently."""

    occasions: tuple[str, ...]
    identity: Mapping[str, Any]
    about: str
    level: notices.Level


def notice_of_waiting(run: str, gate: str, card_sha256: str, number: int) -> None:
    """Tell that a run waits at a gate (blocking).

    Args:
        run: its name.
        gate: the gate's name.
        card_sha256: what is shown there.
        number: how often something was decided before; it tells a card from the same one shown again later.
    """
    identity = {"waiting": gate, "card": card_sha256, "number": number}
    _tell(run, _Notice(("waiting",), identity, f"waits for {WAITS_FOR.get(gate, 'a person')}", "warning"))


def notice_of_end(run: str, status: Status) -> None:
    """Tell how a run ended (blocking); called in the node that ends it."""
    about, level = ENDED.get(status, ("has ended", "info"))
    occasions = ("failed", "ended") if status in FAILED else ("ended",)
    _tell(run, _Notice(occasions, {"ended": str(status), "step": _graph_step()}, about, level))


def notice_of_budget(run: str, limit: str, percent: int, amount: int) -> None:
    """Tell that a limit of a run is nearly used up (blocking).

    Args:
        run: its name.
        limit: the setting that sets it, such as `max_usd`.
        percent: the threshold that was passed.
        amount: the limit itself, in its smallest unit; raised, it can be passed anew.
    """
    identity = {"budget": limit, "percent": percent, "amount": amount}
    level: notices.Level = "warning"
    _tell(run, _Notice(("budget",), identity, f"has used {percent} % of its limit {limit}", level))


def undelivered(run: str) -> list[str]:
    """A note for each notice of a run that did not arrive, or may not have; for its report."""
    found = [effect.handle for effect in Journal().of_run(run) if effect.kind == KIND and effect.handle]
    return [problem for handle in found for problem in json.loads(handle)["problems"]]


def _graph_step() -> int:
    """The graph's step under way: the same when it is run again after a kill, another one after a resume."""
    try:
        return int(get_config()["metadata"]["langgraph_step"])
    except (RuntimeError, KeyError):  # called outside a graph
        return 0


def _tell(run: str, notice: _Notice) -> None:
    try:
        from trainwright.graph.configuration import load_configuration

        wanted = load_configuration().notify
        if wanted.urls and set(notice.occasions) & set(wanted.on):
            _once(run, notice, *_allowed(run, notice, wanted.urls))
    except TrainwrightError as error:
        _note(run, [f"Nobody was notified that {run} {notice.about}: {error}"])
    except Exception as error:
        log.exception("a notice could not be sent")
        _note(run, [f"Nobody was notified that {run} {notice.about}: {type(error).__name__}. The log has the details."])


def _allowed(run: str, notice: _Notice, urls: Sequence[str]) -> tuple[list[notices.Address], list[str]]:
    """The addresses to which the policy lets a notice go, and why it goes to no other."""
    from trainwright.tools.policy import load_policy

    policy = load_policy()
    allowed, refused = [], []
    for address in notices.addresses(urls):
        verdict = policy.judge(_action(address))
        if not address.schema:
            refused.append(_problem(run, notice, address, "Apprise cannot read it"))
        elif verdict.decision == "allow":
            allowed.append(address)
        else:
            why = f"the policy does not allow it (rule {verdict.rule}): {verdict.why}"
            refused.append(_problem(run, notice, address, why))
    return allowed, refused


def _once(run: str, notice: _Notice, to: Sequence[notices.Address], refused: Sequence[str]) -> None:
    """Send it, or find in the journal that it was sent before; note what is new."""
    problems: list[str] = []

    def do(key: str) -> str:
        body = f"{run} {notice.about}. To see more: trainwright show {run}"
        outcomes = notices.send(to, f"Trainwright: {run}", body, notice.level)
        failed = [_problem(run, notice, address, problem) for address, problem in outcomes if problem]
        problems.extend([*refused, *failed])
        return json.dumps({"sent": len(outcomes) - len(failed), "problems": problems})

    def look_up(key: str) -> str:
        problems.append(
            f"The notification that {run} {notice.about} was under way when the run was interrupted: it may or may not "
            "have arrived, and was not sent again."
        )
        return json.dumps({"sent": None, "problems": problems})

    Journal().once(run, 0, KIND, notice.identity, do=do, look_up=look_up)
    _note(run, problems)


def _action(address: notices.Address) -> Action:
    from trainwright.tools.policy.actions import Action

    facts = {"schema": address.schema, **({"host": address.host} if address.host else {})}
    return Action(tool=KIND, facts=facts, text=f"Send a notice to {address.name} of the configuration.")


def _problem(run: str, notice: _Notice, address: notices.Address, why: str) -> str:
    return f"The notification that {run} {notice.about} did not reach {address.name} of the configuration: {why}."


def _note(run: str, problems: Sequence[str]) -> None:
    for problem in redact(list(problems)):
        log.warning("%s", problem)
        emit("note", run, text=problem)
