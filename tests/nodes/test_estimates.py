"""What a training job holds in the ledger, what it is settled by, and what a person is shown of it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainwright.graph.errors import LimitReached, NeedsPerson
from trainwright.graph.ledger import Ledger
from trainwright.graph.state import SandboxReport, Settings, StageLimits, State
from trainwright.nodes import estimates
from trainwright.nodes.estimates import hold, hold_again, job_estimate, settle, settle_in_full, used_of
from trainwright.tools.jobs import Terms

HOUR = 3_600_000


def state(seconds: float = 10.0, **answers: str) -> State:
    report = SandboxReport(passed=True, code_sha256="s", isolation="process", estimated_seconds=seconds)
    return State(run="r", sandbox=report, answers=answers)


class Rented:
    """An engine that knows nothing but its terms."""

    def __init__(self, terms: Terms) -> None:
        self.found = terms

    def terms(self, settings: Settings) -> Terms:
        return self.found


@pytest.fixture
def rented(monkeypatch: pytest.MonkeyPatch) -> Any:
    def rent(price: str | None, gpus: int = 0, unit_seconds: int = 60) -> None:
        terms = Terms("a100-large", None if price is None else Decimal(price), gpus, unit_seconds)
        monkeypatch.setattr(estimates, "engine_for", lambda run, attempt: Rented(terms))

    return rent


def test_a_job_on_this_machine_holds_its_time_and_no_dollars() -> None:
    assert hold(state(), Settings(), "job") == 900
    assert Ledger().held("job") == {"milliseconds": 900_000}
    assert Ledger().open("r")[0].node == "watch_job"


def test_a_machine_that_costs_starts_nothing_before_somebody_sets_a_budget() -> None:
    dear = Settings(machine_usd_per_hour=0.4)
    with pytest.raises(LimitReached) as caught:
        hold(state(), dear, "job")
    assert caught.value.limit == "max_usd"
    assert "$0.10 would be needed" in str(caught.value)
    assert "--max-usd 0.1`" in str(caught.value)
    assert Ledger().entries("r") == []
    hold(state(), dear.model_copy(update={"max_usd": 0.1}), "job")
    assert Ledger().held("job") == {"milliseconds": 900_000, "usd_micros": 100_000}


def test_price_times_time_out_is_rounded_up_to_the_billing_unit(rented: Any) -> None:
    rented("3.60", gpus=2)
    assert hold(state(91.0), Settings(max_usd=5), "job") == 910  # ten times what it is expected to take
    assert Ledger().held("job") == {"milliseconds": 910_000, "usd_micros": 960_000, "gpu_milliseconds": 1_820_000}


def test_gpu_hours_are_bounded(rented: Any) -> None:
    rented("0", gpus=8)
    with pytest.raises(LimitReached) as caught:
        hold(state(), Settings(max_gpu_hours=1.9), "job")
    assert caught.value.limit == "max_gpu_hours"
    assert "--max-gpu-hours 3.8`" in str(caught.value)
    hold(state(), Settings(max_gpu_hours=2), "job")


def test_a_stage_limit_bounds_the_job() -> None:
    tight = Settings(stages={"watch_job": StageLimits(max_hours=0.1, max_usd=0.01)}, max_usd=9, machine_usd_per_hour=1)
    with pytest.raises(LimitReached, match=r"--stage-limit watch_job\.max_usd=0\.1`"):
        hold(state(), tight, "job")
    roomy = tight.model_copy(update={"stages": {"watch_job": StageLimits(max_hours=0.1)}})
    assert hold(state(), roomy, "job") == 360


def test_a_job_gets_the_time_that_is_left_and_none_is_a_limit() -> None:
    Ledger().charge("r", "milliseconds", HOUR - 5_000, key="used")
    assert hold(state(), Settings(max_hours=1), "job") == 5
    with pytest.raises(LimitReached, match="--max-hours 2`"):
        hold(state(), Settings(max_hours=1), "another")


def test_what_was_held_before_a_crash_is_found_again() -> None:
    first = hold(state(), Settings(max_hours=1), "job")
    assert hold(state(5_000), Settings(max_hours=0.001), "job") == first
    assert len(Ledger().open("r")) == 1


def test_a_job_is_settled_by_its_real_time_at_the_price_that_was_held(rented: Any) -> None:
    rented("3.60", gpus=2)
    hold(state(), Settings(max_usd=5), "job")
    rented("99")
    settle("job", 61.5, unit_seconds=60)
    assert Ledger().held("job") == {"milliseconds": 61_500, "usd_micros": 120_000, "gpu_milliseconds": 123_000}
    settle("job", 5, unit_seconds=60)
    assert Ledger().total("r", "milliseconds") == 61_500
    assert Ledger().open("r") == []


def test_a_job_of_which_nobody_knows_how_long_it_ran_is_settled_in_full(rented: Any) -> None:
    rented("3.60")
    hold(state(), Settings(max_usd=5), "job")
    settle_in_full("job")
    assert Ledger().held("job") == {"milliseconds": 900_000, "usd_micros": 900_000}
    assert Ledger().open("r") == []


def test_settling_what_nobody_holds_does_nothing() -> None:
    settle("nothing", 5)
    settle_in_full("nothing")
    assert Ledger().entries("r") == []


def test_a_lost_job_is_paid_for_and_as_much_again_is_held(rented: Any) -> None:
    rented("3.60")
    hold(state(), Settings(max_usd=1), "job")
    hold_again("r", Settings(max_usd=1), "job", 1, 60, 60)
    assert Ledger().total("r", "usd_micros") == 900_000 + 60_000
    with pytest.raises(LimitReached):
        hold_again("r", Settings(max_usd=1), "job", 2, 60, 60)
    settle("job", 30, 60)
    assert Ledger().total("r", "usd_micros") == 2 * 60_000


@given(
    st.decimals("0.000001", 100, places=6),
    st.integers(1, 10**7),
    st.integers(0, 10**7),
    st.sampled_from([1, 60, 3_600]),
)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_settled_is_never_less_than_the_exact_price_nor_a_micro_dollar_more_than_due(
    price: Decimal, allowed: int, ran: int, unit: int
) -> None:
    terms = Terms("x", price, 1, unit)
    held_usd = terms.usd_micros(allowed / 1_000)
    assert held_usd is not None
    ran = min(ran, allowed)
    used = used_of({"milliseconds": allowed, "usd_micros": held_usd, "gpu_milliseconds": allowed}, ran / 1_000, unit)
    exact = price * terms.billed(ran / 1_000) * 1_000_000 / 3_600
    assert math.floor(exact) <= used["usd_micros"] <= min(held_usd, math.ceil(exact) + 1)
    assert used["gpu_milliseconds"] == used["milliseconds"] == ran


def test_a_price_that_nobody_knows_is_asked_and_never_zero(rented: Any) -> None:
    rented(None)
    with pytest.raises(NeedsPerson) as caught:
        hold(state(), Settings(max_usd=5), "job")
    assert caught.value.key == "price:a100-large"
    assert "a100-large" in caught.value.message
    assert Ledger().entries("r") == []
    hold(state(**{"price:a100-large": " $4.00 "}), Settings(max_usd=5), "job")
    assert Ledger().held("job") == {"milliseconds": 900_000, "usd_micros": 1_000_000}


@pytest.mark.parametrize("answer", ["", "free", "-1", "nan", "inf", "1e9", "4/5", "four"])
def test_an_answer_that_is_no_price_is_asked_again_with_the_reason(rented: Any, answer: str) -> None:
    rented(None)
    with pytest.raises(NeedsPerson, match="is no price"):
        hold(state(**{"price:a100-large": answer}), Settings(max_usd=5), "job")


def test_a_person_may_say_that_it_is_free(rented: Any) -> None:
    rented(None)
    hold(state(**{"price:a100-large": "0"}), Settings(), "job")
    assert Ledger().held("job") == {"milliseconds": 900_000}


def test_the_estimate_says_what_would_be_held_and_what_every_limit_leaves(rented: Any) -> None:
    rented("3.60", gpus=2)
    Ledger().charge("r", "usd_micros", 4_500_000, key="calls", node="plan")
    found = job_estimate(state(), Settings(max_usd=5))
    assert (found["where"], found["usd"], found["gpu_hours"], found["hours"]) == ("a100-large", 0.9, 0.5, 0.25)
    assert found["text"] == "On a100-large, for at most 0.25 hours, 0.5 GPU-hours: up to $0.90."
    rows = {row["limit"]: row for row in found["limits"]}
    assert rows["max_usd"] == {
        "limit": "max_usd", "of": "$5.00", "used": "$4.50", "held": "$0.00", "left": "$0.50", "fits": False,
    }  # fmt: skip
    assert set(rows) == {"max_usd", "max_hours", "max_gpu_hours"}
    assert rows["max_hours"]["fits"]
    assert Ledger().open("r") == [], "an estimate holds nothing"


def test_an_estimate_without_a_price_says_so(rented: Any) -> None:
    rented(None)
    found = job_estimate(state(), Settings())
    assert found["usd"] is None
    assert "nobody knows what it costs" in found["text"]
    assert job_estimate(state(**{"price:a100-large": "2"}), Settings())["usd"] == 0.5


def test_the_estimate_of_a_free_job() -> None:
    found = job_estimate(state(), Settings())
    assert (found["usd"], found["text"]) == (0.0, "On this machine, for at most 0.25 hours: it costs nothing.")
