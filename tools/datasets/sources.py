"""`load_data`: from what a person wrote after `--data` to typed frames, read once a process.

A spec is a file (csv, tsv, jsonl, json, parquet, npz, delimited text; gzip too), a folder (part files, one table, or
class folders of images or texts), `FOLDER/NAME` for files NAME_train.* and NAME_test.*, `sklearn:NAME`, or a Hub data
set. An existing path wins over a Hub name. What cannot be used at all (graphs, sound, prose) is loaded as a refusal,
so that the workflow can say so; what is broken is an error.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from trainwright.graph.errors import DataError
from trainwright.graph.settings import home
from trainwright.graph.state import Finding, Modality

from .arrays import read_npz
from .assembling import assembled
from .bytes_and_text import read_bytes
from .delimited import NotDelimited
from .hub_source import hub_folders, load_hub, parse_hub
from .loaded import LoadedData, RawData
from .messages import finding, shown, shown_list
from .packaged import load_sklearn, sklearn_folder
from .part_files import PartFiles, part_of, parts_of_folder, siblings, with_prefix
from .pictures import IMAGE_SUFFIXES, SOUND_SUFFIXES, encoded_image, read_class_folders
from .tables import SOUND, TABLE_SUFFIXES, read_delimited, read_json, read_parquet, table_suffix

__all__ = ["load_data", "withheld_paths"]

PROSE = (
    "These data are running text without labels, as language models are trained on. No recipe here trains language "
    "models. A table of texts with a label each could be used."
)
UNREADABLE = {
    (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npy.pkl"): (
        "is a pickle, which is not opened, since it can run code",
        "Save the data as csv, Parquet or npz.",
    ),
    (".xlsx", ".xls", ".ods"): ("is a workbook", "Save the sheet as csv, and give that file."),
    (".zip", ".tar", ".tgz", ".7z", ".rar", ".bz2", ".xz", ".zst"): (
        "is an archive",
        "Unpack it, and give what is in it.",
    ),
    (".h5", ".hdf5", ".mat", ".arff", ".rda", ".rds", ".sqlite", ".db", ".feather", ".dta", ".sav"): (
        "has a format that is not read here",
        "Save it as csv, Parquet or npz.",
    ),
    (".npy",): ("is a single array without a target", "Save features and target together: np.savez(FILE, X=…, y=…)."),
    (".pdf",): ("is a PDF, not a table", "The paper is the first argument of `run`; --data takes the data."),
}
GENERIC = re.compile(
    r"(?i)^(data|dataset|table|input|inputs|all|full|labels|samples|index|export|file|output|default)$"
)


@dataclass(frozen=True)
class Found:
    """A spec, resolved."""

    kind: Literal["local", "sklearn", "hub"]
    path: Path | None = None
    parts: PartFiles | None = None


_lock = threading.Lock()
_cached: dict[tuple[object, ...], LoadedData] = {}


def load_data(
    spec: str, *, cache: Path | None = None, header: Literal["present", "absent"] | None = None
) -> LoadedData:
    """Load data; a second call with unchanged files returns the same object.

    Args:
        spec: what a person wrote after `--data`; see the module's description.
        cache: folder for what is fetched; default `$TRAINWRIGHT_HOME/cache`.
        header: overrules what the first line of a delimited file looks like.

    Raises:
        DataError: nothing there, or it cannot be read; names the file, and the line or column where known.
    """
    found = _resolve(spec.strip())
    place = cache or home() / "cache"
    key = (spec.strip(), header, str(place), *_signature(found))
    with _lock:
        if key not in _cached:
            loaded = _load(spec.strip(), found, place, header)
            _cached.clear()  # one data set at a time: large ones must not pile up
            _cached[key] = loaded
        return _cached[key]


def withheld_paths(spec: str, *, cache: Path | None = None) -> tuple[Path, ...]:
    """Every local path at which labels of these data could lie: what a sandbox has to mask. Reads no data."""
    found = _resolve(spec.strip())
    place = cache or home() / "cache"
    if found.kind == "sklearn":
        return (sklearn_folder() / "data", place / "sklearn", Path.home() / "scikit_learn_data")
    if found.kind == "hub":
        return (*hub_folders(), place / "hub")
    assert found.path is not None
    own = {found.path, found.path.resolve()} if found.path.exists() else set()
    if found.parts is not None:
        own |= {path for each in [*found.parts.every(), *found.parts.ignored] for path in (each, each.resolve())}
    elif found.path.is_file():
        own |= {path.resolve() for path in siblings(found.path)} | set(siblings(found.path))
    inside_folder = found.path.is_dir()
    kept = {p for p in own if not (inside_folder and p.is_relative_to(found.path) and p != found.path)}
    return tuple(sorted(kept))


def _resolve(spec: str) -> Found:
    """What a spec stands for.

    Raises:
        DataError: it stands for nothing.
    """
    if not spec or "\0" in spec:
        raise DataError("No data were named.", hint="Give a file, a folder, sklearn:NAME or owner/name.")
    if spec.startswith("sklearn:"):
        return Found("sklearn")
    path = Path(spec).expanduser().absolute()
    try:
        exists = path.exists()
    except OSError:
        exists = False
    if exists:
        return Found("local", path, parts_of_folder(path) if path.is_dir() else None)
    if not table_suffix(path) and (named := with_prefix(path)):
        return Found("local", path, named)
    if parse_hub(spec) and table_suffix(path) not in (*TABLE_SUFFIXES, ".npz", ".gz"):
        return Found("hub")
    raise _nothing(spec, path)


def _nothing(spec: str, path: Path) -> DataError:
    near: list[str] = []
    if path.parent.is_dir():
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.iterdir()], 3, 0.6)
    hint = f"Did you mean {shown_list(near)}?" if near else "Check the path."
    if re.fullmatch(r"[\w-]+", spec) and not near:
        hint = f"A data set of scikit-learn is written sklearn:{spec[:60]}, one of the Hub owner/name."
    if re.match(r"https?://", spec):
        hint = "Download the file first, and give its path."
    return DataError(f"There is no file or folder {shown(spec, 200)}.", hint=hint)


def _signature(found: Found) -> Iterable[object]:
    if found.kind != "local":
        return
    assert found.path is not None
    for path in found.parts.every() if found.parts else [found.path]:
        stat = path.stat()
        yield (str(path), stat.st_mtime_ns, stat.st_size, stat.st_ino)


def _load(spec: str, found: Found, cache: Path, header: Literal["present", "absent"] | None) -> LoadedData:
    if found.kind == "sklearn":
        name = spec.removeprefix("sklearn:")
        raw, revision, licence = load_sklearn(name, cache)
    elif found.kind == "hub":
        hub = parse_hub(spec)
        assert hub is not None
        name = hub.repo.split("/")[1] + (f"-{hub.config}" if hub.config else "")
        raw, revision, licence = load_hub(hub, cache)
    else:
        assert found.path is not None
        name, licence = _name(found), _licence(found.path)
        files = found.parts.every() if found.parts else [found.path]
        raw = _read_local(found, header)
        revision = _revision(files, found.path)
    parts, notes = assembled(raw, spec) if not raw.refusal else ({}, [])
    loaded = LoadedData(
        name=name,
        source=spec,
        revision=revision,
        licence=licence,
        parts=parts,
        modality=raw.modality,
        shape=raw.shape,
        notes=(*raw.notes, *notes),
        withheld_paths=withheld_paths(spec, cache=cache),
        target=raw.target,
        refusal=raw.refusal,
        unclear_header=raw.unclear_header,
    )
    loaded = _with_images(loaded) if loaded.modality == "images" and not loaded.refusal else loaded
    return _with_refusal(loaded)


def _read_local(found: Found, header: Literal["present", "absent"] | None) -> RawData:
    assert found.path is not None
    parts = found.parts
    if parts is None:
        _refuse_format(found.path)
        raw = _read_table({"all": [found.path]}, header)
        raw.notes += _about_siblings(found.path)
    elif parts.classes or parts.kind == "audio":
        raw = read_class_folders(parts.classes, parts.kind)
    elif parts.kind == "npz":
        raw = read_npz(next(iter(parts.files.values()))[0])
    else:
        raw = _read_table(parts.files, header)
    if parts is not None and parts.ignored:
        text = f"Files of the folder that were left out: {shown_list([path.name for path in parts.ignored])}."
        raw.notes.append(finding("ignored_files", "info", text))
    return raw


def _refuse_format(path: Path) -> None:
    if path.suffix.lower() in SOUND_SUFFIXES or path.suffix.lower() in IMAGE_SUFFIXES:
        raise DataError(f"{shown(path.name)} is a single recording or image.", hint="Give the folder of all of them.")
    for suffixes, (what, hint) in UNREADABLE.items():
        if path.suffix.lower() in suffixes:
            raise DataError(f"{shown(path.name)} {what}.", hint=hint)
    if not path.is_file():
        raise DataError(f"{shown(path.name)} is no ordinary file.", hint="Give a file or a folder.")


def _read_table(files: dict[str, list[Path]], header: Literal["present", "absent"] | None) -> RawData:
    first = next(iter(files.values()))[0]
    suffix = table_suffix(first)
    if suffix == ".npz":
        return read_npz(first)
    if suffix in (".parquet", ".pq"):
        return read_parquet(files)
    if suffix in (".jsonl", ".ndjson", ".json"):
        return read_json(files)
    try:
        return read_delimited(files, header)
    except NotDelimited:
        if suffix in (".csv", ".tsv", ".tab") or not _is_prose(first):
            raise
        return RawData({}, modality="language_model", refusal=PROSE)


def _is_prose(path: Path) -> bool:
    words = read_bytes(path)[:100_000].split()
    return len(words) >= 50


def _about_siblings(path: Path) -> list[Finding]:
    beside = siblings(path)
    if not beside:
        return []
    prefix = part_of(path)[0]
    whole = shown(str(path.parent / prefix) if prefix else str(path.parent), 200)
    text = f"Beside {shown(path.name)} lie other parts of it ({shown_list([p.name for p in beside])}). They were not "
    text += f"joined: give {whole} to use the official parts."
    return [finding("sibling_parts", "warning", text)]


def _name(found: Found) -> str:
    """A name for the data set: of the file, or of the folder where the file's own says nothing."""
    assert found.path is not None
    if found.path.is_dir():
        prefix = found.parts.prefix if found.parts else ""
        only = found.parts.files.get("all", []) if found.parts else []
        name = prefix or (part_of(only[0])[0] if len(only) == 1 else "")
        return name if name and not GENERIC.match(name) else found.path.name or "data"
    prefix, _ = part_of(found.path)
    return prefix if prefix and not GENERIC.match(prefix) else found.path.parent.name or prefix or "data"


