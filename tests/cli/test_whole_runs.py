"""Whole runs as people drive them: at a terminal, through pipes, interrupted, sent back, as JSON."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path

from .conftest import START, OpenTerminal, Ran, Trainwright

pytestmark = pytest.mark.slow

RESULT_KEYS = {"run", "status", "steps", "evaluation", "model", "report", "spent", "waiting"}
EVALUATION_KEYS = {"metric", "value", "low", "high", "n_test", "baseline", "claim"}
SPENT_KEYS = {
    "usd", "usd_known", "usd_jobs", "tokens", "input_tokens", "cached_tokens", "output_tokens", "unpriced_tokens", "gpu_hours",
    "seconds", "by_stage",
}  # fmt: skip

ABSTRACT = (
    b"Flowers from four lengths\n\nAbstract. We classify flowers with logistic regression and report an accuracy of "
    b"90.0 percent on a held-out test set of the flowers data."
)


@pytest.fixture
def flowers(tmp_path: Path) -> Path:
    """A table of 150 flowers, as CSV."""
    from sklearn.datasets import load_iris

    frame = load_iris(as_frame=True).frame
    frame["target"] = frame["target"].map({0: "setosa", 1: "versicolor", 2: "virginica"})
    path = tmp_path / "flowers.csv"
    frame.to_csv(path, index=False)
    return path


def asked(flowers: Path, *more: str) -> list[str]:
    """The command line of a run on the flowers."""
    return ["run", "--goal", "logistic regression", "--data", str(flowers), "--target-column", "target", *more]


def lines_of(ran: Ran) -> list[dict[str, Any]]:
    """Every line of standard output, each a JSON object."""
    return [json.loads(row) for row in ran.out.splitlines()]


def test_a_person_at_a_terminal_approves_every_gate(terminal: OpenTerminal, flowers: Path) -> None:
    shown = terminal(*asked(flowers, "--name", "typed"))
    for title in ("The plan", "The training job", "The publication"):
        shown.until(title)
        shown.until("decision> ")
        seen = len(shown.text)
        shown.type("a\n")
        while "approved by a person" not in shown.text[seen:]:
            assert shown.read(60.0), shown.text[-2_000:]
    assert shown.end() == 0, shown.text[-2_000:]
    assert "Published: typed" in shown.text
    assert "withheld rows" in shown.text
    assert shown.text.rstrip().endswith("\x1b[?25h") or "\x1b[?25l" not in shown.text.split("\x1b[?25h")[-1]


def test_through_pipes_every_gate_waits_for_a_command(trainwright: Trainwright, flowers: Path) -> None:
    first = trainwright(*asked(flowers, "--name", "piped"), stdin=b"a\nyes\n")
    assert first.code == 3, "input that is no terminal answers nothing"
    assert "approve: trainwright approve piped" in first.out
    assert open_runs().get("piped").status == "waiting"
    shown = trainwright("show", "pip")
    assert shown.code == 0
    for part in ("Waits for you: piped", "The plan", "estimate", "trainwright approve piped"):
        assert part in shown.out
    assert trainwright("answer", "piped", "yes").code == 2
    second = trainwright("approve", "pip", "--json")
    assert second.code == 3
    waits = lines_of(second)[-1]
    assert (waits["status"], waits["waiting"]["gate"]) == ("waiting", "approve_job")
    assert set(waits) >= RESULT_KEYS
    assert trainwright("approve", "p").code == 3
    last = trainwright("approve", "p")
    assert last.code == 0, last.out
    assert "Published: piped" in last.out
    told = trainwright("show", "piped", "--json")
    known = json.loads(told.out)
    assert [item["by"] for item in known["approvals"]] == ["person"] * 3
    assert trainwright("resume", "piped").code == 2
    assert "waits for nothing" in trainwright("approve", "piped").err


def test_sent_back_and_then_rejected(trainwright: Trainwright, flowers: Path) -> None:
    assert trainwright(*asked(flowers, "--name", "unwanted")).code == 3
    again = trainwright("reject", "unwanted", "--feedback", "say it in one sentence")
    assert again.code == 3, again.out
    assert "say it in one sentence" in again.out
    ended = trainwright("reject", "unwanted")
    assert ended.code == 5
    assert "Rejected: unwanted" in ended.out
    assert (run_path("unwanted") / "report.html").is_file()
    assert trainwright("resume", "unwanted").code == 2


def test_a_dry_run_of_an_abstract_plans_and_a_resume_goes_on(trainwright: Trainwright, flowers: Path) -> None:
    words = ["run", "-", *asked(flowers, "--name", "dry", "--dry-run")[3:]]
    dry = trainwright(*words, stdin=ABSTRACT)
    assert dry.code == 0, dry.out
    assert "Dry run" in dry.out
    assert "logistic regression" in dry.out.lower()
    assert re.search(r"estimate: about \d", dry.out), "the plan is shown with its estimate"
    assert "claim of the paper: accuracy 0.9000" in dry.out
    assert not (run_path("dry") / "attempts").exists()
    assert "trainwright resume dry" in dry.out
    on = trainwright("resume", "dry")
    assert on.code == 3, on.out
    assert "The plan" in on.out


def test_every_way_to_stop_and_to_go_on(terminal: OpenTerminal, trainwright: Trainwright, flowers: Path) -> None:
    """A step cap, Ctrl-C twice, Ctrl-C once, SIGKILL: one run goes on after each, and is published once."""
    capped = trainwright(*asked(flowers, "--name", "stopped", "--approvals", "auto", "--step-cap", "3"))
    assert capped.code == 4
    assert "trainwright resume stopped --step-cap" in capped.out
    assert trainwright("resume", "stopped", "--step-cap", "2").code == 2

    twice = terminal("resume", "stopped", "--step-cap", "300")
    twice.until("smoke run of train.py")
    os.kill(twice.pid, signal.SIGINT)
    twice.until("again to stop at once")
    os.kill(twice.pid, signal.SIGINT)
    assert twice.end() == 130, twice.text[-2_000:]
    assert "resume stopped" in twice.text
    assert trainwright("runs").out.splitlines()[1].split()[:2] == ["stopped", "interrupted"]

    once = terminal("resume", "stopped")
    once.until("smoke run of train.py")
    once.type("\x03")
    assert once.end() == 130, once.text[-2_000:]
    assert "Interrupted: stopped" in once.text
    assert "trainwright resume stopped" in once.text

    killed = terminal("resume", "stopped")
    killed.until("Job of attempt 1 submitted")
    os.kill(killed.pid, signal.SIGKILL)
    assert killed.end() == -signal.SIGKILL

    done = trainwright("resume", "stopped", "--json")
    assert done.code == 0, done.out + done.err
    assert lines_of(done)[-1]["status"] == "published"
    assert [path.name for path in (run_path("stopped") / "attempts").iterdir()] == ["1"]
    for text in (twice.text, once.text):
        assert "Traceback" not in text


def test_a_question_is_asked_and_answered(trainwright: Trainwright, tmp_path: Path) -> None:
    table = tmp_path / "unclear.csv"
    rows = [f"{i % 7},{'ab'[i % 2]},{'xyz'[i % 3]},{(i * 5) % 11}" for i in range(120)]
    table.write_text("first,second,third,fourth\n" + "\n".join(rows) + "\n")
    words = ["run", "--goal", "a model", "--data", str(table), "--name", "unclear", "--approvals", "auto", "--dry-run"]
    first = trainwright(*words)
    assert first.code == 3, "rules answer no question"
    assert "trainwright answer unclear TEXT" in first.out
    wrong = trainwright("answer", "unclear", "nosuch")
    assert wrong.code == 3
    assert "nosuch" in wrong.out
    right = trainwright("answer", "unclear", "second", "--json")
    assert lines_of(right)[-1]["status"] == "dry_run"
    assert json.loads(trainwright("show", "unclear", "--json").out)["plan"]["target_column"] == "second"


def test_a_reader_that_goes_away_ends_the_run_and_not_its_resume(
    own_home: Path, flowers: Path, trainwright: Trainwright
) -> None:
    words = [sys.executable, "-c", START, *asked(flowers, "--name", "unread", "--dry-run", "--json")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=120) == 141
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert trainwright("resume", "unread", "--json").code == 0


def check_lines(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The lines of a published run as JSON: their kinds, and the result's shape; returns the result."""
    result = rows[-1]
    assert set(result) >= RESULT_KEYS
    assert set(result["evaluation"]) == EVALUATION_KEYS
    assert set(result["evaluation"]["baseline"]) == {"name", "value"}
    assert set(result["spent"]) == SPENT_KEYS
    assert (result["spent"]["usd"], result["spent"]["tokens"], result["spent"]["by_stage"]) == (0.0, 0, {})
    assert result["waiting"] is None
    low, value, high = (result["evaluation"][key] for key in ("low", "value", "high"))
    assert 0 <= low <= value <= high <= 1
    assert (Path(result["model"]) / "predict.py").is_file()
    assert Path(result["report"]).read_text(encoding="utf-8").endswith("</html>")
    assert [row["event"] for row in rows].count("result") == 1
    assert {row["run"] for row in rows} == {result["run"]}
    assert {"run", "node", "turn", "tool", "approval", "metrics"} <= {row["event"] for row in rows}
    nodes = [row["node"] for row in rows if row["event"] == "node" and row["phase"] == "start"]
    assert (nodes[0], nodes[-1]) == ("read_paper", "wrap_up")
    return result


def test_the_demo_is_published_twice_with_the_same_score(trainwright: Trainwright) -> None:
    results = []
    for _ in range(2):
        done = trainwright("demo", "--json")
        assert done.code == 0, done.err
        results.append(check_lines(lines_of(done)))
    assert [result["status"] for result in results] == ["published", "published"]
    assert results[0]["evaluation"] == results[1]["evaluation"]
    assert results[0]["run"] != results[1]["run"]
    assert results[0]["evaluation"]["value"] > 0.97
    assert results[0]["evaluation"]["claim"]["value"] == pytest.approx(0.99)
