"""The package of a model: everything that a published repository holds, built in a folder.

No file in it is a pickle: such a file runs code when it is loaded, so its presence refuses the publication.
"""

from __future__ import annotations

import json
import platform
import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

from trainwright.graph.errors import PublicationError
from trainwright.graph.state import State
from trainwright.tools.code import bundle_sha256, files_of
from trainwright.tools.sandbox import plain_folder, sandbox_version

from .card import model_card, public_name, public_source
from .contents import check_names, refuse_pickles

__all__ = ["OURS", "build_package", "files_of_package"]

OURS = ("README.md", "provenance.json", "reproduce.sh", "requirements.txt", "model", ".eval_results")
"""Names that the package uses itself; a script's sibling of that name cannot be published."""

FOLDERS = ("model", ".eval_results")
MODEL_BYTES = 2 * 2**30
VERSIONS = ("trainwright", "scikit-learn", "numpy", "pandas", "pyarrow", "skops", "langgraph", "pymupdf")

REPRODUCE = """#!/bin/sh
# Repeats this model from its data: checks the fingerprint, rebuilds the split, trains, scores.
#   ./reproduce.sh PATH-OF-THE-DATA
# Exit code 0: within the published interval; 1: outside; 2: other data, or not as published; 3: no Trainwright; 4: a
# script failed.
set -eu
if [ $# -ne 1 ]; then echo "usage: $0 DATA   (this model: {source})" >&2; exit 2; fi
here=$(cd "$(dirname "$0")" && pwd)
python=${{PYTHON:-python3}}
if ! "$python" -c "import importlib.util as i; assert i.find_spec('trainwright.tools')" 2>/dev/null; then
  echo "Trainwright is not installed for $python. Install it, then: PYTHON=/path/to/python $0 DATA" >&2
  exit 3
fi
exec "$python" -m trainwright.tools.hub.reproduce "$here" "$1"
"""


def build_package(state: State, run_dir: Path, into: Path, name: str) -> list[str]:
    """Build the package; the sorted paths in it.

    Args:
        state: of the run, with an evaluation.
        run_dir: the run's folder.
        into: is made; must not exist.
        name: under which the model is published.

    Raises:
        PublicationError: the model is missing, too large, or holds a pickle, a link or an odd name; or the job's code
            is not what was tested.
    """
    result = state.evaluation
    assert result is not None
    assert state.code is not None
    job = run_dir / "attempts" / str(result.attempt) / "job"
    model = job / "out" / "model"
    if not plain_folder(model):
        raise PublicationError("There is no model to publish: the job's folder has none.")
    check_names(model)
    code = files_of(job / "code")
    if bundle_sha256(code)[1] != state.code.sha256:
        raise PublicationError("The code in the job's folder is not the code that was tested; nothing was published.")
    into.mkdir(parents=True)
    _copy_model(model, into / "model")
    for file, content in code.items():
        if file in OURS:
            raise PublicationError(
                f"The code has a file {file}, a name that the package needs itself.", hint="Give it another name."
            )
        (into / file).write_bytes(content)
    (into / "README.md").write_text(model_card(state, name), encoding="utf-8")
    provenance = _provenance(state, run_dir, name)
    (into / "provenance.json").write_text(json.dumps(provenance, indent=1, ensure_ascii=False), encoding="utf-8")
    results = into / ".eval_results"
    results.mkdir()
    (results / "trainwright.yaml").write_text(_eval_results(state), encoding="utf-8")
    script = into / "reproduce.sh"
    script.write_text(REPRODUCE.format(source=_shell_comment(public_source(state))), encoding="utf-8")
    script.chmod(0o755)
    needs = sorted(state.code.dependencies)
    (into / "requirements.txt").write_text("\n".join([*needs, ""]), encoding="utf-8")
    refuse_pickles(into)
    return sorted(str(path.relative_to(into)) for path in into.rglob("*") if path.is_file())


def files_of_package(run_dir: Path, attempt: int) -> list[str]:
    """What the package of an attempt will hold, sorted; the model's own files and the results are named as folders."""
    scripts = files_of(run_dir / "attempts" / str(attempt) / "job" / "code")
    return sorted({*(f"{name}/" if name in FOLDERS else name for name in OURS), *scripts})


def _copy_model(model: Path, into: Path) -> None:
    """Copy what `check_names` has seen; it was the last look at names, this is the one at sizes."""
    total = 0
    into.mkdir()
    for path in sorted(model.rglob("*")):
        target = into / path.relative_to(model)
        if path.is_dir():
            target.mkdir()
            continue
        total += path.stat().st_size
        if total > MODEL_BYTES:
            raise PublicationError(f"The model is larger than {MODEL_BYTES >> 30} GiB.", hint="Publish a smaller one.")
        shutil.copyfile(path, target)
    if not any(path.is_file() for path in into.rglob("*")):
        raise PublicationError("There is no model to publish: OUT/model is empty.")


def _shell_comment(text: str) -> str:
    return "".join(c if c.isalnum() or c in ":/@._-" else "_" for c in text)[:100]


def _provenance(state: State, run_dir: Path, name: str) -> dict[str, Any]:
    record = json.loads((run_dir / "withheld" / "dataset.json").read_text(encoding="utf-8"))
    assert state.dataset is not None
    split = {
        "choice": record["choice"],
        "seed": state.dataset.split.seed,
        "metric": record["metric"],
        "direction": record["direction"],
        "fingerprint": state.dataset.fingerprint,
    }
    request = state.request.model_dump()
    request["data"] = public_source(state)
    request["paper"] = public_name(request["paper"])
    dataset = state.dataset.model_dump(mode="json", exclude={"columns"})
    dataset["source"] = public_source(state)
    brief = state.brief.model_dump(include={"title", "arxiv_id", "doi", "sha256"}) if state.brief else None
    return {
        "model": name,
        "run": state.run,
        "request": request,
        "settings": state.settings.model_dump() if state.settings else None,
        "paper": brief,
        "plan": state.plan.model_dump(mode="json") if state.plan else None,
        "data": dataset,
        "split": split,
        "code": state.code.model_dump() if state.code else None,
        "sandbox": state.sandbox.model_dump(exclude={"error_tail"}) if state.sandbox else None,
        "job": state.job.model_dump(mode="json", exclude={"handle", "error_tail"}) if state.job else None,
        "evaluation": state.evaluation.model_dump(mode="json") if state.evaluation else None,
        "attempts": [attempt.model_dump(mode="json") for attempt in state.attempts],
        "approvals": [approval.model_dump(mode="json") for approval in state.approvals],
        "versions": {"python": platform.python_version(), **_versions(), "bubblewrap": sandbox_version()},
    }


def _versions() -> dict[str, str]:
    found = {}
    for package in VERSIONS:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # the program runs without it, from a checkout that is not installed
            found[package] = "unknown"
    return found


def _eval_results(state: State) -> str:
    """The Hub's evaluation-results file (https://huggingface.co/docs/hub/eval-results): one entry, of the test part."""
    import yaml
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    data, result = state.dataset, state.evaluation
    assert data is not None
    assert result is not None
    notes = f"{result.metric} on {result.n_test} withheld rows, 95 % interval {result.low:.6g} to {result.high:.6g}"
    entry = EvalResultEntry(
        dataset_id=data.name,
        task_id=data.target,
        dataset_revision=data.revision[:64] or None,
        value=round(result.value, 6),
        notes=f"{notes}; computed by Trainwright, evaluator {result.evaluator_sha256[:16]}",
    )
    return str(yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True))
