"""Following a run: its events on the screen or as JSON lines, its gates asked where somebody can answer, its end.

The run itself is the driver's. Ctrl-C once lets it stop after the present step, twice at once; either way the run
can be resumed. This module renders nothing itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from trainwright.graph.settings import EXIT_CODES

from .cards import card_lines, gate_title
from .jsonlines import json_lines
from .logs import start_log
from .outcome import result_lines
from .screen import Line, Screen, open_screen
from .view import RunView, event_lines, metric_line

if TYPE_CHECKING:
    from rich.live import Live

    from .ask import Answer

__all__ = ["follow"]

Event = dict[str, Any]
Events = Callable[[], AsyncIterator[Event]]

TICK_SECONDS = 0.25
METRIC_SECONDS = 5.0
"""How often a line with metrics is printed where nothing can be drawn over."""

GRACE_SECONDS = 3.0
"""What a run has for stopping at once, before the process ends without it."""


class Follower(Protocol):
    """Who is told of a run's events."""

    def take(self, event: Event) -> None:
        """One event."""

    def tick(self) -> None:
        """Called several times a second."""

    def notice(self, text: str) -> None:
        """Something that is no event, for the person."""

    def close(self) -> None:
        """No more events."""


class Json:
    """Every event a JSON line."""

    def __init__(self) -> None:
        self.lines = json_lines()

    def take(self, event: Event) -> None:
        """Write it."""
        self.lines.write(event)

    def tick(self) -> None:
        """Nothing moves here."""

    def notice(self, text: str) -> None:
        """To standard error."""
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Nothing to put away."""


class Plain:
    """One line after another, each with the time since the beginning, where nothing can be drawn over."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        self.screen, self.clock = screen, clock
        self.view = RunView(clock())
        self.printed = clock()

    def take(self, event: Event) -> None:
        """Print what it is worth."""
        now = self.clock()
        self.view.take(event, now)
        kind = event.get("event")
        if kind == "waiting":
            _show_card(self.screen, event)
        elif kind == "metrics":
            if now - self.printed >= METRIC_SECONDS:
                self._metrics(now)
        else:
            if kind == "node" and event.get("node") == "watch_job" and event.get("phase") == "end":
                self._metrics(now)
            self._show(event_lines(event, lively=False), now)

    def _metrics(self, now: float) -> None:
        self.printed = now
        if (metrics := metric_line(self.view)) is not None:
            self._show([metrics], now)

    def _show(self, lines: list[Line], now: float) -> None:
        seconds = int(now - self.view.started)
        stamp = f"{seconds // 60:02d}:{seconds % 60:02d} "
        stamped = [
            Line(item.text, item.role, (stamp if not i else "") + item.label, item.indent + (len(stamp) if i else 0))
            for i, item in enumerate(lines)
        ]
        self.screen.show(stamped)

    def tick(self) -> None:
        """Lines come with events only."""

    def notice(self, text: str) -> None:
        """A line of its own."""
        self.screen.show([Line(text, "warn")])

    def close(self) -> None:
        """Nothing to put away."""


class Lively:
    """The stages drawn over as they go, with what was decided scrolling away above them."""

    def __init__(self, screen: Screen, view: RunView | None = None) -> None:
        self.screen = screen
        self.view = view or RunView(time.monotonic())
        self.live = self._begin()

    def _begin(self) -> Live:
        from rich.live import Live

        live = Live(
            console=self.screen.console,
            get_renderable=self._picture,
            auto_refresh=False,
            transient=True,
            vertical_overflow="crop",
        )
        live.start()
        return live

    def _picture(self) -> Any:
        from .live import picture

        size = self.screen.console.size
        return picture(self.view, time.monotonic(), self.screen.marks, size.width, size.height)

    def take(self, event: Event) -> None:
        """Fold it in, and print what stays."""
        self.view.take(event, time.monotonic())
        if event.get("event") == "waiting":
            self.live.stop()
            _show_card(self.screen, event)
            return
        lines = event_lines(event, lively=True)
        if event.get("event") == "node" and event.get("node") == "watch_job" and event.get("phase") == "end":
            lines += filter(None, [metric_line(self.view)])
        if lines:
            self.screen.show(lines)
        self.tick()

    def tick(self) -> None:
        """Draw again: the time goes on."""
        if self.live.is_started:
            self.live.refresh()

    def notice(self, text: str) -> None:
        """A line above the picture."""
        self.screen.show([Line(text, "warn")])

    def close(self) -> None:
        """Take the picture away and show the cursor again."""
        self.live.stop()


