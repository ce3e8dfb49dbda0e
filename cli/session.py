"""Following a run: its events on the screen or as JSON lines, its gates asked where somebody can answer, its end.

The run itself is the driver's. Ctrl-C once lets it stop after the present step, twice at once; either way the run
can be resumed. This module renders nothing itself.
"""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import sys
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from trainwright.graph.settings import EXIT_CODES

from .cards import card_lines, gate_title, waiting_lines
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
    screen.card(gate_title(gate), waiting_lines(event))
    if gate != "ask_person" and event.get("text"):
        screen.show([Line(str(event["text"]), "title")])


def follow(events: Events, *, as_json: bool) -> int:
    """Follow a run to its end, through every gate that somebody answers here; returns the exit code.

    Once the run is over no signal changes that: its handlers stay until its end is shown, and from then on signals are
    ignored, because the process ends. Who calls this and goes on gives the handlers back (`signals.given_back`).

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
        with asyncio.Runner() as runner:  # closing it takes the handlers away
            result, stopping = runner.run(_consume(events, follower, as_json))
            asks = not as_json and screen.interactive and result.get("status") == "waiting"
            if not as_json and not asks:
                _show_end(screen, result)
        answer = _ask(screen, result) if asks else None
        if answer is None:
            for number in stopping:
                signal.signal(number, signal.SIG_IGN)
            return EXIT_CODES.get(str(result.get("status")), 1)
        events = _answering(str(result["run"]), answer, str((result.get("waiting") or {}).get("shown", "")))


def _ask(screen: Screen, result: Event) -> Answer | None:
    """The person's answer at a gate; without one, how it stands is shown."""
    from .ask import ask

    try:
        with interruptible():
            answer = ask(screen, {**(result.get("waiting") or {}), "run": result.get("run", "")})
    except KeyboardInterrupt:
        _show_end(screen, result)
        raise
    if answer is None:
        _show_end(screen, result)
    return answer


def _show_end(screen: Screen, result: Event) -> None:
    if result.get("status") == "dry_run":
        _show_plan(screen, str(result.get("run", "")))
    screen.show([Line(""), *result_lines(result)])


def _show_plan(screen: Screen, run: str) -> None:
    """What a dry run is for: the plan as the gate would show it."""
    from .showing import last_state, plan_card

    state = last_state(run)
    if state is not None and state.plan is not None:
        screen.card(gate_title("approve_plan"), card_lines("approve_plan", plan_card(state)))


def _answering(run: str, answer: Answer, shown: str) -> Events:
    """The answer is for what was shown here: `shown` is its identity."""

    def events() -> AsyncIterator[Event]:
        from .going_on import answering

        return answering(run, answer.type, answer.message, answer.edited, answer.only, shown)

    return events


async def _consume(events: Events, follower: Follower, as_json: bool) -> tuple[Event, Sequence[signal.Signals]]:
    """Hand every event on; the last one is the result. With it, the signals that stop a run here."""
    from trainwright.graph import driver

    stopping = driver.stopping_signals()
    driver.install_signal_handlers()
    watch = Interrupts(follower, stopping)
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
                    watch.code = EXIT_CODES.get(str(event.get("status")), 1)
                follower.take(event)
    except asyncio.CancelledError:
        if not result:
            follower.close()
            watch.end_at_once()
    finally:
        watch.over = True
        ticker.cancel()
        follower.close()
    return result, stopping


async def _tick(follower: Follower) -> None:
    with suppress(asyncio.CancelledError):
        while True:
            follower.tick()
            await asyncio.sleep(TICK_SECONDS)


@contextmanager
def interruptible() -> Iterator[None]:
    """While a person is asked, let SIGTERM and a closed terminal end the asking as Ctrl-C does; the run waits on."""

    def stop(number: int, frame: object) -> None:
        if number == signal.SIGHUP:
            leave_terminal()
        raise KeyboardInterrupt

    numbers = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = [(number, signal.signal(number, stop)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def leave_terminal() -> None:
    """The terminal is gone: what would be shown on it goes nowhere, instead of failing."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        with suppress(OSError):  # one that is closed
            if stat.S_ISCHR(os.fstat(descriptor).st_mode):  # a terminal that hung up says no more that it is one
                os.dup2(nowhere, descriptor)
    os.close(nowhere)


class Interrupts:
    """Says what Ctrl-C, SIGTERM and a closed terminal do, beside the driver, which does it.

    The event loop learns of a signal from its wake-up descriptor, so a Python handler of ours can stand beside its
    own. The first signal is announced; after the second the process ends, at the latest after `GRACE_SECONDS`,
    because a blocking library in a thread would otherwise hold it.
    """

    def __init__(self, follower: Follower, stopping: Sequence[signal.Signals]) -> None:
        self.follower = follower
        self.run = ""
        self.count = 0
        self.code: int | None = None  # how the run ended, once it has
        self.over = False
        self.loop = asyncio.get_running_loop()
        for number in stopping:
            signal.signal(number, self._signalled)
            signal.siginterrupt(number, False)

    def _signalled(self, number: int, frame: object) -> None:
        if number == signal.SIGHUP:
            leave_terminal()
        if self.over:
            return
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
        if self.code is not None:
            os._exit(self.code)
        how = f"`trainwright resume {self.run}` goes on." if self.run else "No run was begun."
        with suppress(Exception):
            self.follower.close()
            self.follower.notice(f"Stopped at once. {how}")
        os._exit(EXIT_CODES["interrupted"])
