"""The report on a data set of the Hub, and the same on a file or folder here.

The Hub says what the data set is, its viewer what is in it. Where the viewer cannot tell, the files themselves are
looked at, and where these are closed, what the card states is given; each time the notes say so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError, NotFound, RemoteError, TrainwrightError
from trainwright.tools.lookup.found import Source

from .arguments import InspectArgs, hub_part
from .conversations import conversations_of
from .fitness import fitness_of
from .hub import Description, card_text, describe
from .kinds import Kind, from_card, from_features
from .layout import Layout, card_label, card_splits, converted_layout, layout_of
from .local import LocalData, local_data
from .measuring import bare, from_viewer, measured, shown_rows
from .reading import Head, read_head
from .report import Inspection, SplitReport
from .viewer import Viewer
from .withheld import any_on_the_hub, is_withheld_hub, is_withheld_path, training_only

if TYPE_CHECKING:
    from .stored import HubFile

__all__ = ["HubData", "hub_data", "inspect_file", "inspect_hub"]

MOST_SPLITS = 10
HEAD = 1000
"""Rows that are read of a file on the Hub."""

LOCAL_HEAD = 100_000
LOOKED_AT = 100
"""Rows that are looked at for what types do not say."""

CONVERTED = "refs/convert/parquet"
MAIN = ("", "main")
HIDDEN = (
    "This run is scored on these data: no value, label or figure is shown of any but the training split, and none at all "
    "where a configuration has no test split of its own."
)


@dataclass
class HubData:
    """A data set on the Hub, as far as it is known.

    Attributes:
        id: as the Hub calls it now.
        found: what the Hub says; None where it could not be asked.
        splits: all of them.
        withheld: whether the run is scored on it.
    """

    id: str
    found: Description | None
    viewer: Viewer
    revision: str = ""
    splits: list[SplitReport] = field(default_factory=list)
    withheld: bool = False
    complete: bool = True
    partial: bool = False
    served: bool = False
    notes: list[str] = field(default_factory=list)
    _layout: Layout | None = None

    def by_config(self) -> dict[str, list[str]]:
        """Configuration to its splits, in order."""
        grouped: dict[str, list[str]] = {}
        for one in self.splits:
            grouped.setdefault(one.config, []).append(one.split)
        return grouped

    def may_show(self, config: str, split: str) -> bool:
        """Whether values of a split may be shown."""
        if not self.withheld:
            return True
        return self.complete and training_only(self.by_config(), config, split, self.revision)

    def choose(self, config: str, split: str, usual: str = "") -> tuple[str, str]:
        """The configuration and split that are meant: by default the first, and its first.

        Args:
            usual: the split where none is named, if there is one of that name.

        Raises:
            NotFound: there is no such one; names those that there are.
        """
        grouped = self.by_config()
        if not grouped:
            return config, split
        if not config and split:
            config = next((name for name, splits in grouped.items() if split in splits), "")
        config = config or next(iter(grouped))
        if config not in grouped:
            raise NotFound(f"{self.id} has no configuration {config!r}.", hint=f"There are {_listed(grouped)}.")
        splits = grouped[config]
        split = split or (usual if usual in splits else splits[0])
        if split not in splits:
            raise NotFound(f"{self.id} has no split {split!r} in {config!r}.", hint=f"There are {_listed(splits)}.")
        return config, split

    def layout(self) -> Layout:
        """Its own files by split; else those of the Hub's conversion to Parquet."""
        if self._layout is None:
            self._layout = layout_of(self.found) if self.found else {}
            if not self._layout and self.found and self.revision in MAIN:
                self._layout = self._converted()
        return self._layout

    def _converted(self) -> Layout:
        try:
            layout = converted_layout(describe(self.id, CONVERTED))
        except RemoteError:
            return {}
        if layout:
            self.notes.append(
                "The files are those of the Hub's conversion to Parquet: the repository's own are not read here."
            )
        return layout

    def files(self, config: str, split: str) -> list[HubFile]:
        """The files of a split, empty where none is known. The conversion is used where names do not fit."""
        layout = self.layout()
        if config in layout:
            return layout[config].get(split, [])
        if len(layout) == 1 and len(self.by_config()) <= 1:
            return next(iter(layout.values())).get(split, [])
        if self.found and self.revision in MAIN:
            return self._converted().get(config, {}).get(split, [])
        return []

    def kinds_on_card(self, config: str) -> dict[str, Kind]:
        """Columns as the card states them."""
        entries = card_splits(self.found.card) if self.found else []
        own = [one for one in entries if str(one.get("config_name", "default")) == config] or entries[:1]
        return from_card(own[0].get("features")) if own else {}


