"""What the nodes around a job make of what scripts write: the estimate of a full run, metrics, and checks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trainwright.nodes.sandbox_test import estimate
from trainwright.nodes.watch_job import _numbers, _step
from trainwright.tools.sandbox import SandboxResult
from trainwright.tools.smoke import last_metrics, read_metrics

GB = 10**9


def result(seconds: float, memory: float) -> SandboxResult:
    return SandboxResult("exit", 0, "", "", seconds, seconds, int(memory))


def test_what_starting_takes_does_not_grow_with_the_rows() -> None:
    """Three seconds of a smoke run on 200 rows, two of them to start Python: 20,000 rows are not 300 seconds."""
    seconds, memory = estimate(result(3.0, 0.3 * GB), result(2.0, 0.2 * GB), 200, 20_000)
    assert seconds == pytest.approx(2 + 1 * 100)
    assert memory == pytest.approx(0.2 * GB + 0.1 * GB * 100)


@pytest.mark.parametrize("seen", [0.0, 1_000.0, 5_000.0, 1e-300, -5.0])
def test_a_smoke_run_that_saw_everything_or_does_not_say_is_the_estimate(seen: float) -> None:
    assert estimate(result(3.0, GB), result(1.0, GB / 2), seen, 1_000) == (3.0, GB)


def test_a_script_that_lies_about_its_rows_gives_a_finite_estimate() -> None:
    seconds, memory = estimate(result(3.0, GB), result(1.0, GB / 2), 1.0, 10**6)
    assert seconds == pytest.approx(1 + 2 * 10**6)
    assert memory == pytest.approx(0.5 * GB + 0.5 * GB * 100)


def test_a_prediction_slower_than_the_training_changes_nothing() -> None:
    assert estimate(result(1.0, GB), result(9.0, 2 * GB), 10, 1_000) == (1.0, GB)


def test_without_a_prediction_all_of_it_grows() -> None:
    assert estimate(result(2.0, GB), None, 100, 1_000)[0] == pytest.approx(20)


HOSTILE = [
    '{"step": 1, "loss": 0.5}',
    '{"loss": NaN, "up": Infinity, "down": -Infinity}',
    '{"loss": 1e400}',
    '{"loss": ' + "9" * 400 + "}",
    '{"flag": true, "text": "x", "none": null, "list": [1], "inner": {"a": 1}}',
    '{"' + "n" * 100 + '": 1}',
    "[" * 100_000,
    "not json",
    "{",
]


def test_metrics_are_the_finite_numbers(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("\n".join(HOSTILE))
    assert last_metrics(tmp_path) == {"step": 1.0, "loss": 0.5}


def test_the_last_value_counts(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text('{"loss": 2}\n{"loss": 1, "f1": 0.5}\n')
    assert last_metrics(tmp_path) == {"loss": 1.0, "f1": 0.5}


def test_there_are_never_more_than_a_hundred(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text(json.dumps({str(i): i for i in range(5_000)}) + "\n")
    assert len(last_metrics(tmp_path)) == 100


def test_a_link_for_metrics_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"secret": 1}\n')
    (tmp_path / "metrics.jsonl").symlink_to(tmp_path / "secret")
    assert read_metrics(tmp_path) == []


def test_events_carry_finite_numbers_and_not_too_many() -> None:
    rows = [json.loads(line) for line in HOSTILE[:6]]
    assert [_numbers(row) for row in rows] == [{"loss": 0.5}, {}, {}, {}, {}, {}]
    assert len(_numbers({str(i): i for i in range(5_000)})) == 50
    assert _step({"step": 3}) == 3
    assert _step({"step": float("nan")}) is None
    assert _step({"step": "x"}) is None
