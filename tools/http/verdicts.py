"""What an answer means, or that there is none: good, to be tried again, or an error that says what happened."""

from __future__ import annotations

import json as json_text
import time

import httpx

from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable
from trainwright.graph.redaction import redact

from .call import Call
from .exchange import Reply
from .service import shown

__all__ = ["busy_error", "is_busy", "judged", "may_repeat", "unreachable"]

_AGAIN = (408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524)


def may_repeat(call: Call, error: Exception) -> bool:
    """Whether trying again is safe: a POST may have been read unless no connection was made."""
    if isinstance(error, httpx.UnsupportedProtocol | httpx.ProxyError):
        return False
    return call.method not in ("POST", "PATCH") or isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def is_busy(call: Call, reply: Reply) -> bool:
    if reply.status in call.also:
        return False
    spent = reply.status == 403 and reply.headers.get("x-ratelimit-remaining", "").strip() == "0"
    return (
        reply.status in _AGAIN
        or spent
        or (reply.status == 403 and ("retry-after" in reply.headers or _too_many(reply)))
    )


def _too_many(reply: Reply) -> bool:
    """GitHub's second limit may come as 403 with nothing but words
    (https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api)."""
    return "json" in reply.headers.get("content-type", "") and b"rate limit" in reply.body[:2_000].lower()


def judged(call: Call, reply: Reply, revalidated: bool) -> Reply:
    """The answer, if it is one that the caller wants."""
    if 200 <= reply.status < 300 or reply.status in call.also or (reply.status == 304 and revalidated):
        return reply
    place = shown(call.address)
    if reply.status in (404, 410):
        raise NotFound(f"{call.name} has nothing at {place} (HTTP {reply.status}).", hint="Check the name.")
    if reply.status in (401, 403):
        hint = "It may need a token, or one that is allowed more." if call.service else "It may need a log-in."
        raise RemoteError(f"{call.name} refuses {place} (HTTP {reply.status}).{_said(reply)}", hint=hint)
    raise RemoteError(f"{call.name} did not accept the request for {place} (HTTP {reply.status}).{_said(reply)}")


def _said(reply: Reply) -> str:
    """What the service gives as its reason, where that is short JSON; its words, so in quotation marks."""
    try:
        value = json_text.loads(reply.body)
    except (ValueError, RecursionError):
        return ""
    reason = (
        next((value[k] for k in ("message", "error", "detail") if value.get(k)), "") if isinstance(value, dict) else ""
    )
    words = " ".join(str(redact(reason)).split()) if isinstance(reason, str) else ""
    return f' It says: "{words[:160]}".' if words else ""


def busy_error(call: Call, reply: Reply, pause: float | None) -> RemoteUnavailable:
    hint = "Try again in a few minutes."
    if pause is not None:
        when = time.strftime("%H:%M:%S", time.localtime(time.time() + min(pause, 1e8)))
        hint = f"It may be asked again in {pause:.0f} s (at {when})."
    return RemoteUnavailable(f"{call.name} is down or busy (HTTP {reply.status}).", hint=hint)


def unreachable(call: Call, error: Exception) -> RemoteUnavailable:
    reason = str(redact(" ".join(str(error).split())[:160])) or type(error).__name__
    if isinstance(error, httpx.TimeoutException):
        reason = "it did not answer in time"
    return RemoteUnavailable(
        f"{call.name} cannot be reached at {shown(call.address)}: {reason}.",
        hint="Check the network, or try again later.",
    )
