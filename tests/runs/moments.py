"""The moments at which a process can die, found at the edges of the machine instead of in a list of nodes.

Watched are the events, the checkpointer, the commits of the run database, and inside an effect the processes that it
starts and the files that it moves; so a new node, event, table or effect brings its own. Each moment has a label; the
first one that nobody has died at kills this process. This module starts no process and resumes nothing.
"""

from __future__ import annotations

import functools
import inspect
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from .chains import Chain

__all__ = ["Reaper", "watch"]

CHANGES = ("subprocess.Popen", "os.rename", "os.mkdir", "shutil.copytree", "shutil.rmtree", "os.link")
"""Audit events (docs.python.org, Audit events table) by which an effect changes the world outside this process."""


class Reaper:
    """Kills this process at the first moment that nobody has died at."""

    def __init__(self, chain: Chain, folder: Path, known: set[str], racing: bool) -> None:
        self.chain, self.folder, self.known, self.racing = chain, folder, known, racing
        self.effect = threading.local()
        self.held = threading.Lock()

    def visit(self, node: str) -> None:
        """Note that something happened at a node."""
        with (self.folder / "visited").open("a") as file:
            file.write(node + "\n")

    def moment(self, kind: str, label: str) -> None:
        """A moment at which a process can die."""
        moment = f"{kind}: {label}"
        if kind not in self.chain.kinds or moment in self.known or not self._wanted(moment):
            return
        with self.held:  # threads of one process die once
            if self.racing:
                self._wait_for_the_other()
            (self.folder / f"died-{os.getpid()}").write_text(moment)
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)  # the signal is on its way

    def _wanted(self, moment: str) -> bool:
        if self.chain.races:
            return moment in self.chain.races
        return not self.chain.only or any(word in moment for word in self.chain.only)

    def _wait_for_the_other(self) -> None:
        """Who won a race dies only after the other one was told, or else it would win the next moment."""
        told = self.folder / "told"
        limit = time.monotonic() + 20
        while not told.exists() and time.monotonic() < limit:
            time.sleep(0.02)


def place() -> str:
    """The node in which this code runs, inner ones as stage/node; `outside` if in none."""
    from langgraph.config import get_config

    try:
        return nodes_of(get_config()["configurable"].get("checkpoint_ns", ""))
    except (RuntimeError, KeyError):
        return "outside"


def nodes_of(namespace: str) -> str:
    return "/".join(part.split(":")[0] for part in namespace.split("|") if part) or "graph"


def watch_events(reaper: Reaper) -> None:
    """Before each event is sent."""
    from trainwright.graph import events

    plain = events.get_stream_writer

    def writer() -> Callable[[Any], None]:
        send = plain()

        def sent(event: dict[str, Any]) -> None:
            where = event.get("node") or event.get("stage") or event.get("gate") or ""
            more = event.get("phase") or event.get("name") or event.get("text") if event["event"] != "turn" else ""
            reaper.visit(place())
            reaper.moment("event", f"{event['event']} {where} {str(more or '')[:40]}".strip())
            send(event)

        return sent

    events.get_stream_writer = writer


def watch_checkpoints(reaper: Reaper) -> None:
    """Before and after each checkpoint and each task's writes."""
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

    from trainwright.graph import checkpoint

    savers = [v for v in vars(checkpoint).values() if inspect.isclass(v) and issubclass(v, AsyncSqliteSaver)]
    for saver in savers:
        for name, label in (("aput", _checkpoint_label), ("aput_writes", _writes_label)):
            if name in vars(saver):
                setattr(saver, name, _between(reaper, getattr(saver, name), name, label))


def _between(reaper: Reaper, plain: Any, name: str, label: Callable[[Any], str]) -> Any:
    @functools.wraps(plain)  # langgraph looks at the parameters
    async def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        where = label(inspect.signature(plain).bind(self, *arguments, **named).arguments)
        reaper.visit(where.split(" ")[0])
        reaper.moment("checkpoint", f"before {name} {where}")
        result = await plain(self, *arguments, **named)
        reaper.moment("checkpoint", f"after {name} {where}")
        return result

    return watched


