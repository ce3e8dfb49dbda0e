"""What went wrong with a call of a model, and what follows: by the exception's type, its status and its codes.

Words of a message are looked at in three cases alone, for which some providers have neither a code nor a status of its
own: a refused thinking block, credit or a quota that is used up, and a request that is too long. This module calls
nothing and waits for nothing; `engineers/turn.py` does.
"""

from __future__ import annotations

import email.utils
import re
import socket
import time
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple

__all__ = ["ATTEMPTS", "RATE_WAITS", "Kind", "Trouble", "classify", "wait_before"]


class Kind(StrEnum):
    """What went wrong."""

    RATE = "rate limit"
    BUSY = "busy"
    UNREACHED = "it cannot be reached"
    STREAM = "broken answer"
    OVERFLOW = "too long"
    KEY = "key"
    CREDIT = "no credit"
    MISSING = "no such model"
    POLICY = "content policy"
    SIGNATURE = "thinking block"
    PARAMETER = "parameter"
    REFUSED = "refused"
    UNKNOWN = "unknown"


RETRIED = frozenset({Kind.RATE, Kind.BUSY, Kind.UNREACHED, Kind.STREAM})
"""What may pass by itself."""

RATE_WAITS = (30.0, 60.0)
"""Seconds before the second and the third try at a rate limit that names no time."""

BUSY_WAITS = (5.0, 15.0)
"""Seconds before the second and the third try of a server that is busy or broke off."""

ATTEMPTS = 3
"""Tries of one call on one model."""

LONGEST_WAIT = 600.0
"""Seconds: a server that asks to wait longer is taken to be out of reach for now."""

OVERFLOW_CODES = frozenset({"context_length_exceeded", "context_window_exceeded", "exceed_context_size_error"})
CREDIT_CODES = frozenset({
    "insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "billing_error", "insufficient_balance",
    "exceeded_current_quota_error",
})  # fmt: skip
POLICY_CODES = frozenset({"content_filter", "content_policy_violation"})


WORDED = {
    Kind.SIGNATURE: re.compile(r"(?i)invalid `?signature`? in `?thinking`? block"),
    Kind.CREDIT: re.compile(r"(?i)^your credit balance is too low|^you have reached your specified API usage limits"),
    Kind.OVERFLOW: re.compile(
        r"(?i)maximum context length|prompt is too long|context length is only|longer than the maximum model length"
    ),
}
"""What Anthropic's API says with status 400 and type `invalid_request_error`, as it says of any mistake; and what vLLM and
routers say of a request that is too long, for which they have no code either."""

QUOTA = re.compile(
    r"(?i)exceeded your current quota|quota (?:was |has been |is )?exceeded|exceeded your monthly|insufficient (?:credit|balance)"
    r"|used all available credits"
)
"""What providers say with status 403 or 429 when a quota that is paid for is used up. With a time to wait beside it, it
is a rate limit in other words."""


class Trouble(NamedTuple):
    """One failure.

    Attributes:
        kind: what it is.
        status: HTTP status; 0 where there was no answer.
        message: the provider's own words, one line, at most 500 characters.
        retry_after: seconds that the provider asks to wait; None if it names none.
        parameter: the parameter that was refused; empty otherwise.
    """

    kind: Kind
    status: int
    message: str
    retry_after: float | None = None
    parameter: str = ""

    @property
    def retried(self) -> bool:
        """Whether the same call may succeed a little later."""
        return self.kind in RETRIED and (self.retry_after or 0.0) <= LONGEST_WAIT


def wait_before(trouble: Trouble, failed: int) -> float:
    """Seconds to wait after the `failed`-th failure (from 1) of a call."""
    if trouble.retry_after is not None:
        return trouble.retry_after
    waits = RATE_WAITS if trouble.kind == Kind.RATE else BUSY_WAITS
    return waits[min(failed, len(waits)) - 1]


def classify(error: BaseException, *, began: bool = False) -> Trouble:
    """What an exception of litellm, or of what lies below it, means.

    Args:
        error: what was raised.
        began: whether a part of the answer had come.
    """
    import litellm

    status = _status(error)
    details = list(_details(error))
    codes = {str(detail[key]).lower() for detail in details for key in ("code", "type") if detail.get(key)}
    message = _message(error, details) if status else _message(_innermost(error), details)
    parameter = next((str(detail["param"]) for detail in details if detail.get("param")), "")
    wait = _retry_after(error) if (told := _told_delay(details)) is None else told
    kind = _by_type(error, litellm) or _by_code(codes, status) or _by_status(status, began)
    if not status and _is_connection(error):
        kind = Kind.STREAM if began else Kind.UNREACHED if _never_connected(error) else Kind.BUSY
    if kind in (Kind.RATE, Kind.KEY) and status in (403, 429) and wait is None and QUOTA.search(message):
        kind = Kind.CREDIT
    if kind == Kind.REFUSED and status in (400, 422):
        kind = next((known for known, words in WORDED.items() if words.search(message)), kind)
    if kind == Kind.REFUSED and parameter:
        kind = Kind.PARAMETER
    return Trouble(kind, status, message, wait, parameter)


