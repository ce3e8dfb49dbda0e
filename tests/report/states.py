"""States of runs, made by hand: one that was published after two attempts, with every artifact filled."""

from __future__ import annotations

from typing import Any

from trainwright.graph.state import (
    Approval,
    Attempt,
    Baseline,
    Check,
    Claim,
    ClaimVerdict,
    CodeBundle,
    Column,
    Dataset,
    Evaluation,
    Finding,
    Hyperparameter,
    JobRecord,
    NodeTime,
    PaperBrief,
    PlannedHyperparameter,
    Publication,
    Request,
    SandboxReport,
    Settings,
    SplitRecord,
    State,
    Status,
    Target,
    TrainingPlan,
)

SPENT = {"usd": 0.0, "tokens": 0, "gpu_hours": 0.0, "seconds": 21.5}


def brief(**more: Any) -> PaperBrief:
    """A paper with two claims and two settings."""
    values: dict[str, Any] = {
        "title": "Ten Digits",
        "arxiv_id": "2601.00001",
        "pages": 2,
        "sha256": "a" * 64,
        "claims": [
            Claim(metric="accuracy", value=0.99, dataset="digits", method="SVM", page=2, quote="SVM 99.0"),
            Claim(metric="accuracy", value=0.97, dataset="digits", method="logistic regression", page=2),
        ],
        "hyperparameters": [
            Hyperparameter(name="C", value=10.0, method="SVM", page=1, quote="We set C = 10"),
            Hyperparameter(name="n_neighbors", value=3, method="k-NN", page=1),
        ],
        "warnings": ["Page 2 has a table that could not be read."],
    }
    return PaperBrief(**values | more)


def plan(**more: Any) -> TrainingPlan:
    """A plan with a setting of the paper and a wanted score."""
    values: dict[str, Any] = {
        "task": "classification",
        "modality": "images",
        "metric": "accuracy",
        "direction": "higher",
        "approach": "Predict the digit with an SVM.",
        "reasons": ["the paper names it"],
        "recipe": "svm_rbf",
        "method": "SVM",
        "hyperparameters": [
            PlannedHyperparameter(name="C", value=10.0, source="paper", page=1, quote="We set C = 10"),
            PlannedHyperparameter(name="gamma", value="scale", source="chosen", why="left open"),
        ],
        "target": Target(metric="accuracy", op=">=", value=0.97),
        "seconds": 3.0,
    }
    return TrainingPlan(**values | more)


def dataset(**more: Any) -> Dataset:
    """The digits, frozen."""
    values: dict[str, Any] = {
        "name": "digits",
        "source": "sklearn:digits",
        "revision": "1.7.0",
        "licence": "CC BY 4.0",
        "task": "classification",
        "modality": "images",
        "target": "target",
        "classes": [str(digit) for digit in range(10)],
        "columns": [Column(name="target", kind="category", role="target")],
        "rows": 1797,
        "split": SplitRecord(kind="stratified", seed=0, train=1150, validation=287, test=360),
        "findings": [Finding(code="constant_column", severity="warning", message="pixel_0 is constant.")],
        "fingerprint": "f" * 64,
    }
    return Dataset(**values | more)


def evaluation(**more: Any) -> Evaluation:
    """A score that reproduces the claim and reaches what was wanted."""
    values: dict[str, Any] = {
        "attempt": 2,
        "metric": "accuracy",
        "direction": "higher",
        "value": 0.98889,
        "low": 0.975,
        "high": 1.0,
        "n_test": 360,
        "baseline": Baseline(name="majority class", value=0.1028),
        "claim": ClaimVerdict(
            value=0.99, metric="accuracy", verdict="reproduced", why="It lies within the interval.", quote="SVM 99.0"
        ),
        "target_met": True,
        "others": {"f1_macro": 0.9887},
        "predictions_sha256": "b" * 64,
        "evaluator_sha256": "c" * 64,
    }
    return Evaluation(**values | more)


def published(**more: Any) -> State:
    """A run that was published after two attempts."""
    values: dict[str, Any] = {
        "request": Request(
            paper="/papers/ten digits.pdf", data="sklearn:digits", goal="read digits", target="accuracy>=0.97"
        ),
        "settings": Settings(approvals="auto", seed=7),
        "run": "digits-1a2b",
        "steps": 14,
        "status": Status.PUBLISHED,
        "reason": "Published as digits-1a2b.",
        "brief": brief(),
        "plan": plan(),
        "dataset": dataset(),
        "code": CodeBundle(commit="1" * 40, files={"train.py": "d" * 64}, sha256="e" * 64, recipe="svm_rbf"),
        "sandbox": SandboxReport(
            passed=True,
            code_sha256="e" * 64,
            isolation="bubblewrap",
            checks=[Check(name="metrics", passed=True, detail="3 rows")],
            seconds=2.0,
            peak_memory=200 * 2**20,
        ),
        "job": JobRecord(key="k", engine="local", handle="/j", attempt=2, code_sha256="e" * 64, state="succeeded"),
        "evaluation": evaluation(),
        "publication": Publication(
            key="k", name="digits-1a2b", location="/hub/digits-1a2b", revision="2" * 40, clean_score=0.98889
        ),
        "attempt": 2,
        "accepted": 2,
        "attempts": [
            Attempt(number=1, method="SVM", metric="accuracy", validation=0.95, seconds=1.2, verdict="target unmet"),
            Attempt(
                number=2,
                parent=1,
                method="SVM",
                change="gamma left open",
                why="training and validation differ",
                hyperparameters={"C": 10.0},
                metric="accuracy",
                validation=0.99,
                seconds=3.4,
                verdict="accepted",
            ),
        ],
        "approvals": [
            Approval(
                gate="approve_plan", decision="approve", by="rule", shown_sha256="9" * 64, at="2026-01-01T00:00:00Z"
            )
        ],
        "times": [NodeTime(node="watch_job", seconds=3.5), NodeTime(node="plan", seconds=0.4)],
        "notes": ["A note of what was dropped."],
    }
    return State(**values | more)
