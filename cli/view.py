"""A run as its events tell it: which stages are done, under way or ahead, and what the job measures.

`RunView.take` folds one event in; `event_lines` says which lines an event is worth. Neither reads a clock, a file or
a terminal: the present is an argument. An event of an unknown kind is passed over, so that an older terminal can
follow a newer run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .cards import card_lines
from .screen import Line
from .words import clean, duration, line, measured, node_title

__all__ = ["ORDER", "NodeView", "RunView", "event_lines", "metric_line"]

Event = Mapping[str, Any]
Phase = Literal["ahead", "under way", "done", "waiting", "wrong"]

ORDER = (
    "read_paper",
    "plan",
    "approve_plan",
    "find_data",
    "write_code",
    "sandbox_test",
    "approve_job",
    "submit_job",
    "watch_job",
    "evaluate",
    "approve_publish",
    "publish",
    "wrap_up",
)
"""The nodes in the order of the picture; a question (`ask_person`) appears beside the stage that asked."""

CLOSING = {"contradict": "contradicts the plan: ", "give_up": "gives up: "}
"""Verbs that end a stage without its artifact, and what is said in front of the engineer's reason; `decided` tells of
an artifact."""

KEPT = 200
"""Values of a metric that are kept for its little picture."""


@dataclass
class NodeView:
    """One node: how far it is, the seconds that it took, what it does just now."""

    phase: Phase = "ahead"
    seconds: float = 0.0
    since: float | None = None
    note: str = ""

    def elapsed(self, now: float) -> float:
        """Seconds so far, the visit under way included."""
        return self.seconds + (now - self.since if self.since is not None else 0.0)


@dataclass
class RunView:
    """What is known of a run.

    Attributes:
        started: the clock when the watching began.
        run: its name; empty until the first event.
        folder: its folder, once that is known.
        attempt: number of the attempt under way.
        step: engineer turns so far.
        nodes: every node of `ORDER`.
        series: the last values of each metric of the job.
        fraction: progress of the node under way in [0, 1], where it tells.
        tokens: of the model's calls since the watching began, in and out.
        usd: their dollars, as far as they are known.
        priced: whether the price of all of them is known.
        result: the last event, once it is there.
    """

    started: float
    run: str = ""
    folder: str = ""
    attempt: int = 1
    step: int = 0
    nodes: dict[str, NodeView] = field(default_factory=lambda: {name: NodeView() for name in ORDER})
    series: dict[str, list[float]] = field(default_factory=dict)
    fraction: float | None = None
    tokens: int = 0
    usd: float = 0.0
    priced: bool = True
    result: Event | None = None

    def take(self, event: Event, now: float) -> None:
        """Fold one event in.

        Args:
            event: as the driver gives it.
            now: seconds of a clock that only goes forward.
        """
        self.run = str(event.get("run") or self.run)
        kind = event.get("event")
        if kind == "run":
            self.folder = str(event.get("folder", ""))
        elif kind == "node":
            self._node(event, now)
        elif kind == "turn":
            self.step = int(event.get("step") or self.step)
            self._note(event, ", ".join(str(name) for name in event.get("tools", [])))
        elif kind == "helper":
            self._helper(event)
        elif kind == "tool_started":
            self._note(event, str(event.get("name", "")))
        elif kind == "call":
            self._call(event)
        elif kind == "retry":
            self._note(event, _retry_text(event))
        elif kind == "progress":
            self._note(event, str(event.get("text", "")))
            self.fraction = _fraction(event.get("fraction"))
        elif kind == "metrics":
            self._metrics(event)
        elif kind == "approval":
            by = {"rule": "by rule", "person": "by you"}.get(str(event.get("by")), "")
            self._settle(str(event.get("gate", "")), "done", f"{_decided(event)} {by}".strip())
        elif kind == "waiting":
            self._settle(str(event.get("gate", "")), "waiting", "waits for you")
        elif kind == "result":
            self._end(event, now)

    def _node(self, event: Event, now: float) -> None:
        name = str(event.get("node", ""))
        node = self.nodes.get(name)
        if node is None:
            return
        self.attempt = int(event.get("attempt") or self.attempt)
        self.fraction = None
        if event.get("phase") == "start":
            if name == "watch_job":
                self.series.clear()
            self._stop(now)
            self._reach(name)
            node.phase, node.since, node.note = "under way", now, ""
        else:
            node.seconds = node.seconds + float(event["seconds"]) if "seconds" in event else node.elapsed(now)
            node.phase, node.since, node.note = "done", None, ""

    def _reach(self, name: str) -> None:
        """What lies before `name` has been passed; what lies behind it is ahead, also when the run goes back.

        `wrap_up` can be reached from anywhere, so what is still ahead then was never reached.
        """
        place = ORDER.index(name)
        for index, other in enumerate(ORDER):
            node = self.nodes[other]
            if index > place:
                node.phase, node.note = "ahead", ""
            elif index < place and (node.phase != "ahead" or name != "wrap_up"):
                node.phase = "done"

    def _stop(self, now: float) -> None:
        for node in self.nodes.values():
            if node.since is not None:
                node.seconds, node.since = node.elapsed(now), None

    def _note(self, event: Event, text: str) -> None:
        node = self.nodes.get(str(event.get("node") or event.get("stage") or ""))
        if node is not None:
            node.note = text

    def _helper(self, event: Event) -> None:
        """A research helper begins, takes a turn, which counts as one of the run, or ends."""
        phase = event.get("phase")
        self.step += phase == "turn"
        words = {
            "start": event.get("question"),
            "turn": ", ".join(map(str, event.get("tools") or ())),
            "end": event.get("status"),
        }
        self._note(event, f"helper {event.get('helper')}: {line(words.get(str(phase)) or '', 100)}")

    def _call(self, event: Event) -> None:
        if event.get("phase") == "start":
            self._note(event, f"{line(event.get('model', ''), 60)} thinks")
            return
        self.tokens += int(event.get("input_tokens") or 0) + int(event.get("output_tokens") or 0)
        usd = event.get("usd")
        if isinstance(usd, int | float):
            self.usd += usd
        else:
            self.priced = False

    def _metrics(self, event: Event) -> None:
        for name, value in (event.get("values") or {}).items():
            if (
                isinstance(value, int | float)
                and math.isfinite(value)
                and (name in self.series or len(self.series) < 40)
            ):
                values = self.series.setdefault(str(name), [])
                values.append(float(value))
                del values[:-KEPT]

    def _settle(self, gate: str, phase: Phase, note: str) -> None:
        if gate in self.nodes:
            self._reach(gate)
            self.nodes[gate].phase, self.nodes[gate].note = phase, note

    def _end(self, event: Event, now: float) -> None:
        self._stop(now)
        self.result = event
        self.step = int(event.get("steps") or self.step)
        status = event.get("status")
        for node in self.nodes.values():
            if node.phase == "under way":
                node.phase = "waiting" if status in ("waiting", "interrupted") else "wrong"


def _fraction(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return min(1.0, max(0.0, float(value)))


def event_lines(event: Event, *, lively: bool) -> list[Line]:
    """The lines that an event leaves behind.

    Args:
        event: as the driver gives it.
        lively: whether a live picture shows the coming and going of nodes, so that lines need not.
    """
    kind = event.get("event")
    if kind == "run":
        where = Line(f"{line(event.get('run', ''), 80)}, in {line(event.get('folder', ''), 1_000)}", label="run")
        limits = [Line(line(event["limits"], 400), "faint", label="limits")] if event.get("limits") else []
        return [where, *limits]
    if kind == "turn":
        return _turn_lines(event)
    if kind == "tool":
        return _tool_lines(event)
    if kind == "decided":
        return _said(
            str(event.get("stage", "")), str(event.get("text", "")), [str(why) for why in event.get("why", [])]
        )
    if kind == "approval":
        return [_approval_line(event)]
    if kind == "budget":
        return [Line(line(event.get("text", ""), 300), "warn", label="budget")]
    if kind == "note":
        return [Line(clean(event.get("text", ""))[:2_000].strip(), "warn", label="note")]
    if kind in MODEL_LINES:
        return MODEL_LINES[kind](event)
    if lively:
        return []
    if kind == "node":
        return _node_lines(event)
    if kind == "progress":
        return [Line(line(event.get("text", ""), 300), label=node_title(str(event.get("node", ""))))]
    if kind == "waiting":
        return [*card_lines(str(event.get("gate", "")), event.get("card") or {})]
    return []


def _said(stage: str, text: str, why: list[str]) -> list[Line]:
    lines = [Line(line(text, 1_000), label=node_title(stage))]
    return lines + [Line(f"- {line(reason, 600)}", "faint", indent=2) for reason in why]


def _retry_text(event: Event) -> str:
    seconds = float(event.get("seconds") or 0.0)
    then = f"tries again in {duration(seconds)}" if seconds else "tries again"
    return f"{line(event.get('reason', ''), 300)} {then}"


def _retry_lines(event: Event) -> list[Line]:
    return [Line(_retry_text(event), "warn", label=line(event.get("model", ""), 60))]


def _fallback_lines(event: Event) -> list[Line]:
    text = f"{line(event.get('instead_of', ''), 80)} cannot go on ({line(event.get('reason', ''), 300)}); "
    return [Line(f"{text}{line(event.get('model', ''), 80)} takes over", "warn", label="fallback")]


def _told_lines(event: Event) -> list[Line]:
    return [Line(line(event.get("text", ""), 600), label=f"told {node_title(str(event.get('stage', '')))}")]


def _token_lines(event: Event) -> list[Line]:
    """What a model writes beside its calls, as it comes."""
    rows = [row.rstrip() for row in clean(event.get("text", "")).splitlines()]
    label = f"{node_title(str(event.get('stage', '')))} says"
    return [Line(row[:2_000], "faint", label=label) for row in rows if row.strip()]


MODEL_LINES: dict[str, Callable[[Event], list[Line]]] = {
    "retry": _retry_lines,
    "fallback": _fallback_lines,
    "told": _told_lines,
    "token": _token_lines,
}
"""The events of a model as the engineer that are worth a line."""


def _turn_lines(event: Event) -> list[Line]:
    verb = next((name for name in event.get("tools", []) if name in CLOSING), None)
    text = str(event.get("text") or "")
    if verb is None or not text:
        if event.get("model") and event.get("tools"):
            tools = ", ".join(line(name, 40) for name in event["tools"])
            label = f"{node_title(str(event.get('stage', '')))}, step {event.get('step', '?')}"
            return [Line(tools, "faint", label=label)]
        return []
    return [Line(CLOSING[verb] + line(text, 1_000), "warn", label=node_title(str(event.get("stage", ""))))]


def _tool_lines(event: Event) -> list[Line]:
    if event.get("ok", True):
        return []
    summary = str(event.get("summary", ""))
    try:
        problem = json.loads(summary)
        text = (
            f"{problem['error']} {problem.get('hint', '')}"
            if isinstance(problem, dict) and "error" in problem
            else summary
        )
    except ValueError:
        text = summary.removeprefix('{"error": "')
    label = f"{node_title(str(event.get('stage', '')))}, {line(event.get('name', ''), 60)}"
    return [Line(line(text, 600), "warn", label=label)]


def _decided(event: Event) -> str:
    words = {"approve": "approved", "reject": "rejected", "edit": "edited", "respond": "answered"}
    return words.get(str(event.get("decision")), line(event.get("decision", ""), 20))


def _approval_line(event: Event) -> Line:
    by = {"rule": "by rule", "person": "by a person"}.get(str(event.get("by")), "")
    why = f": {line(event['why'], 600)}" if event.get("why") else ""
    word = _decided(event)
    return Line(f"{word} {by}{why}", "" if word != "rejected" else "warn", label=node_title(str(event.get("gate", ""))))


def _node_lines(event: Event) -> list[Line]:
    name = node_title(str(event.get("node", "")))
    attempt = f", attempt {event['attempt']}" if event.get("attempt", 1) != 1 else ""
    if event.get("phase") == "start":
        return [Line(f"begins{attempt}", "faint", label=name)]
    took = f" in {duration(event['seconds'])}" if isinstance(event.get("seconds"), int | float) else ""
    return [Line(f"done{took}", "faint", label=name)]


def metric_line(view: RunView) -> Line | None:
    """The job's last values on one line, or nothing."""
    if not view.series:
        return None
    shown = [f"{line(name, 40)} {measured(values[-1])}" for name, values in list(view.series.items())[:8]]
    return Line(", ".join(shown), label="watch job")