def _by_type(error: BaseException, litellm: Any) -> Kind | None:
    """By litellm's own classes, the narrow ones first: they are each other's bases."""
    table: tuple[tuple[str, Kind], ...] = (
        ("ContextWindowExceededError", Kind.OVERFLOW),
        ("ContentPolicyViolationError", Kind.POLICY),
        ("PaymentRequiredError", Kind.CREDIT),
        ("BudgetExceededError", Kind.CREDIT),
        ("UnsupportedParamsError", Kind.PARAMETER),
        ("AuthenticationError", Kind.KEY),
        ("PermissionDeniedError", Kind.KEY),
        ("NotFoundError", Kind.MISSING),
        ("LiteLLMUnknownProvider", Kind.MISSING),
    )
    for name, kind in table:
        known = getattr(litellm.exceptions, name, None)
        if known is not None and isinstance(error, known):
            return kind
    return None


def _by_code(codes: set[str], status: int) -> Kind | None:
    if codes & OVERFLOW_CODES:
        return Kind.OVERFLOW
    if codes & CREDIT_CODES or status == 402:
        return Kind.CREDIT
    if codes & POLICY_CODES:
        return Kind.POLICY
    if "overloaded_error" in codes:
        return Kind.BUSY
    return None


def _by_status(status: int, began: bool) -> Kind:
    if status == 429:
        return Kind.RATE
    if status == 413:
        return Kind.OVERFLOW
    if status in (401, 403):
        return Kind.KEY
    if status == 404:
        return Kind.MISSING
    if status in (408, 409, 425) or status >= 500:
        return Kind.STREAM if began else Kind.BUSY
    if 400 <= status < 500:
        return Kind.REFUSED
    return Kind.STREAM if began else Kind.UNKNOWN


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it came from, each once."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [getattr(one, "original_exception", None), one.__cause__, one.__context__]


def _is_connection(error: BaseException) -> bool:
    """Whether the connection, and not the server's answer, is what failed."""
    import httpx
    import openai

    kinds = (httpx.TransportError, openai.APIConnectionError, ConnectionError, TimeoutError)
    return any(isinstance(one, kinds) or type(one).__module__.startswith("aiohttp.client") for one in _chain(error))


def _never_connected(error: BaseException) -> bool:
    """Whether no connection came about at all, so that nothing was sent."""
    import httpx

    kinds = (httpx.ConnectError, httpx.ConnectTimeout, ConnectionRefusedError, socket.gaierror)
    return any(isinstance(one, kinds) for one in _chain(error))


def _answered(error: BaseException) -> bool:
    """Whether a server's own answer is in what was raised: an error of its body or of its status, or one made of them."""
    import httpx
    import openai

    return any(isinstance(one, httpx.HTTPStatusError | openai.APIStatusError) for one in _chain_below(error))


def _chain_below(error: BaseException) -> Iterator[BaseException]:
    """What was raised, without litellm's own classes, which pass for answers where there was none."""
    return (one for one in _chain(error) if not type(one).__module__.startswith("litellm."))


def _status(error: BaseException) -> int:
    """The status of the provider's answer, 0 where there was none: litellm's own classes carry one then too."""
    if _is_connection(error) and not _answered(error):
        return 0
    for one in _chain(error):
        original = getattr(one, "original_exception", None)
        if original is not None and getattr(original, "status_code", None):
            return int(original.status_code)
    status = getattr(error, "status_code", 0)
    return int(status) if isinstance(status, int | str) and str(status).isdigit() else 0


def _details(error: BaseException) -> Iterator[Mapping[str, Any]]:
    """The parts of the error's body in which providers put their codes."""
    for one in _chain(error):
        for body in (getattr(one, "body", None), _json_of(getattr(one, "response", None))):
            if isinstance(body, list) and body:
                body = body[0]
            if isinstance(body, Mapping):
                inner = body.get("error")
                yield inner if isinstance(inner, Mapping) else body


def _json_of(response: Any) -> Any:
    try:
        return response.json() if response is not None and response.content else None
    except Exception:  # noqa: BLE001 - a body that cannot be read tells nothing
        return None


def _innermost(error: BaseException) -> BaseException:
    """What failed below litellm's own words for it, where it was the connection."""
    import httpx

    return next((one for one in _chain(error) if isinstance(one, httpx.TransportError) and str(one)), error)


def _message(error: BaseException, details: list[Mapping[str, Any]]) -> str:
    words = next((str(d["message"]) for d in details if d.get("message")), "") or str(error)
    return " ".join(words.split())[:500]


def _retry_after(error: BaseException) -> float | None:
    """Seconds from `retry-after-ms`, or from `Retry-After` (RFC 9110, section 10.2.3: seconds or a date)."""
    for headers in _headers(error):
        lower = {str(name).lower(): str(value).strip() for name, value in headers.items()}
        if (milliseconds := _number(lower.get("retry-after-ms", ""))) is not None:
            return milliseconds / 1000
        value = lower.get("retry-after", "")
        if (seconds := _number(value)) is not None:
            return seconds
        if value:
            try:
                date = email.utils.parsedate_to_datetime(value)
            except ValueError:
                continue
            return max(0.0, date.timestamp() - time.time())
    return None


def _headers(error: BaseException) -> Iterator[Mapping[str, Any]]:
    for one in _chain(error):
        for holder in (getattr(one, "response", None), one):
            for name in ("headers", "litellm_response_headers"):
                headers = getattr(holder, name, None)
                if headers is not None and hasattr(headers, "items"):
                    yield headers


def _told_delay(details: list[Mapping[str, Any]]) -> float | None:
    """Seconds from Google's `RetryInfo`, which stands in the body (google.rpc, error_details.proto)."""
    parts = [part for detail in details for part in _listed(detail.get("details")) if isinstance(part, Mapping)]
    delays = [str(part["retryDelay"]) for part in parts if part.get("retryDelay")]
    return _number(delays[0].removesuffix("s")) if delays else None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value < 1e9 else None
