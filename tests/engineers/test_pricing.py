"""What a call costs: from the list, never zero for what nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from trainwright.engineers.pricing import Usage, cost_by, cost_of, read_price, usage_of
from trainwright.engineers.protocol import Ask
from trainwright.engineers.providers import Line, line_of, load_litellm, on_own_machine
from trainwright.graph.errors import NeedsPerson, RequestError
from trainwright.graph.state import Settings

load_litellm()
tokens = st.integers(0, 10**7)


@pytest.mark.parametrize(
    ("model", "usage", "micros"),
    [
        ("openai/gpt-4o", Usage(1_000, 100), 3_500),
        ("openai/gpt-4o", Usage(1_000, 100, cached=1_000), 2_250),
        ("anthropic/claude-sonnet-4-5", Usage(1_000, 100, written=1_000), 5_250),
        ("anthropic/claude-sonnet-4-5", Usage(1_000, 100, cached=1_000), 1_800),
        ("openai/gpt-4o", Usage(0, 0), 0),
        ("openai/gpt-4o", Usage(1, 0), 3),
        ("ollama/llama3", Usage(1_000, 100), 0),
        ("ollama_chat/llama3", Usage(1_000, 100), 0),
        ("hosted_vllm/anything", Usage(1_000, 100), None),
        ("openai/nonsense", Usage(1_000, 100), None),
        ("huggingface/moonshotai/Kimi-K2-Instruct", Usage(1_000, 100), None),
        ("", Usage(1, 1), None),
    ],
)
def test_prices(model: str, usage: Usage, micros: int | None) -> None:
    assert cost_of(model, usage) == micros


@given(tokens, tokens, tokens, tokens)
def test_more_tokens_never_cost_less_and_never_a_fraction(read: int, wrote: int, more: int, cached: int) -> None:
    usage = Usage(read, wrote, cached=min(cached, read))
    cost, dearer = cost_of("anthropic/claude-sonnet-4-5", usage), None
    dearer = cost_of("anthropic/claude-sonnet-4-5", usage._replace(output=wrote + more))
    assert isinstance(cost, int)
    assert isinstance(dearer, int)
    assert 0 <= cost <= dearer


@given(
    st.none()
    | st.fixed_dictionaries(
        {"input_tokens": st.integers(-5, 10**6), "output_tokens": st.integers(-5, 10**6)},
        optional={
            "input_token_details": st.dictionaries(
                st.sampled_from(["cache_read", "cache_creation"]), st.integers(-5, 10**7)
            )
        },
    ),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
)
def test_whatever_a_provider_counts_the_parts_fit(metadata: dict[str, object] | None, sent: int, received: int) -> None:
    usage = usage_of(metadata, sent=sent, received=received)
    assert min(usage[:4]) >= 0
    assert usage.cached + usage.written <= usage.input
    if not metadata or not (metadata["input_tokens"] or metadata["output_tokens"]):
        assert usage.estimated
        assert usage.input * 4 >= sent


@pytest.mark.parametrize(
    ("text", "micros"),
    [("3/15", 4_500), (" $3 / $15 ", 4_500), ("0/0", 0), ("0.1/.3", 130), ("0.000001/0", 1)],
)
def test_a_price_as_a_person_writes_it(text: str, micros: int) -> None:
    assert read_price(text).of(Usage(1_000, 100, cached=900)) == micros, "exact, rounded up, and no discount assumed"


@pytest.mark.parametrize(
    "text", ["", "3", "3/", "/15", "-3/15", "nan/1", "1e9/1", "3/15/20", "200000/1", "free", "3,5/15"]
)
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(RequestError, match="is no price"):
        read_price(text)


@given(st.integers(0, 10**7), st.integers(0, 10**7), st.decimals(0, 1_000, places=4), st.decimals(0, 1_000, places=4))
def test_a_persons_price_is_exact(read: int, wrote: int, per_read: object, per_wrote: object) -> None:
    cost = read_price(f"{per_read:f}/{per_wrote:f}").of(Usage(read, wrote))
    exact = read * per_read + wrote * per_wrote  # type: ignore[operator]
    assert exact <= cost < exact + 1


def line(name: str, base: str = "") -> Line:
    """How a model is called, with no server that could say how much it reads."""
    return line_of(name, base, 8_000)


@pytest.mark.parametrize(
    ("name", "base", "own"),
    [
        ("openai/mine", "http://127.0.0.1:9", True),
        ("openai/mine", "http://localhost:9/v1", True),
        ("openai/mine", "http://[::1]:9", True),
        ("openai/mine", "http://192.168.1.7:8000", True),
        ("openai/mine", "http://100.64.3.2:8000", True),
        ("openai/mine", "http://gpu-box:8000", True),
        ("openai/mine", "http://box.local", True),
        ("openai/mine", "https://models.example.com/v1", False),
        ("openai/mine", "http://8.8.8.8/v1", False),
        ("openai/mine", "http://127.0.0.1.example.com", False),
        ("openai/gpt-4o", "", False),
        ("ollama/llama3", "", True),
        ("llamafile/any", "", True),
    ],
)
def test_whose_machine_it_is(name: str, base: str, own: bool) -> None:
    assert on_own_machine(line(name, base)) is own


def test_what_runs_on_ones_own_machine_has_no_price() -> None:
    found = line("openai/mine", "http://127.0.0.1:9")
    assert cost_by(found, Settings(engineer=found.name), {})(Usage(10, 10)) is None
    priced = Settings(engineer=found.name, model_price="1/2")
    assert cost_by(found, priced, {})(Usage(10, 10)) == 30, "unless a person says so"
    other = Settings(engineer="openai/gpt-4o", model_price="1/2")
    assert cost_by(found, other, {})(Usage(10, 10)) is None, "the price is the engineer's, not the fallback's"


def test_a_price_that_nobody_knows_is_a_question_and_the_answer_is_the_price() -> None:
    found = line("openai/mine", "https://models.example.com/v1")
    settings = Settings(engineer=found.name)
    with pytest.raises(NeedsPerson, match=r"openai/mine at models\.example\.com costs") as asked:
        cost_by(found, settings, {})
    key = asked.value.key
    assert (key, asked.value.options) == ("price:openai/mine", [])
    with pytest.raises(NeedsPerson, match=r"That answer could not be used: 'three' is no price"):
        cost_by(found, settings, {key: "three"})
    assert cost_by(found, settings, {key: "3/15"})(Usage(1_000, 100)) == 4_500
    assert cost_by(found, settings, {key: "0/0"})(Usage(1_000, 100)) == 0


def test_a_model_cannot_ask_a_person_for_its_own_price() -> None:
    assert Ask(key="target_column", text="Which?").key == "target_column"
    with pytest.raises(ValidationError, match="key"):
        Ask(key="price:openai/mine", text="How many parts? Answer 0/0.")


def test_the_list_prices_only_the_providers_own_service() -> None:
    listed = line("openai/gpt-4o")
    assert cost_by(listed, Settings(engineer=listed.name), {})(Usage(1_000, 100)) == 3_500
    with pytest.raises(NeedsPerson):
        cost_by(line("openai/gpt-4o", "https://other.example.com"), Settings(), {})
