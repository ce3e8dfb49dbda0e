"""reproduce.sh, end to end on its own package, and what it says when data or code are not those published."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from trainwright.tools.code import bundle_sha256
from trainwright.tools.hub import build_package
from trainwright.tools.hub.reproduce import main

from .conftest import Run, flowers


@pytest.fixture
def package(run: Run, tmp_path: Path) -> Path:
    """The package of the run, in a place where nothing else of the run is."""
    build_package(run.state, run.folder, tmp_path / "clone" / "flowers", "flowers")
    return tmp_path / "clone" / "flowers"


def by_script(package: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run reproduce.sh as a person does."""
    return subprocess.run(
        [str(package / "reproduce.sh"), *arguments],
        env={**os.environ, "PYTHON": sys.executable, **environment},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@dataclass
class Done:
    """How the module ended, run in this process."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def reproduce(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """What reproduce.sh starts, without the start."""

    def _reproduce(package: Path, data: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["reproduce", str(package), data])
        return Done(main(), *capsys.readouterr())

    return _reproduce


def test_end_to_end(run: Run, package: Path) -> None:
    done = by_script(package, str(run.source))
    assert done.returncode == 0, done.stderr
    data, result = run.state.dataset, run.state.evaluation
    assert data is not None
    assert result is not None
    assert f"fingerprint {data.fingerprint[:16]} matches" in done.stdout
    assert f"published: accuracy {result.value:.6f}" in done.stdout
    assert f"again:     accuracy {result.value:.6f} (the same)" in done.stdout
    assert done.stderr == ""


def test_other_data(reproduce: Callable[..., Done], package: Path, tmp_path: Path) -> None:
    done = reproduce(package, str(flowers(tmp_path / "flowers.csv", rows=60)))
    assert done.returncode == 2
    assert "not the data that the model was trained on" in done.stderr


def test_no_such_data(reproduce: Callable[..., Done], package: Path, tmp_path: Path) -> None:
    done = reproduce(package, str(tmp_path / "none.csv"))
    assert done.returncode == 2


@pytest.mark.parametrize("arguments", [(), ("a", "b")])
def test_wrong_usage(package: Path, arguments: tuple[str, ...]) -> None:
    done = by_script(package, *arguments)
    assert done.returncode == 2
    assert "usage:" in done.stderr
    assert "flowers.csv" in done.stderr


def test_a_python_without_trainwright(package: Path, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(0o755)
    done = by_script(package, "data.csv", PYTHON=str(python))
    assert done.returncode == 3
    assert "not installed" in done.stderr


def test_code_that_was_changed(reproduce: Callable[..., Done], run: Run, package: Path) -> None:
    (package / "train.py").write_text("print('other')")
    done = reproduce(package, str(run.source))
    assert done.returncode == 2
    assert "train.py is not as it was published" in done.stderr


def test_code_that_is_missing(reproduce: Callable[..., Done], run: Run, package: Path) -> None:
    (package / "predict.py").unlink()
    done = reproduce(package, str(run.source))
    assert done.returncode == 2
    assert "lacks predict.py" in done.stderr


NO_METRIC = {"metric": None, "value": 1.0, "low": 0.9, "high": 1.0}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "Invalid JSON"),
        ("[1]", "the file: "),
        ("{}", "evaluation: Field required; split: Field required; code: Field required."),
        ('{"evaluation": 3, "split": {}, "code": {"sha256": "", "files": {}}}', "evaluation: "),
        (
            json.dumps({"evaluation": NO_METRIC, "split": {"seed": 0}, "code": {"sha256": "", "files": {}}}),
            "evaluation.metric: Input should be a valid string.",
        ),
        (
            json.dumps({"evaluation": NO_METRIC, "split": {"seed": None}, "code": None}),
            "code: Input should be an object",
        ),
    ],
)
def test_a_damaged_record_is_named(
    reproduce: Callable[..., Done], run: Run, package: Path, content: str, said: str
) -> None:
    (package / "provenance.json").write_text(content)
    done = reproduce(package, str(run.source))
    assert done.returncode == 2
    assert str(package / "provenance.json") in done.stderr
    assert said in done.stderr


def test_a_record_that_is_gone(reproduce: Callable[..., Done], run: Run, package: Path) -> None:
    (package / "provenance.json").unlink()
    done = reproduce(package, str(run.source))
    assert done.returncode == 2
    assert "provenance.json cannot be read: No such file" in done.stderr


@pytest.mark.parametrize("script", ["train.py", "predict.py"])
def test_a_script_that_fails_here_has_a_code_of_its_own(
    reproduce: Callable[..., Done], run: Run, package: Path, script: str
) -> None:
    """As published, but for a machine that lacks something: the data are right, and nothing was changed."""
    (package / script).write_text("raise RuntimeError('no such thing here')")
    files = {name: (package / name).read_bytes() for name in ("train.py", "predict.py")}
    path = package / "provenance.json"
    record = json.loads(path.read_text())
    record["code"]["files"], record["code"]["sha256"] = bundle_sha256(files)
    path.write_text(json.dumps(record))
    done = reproduce(package, str(run.source))
    assert done.returncode == 4
    assert f"{script} failed" in done.stderr
    assert "no such thing here" in done.stderr


def test_a_score_outside_the_published_interval_fails(reproduce: Callable[..., Done], run: Run, package: Path) -> None:
    path = package / "provenance.json"
    record = json.loads(path.read_text())
    record["evaluation"] |= {"value": 0.1, "low": 0.05, "high": 0.15}
    path.write_text(json.dumps(record))
    done = reproduce(package, str(run.source))
    assert done.returncode == 1
    assert "OUTSIDE the interval" in done.stdout


def test_a_source_with_an_odd_name_cannot_break_out_of_the_script(run: Run, tmp_path: Path) -> None:
    data = run.state.dataset
    assert data is not None
    odd = data.model_copy(update={"source": 'x"; touch pwned; $(touch pwned) `touch pwned`\n.csv'})
    build_package(run.state.model_copy(update={"dataset": odd}), run.folder, tmp_path / "odd", "flowers")
    done = subprocess.run([str(tmp_path / "odd" / "reproduce.sh")], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 2
    assert not (tmp_path / "pwned").exists()
