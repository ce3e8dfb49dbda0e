"""The package of a model: its files, its card in the Hub's format, its clean run, and what is refused."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import pickle
import shutil
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries

from trainwright.graph.errors import PublicationError
from trainwright.tools.hub import build_package, check_names, clean_score, refuse_pickles
from trainwright.tools.hub.card import escape, model_card, public_name

from .conftest import CODE, Run

FILES = [
    ".eval_results/trainwright.yaml",
    "README.md",
    "model/means.json",
    "predict.py",
    "provenance.json",
    "reproduce.sh",
    "requirements.txt",
    "train.py",
]


@pytest.fixture
def package(run: Run, tmp_path: Path) -> Path:
    """The package of the run."""
    build_package(run.state, run.folder, tmp_path / "package", "ann/flowers")
    return tmp_path / "package"


def test_its_files(run: Run, tmp_path: Path) -> None:
    assert build_package(run.state, run.folder, tmp_path / "package", "ann/flowers") == FILES
    assert (tmp_path / "package" / "train.py").read_bytes() == CODE["train.py"]
    assert (tmp_path / "package" / "requirements.txt").read_text() == "pandas\npyarrow\n"
    assert os.access(tmp_path / "package" / "reproduce.sh", os.X_OK)


def test_the_card_is_one_that_the_hub_reads(run: Run, package: Path) -> None:
    card = ModelCard.load(package / "README.md")
    result = run.state.evaluation
    assert result is not None
    assert card.data.library_name == "sklearn"
    assert card.data.pipeline_tag == "tabular-classification"
    assert card.data.model_name == "flowers"
    [entry] = card.data.eval_results
    assert (entry.metric_type, entry.metric_value) == ("accuracy", round(result.value, 6))
    assert entry.dataset_split == "test"
    assert entry.dataset_name == "flowers"
    head = yaml.safe_load((package / "README.md").read_text().split("---")[1])
    assert head["model-index"][0]["results"][0]["metrics"][0]["value"] == round(result.value, 6)


def test_the_card_says_what_a_reader_needs(run: Run, package: Path) -> None:
    text, result = (package / "README.md").read_text(), run.state.evaluation
    assert result is not None
    for part in (
        f"{result.value:.4f}",
        f"{result.low:.4f}",
        f"{result.high:.4f}",
        "0.4000",
        "Intended use",
        "Licence",
        "Fingerprint",
        "worse",
        "we reach 95%",
        "(page 3)",
        "Limits",
        "flowers-1a2b",
        "reproduce.sh",
        "withheld",
    ):
        assert part in text, part


def test_nothing_from_outside_is_markup_in_the_card(run: Run, package: Path) -> None:
    text = (package / "README.md").read_text()
    assert "<script>" not in text
    assert "<b>" not in text.replace("\\<b", "")
    assert "](http" not in text
    assert "\n# Heading" not in text
    assert yaml.safe_load(text.split("---")[1])["license"] == "other", "the title does not reach the metadata"


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("a | b", r"a \| b"),
        ("<img src=x>", r"\<img src=x\>"),
        ("one\n\ntwo\t three", "one two three"),
        ("`code` *bold* [x](y)", r"\`code\` \*bold\* \[x\]\(y\)"),
        ("\u202eevil\x00", "evil"),
        ("x" * 500, "x" * 399 + "…"),
    ],
)
def test_escaping(value: str, escaped: str) -> None:
    assert escape(value) == escaped


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/home/ann/secret/data.csv", "data.csv"),
        ("~/secret/data.csv", "data.csv"),
        ("../secret/data.csv", "data.csv"),
        ("sklearn:digits", "sklearn:digits"),
        ("ann/flowers:en@main", "ann/flowers:en@main"),
        ("2012.11747", "2012.11747"),
        ("https://ann:password@host/paper.pdf?token=1", "https://host/paper.pdf"),
        ("An abstract.\nSecond line", "text"),
        ("", ""),
    ],
)
def test_no_path_of_this_machine_is_published(given: str, shown: str) -> None:
    assert public_name(given) == shown


def test_no_file_of_the_package_names_a_place_of_this_machine(run: Run, package: Path) -> None:
    for path in package.rglob("*"):
        if path.is_file():
            text = path.read_text(errors="replace")
            for place in (
                "secret-folder",
                str(run.folder),
                str(run.source.parent),
                "/private/",
                str(Path.home()) + "/",
            ):
                assert place not in text, f"{path.name} has {place}"


def test_a_data_set_with_an_odd_name_still_has_a_card(run: Run) -> None:
    data = run.state.dataset
    assert data is not None
    odd = data.model_copy(update={"name": "a: b\n- 'c' \"d\" # é", "revision": "", "licence": "x\n---\nlicense: mit"})
    text = model_card(run.state.model_copy(update={"dataset": odd}), "flowers")
    [entry] = ModelCard(text).data.eval_results
    assert entry.dataset_name == "a: b - 'c' \"d\" # é"
    assert ModelCard(text).data.license == "other"


def test_evaluation_results_are_those_that_the_hub_reads(run: Run, package: Path) -> None:
    text = (package / ".eval_results" / "trainwright.yaml").read_text()
    [entry] = parse_eval_result_entries(yaml.safe_load(text))
    assert run.state.evaluation is not None
    assert (entry.dataset_id, entry.task_id, entry.value) == ("flowers", "kind", round(run.state.evaluation.value, 6))
    assert entry.notes is not None
    assert "withheld" in entry.notes


def test_provenance(run: Run, package: Path) -> None:
    record = json.loads((package / "provenance.json").read_text())
    data, code, result = run.state.dataset, run.state.code, run.state.evaluation
    assert data is not None
    assert code is not None
    assert result is not None
    assert record["split"]["fingerprint"] == data.fingerprint
    assert record["code"]["sha256"] == code.sha256
    assert record["evaluation"]["value"] == result.value
    assert record["evaluation"]["evaluator_sha256"] == result.evaluator_sha256
    assert record["versions"]["python"]
    assert record["versions"]["scikit-learn"]
    assert record["data"]["source"] == "flowers.csv"


# The clean run


def test_the_clean_run_gives_the_same_score_from_a_copy(run: Run, package: Path) -> None:
    assert run.state.evaluation is not None
    assert clean_score(package, run.folder, run.state, run.predict) == run.state.evaluation.value
    assert run.calls[0] != package


@pytest.mark.parametrize(
    ("before", "message"),
    [
        ("for c in set(rows) - {'id'}: rows[c] = 0.0\n", "in a clean place, the evaluation"),
        ("import os; os.environ['MISSING']", "does not run in a clean place"),
        ("rows = rows.head(2)", "breaks the contract"),
        ("open('/nowhere/else')", "does not run in a clean place"),
    ],
)
def test_a_clean_run_that_differs_stops_the_publication(run: Run, package: Path, before: str, message: str) -> None:
    script = package / "predict.py"
    script.write_text(script.read_text().replace("far = ", f"{before}\nfar = "))
    with pytest.raises(PublicationError, match=message):
        clean_score(package, run.folder, run.state, run.predict)


def test_a_package_without_its_model_does_not_run(run: Run, package: Path) -> None:
    shutil.rmtree(package / "model")
    with pytest.raises(PublicationError, match="cannot be run"):
        clean_score(package, run.folder, run.state, run.predict)


# What is refused


def refused(run: Run, tmp_path: Path, match: str) -> None:
    with pytest.raises(PublicationError, match=match):
        build_package(run.state, run.folder, tmp_path / "refused", "flowers")


def test_a_model_that_is_a_link_to_the_withheld_labels(run: Run, tmp_path: Path) -> None:
    shutil.rmtree(run.model)
    run.model.symlink_to("../../../../withheld")
    assert (run.model / "labels.parquet").exists()
    refused(run, tmp_path, "no model to publish")


@pytest.mark.parametrize("target", ["../../../../../withheld/labels.parquet", "/etc/passwd", "nowhere", "."])
def test_a_link_in_the_model(run: Run, tmp_path: Path, target: str) -> None:
    (run.model / "more").symlink_to(target)
    refused(run, tmp_path, "no plain file")


def test_a_pipe_in_the_model(run: Run, tmp_path: Path) -> None:
    os.mkfifo(run.model / "pipe")
    refused(run, tmp_path, "no plain file")


@pytest.mark.parametrize("name", [".git", ".gitattributes", ".gitmodules", "a\nb", "a\\b", " a", "a\u202eb", "é" * 120])
def test_a_name_that_a_repository_should_not_have(run: Run, tmp_path: Path, name: str) -> None:
    (run.model / name).write_text("x")
    refused(run, tmp_path, "nothing was published")


def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).write_text("x")
    with pytest.raises(PublicationError, match="not every system can write"):
        check_names(tmp_path)


def test_an_empty_model(run: Run, tmp_path: Path) -> None:
    (run.model / "means.json").unlink()
    refused(run, tmp_path, "empty")


def test_code_that_is_not_what_was_tested(run: Run, tmp_path: Path) -> None:
    (run.folder / "attempts" / "1" / "job" / "code" / "train.py").write_text("print('other')")
    refused(run, tmp_path, "not the code that was tested")


def test_a_model_that_is_too_large(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.hub.package.MODEL_BYTES", 10)
    refused(run, tmp_path, "larger than")


def _zip(name: str, content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, content)
    return stream.getvalue()


def _npy(array: object, **options: bool) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.asarray(array), **options)
    return stream.getvalue()


EVIL = pickle.dumps(subprocess.Popen)
LARGE = pickle.dumps({"call": subprocess.Popen, "data": list(range(300_000))})
OBJECTS = np.array([{"a": 1}], dtype=object)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((f"weights.{protocol}", pickle.dumps(subprocess.Popen, protocol)) for protocol in range(6)),
        ("weights.bin", pickle.dumps({"a": 1})),
        ("model.pkl", b"anything"),
        ("model.PT", b"anything"),
        ("weights", gzip.compress(EVIL, mtime=0)),
        ("weights", bz2.compress(EVIL)),
        ("weights", lzma.compress(EVIL)),
        ("weights", zlib.compress(EVIL)),
        ("weights", gzip.compress(LARGE, mtime=0)),
        ("weights", _zip("archive/data.pkl", b"x")),
        ("weights", _zip("archive/data", EVIL)),
        ("weights", _zip("inner.zip", _zip("data", EVIL))),
        ("weights.npy", _npy(OBJECTS, allow_pickle=True)),
        ("weights.npz", _zip("a.npy", _npy(OBJECTS, allow_pickle=True))),
    ],
    ids=lambda value: value if isinstance(value, str) else "content",  # compressed bytes hold the time of day
)
def test_pickles_by_any_name(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PublicationError, match="pickle"):
        refuse_pickles(tmp_path)


def _safetensors(length: int) -> bytes:
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return length.to_bytes(8, "little") + head.ljust(length) + bytes(4)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("means.json", b'{"a": 1}'),
        ("notes.txt", b"cos\nsystem\nand more of it, which is only text\n"),
        ("numbers.txt", b"0123456789.\n"),
        ("empty", b""),
        ("weights.npy", _npy([1.0, 2.0])),
        ("weights.npz", _zip("a.npy", _npy([1.0]))),
        ("model.skops", _zip("schema.json", b'{"__class__": "SVC"}')),
        ("weights.gz", gzip.compress(b"plain text", mtime=0)),
        ("broken.zip", b"PK\x03\x04 broken"),
        ("x.bin", b"x is not compressed"),
        *((f"{length}.safetensors", _safetensors(length)) for length in (640, 896, 1_152, 1_408)),
    ],
)
def test_what_is_no_pickle(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    refuse_pickles(tmp_path)


def test_looking_at_a_pickle_never_runs_it(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
            return (os.mkdir, (str(tmp_path / "ran"),))  # type: ignore[return-value]

    (tmp_path / "x").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(PublicationError):
        refuse_pickles(tmp_path)
    assert not (tmp_path / "ran").exists()
