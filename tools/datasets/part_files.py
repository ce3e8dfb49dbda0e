"""Which files of a folder are the parts of one data set, by their names.

`train.csv`, `emotion_val.csv`, `adult-test.csv`, `train-00000-of-00002.parquet` and the like. What is not clear is an
error that lists the files: files are never joined on a guess.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from trainwright.graph.errors import DataError

from .messages import shown, shown_list
from .pictures import IMAGE_SUFFIXES, SOUND_SUFFIXES, class_folders, visible
from .tables import TABLE_SUFFIXES, table_suffix

__all__ = ["PartFiles", "part_of", "parts_of_folder", "siblings", "with_prefix"]

WORDS = {
    "train": "train", "training": "train", "trn": "train", "tr": "train",
    "valid": "validation", "validation": "validation", "val": "validation", "dev": "validation",
    "test": "test", "testing": "test", "tst": "test", "eval": "test", "heldout": "test",
}  # fmt: skip
PART_NAME = re.compile(
    r"(?i)^(?:(?P<prefix>.+?)[-_. ])?(?P<part>train|training|trn|tr|valid|validation|val|dev|test|testing|tst|eval|heldout)"
    r"(?:[-_. ](?P<rest>set|data|split|part|full|all|\d{1,5}(?:-of-\d{1,5})?))?$"
)
PARTS = ("train", "validation", "test")
FORMATS = (*TABLE_SUFFIXES, ".npz")
PROSE = (".txt", ".text", ".md")
ASIDE = re.compile(
    r"(?i)^(readme|license|licence|case|changelog|notice|citation|requirements|sample_?submission)\b.*|.*\.names$"
)
LABEL_MAPS = re.compile(r"(?i).*(mapping|label_names|classes|metadata|labels_?map).*")


@dataclass
class PartFiles:
    """The files of one data set.

    Attributes:
        files: part name (`all`, or train, validation, test) to its files.
        classes: for class folders, part name to class to files.
        kind: table, npz, images, text or audio.
        prefix: what stands before the part in the names.
        ignored: files of the folder that look like data and were left out.
    """

    kind: str
    files: dict[str, list[Path]] = field(default_factory=dict)
    classes: dict[str, dict[str, list[Path]]] = field(default_factory=dict)
    prefix: str = ""
    ignored: list[Path] = field(default_factory=list)

    def every(self) -> list[Path]:
        """All files, sorted."""
        nested = [path for classes in self.classes.values() for files in classes.values() for path in files]
        return sorted({*nested, *(path for files in self.files.values() for path in files)})


def _stem(path: Path) -> str:
    name = path.name.removesuffix(".gz")
    suffix = Path(name).suffix
    return name[: -len(suffix)] if suffix.lower() in (*FORMATS, ".text") else name


def part_of(path: Path) -> tuple[str, str]:
    """The prefix and the part that a file's name states; the part is empty where it states none."""
    match = PART_NAME.match(_stem(path))
    if match is None:
        suffix = path.suffix.lower().lstrip(".")
        return (path.stem, WORDS[suffix]) if suffix in ("train", "test", "dev", "val") else (_stem(path), "")
    return match["prefix"] or "", WORDS[match["part"].lower()]


def _data_files(folder: Path) -> list[Path]:
    return [
        path
        for path in visible(folder)
        if path.is_file()
        and not ASIDE.match(path.name)
        and (table_suffix(path) in FORMATS or path.suffix.lower() in (".train", ".test", ".dev", ".val", ".all"))
    ]


def siblings(path: Path) -> list[Path]:
    """The other official parts that lie beside a file: same prefix, same format, another part."""
    prefix, part = part_of(path)
    if not part:
        return []
    near = [other for other in _data_files(path.parent) if table_suffix(other) == table_suffix(path) and other != path]
    return [other for other in near if part_of(other)[0] == prefix and part_of(other)[1] not in ("", part)]


def with_prefix(path: Path) -> PartFiles | None:
    """The parts `NAME_train.csv`, `NAME_test.csv` for a path `FOLDER/NAME` that does not exist itself."""
    if not path.parent.is_dir():
        return None
    named = [p for p in _data_files(path.parent) if part_of(p)[0] == path.name and part_of(p)[1]]
    return _grouped(named, path.name, []) if named else None


