"""What a run used, as lines: a model's part and the machines' part, apart, and nothing where nothing was used."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.cli.outcome import result_lines, stage_lines

MODEL = {"input_tokens": 900, "output_tokens": 100, "unpriced_tokens": 0, "steps": 3, "usd_micros": 420_000}


def spent(**used: Any) -> dict[str, Any]:
    return {
        "seconds": 90.0,
        "usd_known": 0.0,
        "usd_jobs": 0.0,
        "tokens": 0,
        "unpriced_tokens": 0,
        "gpu_hours": 0,
        **used,
    }


@pytest.mark.parametrize(
    ("used", "text"),
    [
        (spent(), "1 min 30 s of work, 4 steps"),
        (spent(tokens=1_000, usd_known=0.42), "1 min 30 s of work, 4 steps, 1,000 tokens, $0.42"),
        (
            spent(tokens=1_000, usd_known=2.92, usd_jobs=2.5, gpu_hours=1.25),
            "1 min 30 s of work, 4 steps, 1,000 tokens, $0.42, 1.25 GPU-hours, $2.50 for jobs",
        ),
        (spent(usd_known=2.5, usd_jobs=2.5), "1 min 30 s of work, 4 steps, $2.50 for jobs"),
    ],
)
def test_what_a_run_used_is_one_line_with_models_and_machines_apart(used: dict[str, Any], text: str) -> None:
    lines = result_lines({"run": "r", "status": "published", "steps": 4, "spent": used})
    assert [line.plain().strip() for line in lines if line.label == "spent"] == [f"spent: {text}"]


def test_a_run_that_is_shown_says_what_its_machines_cost_also_without_a_model() -> None:
    assert [line.plain() for line in stage_lines(spent(usd_known=2.5, usd_jobs=2.5, gpu_hours=1))] == [
        "used: 1.00 GPU-hours, $2.50 for jobs"
    ]
    assert stage_lines(spent()) == []
    both = stage_lines(spent(tokens=1_000, usd_known=0.42, by_stage={"plan": MODEL}))
    assert [line.plain().strip() for line in both] == [
        "used: 1,000 tokens, $0.42",
        "plan: 3 steps, 1,000 tokens, $0.42",
    ]


def test_at_the_budget_the_way_on_is_the_reasons_own() -> None:
    reason = "Up to $1.00 would be needed. `trainwright resume r --max-usd 4` goes on."
    text = "\n".join(line.plain() for line in result_lines({"run": "r", "status": "budget_limit", "reason": reason}))
    assert "--max-usd 4" in text
    assert "trainwright resume r  (with the flag that the reason names)" in text
