"""Which files of a repository are which split: as its card says, else by their names, as `datasets` does it.

What neither says is taken for one training split. Nothing is read here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any

from .hub import Description
from .stored import HubFile

__all__ = ["Layout", "card_label", "card_splits", "converted_layout", "layout_of"]

Layout = dict[str, dict[str, list[HubFile]]]
"""Configuration to split to files."""

READABLE = (".parquet", ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".arrow", ".txt")
ASIDE = re.compile(r"(?i)^(readme|licen[sc]e|notice|dataset_infos?|dataset_dict|state|requirements|config|citation)\b")
WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
SHARD = re.compile(r"(?:^|/)(?:[\w.-]*[-_./ ])?(?P<split>\w+(?:\.\w+)*)-\d{5}-of-\d{5}[\w.-]*\.parquet$")


def layout_of(found: Description) -> Layout:
    """The readable files of a data set by configuration and split."""
    files = [HubFile(found.id, found.sha, path, size) for path, size in found.files if _is_data(path)]
    return _by_card(found.card, files) or _by_names(files)


def _is_data(path: str) -> bool:
    name = path.rpartition("/")[2].lower()
    hidden = any(part.startswith((".", "__")) for part in path.split("/"))
    return name.removesuffix(".gz").endswith(READABLE) and not ASIDE.match(name) and not hidden


def _by_card(card: dict[str, Any], files: list[HubFile]) -> Layout:
    """As the `configs` of the card say."""
    layout: Layout = {}
    stated = card.get("configs")
    for one in stated if isinstance(stated, list) else []:
        if not isinstance(one, dict) or "data_files" not in one:
            continue
        folder = str(one.get("data_dir") or "").strip("/")
        parts: dict[str, list[HubFile]] = {}
        for split, patterns in _patterns(one["data_files"]):
            full = [f"{folder}/{pattern}" if folder else pattern for pattern in patterns]
            own = [file for file in files if any(_matches(file.path, pattern) for pattern in full)]
            if own:
                parts.setdefault(split, []).extend(own)
        if parts:
            layout[str(one.get("config_name") or "default")[:200]] = parts
    return layout


def _patterns(stated: Any) -> Iterable[tuple[str, list[str]]]:
    if isinstance(stated, str):
        stated = [stated]
    if isinstance(stated, dict):
        stated = [{"split": split, "path": path} for split, path in stated.items()]
    plain = [one for one in stated if isinstance(one, str)] if isinstance(stated, list) else []
    if plain:
        yield "train", plain
    for one in stated if isinstance(stated, list) else []:
        if isinstance(one, dict) and "path" in one:
            paths = one["path"] if isinstance(one["path"], list) else [one["path"]]
            yield str(one.get("split") or "train")[:200], [str(path) for path in paths]


def _matches(path: str, pattern: str) -> bool:
    pattern = pattern.removeprefix("./").removeprefix("/")
    if len(pattern) > 300 or pattern.count("*") > 10:
        return False  # a pattern of the world's must not cost time without end
    # `**/` may stand for no folder at all.
    return fnmatchcase(path, pattern) or fnmatchcase(path, pattern.replace("**/", ""))


def _by_names(files: list[HubFile]) -> Layout:
    """By the words for splits in names, else in folders; else one training split. The commonest format counts."""
    if not files:
        return {}
    suffixes = [PurePosixPath(file.name.lower().removesuffix(".gz")).suffix for file in files]
    main = max(dict.fromkeys(suffixes), key=lambda suffix: (suffixes.count(suffix), -READABLE.index(suffix)))
    parts: dict[str, list[HubFile]] = {}
    for file, suffix in zip(files, suffixes, strict=True):
        if suffix == main:
            parts.setdefault(_split_in(file.path), []).append(file)
    named = {split: parts[split] for split in WORDS if split in parts}
    others = {split: own for split, own in parts.items() if split and split not in named}
    if not named and not others:
        return {"default": {"train": parts[""]}}
    return {"default": {**named, **others}}


def _split_in(path: str) -> str:
    if shard := SHARD.search(path):
        return next((split for split, words in WORDS.items() if shard["split"] in words), shard["split"])
    *folders, name = path.lower().split("/")
    for text in (name, *reversed(folders)):
        pieces = re.split(r"[-._ 0-9]+", text)
        for split, words in WORDS.items():
            if any(word in pieces for word in words):
                return split
    return ""


def converted_layout(found: Description) -> Layout:
    """The files of the branch of conversions: configuration/split/0000.parquet; a split converted in part is named so."""
    layout: Layout = {}
    for path, size in found.files:
        pieces = path.split("/")
        if len(pieces) == 3 and path.endswith(".parquet"):
            split = pieces[1].removeprefix("partial-")
            layout.setdefault(pieces[0], {}).setdefault(split, []).append(HubFile(found.id, found.sha, path, size))
    return layout


def card_splits(card: dict[str, Any]) -> list[dict[str, Any]]:
    """What the card states as `dataset_info`, one entry a configuration; empty where it states none."""
    stated = card.get("dataset_info")
    entries = stated if isinstance(stated, list) else [stated]
    return [one for one in entries if isinstance(one, dict)]


def card_label(card: dict[str, Any], config: str) -> str:
    """The column that the card names as the one to predict, for a configuration; empty where it names none."""
    stated = card.get("train-eval-index", card.get("train_eval_index"))
    for one in stated if isinstance(stated, list) else []:
        columns = one.get("col_mapping") if isinstance(one, dict) else None
        if isinstance(columns, dict) and str(one.get("config", config)) == config:
            return next((str(name) for name, role in columns.items() if role in ("target", "label", "labels")), "")
    return ""
