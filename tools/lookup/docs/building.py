"""Building and refreshing the index of a library: what has changed is fetched, what is gone is removed.

A round may be ended at any moment, by a person, by a service that has had enough, or by a kill: pages that came are in the
index, and the next round goes on with those that did not. Processes take turns at a library. Where it all comes from is
told in `origins`; how it lies on the disk, in `store`.
"""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field

from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable
from trainwright.tools.http.situation import check_stopped, lookups, seconds_left
from trainwright.tools.lookup.found import Source

from .file import in_use, lock_of, with_index
from .markdown import clean, sections_of
from .origins import GitHub, Hub, Listing, Origin, Raw, Whole, whole
from .places import Listed
from .store import Index, Known, Library, PageRow, digest_of

__all__ = ["FRESH", "Progress", "Round", "build", "is_fresh", "until"]

FRESH = 7 * 86_400.0
"""Seconds after which a library is looked at again."""

UNFINISHED = 86_400.0
"""Seconds for which a round that was not finished is gone on with and not begun again, and after which a library is
looked at again of which not every page could be read."""

AT_ONCE = 8
"""Pages that are asked for at the same time."""

USED_UP = "The time for it was used up."

Progress = Callable[[str, int, int], None]
"""Is told a library, how many of its pages are done, and how many there are."""


@dataclass
class Round:
    """What one round did to a library.

    Attributes:
        complete: all pages were looked at, and are there.
        changed, same, gone: numbers of pages.
        left: pages that still have to be fetched.
        unread: pages that could not be read, and are missing or older.
    """

    library: str
    complete: bool = False
    changed: int = 0
    same: int = 0
    gone: int = 0
    left: int = 0
    unread: int = 0
    version: str = ""
    sources: list[Source] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def is_fresh(library: Library | None, now: float | None = None) -> bool:
    """Whether all pages of a library are there that can be read, and were looked at not long ago."""
    now = time.time() if now is None else now
    return library is not None and 0 <= now - library.finished < (UNFINISHED if library.unread else FRESH)


def until(deadline: float) -> Callable[[], bool]:
    """Says whether there is time before a deadline; raises RemoteUnavailable where somebody wants it to stop."""

    def go_on() -> bool:
        check_stopped()
        return time.monotonic() < deadline

    return go_on


def build(
    name: str, progress: Progress = lambda *_: None, *, force: bool = False, seconds: float | None = None
) -> Round:
    """Bring the index of a library up to date.

    Args:
        name: the library, checked.
        progress: is told how far it is.
        force: look at it even if that was done not long ago.
        seconds: how long it may take; what is not done then is left to the next round. No limit when None.

    Raises:
        NotFound: nobody has documentation of that name.
        RemoteError: it cannot be had now, and nothing of it is there.
    """
    begun = time.time()

    def work(index: Index) -> Round:
        known = index.library(name)
        if is_fresh(known) and known and (not force or known.finished >= begun):
            index.index_waiting(until(deadline))
            return Round(name, complete=True, same=known.pages, version=known.version)
        return _Work(index, name, progress, deadline).done()

    with lookups(seconds=float("inf") if seconds is None else seconds):
        deadline = time.monotonic() + seconds_left()
        return _in_turn(name, deadline, work)


def _in_turn(name: str, deadline: float, work: Callable[[Index], Round]) -> Round:
    with _turn(name, deadline) as mine:
        if not mine:
            return Round(name, notes=[f"Another process is building the index of {name}; what it has by now was used."])
        notes: list[str] = []
        done = with_index(work, notes)
        done.notes[:0] = notes
        return done


@contextmanager
def _turn(name: str, deadline: float) -> Iterator[bool]:
    """Be the only process that builds this library; False where another one still does at the deadline."""
    with lock_of(name).open("a") as lock, in_use():
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    yield False
                    return
                check_stopped()
                time.sleep(0.05)
            else:
                yield True
                return


