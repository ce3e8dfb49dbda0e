"""What a call of a model costs: as a person said, or by the price list that litellm brings along; nothing is fetched.

An unknown price is a question to a person and never zero: `cost_by` asks before the first call. What runs on a machine
of one's own has no price, and its tokens are counted as `unpriced`. A model that the list prices at nothing does cost
nothing. Money is integer micro-dollars, rounded up; a person's price stays in decimal digits and reaches no list of
litellm's. Nothing is reserved here: `engineers/budget.py` does it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

from trainwright.graph.errors import NeedsPerson, RequestError
from trainwright.graph.state import Settings

from .providers import Line, listed, on_own_machine, place_of

__all__ = ["BYTES_PER_TOKEN", "Cost", "Price", "Usage", "cost_by", "cost_of", "price_key", "read_price", "usage_of"]

DEAREST = 100_000
"""US dollars for a million tokens above which a price is taken to be a slip; the dearest known is 600."""

BYTES_PER_TOKEN = 3
"""Where a provider gives no figures: cautious for English and code."""

SHAPE = re.compile(r"\$?\s*(\d+(?:\.\d+)?|\.\d+)\s*/\s*\$?\s*(\d+(?:\.\d+)?|\.\d+)")


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


Cost = Callable[[Usage], int | None]
"""Micro-dollars of a call; None where it has no price."""


class Price(NamedTuple):
    """A person's price: US dollars for a million tokens, which is micro-dollars for one."""

    read: Decimal
    wrote: Decimal

    def of(self, usage: Usage) -> int:
        """Micro-dollars of a call, rounded up; what came from a cache counts in full, since nobody named a discount."""
        return int((usage.input * self.read + usage.output * self.wrote).to_integral_value(ROUND_CEILING))


def read_price(text: str) -> Price:
    """A price as a person writes it: `3/15` is $3 for a million tokens read and $15 for a million written.

    Raises:
        RequestError: it is none.
    """
    found = SHAPE.fullmatch(text.strip())
    price = Price(Decimal(found[1]), Decimal(found[2])) if found else None
    if price is None or max(price) > DEAREST:
        why = f"is above ${DEAREST:,}" if price else "is not two numbers with a slash between them"
        raise RequestError(
            f"{text.strip()[:60]!r} is no price: it {why}.",
            hint="Give US dollars for a million tokens read and a million written, such as 3/15; 0/0 if it is free.",
        )
    return price


def price_key(name: str) -> str:
    """The key of the question what a model costs."""
    return f"price:{name}"


def cost_by(line: Line, settings: Settings, answers: Mapping[str, str]) -> Cost:
    """What calls of a model cost: by a person's word, by the list, or nothing that anybody knows on a machine of theirs.

    Args:
        line: the model.
        settings: `model_price` is the price of their `engineer`.
        answers: what a person answered so far, by the question's key.

    Raises:
        NeedsPerson: nobody knows, or the answer could not be read.
        RequestError: `model_price` is no price.
    """
    if settings.model_price and line.name == settings.engineer:
        return read_price(settings.model_price).of
    problem = ""
    if answer := answers.get(price_key(line.name)):
        try:
            return read_price(answer).of
        except RequestError as error:
            problem = f"That answer could not be used: {error.message} "
    if on_own_machine(line):
        return lambda usage: None
    if not line.own and cost_of(line.model, Usage(1, 1)) is not None:
        return lambda usage: cost_of(line.model, usage)
    raise NeedsPerson(
        f"{problem}Nobody here knows what {line.name} at {place_of(line)} costs: the list of prices does not have it. "
        "Nothing was sent. What does it cost, in US dollars for a million tokens read and a million written?",
        key=price_key(line.name),
        hint="Answer IN/OUT, such as 3/15; 0/0 if it is free.",
    )


def usage_of(metadata: Mapping[str, Any] | None, *, sent: int, received: int) -> Usage:
    """The tokens of a call.

    Args:
        metadata: LangChain's `usage_metadata` of the answer; None where the provider gave none.
        sent, received: bytes of request and answer, from which to estimate where there are no figures.
    """
    if not metadata or not (metadata.get("input_tokens") or metadata.get("output_tokens")):
        read, wrote = (math.ceil(size / BYTES_PER_TOKEN) for size in (sent, received))
        return Usage(read, wrote, estimated=True)
    details = metadata.get("input_token_details") or {}
    total = max(0, int(metadata.get("input_tokens") or 0))
    cached = min(total, max(0, int(details.get("cache_read") or 0)))
    written = min(total - cached, max(0, int(details.get("cache_creation") or 0)))
    return Usage(total, max(0, int(metadata.get("output_tokens") or 0)), cached, written)


def cost_of(model: str, usage: Usage) -> int | None:
    """Micro-dollars of a call by litellm's list; None where it does not know the model.

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
