"""What an exception means: by type, status and codes. What real litellm raises is in tests/models."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from trainwright.engineers.model_errors import LONGEST_WAIT, Kind, Trouble, classify, wait_before
from trainwright.engineers.providers import load_litellm


def response(status: int, body: Any = None, **headers: str) -> httpx.Response:
    """An answer of a provider."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = httpx.Request("POST", "http://x/v1")
    return httpx.Response(status, json=body, headers=named, request=request)


class Answered(Exception):
    """An error with a status, as any client has it."""

    def __init__(self, status: int, body: Any = None, message: str = "", **headers: str) -> None:
        super().__init__(message)
        self.status_code = status
        self.response = response(status, body, **headers)


@pytest.mark.parametrize(
    ("status", "body", "kind", "retried"),
    [
        (429, None, Kind.RATE, True),
        (429, {"error": {"code": "insufficient_quota"}}, Kind.CREDIT, False),
        (402, None, Kind.CREDIT, False),
        (401, None, Kind.KEY, False),
        (403, None, Kind.KEY, False),
        (404, None, Kind.MISSING, False),
        (408, None, Kind.BUSY, True),
        (413, None, Kind.OVERFLOW, False),
        (400, {"error": {"code": "context_length_exceeded"}}, Kind.OVERFLOW, False),
        (400, {"error": {"type": "exceed_context_size_error"}}, Kind.OVERFLOW, False),
        (400, {"error": {"code": "content_filter"}}, Kind.POLICY, False),
        (400, {"error": {"param": "reasoning_effort"}}, Kind.PARAMETER, False),
        (400, None, Kind.REFUSED, False),
        (422, None, Kind.REFUSED, False),
        (500, None, Kind.BUSY, True),
        (503, None, Kind.BUSY, True),
        (529, {"error": {"type": "overloaded_error"}}, Kind.BUSY, True),
    ],
)
def test_by_status_and_code(status: int, body: Any, kind: Kind, retried: bool) -> None:
    found = classify(Answered(status, body))
    assert (found.kind, found.retried, found.status) == (kind, retried, status)


@pytest.mark.parametrize(
    "words",
    [
        "The prompt is too long: 365407, model maximum context length: 262143",
        "This model's maximum context length is 8192 tokens",
        "You passed 7000 input tokens; the context length is only 4096",
    ],
)
def test_a_request_that_is_too_long_for_a_server_without_a_code(words: str) -> None:
    assert classify(Answered(400, {"error": {"message": words, "param": "input_tokens"}})).kind == Kind.OVERFLOW


@pytest.mark.parametrize(
    "words", ["HTTP 429 Too Many Requests", "400 - 5000 tokens", "eof capacity 503", "insufficient credits"]
)
def test_words_of_a_message_decide_nothing(words: str) -> None:
    assert classify(Answered(400, None, words)).kind == Kind.REFUSED
    assert classify(ValueError(words)).kind == Kind.UNKNOWN


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), Kind.UNREACHED),
        (httpx.ConnectTimeout("late"), Kind.UNREACHED),
        (ConnectionRefusedError("x"), Kind.UNREACHED),
        (httpx.ReadTimeout("late"), Kind.BUSY),
        (ConnectionResetError("x"), Kind.BUSY),
    ],
)
def test_a_connection_that_fails_may_pass(error: Exception, kind: Kind) -> None:
    assert (classify(error).kind, classify(error).retried) == (kind, True)
    assert classify(error, began=True).kind == Kind.STREAM
    wrapped = RuntimeError("something")
    wrapped.__cause__ = error
    assert classify(wrapped).kind == kind


def test_a_status_that_litellm_made_up_is_no_answer_of_a_server() -> None:
    litellm = load_litellm()
    made = litellm.InternalServerError(message="m", model="m", llm_provider="p")
    made.__cause__ = httpx.ConnectError("[Errno 111] Connection refused")
    assert classify(made)[:3] == (Kind.UNREACHED, 0, "[Errno 111] Connection refused")
    answered = Answered(500, {"error": {"message": "down"}})
    made.__cause__ = httpx.HTTPStatusError("m", request=answered.response.request, response=answered.response)
    made.__cause__.__cause__ = ConnectionResetError("an earlier one")
    assert classify(made)[:3] == (Kind.BUSY, 500, "down")