def _checkpoint_label(given: Any) -> str:
    following = sorted(k.removeprefix("branch:to:") for k in given["new_versions"] if k.startswith("branch:to:"))
    namespace = given["config"]["configurable"].get("checkpoint_ns", "")
    return f"{nodes_of(namespace)} in front of {', '.join(following) or 'its end'}"


def _writes_label(given: Any) -> str:
    namespace = given["config"]["configurable"].get("checkpoint_ns", "")
    channels = {channel for channel, _ in given["writes"]}
    special = sorted(channel for channel in channels if channel.startswith("__"))
    path = given.get("task_path", "")
    node = path.rsplit(", ", 1)[-1] if "pull" in path else "a call" if "push" in path else "no task"
    return f"{nodes_of(namespace)} of {node} {' '.join(special)}".strip()


class Watched(sqlite3.Connection):
    """A connection to the run database that tells before and after each commit that changes something."""

    reaper: Reaper
    at_begin = 0

    def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
        """As its base does."""
        if sql.startswith("BEGIN"):
            self.at_begin = self.total_changes
        if sql != "COMMIT" or self.total_changes == self.at_begin:
            return super().execute(sql, *arguments)
        label = f"{_caller(sys._getframe(1))} in {place().split('/')[0]}"
        self.reaper.moment("commit", f"before {label}")
        result = super().execute(sql, *arguments)
        self.reaper.moment("commit", f"after {label}")
        return result


def _caller(frame: FrameType | None) -> str:
    """The function of ours that a transaction belongs to."""
    while frame is not None:
        path = frame.f_code.co_filename
        if f"{os.sep}graph{os.sep}database.py" not in path and frame.f_globals.get("__name__", "").startswith("trainw"):
            return f"{frame.f_globals['__name__'].rsplit('.', 1)[-1]}.{frame.f_code.co_qualname}"
        frame = frame.f_back
    return "unknown"


def watch_commits(reaper: Reaper) -> None:
    """Before and after each commit of the run database: ledger, journal, table of runs, and what comes later."""
    Watched.reaper = reaper
    plain = sqlite3.connect

    def connect(database: Any, *arguments: Any, **named: Any) -> sqlite3.Connection:
        if named.get("isolation_level", "") is None:
            named.setdefault("factory", Watched)
        return plain(database, *arguments, **named)

    sqlite3.connect = connect


def watch_effects(reaper: Reaper) -> None:
    """Before and after each effect, and inside it before each change of the world outside."""
    from trainwright.graph.effects import Journal

    plain = Journal.once

    def once(self: Journal, *arguments: Any, **named: Any) -> Any:
        given = inspect.signature(plain).bind(self, *arguments, **named).arguments
        kind, attempt, do = given["kind"], given["attempt"], given["do"]

        def done(key: str) -> Any:
            reaper.moment("effect", f"{kind} {attempt} intended")
            reaper.effect.kind = f"{kind} {attempt}"
            try:
                handle = do(key)
            finally:
                reaper.effect.kind = ""
            reaper.moment("effect", f"{kind} {attempt} done, no receipt")
            return handle

        return plain(self, *arguments, **{**named, "do": done})

    Journal.once = once  # type: ignore[method-assign]

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event in CHANGES and (kind := getattr(reaper.effect, "kind", "")):
            reaper.moment("effect", f"{kind} before {event} {_told(event, arguments)}".strip())

    sys.addaudithook(hook)


def _told(event: str, arguments: tuple[Any, ...]) -> str:
    """What tells two changes of one kind apart: a program's words without paths, a renamed file's name."""
    if event == "subprocess.Popen":
        return " ".join(word for word in map(str, arguments[1]) if word.replace("-", "").replace(".", "").isalpha())[
            :80
        ]
    return Path(str(arguments[0])).name[:40] if event == "os.rename" else ""


def watch(reaper: Reaper) -> None:
    """Watch every edge of this process; once, before it runs anything."""
    for edge in (watch_events, watch_checkpoints, watch_commits, watch_effects):
        edge(reaper)
