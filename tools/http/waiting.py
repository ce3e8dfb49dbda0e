"""How long to wait: between two requests to a service, and before asking again after trouble.

The time of the next request to a service is kept in a file that all processes of this person share; where it cannot be
written, only this process keeps to the pause. `TRAINWRIGHT_PAUSE_SCALE` multiplies every wait (0 in tests, or for a
mirror of one's own).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path

from trainwright.graph.errors import RemoteUnavailable

from .folders import cache_folder, private_folder
from .situation import check_stopped, seconds_left

__all__ = ["LONGEST_WAIT", "asked_wait", "back_off", "check_allowed", "hold_back", "take_turn", "wait"]

LONGEST_WAIT = 60.0
"""Seconds that a call waits at most because a service asked for it, all tries together."""

LONGEST_QUEUE = 120.0
"""Seconds that a request waits at most for its turn."""

LONGEST_HOLD = 3600.0
"""Seconds for which a service is not asked at most, since it asked for that."""

SLICE = 0.25
"""Seconds after which a wait looks again whether it should stop."""

_RATE = re.compile(r"r\s*=\s*(?P<left>\d{1,9})\s*;\s*t\s*=\s*(?P<seconds>\d{1,9})")
_lock = threading.Lock()
_turns: dict[str, float] = {}
_held: dict[str, float] = {}


def _renew_lock() -> None:
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)  # another thread of the parent may have held it


def wait(seconds: float) -> None:
    """Wait, unless somebody wants it to stop.

    Raises:
        RemoteUnavailable: somebody does.
    """
    _sleep(seconds * _scale())


def _sleep(seconds: float) -> None:
    check_stopped()
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, SLICE))
        check_stopped()


def _scale() -> float:
    try:
        return max(float(os.environ.get("TRAINWRIGHT_PAUSE_SCALE", "1")), 0.0)
    except ValueError:
        return 1.0


def back_off(attempt: int) -> float:
    """Seconds before try `attempt` + 1, where nobody said how long: 1, 2, 4 …, each up to a half more or less."""
    return float(2**attempt) * random.uniform(0.5, 1.5)  # noqa: S311  # spread, no secret


def asked_wait(headers: Mapping[str, str], now: float | None = None) -> float | None:
    """Seconds that a busy service asks to wait; None where it does not say.

    It says so by Retry-After (seconds or a date: RFC 9110, 10.2.3), by `x-ratelimit-reset` with nothing remaining
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api), or by `ratelimit` with `r=0`
    (https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-09.html), as the Hub does.
    """
    now = time.time() if now is None else now
    if given := headers.get("retry-after", "").strip():
        if given.isdecimal():
            return float(given[:9])
        with contextlib.suppress(ValueError, TypeError, OverflowError):
            return max(parsedate_to_datetime(given).timestamp() - now, 0.0)
    reset = headers.get("x-ratelimit-reset", "").strip()
    if headers.get("x-ratelimit-remaining", "").strip() == "0" and reset.isdecimal():
        return max(float(reset[:12]) - now, 0.0)
    rate = _RATE.search(headers.get("ratelimit", ""))
    return float(rate["seconds"]) if rate and int(rate["left"]) == 0 else None


def take_turn(name: str, pause: float) -> None:
    """Wait until the service may be asked again, and take that turn; without a pause, only until it no longer holds back.

    Raises:
        RemoteUnavailable: too many requests wait already, or somebody wants it to stop.
    """
    if (scale := _scale()) == 0:
        return
    now = time.time()
    longest = min(LONGEST_QUEUE, max(seconds_left(), 0.0))
    turn = _given_out(
        name, now, lambda known: (max(known, now), max(known, now) + pause * scale if pause else known), longest
    )
    if turn - now > longest:
        raise RemoteUnavailable(
            f"{name} may be asked again only in {turn - now:.0f} s; this request was not sent.",
            hint="Try again later, with fewer requests.",
        )
    _sleep(turn - now)


def hold_back(name: str, seconds: float, allowance: str = "") -> None:
    """Let no process ask the service for so many seconds, since it asked for that.

    Args:
        allowance: what its limit is counted for. Where the time is longer than a call waits, only what counts for the
            same one is held back, by `check_allowed`.
    """
    if not (scale := _scale()):
        return
    now = time.time()
    if seconds <= LONGEST_WAIT:
        free = now + seconds * scale
        _given_out(name, now, lambda known: (now, max(known, free)), LONGEST_QUEUE)
        return
    _held[allowance or name] = until = now + min(seconds, LONGEST_HOLD) * scale
    with contextlib.suppress(OSError):
        _file(f"held {allowance or name}").write_text(repr(until), encoding="ascii")


def check_allowed(name: str, allowance: str) -> None:
    """Go on, unless the service asked for longer than a call waits, and that time is not over.

    Raises:
        RemoteUnavailable: it is not.
    """
    if not _scale():
        return
    until, now = _held.get(allowance, 0.0), time.time()
    with contextlib.suppress(OSError):
        path = cache_folder() / "turns" / _file_name(f"held {allowance}")
        until = max(_number(path.read_text(encoding="ascii", errors="replace")[:64]), until)
    if now < until <= now + LONGEST_HOLD * max(_scale(), 1.0):
        when = time.strftime("%H:%M:%S", time.localtime(until))
        raise RemoteUnavailable(
            f"{name} may be asked again only in {until - now:.0f} s (at {when}), as it said; this request was not sent.",
            hint="Try again then.",
        )


def _given_out(name: str, now: float, plan: Callable[[float], tuple[float, float]], longest: float) -> float:
    """The turn that `plan` makes of the time from which on the service may be asked; it also says the next such time.

    A turn that lies more than `longest` seconds ahead is not taken.
    """

    def planned(known: float) -> tuple[float, float]:
        # A time far ahead is no honest one: the clock was set back, or the file is damaged.
        return plan(known if known - now < 4 * LONGEST_QUEUE else 0.0)

    with _lock:
        known = _turns.get(name, 0.0)
        turn, after = planned(known)
        with contextlib.suppress(OSError), _file(name).open("a+", encoding="ascii", errors="replace") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            known = max(_number(file.read(64)), known)
            turn, after = planned(known)
            if after != known and turn - now <= longest:
                file.seek(0)
                file.truncate()
                file.write(repr(after))
        if turn - now <= longest:
            _turns[name] = after
    return turn


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _file(name: str) -> Path:
    return private_folder(cache_folder() / "turns") / _file_name(name)


def _file_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower())[:150] or "service"
