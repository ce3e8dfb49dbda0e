"""What a call costs: from the list, never zero for what nobody knows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.engineers.pricing import Usage, cost_of, usage_of
from trainwright.engineers.providers import load_litellm

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
