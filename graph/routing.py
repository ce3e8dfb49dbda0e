"""Every edge that depends on something: pure functions from the state to the next node's name.

No text of the world (paper, card, log, answer) decides here: only statuses, counts, hashes and decisions of a gate
do. `within_limits` stands in every path between stages: whatever has ended goes to `wrap_up`.
"""

from __future__ import annotations

from .state import State, Status

__all__ = [
    "BEFORE",
    "after_approve_job",
    "after_approve_plan",
    "after_approve_publish",
    "after_ask_person",
    "after_evaluate",
    "after_find_data",
    "after_plan",
    "after_publish",
    "after_read_paper",
    "after_sandbox_test",
    "after_submit_job",
    "after_watch_job",
    "after_write_code",
    "within_limits",
]

BEFORE: dict[str, str] = {
    "read_paper": "__start__",
    "plan": "read_paper",
    "approve_plan": "plan",
    "find_data": "approve_plan",
    "write_code": "find_data",
    "sandbox_test": "write_code",
    "approve_job": "sandbox_test",
    "submit_job": "approve_job",
    "watch_job": "submit_job",
    "evaluate": "watch_job",
    "approve_publish": "evaluate",
    "publish": "approve_publish",
}
"""The node after which `resume` re-enters the graph at a node that was stopped."""


def within_limits(state: State, onward: str) -> str:
    """`onward`, unless the run has ended."""
    if state.status != Status.RUNNING:
        return "wrap_up"
    if state.settings is not None and state.steps > state.settings.step_cap:
        # Only a cap that a later invocation lowered can be passed between stages; wrap_up says so.
        return "wrap_up"
    return onward


def or_question(state: State, onward: str) -> str:
    """`onward`, or to the person whom the node asks."""
    return within_limits(state, onward if state.question is None else "ask_person")


def _last(state: State, gate: str) -> str:
    return next((a.decision for a in reversed(state.approvals) if a.gate == gate), "")


def after_read_paper(state: State) -> str:
    """The brief leads to the plan."""
    return or_question(state, "plan")


def after_plan(state: State) -> str:
    """The plan leads to its gate; a dry run ends here; with nothing left to try, the best attempt so far is taken."""
    if (
        state.status == Status.GAVE_UP
        and state.accepted is None
        and any(a.validation is not None and not a.sent_back for a in state.attempts)
    ):
        return "evaluate"
    dry = state.settings is not None and state.settings.dry_run and state.plan is not None
    return or_question(state, "wrap_up" if dry else "approve_plan")


def after_approve_plan(state: State) -> str:
    """Approved or edited: on; rejected with feedback: the plan again; unusable answer: the gate again."""
    if state.problem:
        return "approve_plan"
    return within_limits(state, "find_data" if _last(state, "approve_plan") in ("approve", "edit") else "plan")


def after_find_data(state: State) -> str:
    """Frozen data lead to code; data that contradict the plan lead back to it."""
    # After a contradiction the data of an earlier attempt stay, since its model may still be the best.
    return or_question(state, "plan" if state.dataset is None or state.contradicted else "write_code")


def after_write_code(state: State) -> str:
    """Code leads to its test."""
    return or_question(state, "sandbox_test")


def after_sandbox_test(state: State) -> str:
    """Passed: to the gate; failed: repair; stopped before it ended: again."""
    report = state.sandbox
    if report is None or state.code is None or report.code_sha256 != state.code.sha256:
        return within_limits(state, "sandbox_test")
    return within_limits(state, "approve_job" if report.passed else "write_code")


def after_approve_job(state: State) -> str:
    """Approved: on; edited code: tested again; rejected with feedback: the code again."""
    if state.problem:
        return "approve_job"
    last = _last(state, "approve_job")
    tested = state.sandbox is not None and state.code is not None and state.sandbox.code_sha256 == state.code.sha256
    if last == "approve" and tested:
        return within_limits(state, "submit_job")
    return within_limits(state, "sandbox_test" if last in ("edit", "approve") else "write_code")


def after_submit_job(state: State) -> str:
    """A submitted job is watched."""
    return or_question(state, "watch_job")


def after_watch_job(state: State) -> str:
    """Succeeded: evaluate; failed: repair; still running: watch on. Without a job an earlier attempt is evaluated."""
    if state.question is None and state.job is None:
        return within_limits(state, "evaluate")
    if state.question is not None or state.job is None or state.job.state in ("submitted", "running"):
        return or_question(state, "watch_job")
    return within_limits(state, "evaluate" if state.job.state == "succeeded" else "write_code")


def after_evaluate(state: State) -> str:
    """Accepted: to the gate; not good enough: the plan again; broken contract: repair; stopped: again."""
    if state.accepted is not None and state.evaluation is not None:
        return within_limits(state, "approve_publish")
    if state.job is not None:
        return within_limits(state, "evaluate")
    return within_limits(state, "plan" if state.repairs == 0 else "write_code")


def after_approve_publish(state: State) -> str:
    """Approved: published; edited: shown again, since an approval binds to its card; rejected: a new attempt."""
    if state.problem:
        return "approve_publish"
    onward = {"approve": "publish", "edit": "approve_publish"}.get(_last(state, "approve_publish"), "plan")
    return within_limits(state, onward)


def after_publish(state: State) -> str:
    """Published or refused: the run wraps up; stopped in the clean run: again."""
    return or_question(state, "publish")


def after_ask_person(state: State) -> str:
    """Back to the node that asked, once there is an answer."""
    if state.status != Status.RUNNING:
        return "wrap_up"
    if state.question is None:
        return "wrap_up"
    return "ask_person" if state.problem else state.question.back_to
