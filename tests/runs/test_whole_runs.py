"""Whole runs with the built-in engineer: to a published model, through every gate, loop and limit of the graph."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from blockbuster import blockbuster_ctx

from trainwright.graph.driver import answer, resume, start
from trainwright.graph.effects import Journal
from trainwright.graph.errors import RequestError
from trainwright.graph.ledger import Ledger
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings, Status

from .conftest import approve, driven, edit, reject

pytestmark = pytest.mark.slow
AUTO = Settings(approvals="auto")
IRIS = "sklearn:iris"


async def test_a_paper_and_data_become_a_published_model(paper: str) -> None:
    with blockbuster_ctx("trainwright"):
        done = await driven(start(Request(paper=paper, data=IRIS), AUTO))
    state, result = done.state, done.result
    assert done.nodes() == [
        "read_paper", "plan", "find_data", "write_code", "sandbox_test", "submit_job", "watch_job", "evaluate",
        "publish", "wrap_up",
    ]  # fmt: skip
    assert (state.status, result["status"]) == (Status.PUBLISHED, "published")
    assert state.plan is not None
    fixed = {item.name: (item.value, item.source, item.quote) for item in state.plan.hyperparameters}
    assert fixed["C"][:2] == (10, "paper")
    assert fixed["gamma"][:2] == (0.1, "paper")
    assert "C = 10 and gamma = 0.1" in fixed["C"][2]

    evaluation = result["evaluation"]
    assert evaluation["low"] <= evaluation["value"] <= evaluation["high"]
    assert evaluation["value"] > evaluation["baseline"]["value"]
    assert evaluation["claim"]["value"] == pytest.approx(0.967)
    assert [a.by for a in state.approvals] == ["rule"] * 3

    model = Path(result["model"])
    assert {"README.md", "train.py", "predict.py", "provenance.json", "reproduce.sh", "model", ".eval_results"} <= {
        path.name for path in model.iterdir()
    }
    report = Path(result["report"]).read_text()
    assert "Published" in report
    assert f"{evaluation['value']:.4f}" in report or f"{evaluation['value']:.3f}" in report
    assert json.loads((run_path(state.run) / "result.json").read_text())["status"] == "published"
    assert result["steps"] == state.steps == Ledger().total(state.run, "steps")
    assert [effect.kind for effect in Journal().of_run(state.run)] == ["job", "publication"]


async def test_the_same_seed_gives_the_same_score_and_split() -> None:
    request = Request(goal="Classify with a random forest", data="sklearn:wine")
    first, second = [await driven(start(request, AUTO.model_copy(update={"seed": 3}))) for _ in range(2)]
    quick = Request(goal="Classify with naive Bayes", data="sklearn:wine")
    third = await driven(start(quick, AUTO.model_copy(update={"seed": 4})))
    assert first.state.dataset is not None
    assert second.state.dataset is not None
    assert third.state.dataset is not None
    assert first.state.dataset.fingerprint == second.state.dataset.fingerprint != third.state.dataset.fingerprint
    assert first.state.evaluation is not None
    assert second.state.evaluation is not None
    assert first.state.evaluation.predictions_sha256 == second.state.evaluation.predictions_sha256


@pytest.fixture
def noisy(tmp_path: Path) -> str:
    """A table of which every fifth label is wrong: nothing predicts all of them."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(0)
    x = random.normal(size=(300, 3))
    wrong = random.random(300) < 0.2
    frame = pd.DataFrame(x.round(4), columns=["height", "width", "depth"])
    frame["kind"] = np.where((x[:, 0] + x[:, 1] > 0) ^ wrong, "red", "blue")
    path = tmp_path / "noisy.csv"
    frame.to_csv(path, index=False)
    return str(path)