QUOTA = "You exceeded your current quota, please check your plan and billing details."


@pytest.mark.parametrize(
    ("status", "body", "headers", "kind"),
    [
        (429, {"error": {"message": QUOTA}}, {}, Kind.CREDIT),
        (429, {"error": {"message": "Quota exceeded for this month"}}, {}, Kind.CREDIT),
        (403, {"error": {"message": "Your team has used all available credits"}}, {}, Kind.CREDIT),
        (402, {"error": {"message": "You have exceeded your monthly included credits"}}, {}, Kind.CREDIT),
        (429, {"error": {"type": "exceeded_current_quota_error"}}, {}, Kind.CREDIT),
        (429, {"error": {"message": QUOTA}}, {"retry_after": "20"}, Kind.RATE),
        (429, {"error": {"message": "Rate limit reached. Add credits for more."}}, {}, Kind.RATE),
        (403, {"error": {"message": "no access"}}, {}, Kind.KEY),
        (503, {"error": {"message": QUOTA}}, {}, Kind.BUSY),
    ],
)
def test_a_quota_that_is_used_up_is_no_rate_limit(status: int, body: Any, headers: dict[str, str], kind: Kind) -> None:
    assert classify(Answered(status, body, **headers)).kind == kind


def test_google_says_in_the_body_how_long_to_wait() -> None:
    details = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"}]
    found = classify(Answered(429, {"error": {"message": QUOTA, "details": details}}))
    assert (found.kind, found.retry_after) == (Kind.RATE, 31.0)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"Retry_After": "7.5"}, 7.5),
        ({"retry_after": "0"}, 0.0),
        ({"retry_after_ms": "0", "retry_after": "9"}, 0.0),
        ({"retry_after_ms": "1500"}, 1.5),
        ({"retry_after": "soon"}, None),
        ({"retry_after": "-3"}, None),
        ({}, None),
    ],
)
def test_the_wait_that_a_provider_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert classify(Answered(429, **headers)).retry_after == seconds


def test_the_wait_may_be_a_date() -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    found = classify(Answered(429, retry_after=at)).retry_after
    assert found is not None
    assert 35 < found <= 40
    past = format_datetime(datetime.fromtimestamp(time.time() - 100, UTC), usegmt=True)
    assert classify(Answered(429, retry_after=past)).retry_after == 0.0


def test_litellms_headers_are_found() -> None:
    error = Answered(429)
    error.litellm_response_headers = httpx.Headers({"Retry-After": "3"})  # type: ignore[attr-defined]
    assert classify(error).retry_after == 3.0


def test_the_waits_without_one() -> None:
    rate, busy = Trouble(Kind.RATE, 429, ""), Trouble(Kind.BUSY, 503, "")
    assert [wait_before(rate, n) for n in (1, 2, 3)] == [30.0, 60.0, 60.0]
    assert [wait_before(busy, n) for n in (1, 2, 3)] == [5.0, 15.0, 15.0]
    assert wait_before(rate._replace(retry_after=2.0), 1) == 2.0


def test_a_server_that_asks_to_wait_for_hours_is_not_waited_for() -> None:
    assert not Trouble(Kind.RATE, 429, "", LONGEST_WAIT + 1).retried


def test_litellms_own_classes() -> None:
    litellm = load_litellm()
    made = {"message": "m", "model": "m", "llm_provider": "p"}
    table = {
        litellm.ContextWindowExceededError(**made): Kind.OVERFLOW,
        litellm.ContentPolicyViolationError(**made): Kind.POLICY,
        litellm.AuthenticationError(**made): Kind.KEY,
        litellm.UnsupportedParamsError(**made): Kind.PARAMETER,
        litellm.NotFoundError(**made): Kind.MISSING,
        litellm.RateLimitError(**made): Kind.RATE,
        litellm.ServiceUnavailableError(**made): Kind.BUSY,
        litellm.Timeout(**made): Kind.BUSY,
    }
    assert {type(error).__name__: classify(error).kind for error in table} == {
        type(error).__name__: kind for error, kind in table.items()
    }


def test_a_message_is_one_line_and_not_endless() -> None:
    found = classify(Answered(400, {"error": {"message": "a\n b" + "x" * 2_000}}))
    assert "\n" not in found.message
    assert len(found.message) == 500
