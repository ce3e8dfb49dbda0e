"""A model as the engineer, on real litellm against a server on loopback: answers, faults, context, money, secrets."""

from __future__ import annotations

import asyncio
import json
import threading
from itertools import pairwise
from typing import Any

import pytest
from blockbuster import blockbuster_ctx
from langgraph.runtime import RunControl

from trainwright.engineers import providers, turn
from trainwright.graph.errors import RequestError
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings, State, Status
from trainwright.graph.tellings import tell

from . import (
    Asked,
    Call,
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
from .conftest import CONFIG, Asking

FINISH = Reply(calls=(Call("finish", {"title": "T"}),))
BOTH = pytest.mark.parametrize("protocol", ["openai", "anthropic"])


def note(text: str) -> Reply:
    """One call of the stage's tool."""
    return Reply(calls=(Call("note", {"text": text}),))


def pairs(body: dict[str, Any]) -> tuple[list[str], list[str]]:
    """Ids of the calls of a request, and of the results, in order; in OpenAI's form."""
    calls = [call["id"] for m in body["messages"] for call in m.get("tool_calls") or []]
    return calls, [m["tool_call_id"] for m in body["messages"] if m["role"] == "tool"]


@BOTH
async def test_two_calls_of_one_answer_are_both_run_and_answered_in_their_order(asking: Any, protocol: str) -> None:
    stage: Asking = asking(
        [Reply(text="Both.", calls=(Call("note", {"text": "a"}), Call("note", {"text": "b"}))), FINISH]
    )
    with blockbuster_ctx("trainwright"):
        state = await stage.run(protocol=protocol)
    assert state.brief is not None
    assert state.brief.title == "T"
    assert sorted(stage.desk.notes) == ["a", "b"]
    second = stage.server.asked[1]
    text = json.dumps(second.body)
    assert text.index("kept a") < text.index("kept b")
    assert "Turn 2 of 300" in second.last
    assert second.tools[-3:] == ["act", "finish", "give_up"]
    assert second.system.startswith("You are the engineer of Trainwright")


@BOTH
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (rate_limited("7"), 7.0),
        (rate_limited("0"), 0.0),
        (rate_limited(), 30.0),
        (server_error(), 5.0),
        (overloaded(), 5.0),
        (Reply(text="half", cut_after=3), 5.0),
        (Reply(text="a proxy ends the stream in good order", cut_after=3, done=False), 5.0),
        (Reply(calls=(Call("note", {"text": "half a call is no call"}),), cut_after=3, done=False), 5.0),
        (Reply(raw=b""), 5.0),
    ],
)
async def test_what_may_pass_is_tried_again(
    asking: Any, waits: list[float], fault: Reply, seconds: float, protocol: str
) -> None:
    stage: Asking = asking([note("a"), fault, FINISH])
    state = await stage.run(protocol=protocol)
    assert state.brief is not None, state.reason
    assert state.steps == 2
    assert waits == [seconds]
    assert len(stage.server.asked) == 3, "one request a try: no client behind our back tries again"
    assert stage.server.asked[1].body == stage.server.asked[2].body
    assert [event["seconds"] for event in stage.told("retry")] == [0.0]


@BOTH
async def test_a_rate_limit_that_stays_waits_30_then_60_seconds_and_keeps_the_run(
    asking: Any, waits: list[float], protocol: str
) -> None:
    script = [note("a"), rate_limited(), rate_limited(), rate_limited(), FINISH]
    stage: Asking = asking(script)
    state = await stage.run(protocol=protocol)
    assert waits == [30.0, 60.0]
    assert state.status == Status.FAILED
    assert "rate limit (status 429), after 3 tries" in state.reason
    assert "resume" in state.reason
    assert (state.steps, state.stopped_at) == (1, "read_paper")
    carried = json.loads((run_path(state.run) / state.carry).read_text())
    assert [m["type"] for m in carried] == ["human", "ai", "tool"], "all that was done is kept"


@BOTH
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (unauthorized(), "TRAINWRIGHT_API_KEY"),
        (not_found("test"), "Resume with another --engineer"),
        (bad_request("messages: 5000 is not 429"), "Resume with another --engineer"),
    ],
)
async def test_what_will_not_pass_is_not_tried_again(
    asking: Any, waits: list[float], fault: Reply, words: str, protocol: str
) -> None:
    stage: Asking = asking([note("a"), fault, FINISH])
    state = await stage.run(protocol=protocol)
    assert state.status == Status.FAILED
    assert words in state.reason
    assert (len(stage.server.asked), waits) == (2, [])
    assert state.carry, "the transcript is kept, so that the run can be resumed"