def _listed(names: Any) -> str:
    every = list(names)
    return ", ".join(every[:20]) + (f" and {len(every) - 20} more" if len(every) > 20 else "")


def hub_data(id: str, revision: str = "") -> HubData:  # noqa: A002 - as all areas call it
    """What a data set is and which splits it has.

    Raises:
        NotFound: there is no such data set.
        RemoteError: neither the Hub nor its viewer knows anything of it.
    """
    trouble: RemoteError | None = None
    found: Description | None = None
    try:
        found = describe(id, revision)
    except NotFound:
        raise
    except RemoteError as error:
        trouble = error
    own = found.id if found else id
    data = HubData(own, found, Viewer(own), revision, withheld=_may_be_withheld(id, own, found is not None))
    if trouble:
        data.notes.append(f"The Hub could not be asked: {trouble.message} What its viewer knows is given.")
    _set_splits(data)
    if trouble and not data.splits:
        raise trouble
    return data


def _may_be_withheld(asked: str, own: str, known: bool) -> bool:
    """Where the Hub cannot say which data set this is, it may be a withheld one: the viewer knows old names too."""
    try:
        return is_withheld_hub(asked, own) if known else any_on_the_hub()
    except RemoteError:
        return True


def _set_splits(data: HubData) -> None:
    if data.revision in MAIN:
        told = data.viewer.ask("splits")
        data.splits = [
            SplitReport(config=str(one.get("config", ""))[:200], split=str(one.get("split", ""))[:200])
            for one in told.list("splits")
        ]
        data.complete = not told.list("pending") and not told.list("failed")
        data.served = bool(data.splits)
        if data.served:
            _set_sizes(data)
            _compare_commits(data)
            return
        data.notes.append(f"The Hub's viewer cannot serve these data: {told.reason or 'it names no split'}.")
    else:
        data.notes.append("The Hub's viewer knows the newest revision alone: this one was read from its files.")
    stated = _splits_on_card(data)
    if layout := data.layout():
        known = {(one.config, one.split): one for one in stated}
        data.splits = [
            SplitReport(
                config=config,
                split=split,
                rows=known[config, split].rows if (config, split) in known else None,
                bytes=sum(max(file.size, 0) for file in files),
            )
            for config, splits in layout.items()
            for split, files in splits.items()
        ]
    else:
        data.splits = stated


def _splits_on_card(data: HubData) -> list[SplitReport]:
    reports = []
    for entry in card_splits(data.found.card) if data.found else []:
        splits = entry.get("splits")
        for one in splits if isinstance(splits, list) else []:
            if isinstance(one, dict) and "name" in one:
                rows, size = one.get("num_examples"), one.get("num_bytes")
                reports.append(
                    SplitReport(
                        config=str(entry.get("config_name", "default"))[:200],
                        split=str(one["name"])[:200],
                        rows=rows if type(rows) is int else None,
                        bytes=int(size) if isinstance(size, int | float) and not isinstance(size, bool) else None,
                    )
                )
    return reports


def _set_sizes(data: HubData) -> None:
    told = data.viewer.ask("size")
    if told.reason:
        data.notes.append(f"Rows and bytes are not known: {told.reason}.")
        return
    size = told.value.get("size")
    splits = size.get("splits") if isinstance(size, dict) else None
    known = (
        {(o.get("config"), o.get("split")): o for o in splits if isinstance(o, dict)}
        if isinstance(splits, list)
        else {}
    )
    for one in data.splits:
        entry = known.get((one.config, one.split), {})
        rows, held = entry.get("num_rows"), entry.get("num_bytes_memory")
        one.rows = rows if type(rows) is int else None
        one.bytes = held if type(held) is int else None
    data.partial = told.value.get("partial") is True
    if data.partial:
        data.notes.append("The Hub's viewer has counted only a part of the rows: the data are larger than it says.")


def _compare_commits(data: HubData) -> None:
    known = data.viewer.revision
    if data.found and known and data.found.sha and known != data.found.sha:
        data.notes.append(
            f"The viewer's figures are of the commit {known[:12]}, not of the newest, {data.found.sha[:12]}."
        )


def inspect_hub(wanted: InspectArgs) -> Inspection:
    """See `trainwright.tools.lookup.datasets.inspect`."""
    part = hub_part(wanted.id)
    data = hub_data(part.id, wanted.revision)
    report = _described(data)
    report.config, report.split = data.choose(part.config, part.split)
    _fill(report, data, wanted.samples, wanted.target)
    report.notes = list(dict.fromkeys([*data.notes, *report.notes]))
    report.sources = [*([data.found.source] if data.found else []), *data.viewer.sources, *report.sources]
    return report


