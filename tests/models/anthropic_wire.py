"""Anthropic's messages as bytes: bodies, streamed events and errors. No batches, no counting of tokens."""

from __future__ import annotations

import json

from . import Asked, Call, Json, Reply, Usage, pieces

__all__ = ["body", "events", "refusal"]

_ENDINGS = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens", "content_filter": "refusal"}

# status, type, message; https://docs.claude.com/en/api/errors and answers seen in the wild.
_FAULTS: dict[str, tuple[int, str, str]] = {
    "bad_request": (400, "invalid_request_error", "Invalid request."),
    "too_long": (400, "invalid_request_error", "prompt is too long: {tokens} tokens > {window} maximum"),
    "no_credit": (
        400,
        "invalid_request_error",
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or "
        "purchase credits.",
    ),
    "no_quota": (
        400,
        "invalid_request_error",
        "You have reached your specified API usage limits. You will regain access on 2030-01-01 at 00:00 UTC.",
    ),
    "unauthorized": (401, "authentication_error", "invalid x-api-key"),
    "not_found": (404, "not_found_error", "model: {model}"),
    "rate_limited": (
        429,
        "rate_limit_error",
        "This request would exceed your organization's rate limit of 50 requests per minute. For details, refer to: "
        "https://docs.claude.com/en/api/rate-limits.",
    ),
    "server_error": (500, "api_error", "Internal server error"),
    "overloaded": (529, "overloaded_error", "Overloaded"),
}


def body(reply: Reply, asked: Asked) -> Json:
    """A whole answer."""
    content: list[Json] = []
    if reply.thinking:
        content.append({"type": "thinking", "thinking": reply.thinking, "signature": reply.signature})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for index, call in enumerate(reply.calls):
        content.append(_call(call, asked, index) | {"input": call.args})
    usage = {"usage": _usage(reply.usage)} if reply.usage else {}
    return _frame(asked) | {"content": content, "stop_reason": _ending(reply)} | usage


def events(reply: Reply, asked: Asked) -> list[bytes]:
    """The same as a stream."""
    usage = reply.usage
    # The first event counts the prompt and what of the answer it saw; the last but one counts the whole answer.
    opened = _frame(asked) | ({"usage": _usage(usage) | {"output_tokens": min(1, usage.output)}} if usage else {})
    told: list[Json] = [{"type": "message_start", "message": opened}, {"type": "ping"}]
    for index, (block, deltas) in enumerate(_blocks(reply, asked)):
        told.append({"type": "content_block_start", "index": index, "content_block": block})
        told += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        told.append({"type": "content_block_stop", "index": index})
    ended: Json = {"type": "message_delta", "delta": {"stop_reason": _ending(reply), "stop_sequence": None}}
    told.append(ended | ({"usage": {"output_tokens": usage.output}} if usage else {}))
    if reply.done:
        told.append({"type": "message_stop"})
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in told]


def refusal(reply: Reply, asked: Asked) -> tuple[int, Json]:
    """Status and body of an error."""
    status, kind, text = _FAULTS[reply.fault] if reply.fault else _row(reply.status)
    message = reply.message or text.format(**{"model": asked.model, **reply.values})
    error = {"type": kind, "message": message}
    return status, {"type": "error", "error": error, "request_id": f"req_{asked.number}"}


def _row(status: int) -> tuple[int, str, str]:
    kind = "api_error" if status >= 500 else "invalid_request_error"
    return next((row for row in _FAULTS.values() if row[0] == status), (status, kind, f"Status {status}."))


def _ending(reply: Reply) -> str:
    return _ENDINGS.get(reply.ending, reply.ending)


def _frame(asked: Asked) -> Json:
    return {
        "id": f"msg_{asked.number}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _usage(usage: Usage) -> Json:
    # Here the cached part of the prompt is counted apart from the rest.
    return {
        "input_tokens": usage.input - usage.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached,
        "output_tokens": usage.output,
    }


def _call(call: Call, asked: Asked, index: int) -> Json:
    identity = f"toolu_{asked.number}_{index}" if call.id == "auto" else call.id
    block: Json = {"type": "tool_use", "name": call.name, "input": {}}
    return block if identity is None else block | {"id": identity}


def _blocks(reply: Reply, asked: Asked) -> list[tuple[Json, list[Json]]]:
    """Each block as its start, and the deltas that fill it."""
    blocks: list[tuple[Json, list[Json]]] = []
    if reply.thinking:
        deltas: list[Json] = [
            {"type": "thinking_delta", "thinking": piece} for piece in pieces(reply.thinking, reply.piece)
        ]
        deltas.append({"type": "signature_delta", "signature": reply.signature})
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
    if reply.text:
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(reply.text, reply.piece)]
        blocks.append(({"type": "text", "text": ""}, deltas))
    for index, call in enumerate(reply.calls):
        deltas = [
            {"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces(call.arguments, reply.piece)]
        ]
        blocks.append((_call(call, asked, index), deltas))
    return blocks
