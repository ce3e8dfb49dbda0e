"""The ledger: exact sums, limits never passed, every entry once."""

from __future__ import annotations

import multiprocessing
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.graph.errors import LimitReached
from trainwright.graph.ledger import Ledger

Step = tuple[str, int, int]


@given(
    st.lists(
        st.tuples(st.sampled_from(["charge", "reserve", "settle"]), st.integers(0, 9), st.integers(0, 500)), max_size=40
    )
)
@settings(max_examples=30, deadline=None)
def test_sums_are_exact_and_the_limit_holds(steps: list[Step]) -> None:
    limit = 1_000
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "runs.db")
        entries: dict[str, int] = {}
        open_keys: set[str] = set()
        for kind, number, amount in steps:
            key = f"k{number}"
            if kind == "charge":
                ledger.charge("r", "steps", amount, key=key)
                entries.setdefault(key, amount)
            elif kind == "reserve":
                before = sum(entries.values())
                if key in entries or before + amount <= limit:
                    ledger.reserve("r", "steps", amount, limit=limit, key=key)
                    if key not in entries:
                        open_keys.add(key)
                    entries.setdefault(key, amount)
                else:
                    with pytest.raises(LimitReached):
                        ledger.reserve("r", "steps", amount, limit=limit, key=key)
            else:
                ledger.settle(key, amount)
                if key in open_keys:
                    entries[key] = amount
                    open_keys.discard(key)
            assert ledger.total("r", "steps") == sum(entries.values())


def _reserve(path: str, worker: int, limit: int) -> int:
    ledger, got = Ledger(Path(path)), 0
    for number in range(25):
        try:
            ledger.reserve("r", "usd_micros", 7, limit=limit, key=f"{worker}-{number}")
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


def test_time_by_node_keeps_the_order_of_first_appearance(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "runs.db")
    for number, name in enumerate(["read_paper", "plan", "read_paper"]):
        ledger.charge("r", "milliseconds", 10 + number, key=str(number), node=name)
    assert ledger.by_node("r", "milliseconds") == {"read_paper": 22, "plan": 11}