async def test_an_unmet_target_makes_attempts_that_change_one_thing_each(paper: str, noisy: str) -> None:
    request = Request(paper=paper, data=noisy, target="accuracy>=1.0", target_column="kind")
    done = await driven(start(request, AUTO.model_copy(update={"attempts": 3})))
    state, attempts = done.state, {a.number: a for a in done.state.attempts}
    assert list(attempts) == [1, 2, 3]
    assert all(a.validation is not None and 0.5 < a.validation < 1.0 for a in attempts.values())
    assert attempts[1].hyperparameters == {"C": 10, "gamma": 0.1}
    for number in (2, 3):
        attempt = attempts[number]
        parent = attempts[attempt.parent or 0]
        assert parent.number < number
        assert parent.validation == max(attempts[n].validation or 0.0 for n in range(1, number))
        assert attempt.change
        assert attempt.why
        other_method, freed = attempt.recipe != parent.recipe, "chosen on validation" in attempt.change
        assert other_method != freed, "one thing"
        assert attempt.hyperparameters == {}, "nothing else is fixed meanwhile"
        assert not freed or parent.hyperparameters, "what is set free was fixed before"
    assert [a.number for a in attempts.values() if a.verdict == "accepted"] == [state.accepted]
    best = max(attempts.values(), key=lambda a: (a.validation or 0.0, -a.number))
    assert state.accepted == best.number
    assert state.plan is not None
    assert state.plan.recipe == best.recipe, "what is shown at the last gate is the plan of the accepted attempt"

    scored = [e for e in done.events if e["event"] == "progress" and e["text"] == "predicting the withheld rows"]
    assert len(scored) == 1, "the withheld labels are used once"
    predicted = (run_path(state.run) / "attempts").glob("*/evaluation/test")
    assert [path.parent.parent.name for path in predicted] == [str(best.number)]
    assert state.evaluation is not None
    assert (state.evaluation.attempt, state.evaluation.target_met) == (best.number, False)
    assert state.status == Status.GAVE_UP
    assert state.publication is None


async def test_at_the_step_cap_all_is_kept_and_a_higher_cap_goes_on(paper: str) -> None:
    whole = await driven(start(Request(paper=paper, data=IRIS, name="whole"), AUTO))
    request = Request(paper=paper, data=IRIS, name="capped")
    stopped = await driven(start(request, AUTO.model_copy(update={"step_cap": 1})))
    for cap in (1, 4, 8):
        if cap > 1:
            stopped = await driven(resume("capped", step_cap=cap))
        assert (stopped.result["status"], stopped.result["steps"]) == ("step_limit", cap)
        assert "trainwright resume capped --step-cap" in stopped.state.reason
        assert Path(stopped.result["report"]).is_file()
        with pytest.raises(RequestError, match=f"has taken {cap} steps? already"):
            await driven(resume("capped", step_cap=cap))
    done = await driven(resume("capped", step_cap=100))
    assert done.result["status"] == "published"
    assert done.result["steps"] == whole.result["steps"]
    assert done.result["evaluation"] == whole.result["evaluation"]


async def test_out_of_time_the_run_stops_and_more_time_goes_on() -> None:
    request = Request(goal="Classify with logistic regression", data=IRIS, name="late")
    stopped = await driven(start(request, AUTO.model_copy(update={"max_hours": 1e-7})))
    assert stopped.result["status"] == "deadline"
    done = await driven(resume("late", max_hours=1.0))
    assert done.result["status"] == "published"


async def test_a_dry_run_ends_with_the_estimate_and_can_go_on() -> None:
    request = Request(goal="Classify with naive Bayes", data=IRIS, name="dry")
    dry = await driven(start(request, Settings(approvals="auto", dry_run=True)))
    assert dry.result["status"] == "dry_run"
    assert dry.nodes() == ["read_paper", "plan", "wrap_up"]
    assert dry.state.plan is not None
    assert dry.state.plan.seconds > 0
    assert not (run_path("dry") / "data").exists()
    done = await driven(resume("dry"))
    assert done.result["status"] == "published"


