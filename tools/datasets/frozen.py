"""The frozen split on disk: writing it whole or not at all, its fingerprint, and reading the withheld labels.

    RUN/data/      train.parquet  validation.parquet  validation_inputs.parquet  dataset.json
    RUN/inputs/    test_inputs.parquet
    RUN/withheld/  labels.parquet  dataset.json       (folder 0700, files 0600)

`data/` is all that training sees: no row of the test part lies there. `withheld/dataset.json` is written into place
last: without it, nothing was frozen. Nothing outside `withheld/` tells anything about the test labels.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError
from trainwright.graph.state import Dataset

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

__all__ = [
    "changed_files",
    "check_frozen",
    "fingerprint_of",
    "hidden_order",
    "inputs_path",
    "read_record",
    "read_test_labels",
    "stored_fingerprint",
    "verify_frozen",
    "write_frozen",
]

PARTS = ("train", "validation", "test_inputs")
LABELS = "labels.parquet"
RECORD = "dataset.json"
FILES = (
    ("data", "train.parquet"),
    ("data", "validation.parquet"),
    ("data", "validation_inputs.parquet"),
    ("data", RECORD),
    ("inputs", "test_inputs.parquet"),
    ("withheld", LABELS),
)
AGAIN = "Start a new run from the data: a split that changed cannot be trusted."


def inputs_path(run_dir: Path) -> Path:
    """The test rows without their labels: for predictions of a finished model, never for training."""
    return run_dir / "inputs" / "test_inputs.parquet"


def fingerprint_of(tables: Mapping[str, pa.Table]) -> str:
    """sha256 over the parts and the labels: names, types and values of every column, in order.

    The bytes of the values are hashed, not those of the files, so that another version of Parquet changes nothing.
    """
    total = hashlib.sha256()
    for name in (*PARTS, "labels"):
        _hash_table(total, name, tables[name])
    return total.hexdigest()


def hidden_order(whole: pa.Table, seed: int) -> NDArray[np.int64]:
    """A permutation that follows from the rows with all their labels, and that nothing else can make again.

    Drawn from the seed alone it could be drawn again by whoever knows the seed, and would then tell the place of a
    test row in the source: its label, where the source is sorted by it. The key, a sha256 of its own, is kept nowhere.

    Args:
        whole: every row in the order of the source, with its label.
        seed: of the run; another one gives another order.

    Returns:
        For each row its id, 0 to rows - 1.
    """
    import numpy as np

    total = hashlib.sha256(f"order of rows {seed}\n".encode())
    _hash_table(total, "whole", whole)
    key = total.digest()
    drawn = [hashlib.blake2b(row.to_bytes(8), key=key, digest_size=16).digest() for row in range(whole.num_rows)]
    ids = np.empty(whole.num_rows, dtype=np.int64)
    ids[sorted(range(whole.num_rows), key=drawn.__getitem__)] = np.arange(whole.num_rows)
    return ids


def _hash_table(total: Any, name: str, table: pa.Table) -> None:
    total.update(f"{name} {table.num_rows} {table.num_columns}\n".encode())
    for column, values in zip(table.column_names, table.columns, strict=True):
        total.update(f"{len(column.encode())} {column}\n".encode())
        _hash_column(total, values)


def _hash_column(total: Any, values: pa.ChunkedArray) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    total.update(np.packbits(pc.is_valid(values).to_numpy()).tobytes())
    kind = values.type
    if pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind) or pa.types.is_large_list(kind):
        flat = values.combine_chunks().flatten()
        total.update(b"list\n")
        _hash_column(total, pa.chunked_array([flat]))
        total.update(np.asarray(pc.fill_null(pc.list_value_length(values), -1).to_numpy(), dtype="<i8").tobytes())
        return
    if pa.types.is_string(kind) or pa.types.is_binary(kind) or pa.types.is_large_string(kind):
        binary = pc.fill_null(values.cast(pa.large_binary()), b"")
        total.update(b"bytes\n" + np.asarray(pc.binary_length(binary).to_numpy(), dtype="<i8").tobytes())
        for chunk in binary.chunks:
            offsets = np.frombuffer(chunk.buffers()[1], dtype="<i8")[chunk.offset : chunk.offset + len(chunk) + 1]
            if len(chunk) and chunk.buffers()[2] is not None:
                total.update(memoryview(chunk.buffers()[2])[int(offsets[0]) : int(offsets[-1])])
        return
    if pa.types.is_timestamp(kind):
        values = values.cast(pa.timestamp("us")).cast(pa.int64())
    plain = pc.fill_null(values, False if pa.types.is_boolean(kind) else 0)
    wanted = "<f8" if pa.types.is_floating(kind) else "<i8"
    total.update(wanted.encode() + b"\n" + np.ascontiguousarray(plain.to_numpy(), dtype=wanted).tobytes())


def write_frozen(run_dir: Path, tables: Mapping[str, pa.Table], schema: dict[str, Any], record: dict[str, Any]) -> None:
    """Put the split into place; what an interrupted call left is removed first.

    Args:
        run_dir: the run's folder.
        tables: train, validation, validation_inputs, test_inputs and labels.
        schema: for `data/dataset.json`.
        record: for `withheld/dataset.json`; the sha256 of `data/dataset.json` is added.
    """
    import pyarrow.parquet as pq

    run_dir.mkdir(parents=True, exist_ok=True)
    data, inputs, withheld = (run_dir / f"{name}.part" for name in ("data", "inputs", "withheld"))
    for folder, mode in ((data, 0o755), (inputs, 0o755), (withheld, 0o700)):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        folder.chmod(mode)
    for name in ("train", "validation", "validation_inputs"):
        pq.write_table(tables[name], data / f"{name}.parquet")
    pq.write_table(tables["test_inputs"], inputs / inputs_path(run_dir).name)
    pq.write_table(tables["labels"], withheld / LABELS)
    text = json.dumps(schema, ensure_ascii=False, indent=1)
    (data / RECORD).write_text(text, encoding="utf-8")
    kept = {**record, "schema_sha256": hashlib.sha256(text.encode()).hexdigest()}
    kept["files"] = {f"{folder}/{file}": _sha256(run_dir / f"{folder}.part" / file) for folder, file in FILES}
    (withheld / RECORD).write_text(json.dumps(kept, ensure_ascii=False, indent=1), encoding="utf-8")
    for path in (*data.iterdir(), *inputs.iterdir(), *withheld.iterdir()):
        path.chmod(0o600 if path.parent == withheld else 0o644)
        _sync(path)
    (run_dir / "withheld" / RECORD).unlink(missing_ok=True)
    for temporary in (data, inputs, withheld):
        place = temporary.with_suffix("")
        shutil.rmtree(place, ignore_errors=True)
        temporary.rename(place)
    _sync(run_dir)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_record(run_dir: Path) -> dict[str, Any] | None:
    """What `withheld/dataset.json` holds; None where nothing was frozen, or not to the end."""
    try:
        record = json.loads((run_dir / "withheld" / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def stored_fingerprint(run_dir: Path) -> str:
    """The fingerprint of the files as they are now.

    Raises:
        DataError: a file is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = {name: run_dir / "data" / f"{name}.parquet" for name in PARTS}
    paths |= {"test_inputs": inputs_path(run_dir), "labels": run_dir / "withheld" / LABELS}
    try:
        return fingerprint_of({name: pq.read_table(path) for name, path in paths.items()})
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"The frozen data of {run_dir.name} cannot be read: {error}.", hint=AGAIN) from error


