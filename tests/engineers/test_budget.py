"""What a call may take is held before it is made: the most, atomically, and never given back after a kill."""

from __future__ import annotations

import threading

import pytest

from trainwright.engineers.budget import LEAST, reserve, settle_left
from trainwright.engineers.pricing import Cost, Usage, read_price
from trainwright.graph.errors import LimitReached
from trainwright.graph.ledger import Ledger
from trainwright.graph.limits import limits_of
from trainwright.graph.state import Settings, StageLimits

PRICE: Cost = read_price("10/100").of
"""With 1,000 tokens to read, a call costs $0.01, and $0.10 for each 1,000 tokens of its answer."""


def free(usage: Usage) -> None:
    """The cost of what has no price: none."""


def held(run: str = "r") -> dict[str, int]:
    """What a run holds or has used."""
    table = Ledger().table(run)
    return {name: sum(amounts.get(name, 0) for amounts in table.values()) for name in ("usd_micros", "output_tokens")}


def test_the_most_is_held_and_replaced_by_what_was_used() -> None:
    call = reserve("r", "plan", "m", Settings(), PRICE, read=1_000, answer=4_000)
    assert Ledger().held(call.key) == {"input_tokens": 1_000, "output_tokens": 4_000, "usd_micros": 410_000}
    assert call.settle(Usage(900, 10, cached=500)) == 10_000
    used = {"input_tokens": 900, "output_tokens": 10, "cached_tokens": 500, "usd_micros": 10_000}
    assert Ledger().held(call.key) == used
    assert Ledger().open("r") == []


def test_what_has_no_price_is_counted_and_bounded_by_tokens() -> None:
    call = reserve("r", "plan", "m", Settings(max_model_usd=0), free, read=1_000, answer=4_000)
    assert Ledger().held(call.key) == {"input_tokens": 1_000, "output_tokens": 4_000, "unpriced_tokens": 5_000}
    with pytest.raises(LimitReached, match="max_tokens"):
        reserve("r", "plan", "m", Settings(max_tokens=6_000), free, read=1_000, answer=4_000)


def test_what_costs_nothing_fits_into_a_budget_of_nothing() -> None:
    nothing = read_price("0/0").of
    assert reserve("r", "plan", "m", Settings(max_model_usd=0), nothing, read=10, answer=10).settle(Usage(9, 9)) == 0


def test_a_shorter_answer_is_asked_for_where_it_is_still_of_use() -> None:
    call = reserve("r", "plan", "m", Settings(max_model_usd=0.5), PRICE, read=1_000, answer=16_000)
    assert call.answer == 4_000
    with pytest.raises(LimitReached) as refused:
        reserve("r", "plan", "m", Settings(max_model_usd=0.5), PRICE, read=1_000, answer=16_000)
    assert refused.value.limit == "max_model_usd"
    text = str(refused.value)
    assert "A call of m was not made: it may read 1,000 tokens and write 2,048" in text
    assert "$0.2148" in text, "what it may cost at most"
    assert "--max-model-usd" in text
    assert held() == {"usd_micros": 410_000, "output_tokens": 4_000}


def test_a_limit_of_one_stage_bounds_that_stage_alone() -> None:
    settings = Settings(stages={"plan": StageLimits(max_tokens=3_000)})
    assert reserve("r", "find_data", "m", settings, PRICE, read=1_000, answer=4_000).answer == 4_000
    with pytest.raises(LimitReached) as refused:
        reserve("r", "plan", "m", settings, PRICE, read=1_000, answer=4_000)
    assert refused.value.limit == "stages.plan.max_tokens"


def test_a_call_that_took_nothing_is_given_back() -> None:
    reserve("r", "plan", "m", Settings(), PRICE, read=1_000, answer=4_000).release()
    assert held() == {"usd_micros": 0, "output_tokens": 0}


def test_a_list_that_fails_on_the_figures_never_makes_it_nothing() -> None:
    prices = iter([5_000, 6_000, None])
    call = reserve("r", "plan", "m", Settings(), lambda usage: next(prices), read=10, answer=10)
    assert call.settle(Usage(9, 9)) == 6_000
    assert Ledger().held(call.key) == {"input_tokens": 9, "output_tokens": 9, "usd_micros": 6_000}


def test_what_a_killed_process_left_is_settled_in_full_and_once() -> None:
    amounts = {"input_tokens": 1_000, "output_tokens": 500, "usd_micros": 70_000}
    Ledger().reserve("r", amounts, limits=limits_of(Settings()), key="r/call/plan/left", node="plan")
    Ledger().reserve("r", {"milliseconds": 5}, limits=(), key="r/job/1", node="submit_job")
    mine = reserve("r", "plan", "m", Settings(), PRICE, read=1_000, answer=4_000)
    (text,) = settle_left("r")
    assert text.endswith("counts as used: 1,500 tokens and $0.07.")
    assert settle_left("r") == []
    assert Ledger().held("r/call/plan/left") == amounts
    assert [one.key for one in Ledger().open("r")] == ["r/job/1", mine.key], "neither a job's nor a call under way"
    mine.release()


def test_calls_at_the_same_time_cannot_together_pass_a_limit() -> None:
    settings, made, refused = Settings(max_model_usd=1.0), [], []
    gate = threading.Barrier(8)

    def ask() -> None:
        gate.wait()
        for _ in range(3):
            try:
                made.append(reserve("r", "plan", "m", settings, PRICE, read=1_000, answer=LEAST))
            except LimitReached as error:
                refused.append(error)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    each = 10_000 + LEAST * 100
    assert len(made) == 1_000_000 // each == 4
    assert len(refused) == 20
    assert held()["usd_micros"] == 4 * each <= 1_000_000
    for call in made:
        call.settle(Usage(1_000, 100))
    assert held()["usd_micros"] == 4 * 20_000