@BOTH
@pytest.mark.parametrize("fault", [no_credit(), no_quota()])
async def test_credit_that_is_used_up_is_a_question(
    asking: Any, waits: list[float], fault: Reply, protocol: str
) -> None:
    stage: Asking = asking([note("a"), fault, FINISH])
    state = await stage.run(protocol=protocol)
    assert state.status == Status.RUNNING
    assert state.question is not None
    assert (state.question.key, state.question.options) == ("credit:127.0.0.1", ["try again"])
    assert state.question.back_to == "read_paper"
    assert "has no credit or quota left" in state.question.text
    assert "No other model was asked." in state.question.text
    assert (len(stage.server.asked), waits) == (2, [])
    assert state.carry, "the transcript is kept: the stage goes on from here"


async def test_the_providers_words_end_before_the_advice_begins(asking: Any) -> None:
    stage: Asking = asking([Reply(status=401, message="bad key")])
    state = await stage.run()
    assert "It said: bad key. Put a valid key into TRAINWRIGHT_API_KEY" in state.reason


async def test_a_server_that_is_not_there_is_said_to_be_so(asking: Any, waits: list[float]) -> None:
    stage: Asking = asking([])
    state = await stage.run(base_url="http://127.0.0.1:9/v1")
    assert waits == [5.0, 15.0]
    assert "openai/test cannot go on: it cannot be reached, after 3 tries." in state.reason
    assert "Connection refused. Look whether the server is up at http://127.0.0.1:9/v1" in state.reason
    assert "status" not in state.reason


async def test_a_server_of_ones_own_that_breaks_off_may_have_been_sent_too_much(asking: Any) -> None:
    stage: Asking = asking([Reply(raw=b"")] * 3)
    state = await stage.run(context_tokens=20_000)
    assert "broken answer, after 3 tries. The connection ended before the answer did." in state.reason
    assert "taken to be 20,000 tokens here: if it is less, say so (--context-tokens)" in state.reason