def parts_of_folder(folder: Path) -> PartFiles:
    """The parts in a folder: files named by part, one data file, or class folders of images, texts or sounds.

    Raises:
        DataError: nothing is found, or several data sets lie there.
    """
    files = _data_files(folder)
    tables = [path for path in files if table_suffix(path) not in PROSE]
    by_prefix: dict[str, list[Path]] = defaultdict(list)
    for path in files:
        prefix, part = part_of(path)
        if part:
            by_prefix[prefix].append(path)
    complete = {k: v for k, v in by_prefix.items() if len({part_of(p)[1] for p in v}) > 1 or len(by_prefix) == 1}
    if folders := _class_folders(folder):
        return folders
    if _sounds(folder):
        return PartFiles("audio")
    others = [p for p in tables if not part_of(p)[1] and not LABEL_MAPS.match(p.name)]
    if len(complete) == 1 and not others:
        prefix, own = next(iter(complete.items()))
        return _grouped(own, prefix, [path for path in files if path not in own])
    if not by_prefix and (only := _only(tables, files)):
        rest = [path for path in files if path not in only]
        return PartFiles("npz" if only[0].suffix == ".npz" else "table", {"all": only}, ignored=rest)
    if not files:
        return _inside(folder)
    raise DataError(
        f"{shown(str(folder), 200)} holds more than one data set: {shown_list([p.name for p in files], 14)}.",
        hint=_which(folder, files, complete),
    )


def _only(tables: list[Path], files: list[Path]) -> list[Path]:
    """The single table of a folder, the shards of one, or a single text."""
    data = [path for path in tables if not LABEL_MAPS.match(path.name)] or tables or files
    shards = re.compile(r"(.*?)[-_.]?\d{1,5}-of-\d{1,5}")
    stems = {match[1] if (match := shards.fullmatch(_stem(path))) else path.name for path in data}
    return data if len(stems) == 1 else []


def _which(folder: Path, files: list[Path], complete: dict[str, list[Path]]) -> str:
    named = sorted(prefix for prefix in complete if prefix)
    if named:
        return f"Give one file, or {shown(str(folder / named[0]), 200)} for all parts of {shown(named[0])}."
    return f"Give one of the files, such as {shown(str(folder / files[0].name), 200)}."


def _grouped(files: list[Path], prefix: str, ignored: list[Path]) -> PartFiles:
    """Files named by part, in one format: where there are several, the one that is best to read."""
    formats = [table_suffix(path) for path in files]
    wanted = min(set(formats), key=lambda s: FORMATS.index(s) if s in FORMATS else 99)
    parts: dict[str, list[Path]] = defaultdict(list)
    for path, form in zip(files, formats, strict=True):
        if form == wanted or form not in FORMATS:
            parts[part_of(path)[1]].append(path)
        else:
            ignored.append(path)
    for part, several in parts.items():
        if len(several) > 1 and not all(re.search(r"\d{1,5}-of-\d{1,5}", path.name) for path in several):
            raise DataError(
                f"{shown(str(several[0].parent), 200)} holds {len(several)} files for the {part} part: "
                f"{shown_list([path.name for path in several])}.",
                hint="Leave one file a part in the folder.",
            )
    ordered: dict[str, list[Path]] = {part: parts[part] for part in PARTS if part in parts}
    if "train" not in ordered:
        ordered = {"all": [path for several in ordered.values() for path in several]}
    return PartFiles("npz" if wanted == ".npz" else "table", ordered, prefix=prefix, ignored=ignored)


def _class_folders(folder: Path) -> PartFiles | None:
    for kind, suffixes in (("images", IMAGE_SUFFIXES), ("audio", SOUND_SUFFIXES), ("text", PROSE)):
        parts = {}
        for sub in visible(folder):
            if sub.is_dir() and sub.name.lower() in WORDS and (inside := class_folders(sub, suffixes)):
                parts[WORDS[sub.name.lower()]] = inside
        if "train" in parts:
            return PartFiles(kind, classes={p: parts[p] for p in ("train", "validation", "test") if p in parts})
        classes = class_folders(folder, suffixes)
        if len(classes) > 1 and not _data_files(folder):
            return PartFiles(kind, classes={"all": classes})
    return None


def _sounds(folder: Path) -> bool:
    """Whether sound files lie in the folder, or in folders of it."""
    places = [folder, *(sub for sub in visible(folder) if sub.is_dir())]
    return any(path.suffix.lower() in SOUND_SUFFIXES for place in places for path in visible(place))


def _inside(folder: Path) -> PartFiles:
    """The folder `data` of a folder without data, as on the Hub; or a message that says what is missing."""
    if (folder / "data").is_dir():
        return parts_of_folder(folder / "data")
    below = visible(folder)
    pictures = [p for p in below if p.suffix.lower() in IMAGE_SUFFIXES]
    classes = class_folders(folder, IMAGE_SUFFIXES)
    if pictures:
        problem = f"holds {len(pictures)} images without class folders, so nothing says what they show"
    elif classes:
        problem = f"holds a single class folder ({shown(next(iter(classes)))}); at least two classes are needed"
    else:
        problem = "holds no data file" if below else "is empty"
    raise DataError(
        f"{shown(str(folder), 200)} {problem}.",
        hint="Put train.csv (and test.csv) there, one table, or one folder of images a class.",
    )