async def test_a_question_is_answered_by_a_person_alone(two_targets: str) -> None:
    request = Request(goal="Which box?", data=two_targets, name="boxes")
    asked = await driven(start(request, AUTO))
    assert asked.result["status"] == "waiting"
    waiting = asked.result["waiting"]
    assert waiting["gate"] == "ask_person"
    assert {"label_colour", "label_size"} <= set(waiting["card"]["options"])
    again = await driven(answer("boxes", "weight"))
    assert again.result["status"] == "waiting"
    assert "weight" in again.result["waiting"]["problem"]
    done = await driven(answer("boxes", "label_size"))
    assert done.result["status"] == "published", done.state.reason
    assert done.state.dataset is not None
    assert done.state.dataset.target == "label_size"


async def test_every_gate_can_be_answered_by_a_person() -> None:
    request = Request(goal="Classify with logistic regression", data=IRIS, name="asked", publish_to="first-name")
    seen = []
    done = await driven(start(request, Settings(approvals="ask")))
    while done.result["status"] == "waiting":
        gate = done.result["waiting"]["gate"]
        seen.append(gate)
        assert open_runs().get("asked").waiting is not None
        given = (
            edit(gate, {"name": "second-name"}) if gate == "approve_publish" and seen.count(gate) == 1 else approve()
        )
        done = await driven(answer("asked", given))
    assert seen == ["approve_plan", "approve_job", "approve_publish", "approve_publish"]
    assert done.result["status"] == "published"
    assert done.result["model"].endswith("second-name")
    assert [(a.decision, a.by) for a in done.state.approvals] == [
        ("approve", "person"), ("approve", "person"), ("edit", "person"), ("approve", "person"),
    ]  # fmt: skip


async def test_a_rejected_plan_is_made_anew_from_the_feedback() -> None:
    request = Request(goal="Classify with logistic regression", data=IRIS, name="redo")
    await driven(start(request, Settings(approvals="ask")))
    again = await driven(answer("redo", reject("Use a random forest with n_estimators = 50 instead.")))
    card = again.result["waiting"]["card"]
    assert (again.result["waiting"]["gate"], card["recipe"]) == ("approve_plan", "random_forest")
    assert {item["name"]: item["value"] for item in card["hyperparameters"]} == {"n_estimators": 50}
    ended = await driven(answer("redo", reject()))
    assert ended.result["status"] == "rejected"
    with pytest.raises(RequestError, match="has ended: rejected"):
        await driven(resume("redo"))


async def test_feedback_that_names_nothing_known_is_told_and_another_plan_is_shown() -> None:
    request = Request(goal="Classify with naive Bayes", data=IRIS, name="vague")
    first = await driven(start(request, Settings(approvals="ask")))
    again = await driven(answer("vague", reject("I do not like it.")))
    card = again.result["waiting"]["card"]
    assert card["recipe"] != first.result["waiting"]["card"]["recipe"]
    assert "'I do not like it.') names no method" in card["reasons"][0]


async def test_an_edited_plan_is_what_is_trained() -> None:
    request = Request(goal="Classify with k nearest neighbours", data=IRIS, name="edited")
    first = await driven(start(request, Settings(approvals="ask")))
    item = {"name": "n_neighbors", "value": 3, "source": "chosen", "why": "a person said so"}
    job = await driven(answer("edited", edit("approve_plan", {"hyperparameters": [item]})))
    assert first.result["waiting"]["gate"] == "approve_plan"
    assert job.result["waiting"]["gate"] == "approve_job"
    assert job.state.plan is not None
    assert [(h.name, h.value) for h in job.state.plan.hyperparameters] == [("n_neighbors", 3)]
    settings = json.loads((run_path("edited") / "code" / "settings.json").read_text())
    assert "n_neighbors" in json.dumps(settings)


