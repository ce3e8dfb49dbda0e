"""The scripted model server, proved with the real LiteLLM: what it asks for is what a provider's client would."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from .server import (
    Asked,
    Call,
    ModelServer,
    Reply,
    Usage,
    bad_request,
    empty,
    no_credit,
    no_quota,
    not_found,
    overloaded,
    rate_limited,
    server_error,
    too_long,
    unauthorized,
)

# Pydantic's, at LiteLLM's first answer; LiteLLM silences it at its import, which pytest takes back with each test.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Item '.*' on TypedDict class '.*' is using the `ReadOnly` qualifier:UserWarning"
)

SAID = "A text that is longer than one piece of a stream, and then some."
TOOL = {"type": "function", "function": {"name": "note", "description": "Keep a text.", "parameters": {
    "type": "object", "properties": {"text": {"type": "string"}}}}}  # fmt: skip
HELLO = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello."}]
PATHS = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
# How streams end: `done` and `cut_after`.
ENDS = [(True, None), (False, None), (False, 5)]
ROOT = Path(__file__).parents[2]


def load() -> Any:
    """LiteLLM, imported by the first test that needs it: it takes seconds, and what it does to the filters of warnings
    belongs in a test, not in the collecting of all."""
    # Without this it fetches a table of prices from the internet.
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    import litellm

    return litellm


@dataclass(frozen=True)
class Client:
    """LiteLLM, over one of the protocols, streamed or not."""

    protocol: str
    stream: bool

    def request(self, server: ModelServer, **more: Any) -> dict[str, Any]:
        """The arguments of a completion."""
        given = {"api_key": "x", "messages": HELLO, "tools": [TOOL], "max_retries": 0, "stream": self.stream}
        if self.protocol == "anthropic":
            return given | {"model": "anthropic/claude-sonnet-4-5", "api_base": server.url} | more
        counted = {"stream_options": {"include_usage": True}} if self.stream else {}
        return given | {"model": "openai/test", "api_base": server.openai} | counted | more

    async def ask(self, server: ModelServer, **more: Any) -> Any:
        """The whole answer."""
        answer = await load().acompletion(**self.request(server, **more))
        return load().stream_chunk_builder([chunk async for chunk in answer]) if self.stream else answer

    def ask_in_step(self, server: ModelServer) -> Any:
        """The same without a loop."""
        answer = load().completion(**self.request(server))
        return load().stream_chunk_builder(list(answer)) if self.stream else answer


@pytest.fixture(params=["openai", "anthropic"])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def client(request: pytest.FixtureRequest, protocol: str) -> Client:
    return Client(protocol, request.param)


async def test_text(client: Client) -> None:
    with ModelServer([Reply(SAID)]) as server:
        answer = await client.ask(server)
    assert answer.choices[0].message.content == SAID
    assert answer.choices[0].finish_reason == "stop"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (100, 20)


def test_text_without_a_loop(client: Client) -> None:
    with ModelServer([Reply(SAID)]) as server:
        assert client.ask_in_step(server).choices[0].message.content == SAID


async def test_two_calls_in_one_answer(client: Client) -> None:
    with ModelServer([Reply("Two.", calls=(Call("note", {"text": SAID}), Call("note", {}, id="own")))]) as server:
        answer = await client.ask(server)
    first, second = answer.choices[0].message.tool_calls
    assert (first.function.name, json.loads(first.function.arguments)) == ("note", {"text": SAID})
    assert (second.id, second.function.arguments) == ("own", "{}")
    assert first.id
    assert answer.choices[0].message.content == "Two."
    assert answer.choices[0].finish_reason == "tool_calls"


async def test_thinking(client: Client) -> None:
    with ModelServer([Reply("So.", thinking=SAID, signature="c2lnbmVk")]) as server:
        message = (await client.ask(server)).choices[0].message
    assert (message.content, message.reasoning_content) == ("So.", SAID)
    if client.protocol == "anthropic":
        assert message.thinking_blocks == [{"type": "thinking", "thinking": SAID, "signature": "c2lnbmVk"}]


async def test_cached_tokens_are_part_of_the_prompt(client: Client) -> None:
    with ModelServer([Reply("So.", usage=Usage(1000, 5, cached=900))]) as server:
        usage = (await client.ask(server)).usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (1000, 5)
    assert usage.prompt_tokens_details.cached_tokens == 900


async def test_arguments_that_are_no_json_arrive_as_they_were_sent(client: Client) -> None:
    with ModelServer([Reply(calls=(Call("note", '{"text": "cut'),))]) as server:
        (call,) = (await client.ask(server)).choices[0].message.tool_calls
    # Anthropic's whole body has a place for a JSON value only: there the text is sent as one.
    whole = client.protocol == "anthropic" and not client.stream
    assert (json.loads(call.function.arguments) if whole else call.function.arguments) == '{"text": "cut'


async def test_a_call_without_an_identity() -> None:
    with ModelServer([Reply(calls=(Call("note", {}, id=None),))]) as server:
        answer = httpx.post(f"{server.openai}/chat/completions", json={"model": "test", "messages": []})
    (call,) = answer.json()["choices"][0]["message"]["tool_calls"]
    assert call == {"type": "function", "function": {"name": "note", "arguments": "{}"}}


async def test_an_answer_cut_at_its_length(client: Client) -> None:
    with ModelServer([Reply("Half a", finish="length")]) as server:
        assert (await client.ask(server)).choices[0].finish_reason == "length"


async def test_an_empty_answer(client: Client) -> None:
    with ModelServer([empty()]) as server:
        answer = await client.ask(server)
    assert not answer.choices[0].message.content
    assert not answer.choices[0].message.tool_calls
    assert answer.usage.completion_tokens == 0


async def test_an_answer_without_usage() -> None:
    with ModelServer([Reply(SAID, usage=None)]) as server:
        answer = httpx.post(f"{server.url}/v1/messages", json={"model": "test", "messages": []})
    assert "usage" not in answer.json()


FAULTS = [
    (rate_limited("7"), (429, "RateLimitError"), (429, "RateLimitError")),
    (overloaded(), (503, "ServiceUnavailableError"), (529, "InternalServerError")),
    (server_error(), (500, "InternalServerError"), (500, "InternalServerError")),
    (unauthorized(), (401, "AuthenticationError"), (401, "AuthenticationError")),
    (no_credit(), (402, "APIError"), (400, "BadRequestError")),
    (no_quota(), (429, "RateLimitError"), (400, "BadRequestError")),
    (not_found("gone"), (404, "NotFoundError"), (404, "NotFoundError")),
    (bad_request("Too many tools."), (400, "BadRequestError"), (400, "BadRequestError")),
    (too_long(365_407, 200_000), (400, "ContextWindowExceededError"), (400, "ContextWindowExceededError")),
    (Reply(status=403, message="No."), (403, "BadRequestError"), (403, "PermissionDeniedError")),
    (Reply(status=502, error="<html>Bad gateway</html>"), (502, "BadGatewayError"), (502, "BadGatewayError")),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault[0].fault or str(fault[0].status))
async def test_each_fault_is_the_providers_own(client: Client, fault: tuple[Reply, Any, Any]) -> None:
    reply, *expected = fault
    status, kind = expected[client.protocol == "anthropic"]
    with ModelServer([reply, reply]) as server:
        with pytest.raises(getattr(load().exceptions, kind)) as raised:
            await client.ask(server)
        bare = httpx.post(server.url + PATHS[client.protocol], json={"model": "test", "stream": client.stream})
    assert type(raised.value).__name__ == kind
    assert bare.status_code == status
    said = bare.text if isinstance(reply.error, str) else bare.json()["error"]["message"]
    assert said in str(raised.value).replace("\\'", "'")
    assert bare.headers.get("retry-after") == reply.headers.get("retry-after")


async def test_a_broken_connection_raises(client: Client) -> None:
    for reply in (Reply(SAID, cut_after=4), Reply(SAID, cut_after=0)):
        with ModelServer([reply]) as server:
            kind = "MidStreamFallbackError" if client.stream else "InternalServerError"
            with pytest.raises(getattr(load().exceptions, kind)):
                await client.ask(server)
        assert len(server.paths) == 1


async def test_the_end_of_a_stream_without_its_word(client: Client) -> None:
    with ModelServer([Reply(SAID, done=False)]) as server:
        assert (await client.ask(server)).choices[0].message.content == SAID


def test_a_stream_comes_in_pieces_and_may_end_anywhere(protocol: str) -> None:
    replies = [Reply(SAID, calls=(Call("note", {"text": SAID}),), done=done, cut_after=cut) for done, cut in ENDS]
    with ModelServer(replies) as server:
        full, wordless, early = (httpx.post(server.url + PATHS[protocol], json={"stream": True}).text for _ in ENDS)
    word = "event: message_stop" if protocol == "anthropic" else "data: [DONE]"
    assert word in full
    assert word not in wordless
    assert full.count("data: ") == wordless.count("data: ") + 1
    assert early.count("data: ") == 5
    assert SAID not in full
    assert full.count('"note"') == 1


async def test_a_connection_is_used_again(client: Client) -> None:
    with ModelServer([Reply(SAID), rate_limited(), Reply(SAID)]) as server:
        await client.ask(server)
        with pytest.raises(load().RateLimitError):
            await client.ask(server)
        await client.ask(server)
    assert server.connections == 1
    assert len(server.asked) == 3
    assert server.asked[0].at < server.sent[0] < server.asked[1].at


async def test_a_reply_is_one_send(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sends: list[int] = []
    send = socket.socket.sendall

    def counted(self: socket.socket, data: bytes) -> None:
        sends.append(self.getsockname()[1])
        send(self, data)

    monkeypatch.setattr(socket.socket, "sendall", counted)
    with ModelServer([Reply(SAID, calls=(Call("note", {"text": SAID * 100}),))]) as server:
        await client.ask(server)
        assert sends.count(int(server.url.rpartition(":")[2])) == 1


async def test_what_was_asked(client: Client) -> None:
    call = {"id": "one", "type": "function", "function": {"name": "note", "arguments": '{"text": "x"}'}}
    talk = [
        *HELLO,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "one", "content": "kept x"},
    ]
    before = time.monotonic()
    with ModelServer(lambda asked: Reply(f"{asked.last}, turn {asked.turn}")) as server:
        assert (await client.ask(server)).choices[0].message.content == "Hello., turn 1"
        assert (await client.ask(server, messages=talk)).choices[0].message.content == "kept x, turn 2"
    first, second = server.asked
    assert (first.system, first.tools, first.stream) == ("Be brief.", ["note"], client.stream)
    assert (first.path, first.number, second.number) == (PATHS[client.protocol], 0, 1)
    assert first.model == ("claude-sonnet-4-5" if client.protocol == "anthropic" else "test")
    assert first.size == int(first.headers["content-length"]) < second.size
    assert before < first.at < second.at
    key = first.headers["x-api-key" if client.protocol == "anthropic" else "authorization"]
    assert key.removeprefix("Bearer ") == "x"


def test_texts_in_blocks() -> None:
    blocks = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    result = {"type": "tool_result", "tool_use_id": "one", "content": blocks}
    asked = Asked("", {}, {"system": blocks, "messages": [{"role": "user", "content": [result, *blocks]}]}, 0, 0.0)
    assert (asked.system, asked.last) == ("a\nb", "a\nb\na\nb")
    assert (Asked("", {}, {}, 0, 0.0).system, Asked("", {}, {}, 0, 0.0).last) == ("", "")


async def test_a_reply_waits_for_its_event(client: Client) -> None:
    go = threading.Event()
    with ModelServer([Reply(SAID, before=go)]) as server:
        asking = asyncio.create_task(client.ask(server))
        while not (server.asked or asking.done()):
            await asyncio.sleep(0.01)
        assert not (await asyncio.wait([asking], timeout=0.1))[0]
        go.set()
        assert (await asking).choices[0].message.content == SAID


def test_a_body_and_headers_of_the_tests_own() -> None:
    with ModelServer([Reply(raw=b"<html>", headers={"Content-Type": "text/html"}, status=202)]) as server:
        answer = httpx.post(f"{server.openai}/chat/completions", json={})
    assert (answer.status_code, answer.text, answer.headers.get_list("content-type")) == (202, "<html>", ["text/html"])


def test_other_paths() -> None:
    with ModelServer([], extra={"/api/show": {"context_length": 4096}}) as server:
        assert httpx.post(f"{server.url}/api/show", json={"model": "test"}).json() == {"context_length": 4096}
        missing = httpx.get(f"{server.url}/props?model=test")
    assert (missing.status_code, missing.json()["error"]["message"]) == (404, "Not Found: /props")
    assert server.paths == ["/api/show", "/props?model=test"]
    assert not server.asked


def test_a_script_that_ends_too_early_is_heard_of() -> None:
    with ModelServer([]) as server:
        answer = httpx.post(f"{server.openai}/chat/completions", json={})
    assert answer.status_code == 500
    assert "The script has 0 replies" in answer.text


def test_a_script_that_fails_is_heard_of() -> None:
    def script(asked: Asked) -> Reply:
        raise AssertionError(f"{asked.turn} is wrong")

    with pytest.raises(AssertionError, match="1 is wrong"), ModelServer(script) as server:
        assert "1 is wrong" in httpx.post(f"{server.openai}/chat/completions", json={}).text


@pytest.mark.parametrize("ended", ["told", "left"])
def test_as_a_program(ended: str) -> None:
    line = [sys.executable, "-m", "tests.models.server", "--replies", "2", "--size", "50"]
    with subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout
        url = program.stdout.readline().strip()
        answers = [httpx.post(f"{url}/v1/messages", json={"messages": []}).json() for _ in range(3)]
        if ended == "told":
            program.send_signal(signal.SIGTERM)
        told = json.loads(program.communicate()[0])
    first, second = (answer["content"][0]["input"]["text"] for answer in answers[:2])
    assert len(first) == len(second) == 50
    assert first != second
    assert answers[2]["type"] == "error"
    assert len(told["own_ms"]) == 2
    assert min(told["own_ms"]) > 0
    assert told["sizes"] == [len('{"messages":[]}')] * 3
