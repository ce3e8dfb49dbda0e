"""OpenAI's chat completions as bytes: bodies, streamed events and errors. No Responses API."""

from __future__ import annotations

import json

from . import Asked, Call, Json, Reply, Usage, pieces

__all__ = ["body", "events", "refusal"]

_CREATED = 1_750_000_000

# status, type, code, message; https://platform.openai.com/docs/guides/error-codes and answers seen in the wild.
_FAULTS: dict[str, tuple[int, str, str | None, str]] = {
    "bad_request": (400, "invalid_request_error", None, "Invalid request."),
    "too_long": (
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is {window} tokens. However, your messages resulted in {tokens} tokens. "
        "Please reduce the length of the messages.",
    ),
    "unauthorized": (
        401,
        "invalid_request_error",
        "invalid_api_key",
        "Incorrect API key provided: wrong***key. You can find your API key at "
        "https://platform.openai.com/account/api-keys.",
    ),
    "not_found": (
        404,
        "invalid_request_error",
        "model_not_found",
        "The model `{model}` does not exist or you do not have access to it.",
    ),
    "rate_limited": (
        429,
        "requests",
        "rate_limit_exceeded",
        "Rate limit reached for {model} in organization org-example on requests per min (RPM): Limit 3, Used 3, "
        "Requested 1. Please try again in 20s. Visit https://platform.openai.com/account/rate-limits to learn more.",
    ),
    "no_quota": (
        429,
        "insufficient_quota",
        "insufficient_quota",
        "You exceeded your current quota, please check your plan and billing details. For more information on this "
        "error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
    ),
    "server_error": (
        500,
        "server_error",
        None,
        "The server had an error while processing your request. Sorry about that!",
    ),
    "overloaded": (503, "server_error", None, "The engine is currently overloaded, please try again later"),
}
# https://openrouter.ai/docs/api-reference/errors: no type, and the status again as the code.
_NO_CREDIT = (
    "This request requires more credits, or fewer max_tokens. You requested up to 8192 tokens, but can only afford "
    "1024. To increase, visit https://openrouter.ai/settings/credits and upgrade to a paid account"
)


def body(reply: Reply, asked: Asked) -> Json:
    """A whole answer."""
    message: Json = {"role": "assistant", "content": reply.text or (None if reply.calls else "")}
    if reply.thinking:
        message["reasoning_content"] = reply.thinking
    if reply.calls:
        message["tool_calls"] = [_call(call, asked, index) for index, call in enumerate(reply.calls)]
    whole = _frame(asked, "chat.completion") | {
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": reply.ending}]
    }
    return whole | ({"usage": _usage(reply.usage)} if reply.usage else {})


def events(reply: Reply, asked: Asked) -> list[bytes]:
    """The same as a stream."""
    counted = bool((asked.body.get("stream_options") or {}).get("include_usage"))
    frame = _frame(asked, "chat.completion.chunk") | ({"usage": None} if counted else {})
    told: list[tuple[Json, str | None]] = [(delta, None) for delta in _deltas(reply, asked)]
    told.append(({}, reply.ending))
    chunks = [frame | {"choices": [{"index": 0, "delta": delta, "finish_reason": end}]} for delta, end in told]
    if counted and reply.usage:
        chunks.append(frame | {"choices": [], "usage": _usage(reply.usage)})
    lines = [f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks]
    return [*lines, b"data: [DONE]\n\n"] if reply.done else lines


def refusal(reply: Reply, asked: Asked) -> tuple[int, Json]:
    """Status and body of an error."""
    if reply.fault == "no_credit" or (not reply.fault and reply.status == 402):
        return 402, {"error": {"message": reply.message or _NO_CREDIT, "code": 402}}
    status, kind, code, text = _FAULTS[reply.fault] if reply.fault else _row(reply.status)
    message = reply.message or text.format(**{"model": asked.model, **reply.values})
    return status, {"error": {"message": message, "type": kind, "param": None, "code": code}}


def _row(status: int) -> tuple[int, str, str | None, str]:
    kind = "server_error" if status >= 500 else "invalid_request_error"
    return next((row for row in _FAULTS.values() if row[0] == status), (status, kind, None, f"Status {status}."))


def _frame(asked: Asked, kind: str) -> Json:
    return {"id": f"chatcmpl-{asked.number}", "object": kind, "created": _CREATED, "model": asked.model}


def _usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
    }


def _call(call: Call, asked: Asked, index: int) -> Json:
    identity = f"call_{asked.number}_{index}" if call.id == "auto" else call.id
    whole = {"type": "function", "function": {"name": call.name, "arguments": call.arguments}}
    return whole if identity is None else {"id": identity} | whole


def _deltas(reply: Reply, asked: Asked) -> list[Json]:
    deltas: list[Json] = [{"role": "assistant", "content": None if reply.calls and not reply.text else ""}]
    deltas += [{"reasoning_content": piece} for piece in pieces(reply.thinking, reply.piece)]
    deltas += [{"content": piece} for piece in pieces(reply.text, reply.piece)]
    for index, call in enumerate(reply.calls):
        # Only the first delta of a call names it; a client joins the rest by the index.
        first = _call(call, asked, index) | {"index": index, "function": {"name": call.name, "arguments": ""}}
        deltas.append({"tool_calls": [first]})
        for piece in pieces(call.arguments, reply.piece):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})
    return deltas