def _described(data: HubData) -> Inspection:
    report = Inspection(id=data.id, splits=data.splits[:MOST_SPLITS])
    if len(data.splits) > MOST_SPLITS:
        report.split_count = f"{MOST_SPLITS} of {len(data.splits)}"
    rows = [one.rows for one in data.splits]
    report.rows = sum(one or 0 for one in rows) if rows and None not in rows else None
    found = data.found
    if found is None:
        return report
    report.revision, report.licence, report.gated = found.sha, found.licence or "not stated", found.gated
    report.downloads, report.likes, report.modified = found.downloads, found.likes, found.modified
    report.tags = list(found.tags)
    report.bytes = sum(max(size, 0) for _, size in found.files) or None
    if found.gated:
        how = "is then given at once" if found.gated == "auto" else "is then decided by its authors"
        report.access = f"The terms must be accepted at {found.page} by whoever is logged in; access {how}."
    if not data.withheld:
        try:
            report.card = card_text(found)
        except RemoteError as error:
            report.notes.append(f"The card could not be read: {error.message}")
    return report


def _fill(report: Inspection, data: HubData, samples: int, target: str) -> None:
    """Columns, figures, samples and verdicts: by the viewer, else from the files, else as the card says."""
    shown = data.may_show(report.config, report.split)
    if not shown:
        report.notes.append(HIDDEN)
    kinds, rows = _by_viewer(report, data, shown)
    if not kinds or (shown and not rows):
        head = _by_files(report, data, shown)
        kinds = kinds or (head.kinds if head else {})
        if head and shown:
            rows = head.table.slice(0, LOOKED_AT).to_pylist()
            if not any(one.missing is not None for one in report.columns):
                report.columns = measured(kinds, head.table)
                report.figures_of = "" if head.whole else f"the first {len(head.table):,} rows"
    if not kinds and (kinds := data.kinds_on_card(report.config)):
        report.notes.append("Columns and types are those that the card states; no row was read.")
    report.columns = report.columns or bare(kinds)
    if len(kinds) > len(report.columns):
        report.notes.append(f"{len(report.columns)} of {len(kinds)} columns are shown.")
    if not kinds:
        report.notes.append("Nothing is known of the columns.")
        return
    declared = card_label(data.found.card, report.config) if data.found else ""
    _judge(report, kinds, rows if shown else [], samples, target, declared)


def _judge(
    report: Inspection,
    kinds: Mapping[str, Kind],
    rows: list[dict[str, Any]],
    samples: int,
    target: str,
    declared: str = "",
) -> None:
    report.samples = shown_rows(rows, kinds, samples)
    report.conversations = conversations_of(kinds, rows)
    report.fitness = fitness_of(kinds, rows, report.columns, asked=target, declared=declared)


def _by_viewer(report: Inspection, data: HubData, shown: bool) -> tuple[dict[str, Kind], list[dict[str, Any]]]:
    if not data.served:
        return {}, []
    where = {"config": report.config, "split": report.split}
    told = data.viewer.ask("info", config=report.config)
    info = told.value.get("dataset_info")
    kinds = from_features(info.get("features")) if isinstance(info, dict) else {}
    if told.reason:
        report.notes.append(f"The viewer's types are missing: {told.reason}.")
    if not shown:
        return kinds, []
    first = data.viewer.ask("first-rows", **where)
    kinds = from_features(first.value.get("features")) or kinds
    if first.reason:
        report.notes.append(f"The viewer's first rows are missing: {first.reason}.")
    counted = data.viewer.ask("statistics", **where)
    if counted.reason:
        report.notes.append(f"The viewer's statistics are missing: {counted.reason}.")
    else:
        report.columns = from_viewer(kinds, counted.value.get("statistics"), counted.value.get("num_examples"))
        if counted.value.get("partial") is True:
            report.figures_of = f"the first {counted.value.get('num_examples', '?')} rows"
    return kinds, _viewer_rows(first.list("rows"), report)


def _viewer_rows(entries: list[dict[str, Any]], report: Inspection) -> list[dict[str, Any]]:
    """Rows without the cells that the viewer has cut into strings."""
    rows, cells = [], 0
    for entry in entries[:LOOKED_AT]:
        row = entry.get("row")
        if not isinstance(row, dict):
            continue
        cut = entry.get("truncated_cells")
        cut = {name for name in cut if isinstance(name, str)} if isinstance(cut, list) else set()
        cells += len(cut)
        rows.append({str(name): value for name, value in row.items() if name not in cut or isinstance(value, str)})
    if cells:
        report.notes.append(f"The viewer cut {cells} cells of the rows that were looked at.")
    return rows