async def test_a_server_that_was_not_up_yet_is_asked_again_how_much_it_reads(
    asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([(0, False), (0, False), (5_000, True)])
    monkeypatch.setattr(providers, "_asked", lambda *_: next(told))
    stage: Asking = asking([note("a"), note("b"), note("c"), FINISH])
    state = await stage.run()
    assert state.brief is not None, state.reason
    assert [asked.body["max_tokens"] for asked in stage.server.asked] == [8_192, 8_192, 1_250, 1_250]


async def test_another_model_takes_over_where_the_first_reads_too_little(
    asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage: Asking = asking([FINISH])
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", stage.server.openai)
    state = await stage.run(context_tokens=1_000, fallback="hosted_vllm/other")
    assert state.brief is not None, state.reason
    assert [asked.model for asked in stage.server.asked] == ["other"]
    assert any("took over from openai/test, which could not go on (too long)" in note for note in state.notes)


@pytest.mark.parametrize("protocol", ["openai", "anthropic"])
async def test_no_effort_is_told_in_the_words_that_the_server_reads(asking: Any, protocol: str) -> None:
    stage: Asking = asking([note("a"), FINISH])
    name = "anthropic/claude-sonnet-4-5" if protocol == "anthropic" else "openai/test"
    state = await stage.run(protocol=protocol, engineer=name, effort="none")
    assert state.brief is not None, state.reason
    told = {"thinking": {"type": "disabled"}}
    if protocol == "openai":
        told = {"reasoning_effort": "none", "chat_template_kwargs": {"enable_thinking": False}}
    for asked in stage.server.asked:
        assert {name: asked.body.get(name) for name in told} == told


async def test_what_a_server_refuses_of_it_is_left_out_one_after_another(asking: Any) -> None:
    def script(asked: Asked) -> Reply:
        if "chat_template_kwargs" in asked.body:
            return bad_request("extra inputs are not permitted")
        if asked.body.get("reasoning_effort") in ("none", "minimal"):
            body = {"error": {"message": "no", "type": "invalid_request_error", "param": "reasoning_effort"}}
            return Reply(status=400, error=body)
        return FINISH

    stage: Asking = asking(script)
    state = await stage.run(effort="none")
    assert state.brief is not None, state.reason
    assert [asked.body.get("reasoning_effort") for asked in stage.server.asked] == ["none", "none", "minimal", "low"]


async def test_another_model_takes_over_only_where_it_was_named_and_is_announced(
    asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage: Asking = asking(lambda asked: no_credit() if asked.model == "test" else FINISH)
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", stage.server.openai)
    state = await stage.run(fallback="hosted_vllm/other")
    assert state.brief is not None, state.reason
    announced = stage.told("fallback")
    assert [(e["model"], e["instead_of"]) for e in announced] == [("hosted_vllm/other", "openai/test")]
    assert any("hosted_vllm/other took over from openai/test" in note for note in state.notes)
    assert [asked.model for asked in stage.server.asked] == ["test", "other"]


async def test_the_fallback_is_kept_for_the_run_and_its_own_trouble_is_told(
    asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    replies = iter([no_credit(), note("a"), note("b"), unauthorized()])  # credit of the first is no question then
    stage: Asking = asking(lambda asked: next(replies))
    monkeypatch.setenv("HOSTED_VLLM_API_BASE", stage.server.openai)
    state = await stage.run(fallback="hosted_vllm/other")
    assert [asked.model for asked in stage.server.asked] == ["test", "other", "other", "other"]
    assert state.status == Status.FAILED
    assert "hosted_vllm/other cannot go on: key" in state.reason


@BOTH
async def test_a_request_that_is_too_long_is_made_shorter_and_sent_again(asking: Any, protocol: str) -> None:
    long = [Reply(calls=(Call("note", {"text": f"{n} " + "x" * 3_000}),)) for n in range(8)]
    stage: Asking = asking([*long, too_long(30_000, 20_000), FINISH])
    state = await stage.run(protocol=protocol)
    assert state.brief is not None, state.reason
    before, after = stage.server.asked[8:10]
    assert after.size < before.size * 0.8
    assert state.steps == 9, "the same step again"


async def test_a_window_that_never_fits_ends_the_stage_and_is_no_loop(asking: Any) -> None:
    stage: Asking = asking(lambda asked: too_long(30_000, 10))
    state = await stage.run()
    assert state.status == Status.FAILED
    assert "too long" in state.reason or "cannot hold the smallest request" in state.reason
    assert len(stage.server.asked) <= 6
    assert state.carry


async def test_a_window_too_small_for_the_prompt_is_said_before_anything_is_sent(asking: Any) -> None:
    stage: Asking = asking([FINISH])
    state = await stage.run(context_tokens=1_000)
    assert "cannot hold the smallest request of read_paper" in state.reason
    assert stage.server.asked == []


@pytest.mark.parametrize(
    "extra",
    [
        {"/v1/models": {"data": [{"id": "test", "max_model_len": 5_000}]}},
        {"/props": {"default_generation_settings": {"n_ctx": 5_000}}},
    ],
)
async def test_a_server_of_ones_own_is_asked_for_its_window(asking: Any, extra: dict[str, Any]) -> None:
    replies = [Reply(calls=(Call("long", {"text": "x"}),), usage=Usage(2_700, 20)), FINISH]
    stage: Asking = asking(replies, extra=extra)
    state = await stage.run()
    assert state.brief is not None, state.reason
    assert stage.server.asked[0].body["max_tokens"] == 1_250
    assert max(asked.size for asked in stage.server.asked) < 13_000, "a huge output never overflows"


@BOTH
async def test_a_stream_is_closed_by_us_and_its_connection_used_again(asking: Any, protocol: str) -> None:
    stage: Asking = asking([*(note(str(number)) for number in range(6)), FINISH])
    before = set(map(id, _open_streams()))
    await stage.run(protocol=protocol)
    assert stage.server.connections <= 2, "one to ask for the window, one for all answers"
    left = [one for one in _open_streams() if id(one) not in before]
    assert left == [], "the garbage collector would close them while httpx holds the lock that closing takes"


def _open_streams() -> list[Any]:
    """Generators over a connection's bytes that were left half read."""
    import gc
    import inspect

    return [
        one
        for one in gc.get_objects()
        if inspect.isgenerator(one)
        and one.gi_code.co_filename.endswith(("httpcore/_sync/connection_pool.py", "httpx/_models.py"))
        and inspect.getgeneratorstate(one) == inspect.GEN_SUSPENDED
    ]


async def test_arguments_that_are_no_json_are_answered_and_go_back_as_an_empty_object(asking: Any) -> None:
    both = Reply(calls=(Call("note", '{"text": "half'), Call("note", {"text": "good"})))
    stage: Asking = asking([both, FINISH])
    state = await stage.run()
    assert state.brief is not None
    assert stage.desk.notes == ["good"]
    body = stage.server.asked[1].body
    calls, results = pairs(body)
    assert sorted(calls) == sorted(results)
    assert len(set(calls)) == 2
    arguments = [c["function"]["arguments"] for m in body["messages"] for c in m.get("tool_calls") or []]
    assert sorted(arguments) == ['{"text": "good"}', "{}"]
    assert "not readable JSON" in json.dumps(body)


@BOTH
async def test_an_answer_cut_at_its_length_says_so_and_runs_no_half_call(asking: Any, protocol: str) -> None:
    cut = Reply(calls=(Call("note", '{"text": "and then it'),), finish="length")
    stage: Asking = asking([cut, FINISH])
    state = await stage.run(protocol=protocol)
    assert state.brief is not None
    assert stage.desk.notes == []
    assert "cut at its limit of length" in json.dumps(stage.server.asked[1].body)


async def test_arguments_encoded_twice_are_read(asking: Any) -> None:
    stage: Asking = asking([Reply(calls=(Call("note", json.dumps(json.dumps({"text": "a"}))),)), FINISH])
    await stage.run()
    assert stage.desk.notes == ["a"]


async def test_calls_without_an_id_get_one(asking: Any) -> None:
    stage: Asking = asking([Reply(calls=(Call("note", {"text": "a"}, id=None),)), FINISH])
    state = await stage.run()
    assert state.brief is not None
    calls, results = pairs(stage.server.asked[1].body)
    assert calls == results != [""]


@BOTH
async def test_an_empty_answer_is_reminded_like_one_without_a_call(asking: Any, protocol: str) -> None:
    stage: Asking = asking([empty(), Reply(text="Hm."), FINISH])
    state = await stage.run(protocol=protocol)
    assert state.brief is not None, state.reason
    assert state.steps == 3
    assert "Answer with a tool call" in stage.server.asked[1].last


async def test_thinking_goes_back_to_anthropic_signed_as_it_was(asking: Any) -> None:
    thought = Reply(thinking="Let me see.", signature="c2ln", calls=(Call("note", {"text": "a"}),))
    stage: Asking = asking([thought, FINISH])
    state = await stage.run(protocol="anthropic", engineer="anthropic/claude-sonnet-4-5", effort="high")
    assert state.brief is not None, state.reason
    first, second = (asked.body for asked in stage.server.asked)
    assert first["thinking"]["type"] == "enabled"
    assert second["messages"][1]["content"][0] == {"type": "thinking", "thinking": "Let me see.", "signature": "c2ln"}


async def test_calls_without_thinking_are_sent_to_anthropic_without_effort(asking: Any) -> None:
    stage: Asking = asking([note("a"), FINISH])
    state = await stage.run(protocol="anthropic", engineer="anthropic/claude-sonnet-4-5", effort="high")
    assert state.brief is not None, state.reason
    assert ["thinking" in asked.body for asked in stage.server.asked] == [True, False]


async def test_a_key_over_many_lines_is_never_shown_in_parts(asking: Any) -> None:
    lines = "\n".join("a1B2c3D4" * 8 for _ in range(4))
    pem = f"-----BEGIN RSA PRIVATE KEY-----\n{lines}\n-----END RSA PRIVATE KEY-----\n"
    stage: Asking = asking([Reply(text=f"Here:\n{pem}Done.\n", calls=FINISH.calls)])
    await stage.run()
    told = "".join(event["text"] for event in stage.told("token"))
    assert "a1B2c3D4" not in told
    assert told.endswith("Done.\n")


async def test_strange_names_of_tools_go_back_in_letters_that_providers_take(asking: Any) -> None:
    stage: Asking = asking([Reply(calls=(Call("functions.open paper", {}, "id with blanks"), Call("", {}))), FINISH])
    state = await stage.run()
    assert state.brief is not None, state.reason
    sent = [c for m in stage.server.asked[1].body["messages"] for c in m.get("tool_calls") or []]
    assert [c["function"]["name"] for c in sent] == ["functions_open_paper", "unknown"]
    assert all(c["id"].replace("-", "").replace("_", "").isalnum() for c in sent)


async def test_an_answer_with_hundreds_of_calls_runs_some_and_answers_all(asking: Any) -> None:
    many = Reply(calls=tuple(Call("note", {"text": str(number)}) for number in range(100)), piece=1_000)
    stage: Asking = asking([many, FINISH])
    state = await stage.run()
    assert state.brief is not None, state.reason
    assert len(stage.desk.notes) == 32
    calls, results = pairs(stage.server.asked[1].body)
    assert calls == results


async def test_a_refused_thinking_block_is_left_out_once(asking: Any) -> None:
    refused = bad_request("messages.1.content.0: Invalid `signature` in `thinking` block")
    stage: Asking = asking([note("a"), refused, FINISH])
    state = await stage.run(protocol="anthropic")
    assert state.brief is not None, state.reason
    again: Asking = stage
    assert len(again.server.asked) == 3


async def test_a_refused_effort_is_lowered_and_stays_so(asking: Any) -> None:
    def script(asked: Asked) -> Reply:
        if asked.body.get("reasoning_effort") in ("high", "medium"):
            body = {"error": {"message": "not supported", "type": "invalid_request_error", "param": "reasoning_effort"}}
            return Reply(status=400, error=body)
        return FINISH if asked.turn > 1 else note("a")

    stage: Asking = asking(script)
    state = await stage.run(effort="high")
    assert state.brief is not None, state.reason
    efforts = [asked.body.get("reasoning_effort") for asked in stage.server.asked]
    assert efforts == ["high", "medium", "low", "low"]


async def test_an_effort_that_a_model_does_not_take_is_left_out_and_said(
    asking: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage: Asking = asking([FINISH])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_BASE_URL", stage.server.openai)
    state = await stage.run(engineer="openai/gpt-4o", base_url="", effort="high")
    assert state.brief is not None, state.reason
    assert "reasoning_effort" not in stage.server.asked[0].body
    assert [event["text"] for event in stage.told("note")] == [
        "openai/gpt-4o takes no effort (high was asked for); it is asked without."
    ]


async def test_every_call_is_entered_with_its_tokens_and_an_unknown_price_is_not_zero(asking: Any) -> None:
    replies = [
        Reply(calls=(Call("note", {"text": "a"}),), usage=Usage(1_000, 50, 600)),
        Reply(calls=(Call("finish", {"title": "T"}),), usage=None),
    ]
    stage: Asking = asking(replies)
    await stage.run()
    spent = stage.spent()
    assert spent["cached_tokens"] == 600
    assert spent["input_tokens"] > 1_000 + 500, "where a provider gives no figures they are estimated"
    assert spent["unpriced_tokens"] == spent["input_tokens"] + spent["output_tokens"]
    assert "usd_micros" not in spent
    assert stage.told("call")[-1]["usd"] is None


async def test_a_model_of_the_list_is_priced(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage: Asking = asking([Reply(calls=(Call("finish", {"title": "T"}),), usage=Usage(1_000, 100, 0))])
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    monkeypatch.setenv("OPENAI_BASE_URL", stage.server.openai)
    await stage.run(engineer="openai/gpt-4o", base_url="")
    assert stage.spent()["usd_micros"] == 1_000 * 2.5 + 100 * 10
    assert stage.told("call")[-1]["usd"] == pytest.approx(0.0035)


@pytest.mark.parametrize("name", ["anthropic/claude-sonnet-4-5"])
async def test_the_beginning_is_marked_for_the_providers_cache(
    asking: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    stage: Asking = asking([note("a"), note("b"), FINISH])
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key")
    monkeypatch.setenv("ANTHROPIC_API_BASE", stage.server.url)
    state = await stage.run(engineer=name, base_url="")
    assert state.brief is not None, state.reason
    bodies = [asked.body for asked in stage.server.asked]
    for body in bodies:
        assert body["system"][-1]["cache_control"] == {"type": "ephemeral"}
        assert body["messages"][-1]["content"][-1]["cache_control"] == {"type": "ephemeral"}
    plain = [json.loads(json.dumps(body).replace(', "cache_control": {"type": "ephemeral"}', "")) for body in bodies]
    for earlier, later in pairwise(plain):
        assert later["system"] == earlier["system"]
        assert later["tools"] == earlier["tools"]
        shared = len(earlier["messages"])
        assert later["messages"][:shared] == earlier["messages"], "what was marked stands there again word for word"


async def test_tokens_go_out_as_they_come_and_never_half_a_secret(asking: Any) -> None:
    secret = "sk-proj-" + "a1B2" * 12
    stage: Asking = asking([Reply(text=f"First line.\nThe key is {secret} there.", calls=FINISH.calls)])
    state = await stage.run()
    texts = [event["text"] for event in stage.told("token")]
    assert texts[0] == "First line.\n"
    assert len(texts) == 2
    assert secret[10:30] not in json.dumps(stage.events)
    assert secret[10:30] not in json.dumps([m.body for m in stage.server.asked])
    for path in run_path(state.run).rglob("*"):
        assert not path.is_file() or secret.encode()[10:30] not in path.read_bytes()


async def test_langgraphs_own_stream_of_messages_carries_the_tokens(asking: Any) -> None:
    stage: Asking = asking([Reply(text="Some words to stream.", calls=FINISH.calls)])
    context = Settings(engineer="openai/test", base_url=stage.server.openai)
    pieces = [
        message.text
        async for _, (message, _) in stage.graph.astream(
            {"request": Request(goal="g")}, CONFIG, context=context, stream_mode="messages", subgraphs=True
        )
        if type(message).__name__ == "AIMessageChunk"
    ]
    assert len(pieces) > 2
    assert "".join(pieces) == "Some words to stream."


async def test_a_message_of_the_person_is_read_at_the_next_turn(asking: Any) -> None:
    def script(asked: Asked) -> Reply:
        if asked.turn == 1:
            tell(stage.events[0]["run"], "Use the second table.")
            return note("a")
        return FINISH

    stage: Asking = asking(script)
    state = await stage.run()
    assert state.brief is not None
    assert "The person says: Use the second table." in stage.server.asked[1].last
    assert [event["text"] for event in stage.told("told")] == ["Use the second table."]


async def test_a_run_that_is_to_stop_does_not_sit_out_a_wait(asking: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    control = RunControl()

    def script(asked: Asked) -> Reply:
        control.request_drain("test")
        return rate_limited("500")

    stage: Asking = asking(script)
    monkeypatch.setattr(turn, "wait_before", lambda trouble, failed: 500.0)
    context = Settings(engineer="openai/test", base_url=stage.server.openai)
    from langgraph.errors import GraphDrained

    async def drive() -> None:
        given = {"request": Request(goal="g")}
        stream = stage.graph.astream(given, CONFIG, context=context, stream_mode="custom", control=control)
        async for _ in stream:
            pass

    with pytest.raises(GraphDrained):
        await asyncio.wait_for(drive(), 60)
    state = State.model_validate((await stage.graph.aget_state(CONFIG)).values)
    assert state.steps == 0, "the turn was not taken"


async def test_a_first_byte_that_is_late_is_waited_for(asking: Any) -> None:
    late = threading.Event()
    stage: Asking = asking([Reply(calls=FINISH.calls, before=late)])
    timer = threading.Timer(0.3, late.set)
    timer.start()
    state = await stage.run()
    assert state.brief is not None


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"engineer": "clever"}, "There is no engineer 'clever'"),
        ({"engineer": "openai/gpt-5"}, "OPENAI_API_KEY is not set"),
        ({"engineer": "openai/a", "base_url": "ftp://x"}, "is no http or https address"),
        ({"engineer": "openai/a", "base_url": "http://u:secret-word@x/v1"}, "holds a password"),
        ({"engineer": "recipes", "effort": "high"}, "is for a model"),
        ({"engineer": "a b/c"}, "is no name of a model"),
    ],
)
def test_an_engineer_that_cannot_be_is_refused_before_a_run_exists(
    settings: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trainwright.engineers import check_engineer

    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(RequestError, match=words):
        check_engineer(Settings.model_validate(settings))
