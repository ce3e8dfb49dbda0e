"""The limits of a run: which there are, in exact integers, when one is reached, and when a person is warned."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.graph import ledger as ledgers
from trainwright.graph import thresholds
from trainwright.graph.amounts import HOUR, MICROS, ceiling, flag, floor, raised, say
from trainwright.graph.database import transaction
from trainwright.graph.errors import LimitReached, RequestError
from trainwright.graph.ledger import Ledger, Limit, Sums
from trainwright.graph.limits import (
    MODEL_USD,
    Remaining,
    check_lowered,
    check_stages,
    limits_of,
    merged,
    reached,
    remaining,
    said,
    status_of,
)
from trainwright.graph.state import Settings, StageLimits, Status


def by_setting(settings: Settings) -> dict[str, Limit]:
    return {limit.setting: limit for limit in limits_of(settings)}


def reserve(ledger: Ledger, usd: float, node: str, settings: Settings, key: str) -> None:
    ledger.reserve("r", {"usd_micros": floor(usd, MICROS)}, limits=limits_of(settings), key=key, node=node)


@pytest.mark.parametrize(
    ("given_settings", "allowed", "refused"),
    [
        ({}, [("plan", 5.0)], [("plan", 5.000001), ("watch_job", 0.000001), ("sandbox_test", 0.01)]),
        ({"max_model_usd": 1.5}, [("plan", 1.5)], [("plan", 1.500001), ("watch_job", 0.01)]),
        ({"max_usd": 20}, [("plan", 20), ("watch_job", 20)], [("plan", 20.000001), ("watch_job", 20.000001)]),
        ({"max_usd": 20, "max_model_usd": 1}, [("plan", 1), ("watch_job", 20)], [("plan", 1.01), ("watch_job", 21)]),
        ({"max_usd": 1, "max_model_usd": 9}, [("plan", 1)], [("plan", 1.01), ("watch_job", 1.01)]),
        ({"max_usd": 0}, [], [("plan", 0.000001), ("watch_job", 0.000001)]),
    ],
)
def test_dollars_for_models_and_for_machines_are_bounded_apart(
    given_settings: dict[str, float], allowed: list[tuple[str, float]], refused: list[tuple[str, float]], tmp_path: Path
) -> None:
    settings = Settings.model_validate(given_settings)
    for number, (node, usd) in enumerate(allowed):
        reserve(Ledger(tmp_path / f"{number}.db"), usd, node, settings, "all")
    for node, usd in refused:
        with pytest.raises(LimitReached):
            reserve(Ledger(tmp_path / "fresh.db"), usd, node, settings, f"{node}-{usd}")


def test_model_and_machine_together_stay_within_the_whole(tmp_path: Path) -> None:
    ledger, settings = Ledger(tmp_path / "runs.db"), Settings(max_usd=10)
    reserve(ledger, 6, "watch_job", settings, "job")
    with pytest.raises(LimitReached, match="max_usd"):
        reserve(ledger, 4.01, "plan", settings, "call")
    reserve(ledger, 4, "plan", settings, "call")


def test_a_node_that_nobody_has_heard_of_counts_as_a_models(tmp_path: Path) -> None:
    with pytest.raises(LimitReached, match="max_model_usd"):
        reserve(Ledger(tmp_path / "runs.db"), 5.01, "a_new_stage", Settings(), "call")


@pytest.mark.parametrize(
    ("value", "micros"), [(0.1, 100_000), (0.29, 290_000), (1.005, 1_005_000), (4.35, 4_350_000), (1e-7, 0)]
)
def test_dollars_are_converted_by_their_digits_and_a_limit_rounds_down(value: float, micros: int) -> None:
    assert by_setting(Settings(max_usd=value))["max_usd"].amount == micros


@given(st.floats(0, 10_000_000, allow_nan=False))
def test_a_limit_is_never_above_and_a_cost_never_below_what_was_said(value: float) -> None:
    assert floor(value, MICROS) <= ceiling(value, MICROS) <= floor(value, MICROS) + 1
    assert abs(floor(value, MICROS) / MICROS - value) <= 1e-6 * max(1.0, value)


def test_the_other_limits_in_their_smallest_units() -> None:
    found = by_setting(Settings(step_cap=7, max_hours=1.5, max_tokens=9, max_gpu_hours=0.5))
    assert found["step_cap"] == ("step_cap", ("steps",), 7, None, ())
    assert found["max_hours"].amount == 5_400_000
    assert found["max_tokens"] == ("max_tokens", ("input_tokens", "output_tokens"), 9, None, ())
    assert found["max_gpu_hours"].amount == 1_800_000


def test_limits_of_a_stage_bound_that_stage_alone() -> None:
    settings = Settings(stages={"plan": StageLimits(step_cap=2, max_usd=0.5)})
    found = by_setting(settings)
    assert found["stages.plan.step_cap"] == ("stages.plan.step_cap", ("steps",), 2, ("plan", "research/plan"), ())
    assert found["stages.plan.max_usd"].amount == 500_000
    assert [name for name in found if name.startswith("stages.")] == ["stages.plan.step_cap", "stages.plan.max_usd"]


def sums(**amounts: int) -> Sums:
    return {("plan", name): (amount, 0) for name, amount in amounts.items()}


@pytest.mark.parametrize(
    ("used", "settings", "status", "flag_named"),
    [
        ({"steps": 5}, {"step_cap": 5}, Status.STEP_LIMIT, "--step-cap 10"),
        ({"milliseconds": HOUR}, {"max_hours": 1}, Status.DEADLINE, "--max-hours 2"),
        ({"input_tokens": 60, "output_tokens": 40}, {"max_tokens": 100}, Status.BUDGET_LIMIT, "--max-tokens 200"),
        ({"usd_micros": 5_000_000}, {}, Status.BUDGET_LIMIT, "--max-model-usd 10"),
        ({"usd_micros": 2_000_000}, {"max_usd": 1.5}, Status.BUDGET_LIMIT, "--max-usd 3"),
        ({"steps": 2}, {"stages": {"plan": {"step_cap": 2}}}, Status.STEP_LIMIT, "--stage-limit plan.step_cap=4"),
        (
            {"usd_micros": 100},
            {"stages": {"plan": {"max_usd": 0.0001}}},
            Status.BUDGET_LIMIT,
            "--stage-limit plan.max_usd=0.01",
        ),
    ],
)
def test_a_reached_limit_ends_with_its_status_and_the_flag_that_raises_it(
    used: dict[str, int], settings: dict[str, object], status: Status, flag_named: str
) -> None:
    found = reached("r", "plan", sums(**used), Settings.model_validate(settings), steps=used.get("steps", 0), paid=True)
    assert found is not None
    assert found[0] == status
    assert f"`trainwright resume r {flag_named}`" in found[1]


def test_one_less_is_not_reached() -> None:
    used = sums(steps=4, milliseconds=HOUR - 1, input_tokens=99, usd_micros=4_999_999)
    settings = Settings(step_cap=5, max_hours=1, max_tokens=100)
    assert reached("r", "plan", used, settings, steps=4, paid=True) is None


def test_another_stages_limit_does_not_stop_this_one() -> None:
    settings = Settings(stages={"plan": StageLimits(step_cap=2)})
    assert reached("r", "write_code", sums(steps=2), settings, steps=2, paid=True) is None


def test_a_budget_of_nothing_lets_what_costs_nothing_go_on() -> None:
    assert reached("r", "plan", {}, Settings(max_usd=0, max_tokens=0), steps=0, paid=True) is None


def test_dollars_do_not_stop_an_engineer_that_asks_no_model() -> None:
    used = sums(usd_micros=9_000_000, input_tokens=10**12)
    assert reached("r", "plan", used, Settings(), steps=0, paid=False) is None
    assert reached("r", "plan", used, Settings(), steps=0, paid=True) is not None


def test_a_turn_that_a_kill_took_counts_once() -> None:
    """The ledger knows of it already, the state does not: it is taken again under the same number."""
    settings = Settings(step_cap=5, stages={"plan": StageLimits(step_cap=5)})
    assert reached("r", "plan", sums(steps=5), settings, steps=4, paid=False) is None
    assert reached("r", "plan", sums(steps=5), settings, steps=5, paid=False) is not None


def test_what_remains_counts_what_is_held() -> None:
    held: Sums = {("watch_job", "milliseconds"): (0, HOUR), ("plan", "milliseconds"): (HOUR, 0)}
    row = next(row for row in remaining(held, Settings(max_hours=3)) if row.limit.setting == "max_hours")
    assert (row.used, row.held, row.left) == (HOUR, HOUR, HOUR)


def test_statuses() -> None:
    names = ("step_cap", "stages.plan.step_cap", "max_hours", "stages.plan.max_hours", "max_usd", "max_gpu_hours")
    assert [status_of(name) for name in names] == [
        *[Status.STEP_LIMIT] * 2, *[Status.DEADLINE] * 2, *[Status.BUDGET_LIMIT] * 2,
    ]  # fmt: skip


def test_a_limit_at_or_below_what_is_used_is_refused() -> None:
    used: Sums = {**sums(steps=10), ("watch_job", "usd_micros"): (2_000_000, 0)}
    for changed in ({"step_cap": 10}, {"max_usd": 2}, {"stages": {"plan": StageLimits(step_cap=3)}}):
        settings = Settings.model_validate(changed)
        with pytest.raises(RequestError, match="already") as caught:
            check_lowered("r", used, Settings(), settings)
        assert "Give a higher one: --" in caught.value.hint
    check_lowered("r", used, Settings(), Settings(step_cap=11, max_usd=2.01))


def test_a_limit_that_was_not_changed_is_not_refused() -> None:
    check_lowered("r", sums(steps=300), Settings(), Settings(max_hours=48))


def test_a_stage_that_used_all_of_its_own_does_not_keep_another_from_going_on() -> None:
    before = Settings(stages={"plan": StageLimits(step_cap=2), "write_code": StageLimits(step_cap=2)})
    after = Settings(stages={"plan": StageLimits(step_cap=2), "write_code": StageLimits(step_cap=4)})
    used: Sums = {("plan", "steps"): (2, 0), ("write_code", "steps"): (2, 0)}
    check_lowered("r", used, before, after)
    with pytest.raises(RequestError, match="already"):
        check_lowered("r", used, after, before)


def test_limits_of_stages_are_laid_over_each_other() -> None:
    before = {"plan": StageLimits(step_cap=2, max_usd=1), "find_data": StageLimits(max_hours=1)}
    after = merged(before, {"plan": StageLimits(step_cap=9), "write_code": {"max_tokens": "5"}})
    assert after == {
        "plan": {"step_cap": 9, "max_usd": 1.0},
        "find_data": {"max_hours": 1.0},
        "write_code": {"max_tokens": 5},
    }


def test_a_limit_of_no_stage_is_refused_and_not_ignored() -> None:
    with pytest.raises(RequestError, match="no stage 'planning'") as caught:
        check_stages(["plan", "planning"])
    assert "write_code" in caught.value.hint


def test_the_first_screen_says_the_limits_in_a_line() -> None:
    assert said(Settings()) == f"300 steps, 24 hours, models ${MODEL_USD:.2f}, jobs $0 (nothing paid)"
    assert said(Settings(max_usd=12, step_cap=1)) == "1 step, 24 hours, $12.00 in all"
    assert said(Settings(max_usd=12, max_model_usd=2, max_tokens=5, max_gpu_hours=1)) == (
        "300 steps, 24 hours, 5 tokens, 1 GPU-hour, $12.00 in all, models $2.00"
    )
    assert said(Settings(stages={"plan": StageLimits(max_usd=1)})).endswith(", plan $1.00")


@pytest.mark.parametrize(
    ("resource", "amount", "words"),
    [
        ("usd_micros", 0, "$0.00"),
        ("usd_micros", 1, "$0.000001"),
        ("usd_micros", 1_200_000, "$1.20"),
        ("usd_micros", 1_234_567_890, "$1,234.56789"),
        ("milliseconds", 2 * HOUR, "2 hours"),
        ("milliseconds", 1_500, "1.5 seconds"),
        ("gpu_milliseconds", HOUR, "1 GPU-hour"),
        ("steps", 1, "1 step"),
        ("input_tokens", 12_000, "12,000 tokens"),
    ],
)
def test_amounts_in_words(resource: str, amount: int, words: str) -> None:
    assert say(resource, amount) == words


@given(
    st.sampled_from(["max_usd", "max_hours", "max_gpu_hours", "max_tokens", "step_cap"]),
    st.integers(0, 10**13),
    st.integers(0, 10**13),
)
def test_the_value_that_a_message_proposes_is_enough(setting: str, amount: int, needed: int) -> None:
    units = {"max_usd": MICROS, "max_hours": HOUR, "max_gpu_hours": HOUR}
    value = raised(setting, amount, needed)
    assert floor(float(value), units.get(setting, 1)) >= max(2 * amount, needed) * (1 - 1e-15)
    assert flag(setting, value) == f"--{setting.replace('_', '-')} {value}"


class TestThresholds:
    """Warnings at 50, 80 and 95 %, each once."""

    LIMIT = Limit("max_usd", ("usd_micros",), 100)

    def look(self, used: int, limit: Limit = LIMIT, held: int = 0) -> list[int]:
        with transaction(ledgers.SCHEMA + thresholds.SCHEMA) as db:
            return [one.percent for one in thresholds.newly_passed(db, "r", [Remaining(limit, used, held)])]

    def test_each_is_told_once(self) -> None:
        assert [self.look(used) for used in (0, 49, 50, 51, 79, 80, 94, 95, 100, 120)] == [
            [], [], [50], [], [], [80], [], [95], [], [],
        ]  # fmt: skip

    def test_only_the_highest_of_several_is_told(self) -> None:
        assert self.look(96) == [95]
        assert self.look(97) == []

    def test_a_raised_limit_warns_anew_when_it_is_passed_again(self) -> None:
        assert self.look(95) == [95]
        higher = self.LIMIT._replace(amount=200)
        assert [self.look(used, higher) for used in (96, 100, 101, 160)] == [[], [50], [], [80]]

    def test_what_is_held_does_not_warn(self) -> None:
        assert self.look(10, held=90) == []

    def test_a_limit_of_nothing_has_no_thresholds(self) -> None:
        assert self.look(0, self.LIMIT._replace(amount=0)) == []

    def test_runs_are_told_apart(self) -> None:
        assert self.look(50) == [50]
        with transaction(ledgers.SCHEMA + thresholds.SCHEMA) as db:
            assert thresholds.newly_passed(db, "other", [Remaining(self.LIMIT, 50, 0)])