def _by_files(report: Inspection, data: HubData, shown: bool) -> Head | None:
    """The first rows of the files of a split; none of their values where they must not be shown."""
    files = data.files(report.config, report.split)
    if not files:
        if not data.layout():
            report.notes.append(
                "There is no file of a kind that is read here (Parquet, csv, tsv, jsonl, json, Arrow, text)."
            )
        return None
    try:
        head = read_head(files, rows=HEAD if shown else 1)
    except (RemoteError, DataError) as error:
        why = f"{error.message} {error.hint}".strip() if shown else "why is not said, since it could name a value."
        report.notes.append(f"The files could not be read: {why}")
        return None
    report.notes += head.notes if shown else []
    report.notes.append(f"Columns{' and rows' if shown else ''} were read from the files themselves ({files[0].path}).")
    report.sources.append(Source(name="the Hugging Face Hub", address=f"{data.id}/{files[0].path}"))
    for one in report.splits:
        if (one.config, one.split) == (report.config, report.split) and one.rows is None:
            one.rows = head.total
    return head


def inspect_file(
    path: str, samples: int = 3, *, split: str = "", rows: int = LOCAL_HEAD, target: str = ""
) -> Inspection:
    """See `trainwright.tools.lookup.datasets.file`.

    Args:
        split: of a folder; the first when empty.
    """
    data = local_data(path)
    report = Inspection(id=str(data.path), bytes=data.bytes or None, notes=list(data.notes))
    report.sources = [Source(name="this machine", address=str(data.path))]
    if data.classes or data.kind == "audio":
        return _of_class_folders(report, data)
    for name, files in data.splits.items():
        report.splits.append(SplitReport(split=name, bytes=sum(file.size for file in files)))
    report.split = _local_split(data, split)
    shown = not is_withheld_path(data.path) or training_only({"": list(data.splits)}, "", report.split)
    head = read_head(data.splits[report.split], rows=rows if shown else 1)
    for one in report.splits:
        one.rows = head.total if one.split == report.split else _rows_of(data.splits[one.split], report.notes)
    counts = [one.rows for one in report.splits]
    report.rows = sum(one or 0 for one in counts) if None not in counts else None
    if not shown:
        report.notes.append(HIDDEN)
        report.columns = bare(head.kinds)
        _judge(report, head.kinds, [], 0, target)
        return report
    report.notes += head.notes
    report.figures_of = "" if head.whole else f"the first {len(head.table):,} rows"
    report.columns = measured(head.kinds, head.table)
    _judge(report, head.kinds, head.table.slice(0, LOOKED_AT).to_pylist(), samples, target)
    return report


def _local_split(data: LocalData, split: str) -> str:
    if split and split not in data.splits:
        raise DataError(f"{data.path.name} has no split {split!r}.", hint=f"There are {', '.join(data.splits)}.")
    return split or next(iter(data.splits))


def _rows_of(files: Sequence[Any], notes: list[str]) -> int | None:
    """Rows of a split that is not shown itself, where they can be counted."""
    try:
        return read_head(files, rows=LOCAL_HEAD).total
    except TrainwrightError as error:
        notes.append(f"Another split could not be read: {error.message}")
        return None


def _of_class_folders(report: Inspection, data: LocalData) -> Inspection:
    """Folders that are named after classes: their files are counted, not opened."""
    kind = {"images": "image", "audio": "audio"}.get(data.kind, "string")
    hidden = is_withheld_path(Path(report.id))
    for name, classes in data.classes.items():
        report.splits.append(SplitReport(split=name, rows=sum(classes.values())))
    if not data.classes:
        report.notes.append("The folder holds sound files and no class folders: nothing says what they are.")
        return report
    report.split = next(iter(data.classes))
    report.rows = sum(one.rows or 0 for one in report.splits)
    classes = data.classes[report.split]
    column = "text" if kind == "string" else kind
    kinds = {column: Kind(kind), "label": Kind("class", names=tuple(sorted(classes)))}
    report.columns = bare(kinds)
    if hidden and not training_only({"": list(data.classes)}, "", report.split):
        report.notes.append(HIDDEN)
    else:
        report.columns[1].labels = dict(sorted(classes.items(), key=lambda item: (-item[1], item[0]))[:20])
        report.columns[1].distinct = len(classes)
        report.columns[1].more_labels = max(0, len(classes) - 20)
        report.columns[1].missing, report.columns[1].rows = 0, sum(classes.values())
    report.notes.append("The labels are the names of the folders; the files in them were counted and not opened.")
    report.fitness = fitness_of(kinds, [], report.columns)
    return report
