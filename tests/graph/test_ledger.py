"""The ledger: exact sums, limits never passed, every entry once."""

from __future__ import annotations

import multiprocessing
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.graph import ledger as ledgers
from trainwright.graph.errors import LimitReached
from trainwright.graph.ledger import Entry, Ledger, Limit

Step = tuple[str, int, int]
MONEY = Limit("max_usd", ("usd_micros",), 1_000)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "runs.db")


@given(
    st.lists(
        st.tuples(st.sampled_from(["charge", "reserve", "settle", "release"]), st.integers(0, 9), st.integers(0, 500)),
        max_size=40,
    )
)
@settings(max_examples=30, deadline=None)
def test_sums_are_exact_and_the_limit_holds(steps: list[Step]) -> None:
    """Against a model of it: a dictionary of what each key holds or has used."""
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "runs.db")
        charged: dict[str, int] = {}
        reserved: dict[str, int] = {}
        open_keys: set[str] = set()
        for kind, number, amount in steps:
            key = f"k{number}"
            if kind == "charge":
                ledger.charge("r", "usd_micros", amount, key=f"charged/{key}")
                charged.setdefault(key, amount)
            elif kind == "reserve":
                before = sum(charged.values()) + sum(reserved.values())
                if key in reserved or not amount or before + amount <= MONEY.amount:
                    ledger.reserve("r", {"usd_micros": amount}, limits=[MONEY], key=key)
                    if key not in reserved:
                        open_keys.add(key)
                    reserved.setdefault(key, amount)
                else:
                    with pytest.raises(LimitReached):
                        ledger.reserve("r", {"usd_micros": amount}, limits=[MONEY], key=key)
            elif kind == "settle":
                ledger.settle(key, {"usd_micros": amount})
                if key in open_keys:
                    reserved[key] = amount
                    open_keys.discard(key)
            else:
                ledger.release(key)
                if key in open_keys:
                    reserved.pop(key)
                    open_keys.discard(key)
            assert ledger.total("r", "usd_micros") == sum(charged.values()) + sum(reserved.values())
            assert {row.key for row in ledger.open("r")} == open_keys


def _reserve(path: str, worker: int, limit: int) -> int:
    ledger, got = Ledger(Path(path)), 0
    for number in range(25):
        try:
            ledger.reserve("r", {"usd_micros": 7}, limits=[MONEY._replace(amount=limit)], key=f"{worker}-{number}")
            got += 7
        except LimitReached:
            break
    return got


def test_reservations_of_many_processes_never_pass_the_limit_together(tmp_path: Path) -> None:
    path, limit = tmp_path / "runs.db", 300
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        got = pool.starmap(_reserve, [(str(path), worker, limit) for worker in range(4)])
    assert sum(got) == Ledger(path).total("r", "usd_micros")
    assert limit - 7 < sum(got) <= limit


def test_a_reservation_holds_all_its_resources_or_none(ledger: Ledger) -> None:
    limits = [MONEY, Limit("max_tokens", ("input_tokens", "output_tokens"), 100)]
    asked = {"usd_micros": 10, "input_tokens": 60, "output_tokens": 41}
    with pytest.raises(LimitReached) as caught:
        ledger.reserve("r", asked, limits=limits, key="call")
    assert caught.value.limit == "max_tokens"
    assert ledger.held("call") is None
    assert ledger.entries("r") == []
    ledger.reserve("r", {**asked, "output_tokens": 40}, limits=limits, key="call")
    assert ledger.held("call") == {"usd_micros": 10, "input_tokens": 60, "output_tokens": 40}


def test_settling_replaces_what_was_held_by_what_was_used(ledger: Ledger) -> None:
    ledger.reserve("r", {"usd_micros": 900, "output_tokens": 50}, limits=[MONEY], key="call", node="plan")
    ledger.settle("call", {"usd_micros": 100, "cached_tokens": 7})
    assert ledger.held("call") == {"usd_micros": 100, "output_tokens": 0, "cached_tokens": 7}
    assert ledger.table("r") == {"plan": {"usd_micros": 100, "output_tokens": 0, "cached_tokens": 7}}
    assert ledger.open("r") == []
    ledger.settle("call", {"usd_micros": 5})
    ledger.release("call")
    ledger.reserve("r", {"usd_micros": 900}, limits=[MONEY], key="call")
    assert ledger.held("call") == {"usd_micros": 100, "output_tokens": 0, "cached_tokens": 7}


def test_what_was_never_reserved_or_was_released_cannot_be_settled(ledger: Ledger) -> None:
    ledger.settle("call", {"usd_micros": 5})
    ledger.reserve("r", {"usd_micros": 5}, limits=[MONEY], key="call")
    ledger.release("call")
    ledger.settle("call", {"usd_micros": 5})
    assert ledger.entries("r") == []