class _Work:
    """One round, while it goes on."""

    def __init__(self, index: Index, name: str, progress: Progress, deadline: float) -> None:
        self.index = index
        self.name = name
        self.progress = progress
        self.deadline = deadline
        self.round = Round(name)
        self.failures: list[RemoteError] = []

    def done(self) -> Round:
        known = self.index.library(self.name)
        before = known.pages if known else 0
        if known:
            self.index.note(known, tried=time.time())
        with lookups(seconds=seconds_left() / 2):  # a file that takes too long leaves time for some pages
            found = self._tried(lambda: whole(self.name, known.tag if known and known.finished else ""))
        if found is not None:
            self._take_whole(found)
        else:
            self._page_by_page(before)
        self.index.index_waiting(until(self.deadline))
        return self.round

    def _tried(self, ask: Callable[[], Whole]) -> Whole | None:
        try:
            return ask()
        except RemoteError as error:
            check_stopped()
            self.failures.append(error)
            self._note(f"{error.message} The pages were asked for one by one.")
            return None

    def _take_whole(self, found: Whole) -> None:
        now = time.time()
        library = self.index.begin(self.name)
        self.round.sources.append(found.answer.source())
        pages = self.index.pages(library)
        if found.pages is None:
            self.round.same, self.round.version = len(pages), library.version
            self._finish(library, now)
            return
        library = self._begin(library, found.version, Hub.name, now, len(found.pages) + len(found.missing))
        known = {page.path: page for page in pages}
        for place, raw in enumerate(found.pages):
            self._take(library, raw, known.get(raw.path), place, now)
            if place % 50 == 49:
                self.progress(self.name, place + 1, len(found.pages))
                if not until(self.deadline)():
                    self.round.left = len(found.pages) - place - 1 + len(found.missing)
                    self._note_left(library, USED_UP)
                    return
        missing = list(enumerate(found.missing, len(found.pages)))
        complete = self._fetch(library, Hub(), missing, known, now) if missing else True
        listed = {raw.path for raw in found.pages} | {page.path for page in found.missing}
        self._remove(library, (page for path, page in known.items() if path not in listed))
        if complete:
            self._finish(library, now, found.tag)
        self.progress(self.name, len(found.pages), len(found.pages))

    def _page_by_page(self, before: int) -> None:
        origin, listing = self._origin(before)
        if origin is None or listing is None:
            return
        now = time.time()
        library = self.index.begin(self.name)
        self.round.sources.append(listing.answer.source())
        known = {page.path: page for page in self.index.pages(library)}
        go_on = (
            library.begun > max(library.finished, now - UNFINISHED)
            and (library.source, library.version) == (origin.name, listing.version)
        )  # fmt: skip
        begun = library.begun if go_on else now
        if library.source != origin.name:  # tags of another service say nothing to this one
            known = {path: page._replace(tag="") for path, page in known.items()}
        library = self._begin(library, listing.version, origin.name, begun, len(listing.pages))
        todo = [(n, p) for n, p in enumerate(listing.pages) if p.path not in known or known[p.path].checked < begun]
        self.round.same += len(listing.pages) - len(todo)
        complete = self._fetch(library, origin, todo, known, begun)
        listed = {page.path for page in listing.pages}
        if complete:
            self._remove(library, (page for path, page in known.items() if path not in listed))
            self._finish(library, time.time())

    def _origin(self, before: int) -> tuple[Origin | None, Listing | None]:
        """Who has a list; None where nobody has, and older pages stay as they are."""
        for origin in (Hub(), GitHub()):
            if isinstance(origin, GitHub) and before and not self._all_missing():
                break  # what is there was rendered: better old than bare sources
            try:
                listing = origin.listing(self.name)
            except RemoteError as error:
                check_stopped()
                self.failures.append(error)
                continue
            if isinstance(origin, GitHub):
                self._note(
                    f"{self.failures[0].message} The sources of its pages on GitHub were read instead: they lack the "
                    "reference that is made of docstrings; `installed` has it for what is installed."
                )
            return origin, listing
        told = " ".join(dict.fromkeys(failure.message for failure in self.failures))
        if not before:
            kind = type(self.failures[0]) if len({type(f) for f in self.failures}) == 1 else RemoteError
            hint = "`libraries` lists what there is." if kind is NotFound else self.failures[0].hint
            raise kind(f"The documentation of {self.name} cannot be had. {told}", hint=hint)
        self._note(f"The documentation of {self.name} could not be looked at again; what is there is older. {told}")
        return None, None

    def _all_missing(self) -> bool:
        return all(isinstance(failure, NotFound) for failure in self.failures)

    def _fetch(
        self, library: Library, origin: Origin, todo: Sequence[tuple[int, Listed]], known: dict[str, Known], now: float
    ) -> bool:
        """Fetch pages, a few at once, and write each as it comes; whether all could be fetched."""
        waiting = list(reversed(todo))
        running: dict[Future[tuple[Raw, str]], tuple[int, Listed]] = {}
        done, refused = 0, ""
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="docs") as pool:
            try:
                while running or (waiting and not refused):
                    while waiting and not refused and len(running) < 2 * AT_ONCE:
                        place, page = waiting.pop()
                        tag = known[page.path].tag if page.path in known else ""
                        future = pool.submit(copy_context().run, _fetched, origin, self.name, page, tag)
                        running[future] = place, page
                    for future in wait(running, timeout=1.0, return_when=FIRST_COMPLETED).done:
                        place, page = running.pop(future)
                        refused = self._took(future, library, page, place, known, now) or refused
                        done += 1
                    self.progress(self.name, len(todo) - len(waiting) - len(running), len(todo))
                    if not until(self.deadline)():
                        refused = USED_UP
            except BaseException:
                for future in running:
                    future.cancel()
                raise
        self.round.left = len(waiting) + self.round.left
        if self.round.left:
            self._note_left(library, refused)
        return not self.round.left

    def _note_left(self, library: Library, why: str) -> None:
        self._note(
            f"{self.round.left:,} of {library.listed:,} pages of {self.name} are not there yet. {why} "
            f"`trainwright lookup docs update {self.name}` goes on with them."
        )

    def _took(
        self, future: Future[tuple[Raw, str]], library: Library, page: Listed, place: int, known: dict[str, Known],
        now: float,
    ) -> str:  # fmt: skip
        """Write what came for a page; why no more should be asked for, if that is so."""
        try:
            raw, text = future.result()
        except NotFound:
            self.round.gone += page.path in known
            self._note(f"{self.name}/{page.path} is listed, but not there.")
            if page.path in known:
                self.index.remove(library, [known[page.path]])
            return ""
        except RemoteUnavailable as error:
            self.round.left += 1
            return f"{error.message} {error.hint}".strip()
        except RemoteError as error:
            self.round.unread += 1
            self._note(f"{self.name}/{page.path} could not be read: {error.message}")
            return ""
        self._take(library, raw, known.get(page.path), place, now, text)
        return ""

    def _take(
        self, library: Library, raw: Raw, known: Known | None, place: int, now: float, text: str | None = None
    ) -> None:
        if raw.text is None or (known and known.digest == digest_of(raw.text) and known.tag == raw.tag):
            if known:
                self.index.confirm(known, now, place)
                self.round.same += 1
            return
        text = clean(raw.text) if text is None else text
        title = raw.title or sections_of(text, raw.path)[0].heading
        row = PageRow(raw.path, title, place, raw.tag, digest_of(raw.text), text)
        self.index.put(library, row, now)
        self.round.changed += 1

    def _begin(self, library: Library, version: str, source: str, now: float, listed: int) -> Library:
        self.round.version = version
        self.index.note(library, version=version, source=source, tried=time.time(), begun=now, listed=listed, tag="")
        return self.index.begin(library.name)

    def _finish(self, library: Library, now: float, tag: str | None = None) -> None:
        self.round.complete = not self.round.unread
        values: dict[str, object] = {"finished": now, "unread": self.round.unread}
        if tag is not None and not self.round.unread:  # with a tag, nobody would ask for these pages again
            values["tag"] = tag
        self.index.note(library, **values)

    def _remove(self, library: Library, pages: Iterable[Known]) -> None:
        gone = list(pages)
        if gone:
            self.index.remove(library, gone)
            self.round.gone += len(gone)

    def _note(self, text: str) -> None:
        if text not in self.round.notes and len(self.round.notes) < 8:
            self.round.notes.append(text)


def _fetched(origin: Origin, library: str, page: Listed, tag: str) -> tuple[Raw, str]:
    raw = origin.page(library, page, tag)
    return raw, clean(raw.text) if raw.text is not None else ""
