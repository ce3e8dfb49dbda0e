"""A run's beginning: its name, its folder and its row, made once; and who drives it.

The driver registers a run before the graph starts, the first node of the graph does where nobody has (Studio). The
lock of a run's folder is held by the terminal's or the program's process that drives it and is freed by the kernel when
that process ends, however it ends, so that two of them never drive one run. A server (`langgraph dev`) does not take
it. This module does not run anything.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from .errors import RequestError
from .redaction import MARK
from .runs import open_runs, slug
from .settings import run_path
from .state import Request, Settings

__all__ = ["check_places", "driven_here", "register"]


def register(request: Request, settings: Settings, thread_id: str) -> str:
    """The name of the run of `thread_id`; the first call makes its row and its folder.

    Raises:
        RequestError: the wanted name is taken, or is no name; or a secret was taken out of the place of paper or data.
    """
    check_places(request)
    paper = "" if "\n" in request.paper else _stem(request.paper)
    data = _stem(request.data)
    told = bool(slug(data)) and slug(paper).startswith(slug(data))  # digits and digits_svm.pdf: digits-svm
    base = paper if told else "-".join(filter(None, (data, paper))) or request.goal[:40]
    name = open_runs().open(thread_id, request.name, base, request.model_dump(), settings.model_dump())
    folder = run_path(name)
    (folder / "stages").mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return name


def check_places(request: Request) -> None:
    """Refuse a place from which a secret was taken out: nothing lies there any more.

    Raises:
        RequestError: naming what remains of the place.
    """
    for what, place in (("paper", request.paper), ("data", request.data)):
        if MARK in place and "\n" not in place:
            raise RequestError(
                f"The place of the {what} holds a secret, which is not kept, so that nothing lies there: {place}.",
                hint="Fetch it yourself, and give the file; or name a place without a secret.",
            )


def _stem(place: str) -> str:
    """A short readable word for a data source or a paper."""
    name = PurePosixPath(place.split("@")[0].replace("sklearn:", "").rstrip("/")).name
    return re.sub(r"(\.[A-Za-z]\w{0,7})+$", "", name)[:18]


@contextmanager
def driven_here(run: str) -> Iterator[None]:
    """Hold the run's lock.

    Raises:
        RequestError: another process drives the run; it is named.
    """
    path = run_path(run) / "driver.lock"
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with path.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read(20).strip() or "unknown"
            raise RequestError(
                f"{run} is at work already, in process {holder}; nothing was done.",
                hint=f"Wait for it, or stop that process; `trainwright show {run}` says where it is.",
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