def test_open_reservations_are_told_whole_with_key_and_node(ledger: Ledger) -> None:
    ledger.charge("r", "usd_micros", 1, key="charged")
    ledger.reserve("r", {"usd_micros": 2, "milliseconds": 3}, limits=[], key="job/7", node="watch_job")
    ledger.reserve("other", {"usd_micros": 2}, limits=[], key="elsewhere")
    (held,) = ledger.open("r")
    assert (held.key, held.node, held.amounts) == ("job/7", "watch_job", {"usd_micros": 2, "milliseconds": 3})


def test_a_limit_counts_the_entries_of_its_nodes_alone(ledger: Ledger) -> None:
    of_plan, of_calls = MONEY._replace(nodes=("plan",)), MONEY._replace(but=("watch_job",))
    ledger.reserve("r", {"usd_micros": 900}, limits=[of_plan, of_calls], key="a", node="plan")
    ledger.reserve("r", {"usd_micros": 900}, limits=[of_plan, of_calls], key="b", node="watch_job")
    ledger.reserve("r", {"usd_micros": 100}, limits=[of_plan, of_calls], key="c", node="write_code")
    with pytest.raises(LimitReached):
        ledger.reserve("r", {"usd_micros": 1}, limits=[of_calls], key="d", node="write_code")
    ledger.reserve("r", {"usd_micros": 1}, limits=[of_plan], key="e", node="write_code")
    with pytest.raises(LimitReached):
        ledger.reserve("r", {"usd_micros": 101}, limits=[of_plan], key="f", node="plan")


def test_the_last_micro_dollar_fits_and_not_one_more(ledger: Ledger) -> None:
    ledger.reserve("r", {"usd_micros": 1_000}, limits=[MONEY], key="all")
    with pytest.raises(LimitReached):
        ledger.reserve("r", {"usd_micros": 1}, limits=[MONEY], key="more")
    ledger.reserve("r", {"usd_micros": 0, "steps": 1}, limits=[MONEY], key="free")


def test_a_refusal_names_what_is_used_held_and_asked_and_the_flag(ledger: Ledger) -> None:
    limit = Limit("max_model_usd", ("usd_micros",), 5_000_000)
    ledger.charge("r", "usd_micros", 4_000_000, key="used")
    ledger.reserve("r", {"usd_micros": 750_000}, limits=[limit], key="held")
    with pytest.raises(LimitReached) as caught:
        ledger.reserve("r", {"usd_micros": 300_000}, limits=[limit], key="asked")
    text = str(caught.value)
    assert "$0.30" in text
    assert "max_model_usd of $5.00: $4.00 used and $0.75 held" in text
    assert text.endswith("`trainwright resume r --max-model-usd 10` goes on.")


def test_a_limit_of_a_stage_names_its_own_flag(ledger: Ledger) -> None:
    limit = Limit("stages.plan.max_hours", ("milliseconds",), 1_800_000, ("plan",))
    with pytest.raises(LimitReached, match=r"--stage-limit plan\.max_hours=2\.5`"):
        ledger.reserve("r", {"milliseconds": 9_000_000}, limits=[limit], key="long", node="plan")


@pytest.mark.parametrize("amounts", [{}, {"dollars": 1}])
def test_what_is_no_resource_is_not_reserved(ledger: Ledger, amounts: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="usd_micros"):
        ledger.reserve("r", amounts, limits=[], key="k")


def test_a_reservation_of_an_earlier_version_is_found_and_settled(tmp_path: Path) -> None:
    """It held one resource under the bare key."""
    path = tmp_path / "runs.db"
    with sqlite3.connect(path) as db:
        db.executescript(ledgers.SCHEMA)
        db.execute("INSERT INTO ledger VALUES ('abc', 'r', 'milliseconds', 'watch_job', 900000, 0, '2026-01-01')")
    db.close()
    ledger = Ledger(path)
    assert ledger.held("abc") == {"milliseconds": 900_000}
    assert [(row.key, row.amounts) for row in ledger.open("r")] == [("abc", {"milliseconds": 900_000})]
    ledger.settle("abc", {"milliseconds": 1_200, "usd_micros": 4})
    assert ledger.table("r") == {"watch_job": {"milliseconds": 1_200, "usd_micros": 4}}


def test_time_by_node_keeps_the_order_of_first_appearance(ledger: Ledger) -> None:
    for number, name in enumerate(["read_paper", "plan", "read_paper"]):
        ledger.charge("r", "milliseconds", 10 + number, key=str(number), node=name)
    assert ledger.by_node("r", "milliseconds") == {"read_paper": 22, "plan": 11}


def test_entries_are_listed_as_they_were_made_and_add_up(ledger: Ledger) -> None:
    ledger.charge_all("r", {"input_tokens": 5, "output_tokens": 0}, key="call", node="plan")
    ledger.reserve("r", {"input_tokens": 7}, limits=[], key="next", node="plan")
    first, second = ledger.entries("r")
    assert first[:5] == ("call/input_tokens", "plan", "input_tokens", 5, True)
    assert second == Entry("next/input_tokens", "plan", "input_tokens", 7, False, second.at)
    assert ledger.total("r", "input_tokens") == 12