async def test_a_plan_edited_into_nonsense_is_shown_again() -> None:
    request = Request(goal="Classify with logistic regression", data=IRIS, name="nonsense")
    await driven(start(request, Settings(approvals="ask")))
    again = await driven(answer("nonsense", edit("approve_plan", {"task": "divination"})))
    assert again.result["status"] == "waiting"
    assert "task" in again.result["waiting"]["problem"]


async def test_edited_code_is_tested_again_before_it_can_be_submitted() -> None:
    request = Request(goal="Classify with logistic regression", data=IRIS, name="code")
    await driven(start(request, Settings(approvals="ask")))
    job = await driven(answer("code", approve()))
    assert job.state.code is not None
    text = (run_path("code") / "code" / "train.py").read_text()
    edited = await driven(answer("code", edit("approve_job", {"files": {"train.py": text + "\n# by hand\n"}})))
    assert edited.nodes()[:1] == ["sandbox_test"]
    assert edited.result["waiting"]["gate"] == "approve_job"
    assert edited.state.code is not None
    assert edited.state.code.sha256 != job.state.code.sha256
    assert not edited.state.code.unmodified
    assert "by hand" in edited.result["waiting"]["card"]["diff"]


async def test_edited_code_that_fails_is_not_written_over_but_told() -> None:
    request = Request(goal="Classify with logistic regression", data=IRIS, name="byhand")
    await driven(start(request, Settings(approvals="ask")))
    await driven(answer("byhand", approve()))
    broken = "raise SystemExit('by hand')\n"
    ended = await driven(answer("byhand", edit("approve_job", {"files": {"train.py": broken}})))
    assert ended.result["status"] == "gave_up"
    assert "The code that a person edited failed" in ended.state.reason
    assert (run_path("byhand") / "code" / "train.py").read_text() == broken
    again = await driven(resume("byhand"))
    assert again.result["waiting"]["gate"] == "approve_job"
    assert again.state.code is not None
    assert again.state.code.unmodified
    assert again.state.repairs == 0


async def test_a_rejected_publication_with_feedback_is_a_new_attempt_and_says_so() -> None:
    request = Request(goal="Classify with logistic regression", data="sklearn:wine", name="more")
    await driven(start(request, Settings(approvals="ask")))
    await driven(answer("more", approve()))
    await driven(answer("more", approve()))
    again = await driven(answer("more", reject("Try extra trees.")))
    assert again.result["waiting"]["gate"] == "approve_plan"
    assert again.result["waiting"]["card"]["recipe"] == "extra_trees"
    assert again.state.attempt == 2
    assert any("knowing its withheld score" in note for note in again.state.notes)


async def test_what_recipes_cannot_serve_is_refused_plainly(tmp_path: Path) -> None:
    book = tmp_path / "book.txt"
    book.write_text("It was a dark night and nobody was awake. " * 400)
    done = await driven(start(Request(goal="Train a language model", data=str(book)), AUTO))
    assert done.result["status"] == "gave_up"
    assert "language models" in done.state.reason
    assert done.state.code is None


async def test_broken_data_fail_and_other_data_mend_it(tmp_path: Path) -> None:
    broken = tmp_path / "broken.csv"
    broken.write_text("a,b\n1,2\n1,2,3,4\n")
    request = Request(goal="Classify with logistic regression", data=str(broken), name="mend")
    failed = await driven(start(request, AUTO))
    assert failed.result["status"] == "failed"
    assert "broken.csv" in failed.state.reason
    done = await driven(resume("mend", data=IRIS))
    assert done.result["status"] == "published", done.state.reason


async def test_a_published_run_does_not_go_on() -> None:
    request = Request(goal="Classify with logistic regression", data=IRIS, name="over")
    await driven(start(request, AUTO))
    with pytest.raises(RequestError, match="has ended: published"):
        await driven(resume("over"))
    with pytest.raises(RequestError, match="waits for nothing"):
        await driven(answer("over", approve()))
