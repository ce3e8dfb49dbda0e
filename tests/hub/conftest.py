"""A run that is ready to be published, made by hand: frozen data, a job with a model, an evaluation."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from trainwright.graph.state import (
    Baseline,
    ClaimVerdict,
    CodeBundle,
    Dataset,
    Finding,
    JobRecord,
    PaperBrief,
    PlannedHyperparameter,
    Request,
    Settings,
    State,
    TrainingPlan,
)
from trainwright.tools.code import bundle_sha256, dependencies
from trainwright.tools.contract import Scripts, predict_limits
from trainwright.tools.datasets import DataChoice, freeze, inputs_path, read_test_labels
from trainwright.tools.evaluation import evaluate_predictions, read_predictions
from trainwright.tools.sandbox import Limits, SandboxResult, probe

HEADER = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["pandas", "pyarrow"]\n# ///\n'
TRAIN = (
    HEADER
    + """
import json, pathlib, sys
import pandas as pd
arg = lambda name: pathlib.Path(sys.argv[sys.argv.index(name) + 1])
rows, about = pd.read_parquet(arg("--data") / "train.parquet"), json.loads((arg("--data") / "dataset.json").read_text())
features = [c["name"] for c in about["columns"] if c["role"] == "feature"]
means = rows.groupby(about["target"])[features].mean().to_dict("index")
(arg("--out") / "model").mkdir()
(arg("--out") / "model" / "means.json").write_text(json.dumps({str(k): v for k, v in means.items()}))
(arg("--out") / "metrics.jsonl").write_text('{"step": 1, "rows": %d}\\n' % len(rows))
"""
)
PREDICT = (
    HEADER
    + """
import json, pathlib, sys
import pandas as pd
arg = lambda name: pathlib.Path(sys.argv[sys.argv.index(name) + 1])
means, rows = json.loads((arg("--model") / "means.json").read_text()), pd.read_parquet(arg("--inputs"))
far = pd.DataFrame({k: sum((rows[c] - m) ** 2 for c, m in v.items()) for k, v in means.items()})
pd.DataFrame({"id": rows["id"], "prediction": far.idxmin(axis=1)}).to_csv(arg("--out"), index=False)
"""
)
CODE = {"train.py": TRAIN.encode(), "predict.py": PREDICT.encode()}


@dataclass
class Run:
    """A run's folder and its state before publication."""

    folder: Path
    source: Path
    state: State
    calls: list[Path] = field(default_factory=list)

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.folder / "attempts" / "1" / "job" / "out" / "model"

    def predict(self, folder: Path, inputs: Path, out: Path) -> SandboxResult:
        """Run predict.py of a package in the sandbox."""
        self.calls.append(folder)
        return Scripts(folder, False, (self.folder,)).predict(folder / "model", inputs, out, predict_limits(100))


def trained(folder: Path, source: Path) -> Run:
    """Freeze, train, predict and score, with the project's own services."""
    choice = DataChoice(target="kind", task="classification", modality="table")
    data = freeze(str(source), choice, folder, seed=0, metric="accuracy", direction="higher")
    job = folder / "attempts" / "1" / "job"
    (job / "code").mkdir(parents=True)
    for name, content in CODE.items():
        (job / "code" / name).write_bytes(content)
    scripts = Scripts(job / "code", False, (folder,))
    result = scripts.train(folder / "data", job / "out", seed=0, smoke=False, limits=Limits(wall_seconds=60))
    assert result.exit_code == 0, result.stderr
    inputs = folder / "staged" / "inputs.parquet"
    inputs.parent.mkdir()
    inputs.write_bytes(inputs_path(folder).read_bytes())
    done = scripts.predict(job / "out" / "model", inputs, folder / "answers", predict_limits(100))
    assert done.exit_code == 0, done.stderr
    return Run(folder, source, _state(folder, source, data))


def _state(folder: Path, source: Path, data: Dataset) -> State:
    labels = read_test_labels(folder)
    answers = read_predictions(
        folder / "answers" / "predictions.csv", list(labels), task=data.task, classes=data.classes
    )
    hyper = PlannedHyperparameter(name="metric", value="euclidean", source="paper", quote="We use | <b>L2</b>", page=2)
    plan = TrainingPlan(
        task="classification", modality="table", metric="accuracy", direction="higher", approach="Nearest mean, simple.",
        method="nearest centroid", hyperparameters=[hyper], target_column="kind",
    )  # fmt: skip
    scored = evaluate_predictions(
        answers, labels, dataset=data, plan=plan, brief=None, run_dir=folder, attempt=1, seed=0
    )
    verdict = ClaimVerdict(
        value=0.95, metric="accuracy", verdict="worse", why="0.95 against less", quote="we reach 95%", page=3
    )
    digests, total = bundle_sha256(CODE)
    finding = Finding(code="duplicate_rows", severity="warning", message="3 rows | stand <script>twice</script>")
    return State(
        request=Request(goal="Which *kind*?\n# Heading", data=str(source), paper=str(folder / "private" / "paper.pdf")),
        settings=Settings(),
        run="flowers-1a2b",
        brief=PaperBrief(title="On [flowers](http://x)\n---\nlicense: mit", sha256="ab"),
        plan=plan,
        dataset=data.model_copy(update={"findings": [finding]}),
        code=CodeBundle(commit="c", files=digests, sha256=total, dependencies=dependencies(CODE)),
        job=JobRecord(
            key="k", engine="local", handle=str(folder), attempt=1, code_sha256=total, state="succeeded", seconds=1.5
        ),
        evaluation=scored.model_copy(update={"claim": verdict, "baseline": Baseline(name="majority", value=0.4)}),
        accepted=1,
    )


def flowers(path: Path, rows: int = 90) -> Path:
    """A small table with three kinds that two of its columns tell apart, not perfectly."""
    import numpy as np
    import pandas as pd

    generator = np.random.default_rng(0)
    kind = generator.integers(0, 3, rows)
    frame = pd.DataFrame({"length": kind + generator.normal(0, 0.5, rows), "width": generator.normal(0, 1, rows)})
    frame["kind"] = np.array(["iris", "rose", "tulip"])[kind]
    frame.to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run, made once; tests copy it."""
    if not probe().available:
        pytest.skip(f"no sandbox here: {probe().reason}")
    if sys.platform != "linux":
        pytest.skip("Linux only")
    place = tmp_path_factory.mktemp("prepared")
    (place / "secret-folder").mkdir()
    (place / "run").mkdir()
    return trained(place / "run", flowers(place / "secret-folder" / "flowers.csv"))


@pytest.fixture
def run(prepared: Run, tmp_path: Path) -> Run:
    """A copy of the run that a test may damage."""
    import shutil

    shutil.copytree(prepared.folder, tmp_path / "run")
    return Run(tmp_path / "run", prepared.source, prepared.state)