def _licence(path: Path) -> str:
    """What a card or licence file beside the data states, in its own short form; else `unknown`."""
    folder = path if path.is_dir() else path.parent
    card = folder / "README.md"
    if card.is_file() and card.stat().st_size < 10**6:
        match = re.match(r"---\n.*?^license:\s*([\w.+-]+)\s*$.*?^---", card.read_text("utf-8", "replace"), re.M | re.S)
        if match:
            return match[1].lower()
    return "unknown"


def _revision(files: list[Path], path: Path) -> str:
    digests = [(each, hashlib.sha256(each.read_bytes()).hexdigest()) for each in files]
    if len(digests) == 1:
        return digests[0][1]
    root = path if path.is_dir() else path.parent
    lines = "".join(f"{each.relative_to(root).as_posix()} {digest}\n" for each, digest in digests)
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()


def _with_images(loaded: LoadedData) -> LoadedData:
    """The column of encoded images called `image`, each decoded once, in PNG or JPEG."""
    import pandas as pd

    parts, shapes = dict(loaded.parts), set()
    for part, frame in loaded.parts.items():
        held = [c for c in frame.columns if len(frame) and isinstance(frame[c].iloc[0], bytes)]
        if len(held) > 1:
            raise DataError(f"Each row holds {len(held)} images ({shown_list(held)}); one a row is supported.")
        if not held:
            continue
        encoded = []
        for i, content in enumerate(frame[held[0]]):
            if not isinstance(content, bytes):
                raise DataError(f"Row {i + 1} of the {part} part holds no image.", hint="Remove the row.")
            content, shape = encoded_image(content, f"in row {i + 1} of the {part} part")
            encoded.append(content)
            shapes.add(shape)
        others = frame.drop(columns=held)
        parts[part] = pd.concat([pd.Series(encoded, dtype=object, name="image"), others], axis=1)
    if not shapes:
        return loaded
    shape = loaded.shape or (next(iter(shapes)) if len(shapes) == 1 else max(shapes))
    return replace(loaded, parts=parts, shape=shape)


def _with_refusal(loaded: LoadedData) -> LoadedData:
    """Tables that only name sound or image files hold none of what their rows are about."""
    if loaded.refusal or not loaded.parts:
        return loaded
    frame = next(iter(loaded.parts.values()))
    for name in frame.columns:
        if str(frame[name].dtype) != "str" or not len(frame):
            continue
        sample = frame[name].dropna().head(200).str.lower()
        for suffixes, modality, what in ((SOUND_SUFFIXES, "audio", SOUND), (IMAGE_SUFFIXES, "images", FILES)):
            if len(sample) and sample.str.endswith(suffixes).mean() > 0.9:
                kind: Modality = "audio" if modality == "audio" else "images"
                return replace(loaded, parts={}, modality=kind, refusal=what)
    return loaded


FILES = (
    "These data are a table that names image files. Images are read from a folder with one folder for each class (and "
    "train/ and test/ above them, where there are official parts): put the files so, and give that folder."
)