def _show_card(screen: Screen, event: Event) -> None:
    gate = str(event.get("gate", ""))
    lines = card_lines(gate, event.get("card") or {})
    if event.get("problem"):
        lines.insert(0, Line(str(event["problem"]), "warn"))
    screen.card(gate_title(gate), lines)
    if gate != "ask_person" and event.get("text"):
        screen.show([Line(str(event["text"]), "title")])


def follow(events: Events, *, as_json: bool) -> int:
    """Follow a run to its end, through every gate that somebody answers here; returns the exit code.

    Args:
        events: begins the iteration; called once.
        as_json: JSON lines instead of words.

    Raises:
        TrainwrightError: what the driver raises.
    """
    screen = open_screen(interactive=not as_json)
    start_log(stderr=as_json)
    view: RunView | None = None
    while True:
        follower: Follower
        if as_json:
            follower = Json()
        elif screen.lively:
            follower = Lively(screen, view)
            view = follower.view
        else:
            follower = Plain(screen)
        result = asyncio.run(_consume(events, follower, as_json))
        answer = None if as_json else _ending(screen, result)
        if answer is None:
            return EXIT_CODES.get(str(result.get("status")), 1)
        events = _answering(str(result["run"]), answer)


def _ending(screen: Screen, result: Event) -> Answer | None:
    """Show how it ended; at a gate, ask the person if there is one."""
    if result.get("status") == "waiting" and screen.interactive:
        from .ask import ask

        try:
            answer = ask(screen, result.get("waiting") or {})
        except KeyboardInterrupt:
            screen.show([Line(""), *result_lines(result)])
            raise
        if answer is not None:
            return answer
    if result.get("status") == "dry_run":
        _show_plan(screen, str(result.get("run", "")))
    screen.show([Line(""), *result_lines(result)])
    return None


def _show_plan(screen: Screen, run: str) -> None:
    """What a dry run is for: the plan as the gate would show it."""
    from .showing import last_state, plan_card

    state = last_state(run)
    if state is not None and state.plan is not None:
        screen.card(gate_title("approve_plan"), card_lines("approve_plan", plan_card(state)))


def _answering(run: str, answer: Answer) -> Events:
    def events() -> AsyncIterator[Event]:
        from trainwright.graph import driver
        from trainwright.graph.state import Decision, Decisions

        return driver.answer(run, Decisions(decisions=[Decision(type=answer.type, message=answer.message)]))

    return events


async def _consume(events: Events, follower: Follower, as_json: bool) -> Event:
    """Hand every event on; the last one is the result."""
    from trainwright.graph import driver

    driver.install_signal_handlers()
    watch = Interrupts(follower)
    ticker = asyncio.create_task(_tick(follower))
    result: Event = {}
    try:
        given = cast("AsyncGenerator[Event, None]", events())
        async with aclosing(given) as stream:  # closed also when nobody reads any more: an open connection is a hang
            async for event in stream:
                watch.run = str(event.get("run") or watch.run)
                if event.get("event") == "run" and event.get("folder"):
                    start_log(Path(event["folder"]), stderr=as_json)
                if event.get("event") == "result":
                    result = event
                follower.take(event)
    except asyncio.CancelledError:
        follower.close()
        watch.end_at_once()
    finally:
        ticker.cancel()
        follower.close()
        watch.over = True
    return result


async def _tick(follower: Follower) -> None:
    with suppress(asyncio.CancelledError):
        while True:
            follower.tick()
            await asyncio.sleep(TICK_SECONDS)


class Interrupts:
    """Says what Ctrl-C and SIGTERM do, beside the driver, which does it.

    The event loop learns of a signal from its wake-up descriptor, so a Python handler of ours can stand beside its
    own. The first signal is announced; after the second the process ends, at the latest after `GRACE_SECONDS`,
    because a blocking library in a thread would otherwise hold it.
    """

    def __init__(self, follower: Follower) -> None:
        self.follower = follower
        self.run = ""
        self.count = 0
        self.over = False
        self.loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._signalled)
            signal.siginterrupt(number, False)

    def _signalled(self, number: int, frame: object) -> None:
        self.count += 1
        if self.count == 1:
            self.loop.call_soon_threadsafe(self._announce)
        elif self.count == 2:
            timer = threading.Timer(GRACE_SECONDS, self.end_at_once)
            timer.daemon = True
            timer.start()
        else:
            self.end_at_once()

    def _announce(self) -> None:
        self.follower.notice("Stopping after this step; again to stop at once.")

    def end_at_once(self) -> None:
        """End the process: the run is durable, and threads that block are not waited for."""
        if self.over:
            return
        how = f"`trainwright resume {self.run}` goes on." if self.run else "No run was begun."
        with suppress(Exception):
            self.follower.close()
            self.follower.notice(f"Stopped at once. {how}")
        os._exit(EXIT_CODES["interrupted"])
