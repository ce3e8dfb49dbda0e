"""What a call of a model costs, from the price list that litellm brings along; nothing is fetched.

An unknown price is unknown and never zero: its tokens are counted as `unpriced`. A model that the list prices at
nothing (a local one, a free one) does cost nothing. Money is integer micro-dollars, rounded up.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from .providers import listed

__all__ = ["Usage", "cost_of", "usage_of"]


class Usage(NamedTuple):
    """Tokens of one call, as the provider counted them, or estimated where it does not count.

    Attributes:
        input: all that was read, the cached part included.
        cached: the part of `input` that was read from the provider's cache.
        written: the part of `input` that was written into the cache.
        output: all that was written, thinking included.
        estimated: the provider gave no figures.
    """

    input: int
    output: int
    cached: int = 0
    written: int = 0
    estimated: bool = False


def usage_of(metadata: Mapping[str, Any] | None, *, sent: int, received: int) -> Usage:
    """The tokens of a call.

    Args:
        metadata: LangChain's `usage_metadata` of the answer; None where the provider gave none.
        sent, received: characters of request and answer, from which to estimate where there are no figures.
    """
    if not metadata or not (metadata.get("input_tokens") or metadata.get("output_tokens")):
        return Usage(math.ceil(sent / 4), math.ceil(received / 4), estimated=True)
    details = metadata.get("input_token_details") or {}
    total = max(0, int(metadata.get("input_tokens") or 0))
    cached = min(total, max(0, int(details.get("cache_read") or 0)))
    written = min(total - cached, max(0, int(details.get("cache_creation") or 0)))
    return Usage(total, max(0, int(metadata.get("output_tokens") or 0)), cached, written)


def cost_of(model: str, usage: Usage) -> int | None:
    """Micro-dollars of a call; None where the price list does not know the model.

    Args:
        model: as litellm knows it, provider included.
    """
    import litellm

    entry = listed(model)
    if "input_cost_per_token" not in entry or "output_cost_per_token" not in entry:
        return None
    try:
        read, wrote = litellm.cost_per_token(
            model=model.replace("ollama_chat/", "ollama/", 1),
            prompt_tokens=usage.input,
            completion_tokens=usage.output,
            cache_read_input_tokens=usage.cached,
            cache_creation_input_tokens=usage.written,
        )
    except Exception:  # noqa: BLE001 - litellm raises a plain Exception for what it cannot price
        return None
    dollars = read + wrote
    return math.ceil(round(dollars * 1_000_000, 6)) if math.isfinite(dollars) and dollars >= 0 else None