def changed_files(run_dir: Path, dataset: Dataset) -> list[str]:
    """The frozen files whose bytes are not those of the day they were frozen; all of them where nothing tells.

    A quick look before `verify_frozen`, which reads the values: none means that nothing was changed, some that values
    may have been.
    """
    record = read_record(run_dir) or {}
    known = record.get("files")
    names = [f"{folder}/{file}" for folder, file in FILES]
    if not isinstance(known, dict) or record.get("fingerprint") != dataset.fingerprint:
        return names
    return [name for name in names if _sha256(run_dir / name) != known.get(name)]


def _sha256(path: Path) -> str:
    """Of a file; empty if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def check_frozen(run_dir: Path, dataset: Dataset) -> None:
    """`verify_frozen`, quick where no byte was changed.

    Raises:
        DataError: a file is missing, or holds something else; which ones differ is said.
    """
    if differing := changed_files(run_dir, dataset):
        try:
            verify_frozen(run_dir, dataset)
        except DataError as error:
            raise DataError(f"{', '.join(differing)}: {error.message}", hint=error.hint) from error


def verify_frozen(run_dir: Path, dataset: Dataset) -> None:
    """Make sure that the frozen files are those of the day they were frozen.

    Raises:
        DataError: one is missing, or holds something else.
    """
    record = read_record(run_dir)
    if record is None:
        raise DataError(f"The record of the frozen data of {run_dir.name} is missing or damaged.", hint=AGAIN)
    schema = run_dir / "data" / RECORD
    found = hashlib.sha256(schema.read_bytes()).hexdigest() if schema.is_file() else ""
    changed = [] if found == record.get("schema_sha256") else ["dataset.json"]
    if stored_fingerprint(run_dir) != dataset.fingerprint or record.get("fingerprint") != dataset.fingerprint:
        changed.append("the rows")
    if _validation_inputs_differ(run_dir, dataset.target):
        changed.append("validation_inputs.parquet")
    if changed:
        text = f"The frozen data of {run_dir.name} were changed after they were frozen ({', '.join(changed)})."
        raise DataError(text, hint=AGAIN)


def _validation_inputs_differ(run_dir: Path, target: str) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder = run_dir / "data"
    try:
        whole = pq.read_table(folder / "validation.parquet").drop_columns([target])
        return not pq.read_table(folder / "validation_inputs.parquet").equals(whole)
    except (OSError, pa.ArrowException, KeyError):
        return True


def read_test_labels(run_dir: Path) -> dict[int, str | float]:
    """The withheld labels: id to canonical label or number. Only the workflow's own scoring may call this.

    Raises:
        DataError: there are none.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(run_dir / "withheld" / LABELS).to_pydict()
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"The withheld labels of {run_dir.name} cannot be read: {error}.", hint=AGAIN) from error
    return dict(zip(table["id"], table["label"], strict=True))
