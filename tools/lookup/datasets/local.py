"""Files and folders of this machine, by split. Which file is which is decided by the code that loads data for a run."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from trainwright.graph.errors import DataError
from trainwright.tools.datasets.messages import shown, shown_list

from .stored import LocalFile

__all__ = ["LocalData", "local_data"]


@dataclass
class LocalData:
    """A file or folder.

    Attributes:
        path: absolute.
        splits: split to files; `all` where nothing is divided.
        classes: split to class to number of files, for folders of pictures, texts or sounds.
        kind: table, images, text or audio.
    """

    path: Path
    splits: dict[str, list[LocalFile]] = field(default_factory=dict)
    classes: dict[str, dict[str, int]] = field(default_factory=dict)
    kind: str = "table"
    notes: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Of all files that are read."""
        return sum(file.size for files in self.splits.values() for file in files)


def local_data(text: str) -> LocalData:
    """What lies at a path.

    Raises:
        DataError: nothing, or several data sets, or what is no table.
    """
    from trainwright.tools.datasets.part_files import part_of, parts_of_folder, with_prefix

    if not text or "\0" in text:
        raise DataError("No file was named.", hint="Give a file or a folder.")
    path = Path(text).expanduser().absolute()
    if path.is_file():
        return LocalData(path, {part_of(path)[1] or "all": [LocalFile(path)]})
    if path.is_dir() and (saved := _saved(path)):
        return LocalData(path, saved)
    parts = parts_of_folder(path) if path.is_dir() else with_prefix(path)
    if parts is None:
        raise DataError(f"There is no file or folder {shown(str(path), 200)}.", hint="Check the path.")
    if parts.kind == "npz":
        raise DataError(
            f"{shown(str(path), 200)} holds NumPy arrays, no table of rows.", hint="Give csv, jsonl or Parquet."
        )
    found = LocalData(
        path, {part: [LocalFile(one) for one in files] for part, files in parts.files.items()}, kind=parts.kind
    )
    if parts.kind == "audio" and not parts.classes and (table := _only_table(path)):
        found.splits, found.kind = {"all": [LocalFile(table)]}, "table"
        found.notes.append(f"The folder holds sound files; what is known of them was read from {shown(table.name)}.")
    if parts.kind == "text" and (held := _data_sets_in(path)):
        raise DataError(
            f"{shown(str(path), 200)} holds folders with data sets of their own: {shown_list(held)}.",
            hint=f"Give one of them, such as {shown(str(path / held[0]), 200)}.",
        )
    found.classes = {part: {name: len(files) for name, files in own.items()} for part, own in parts.classes.items()}
    if parts.ignored:
        found.notes.append(f"Left out: {shown_list([one.name for one in parts.ignored])}.")
    return found


def _only_table(folder: Path) -> Path | None:
    tables = [path for path in sorted(folder.iterdir()) if path.is_file() and _is_table(path)]
    return tables[0] if len(tables) == 1 else None


def _data_sets_in(folder: Path) -> list[str]:
    """The folders of a folder that hold tables or arrays, and so no class of texts."""
    below = [sub for sub in sorted(folder.iterdir()) if sub.is_dir() and not sub.name.startswith(".")]
    return [sub.name for sub in below if any(_is_table(path) for path in sub.iterdir())]


def _is_table(path: Path) -> bool:
    from trainwright.tools.datasets.tables import table_suffix

    return table_suffix(path) in (".csv", ".tsv", ".jsonl", ".parquet", ".npz") and not path.name.startswith(".")


def _saved(folder: Path) -> dict[str, list[LocalFile]]:
    """The splits of what `datasets` saved with `save_to_disk`; empty where it is nothing of that kind."""
    if (folder / "state.json").is_file():
        return {"all": files} if (files := _arrow_files(folder)) else {}
    try:
        stated = json.loads((folder / "dataset_dict.json").read_text("utf-8"))["splits"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    names = [name for name in stated if isinstance(name, str) and "/" not in name and name not in (".", "..")]
    return {name: files for name in names if (files := _arrow_files(folder / name))}


def _arrow_files(folder: Path) -> list[LocalFile]:
    return [LocalFile(path) for path in sorted(folder.glob("data-*.arrow"))]
