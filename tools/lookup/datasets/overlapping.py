"""Rows of test data that the training data hold too: equal ones, and texts that are nearly equal.

Both are read from the beginning, up to a number of rows; what was not read is said. Of the examples only the texts that
were compared are shown, never a label, and of withheld data nothing but the counts.
"""

from __future__ import annotations

import hashlib
import time
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError, Refusal, RemoteError
from trainwright.tools.lookup.found import Source

from .arguments import hub_part
from .columns import ANSWERS, LABELS, RUNNING, Columns
from .comparing import is_local
from .kinds import Kind
from .labels import target_of
from .local import local_data
from .measuring import measured
from .nearness import NEAR, NearTexts
from .reading import Head, read_head
from .report import Example, Overlap
from .stored import StoredFile
from .withheld import is_withheld_path, training_only

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["overlap"]

MOST_EXAMPLES = 10
SHOWN = 120
LOOKED_AT = 1000
"""Rows that are read to see what columns hold."""

SECONDS = 240.0
"""How long near copies are looked for; equal rows are always counted over all that was read."""


@dataclass
class _Side:
    """One of the two, before its rows are read."""

    name: str
    files: Sequence[StoredFile]
    shown: bool
    withheld: bool
    source: Source
    notes: list[str] = field(default_factory=list)


def overlap(train: str, test: str, columns: tuple[str, ...], rows: int, *, local: bool) -> Overlap:
    """See `trainwright.tools.lookup.datasets.overlap`.

    Args:
        local: whether a path of this machine may be read.

    Raises:
        Refusal: columns were named of data that are withheld.
    """
    sides = (_side(train, "train", local), _side(test, "test", local))
    if columns and any(side.withheld for side in sides):
        raise Refusal(
            "This run is scored on these data: the columns to compare cannot be chosen, since counts could then tell labels. "
            "Leave `columns` out."
        )
    kinds = [_read(side, 1).kinds for side in sides]
    chosen = _columns(kinds[0], kinds[1], columns)
    notes: list[str] = []
    texts = True
    if any(side.withheld for side in sides):
        chosen = _running_texts(sides, chosen)
    elif not columns:
        chosen, texts, notes = _telling(sides[0], chosen)
    heads = [_read(side, rows, chosen) for side in sides]
    found = Overlap(train=sides[0].name, test=sides[1].name, columns=chosen, sources=[side.source for side in sides])
    found.notes += notes
    for side, head in zip(sides, heads, strict=True):
        found.notes += [f"{side.name}: {note}" for note in side.notes]
        if not head.whole:
            of = f" of {head.total:,}" if head.total else ""
            found.notes.append(
                f"{side.name}: the first {len(head.table):,} rows{of} were read; the rest was not compared."
            )
    _count(found, heads[0], heads[1], chosen, texts)
    if not all(side.shown for side in sides):
        found.examples = []
        found.notes.append("This run is scored on these data: nothing but counts is shown.")
    return found


def _side(spec: str, usual: str, local: bool) -> _Side:
    if local and is_local(spec):
        return _local_side(spec, usual)
    from .inspecting import hub_data

    part = hub_part(spec)
    data = hub_data(part.id)
    config, split = data.choose(part.config, part.split, usual)
    files = data.files(config, split)
    if not files:
        notes = " ".join(data.notes)
        raise RemoteError(f"No file of {data.id}, {config} {split}, can be read here. {notes}".strip())
    name = f"{data.id}:{config}:{split}"
    sources = Source(name="the Hugging Face Hub", address=name)
    return _Side(name, files, data.may_show(config, split), data.withheld, sources, data.notes)


def _local_side(spec: str, usual: str) -> _Side:
    data = local_data(spec)
    if not data.splits:
        raise DataError(f"{data.path.name} is no table: its {data.kind} files cannot be compared row by row.")
    split = usual if usual in data.splits else next(iter(data.splits))
    held = is_withheld_path(Path(data.path))
    shown = not held or training_only({"": list(data.splits)}, "", split)
    name = f"{data.path.name}{f' ({split})' if len(data.splits) > 1 else ''}"
    return _Side(name, data.splits[split], shown, held, Source(name="this machine", address=str(data.path)), data.notes)


def _read(side: _Side, rows: int, columns: Sequence[str] = ()) -> Head:
    try:
        return read_head(side.files, rows=rows, columns=columns)
    except DataError as error:
        if side.shown:
            raise
        raise DataError(f"{side.name} cannot be read; why is not said, since it could name a value.") from error


def _running_texts(sides: Sequence[_Side], columns: list[str]) -> list[str]:
    """Of these columns those that hold running texts and no answers: counts over any other could tell labels.

    Raises:
        Refusal: there is none.
    """
    columns = [name for name in columns if name.lower() not in ANSWERS]
    for side in sides:
        head = _read(side, LOOKED_AT, columns) if columns else None
        reports = measured(head.kinds, head.table) if head else []
        columns = [r.name for r in reports if r.name in columns and r.of == "characters" and (r.mean or 0) >= RUNNING]
    if not columns:
        raise Refusal("This run is scored on these data, and they have no running texts: they are not compared.")
    return columns


def _columns(train: dict[str, Kind], test: dict[str, Kind], wanted: tuple[str, ...]) -> list[str]:
    """What is compared.

    Raises:
        DataError: a column that was named is missing, or the two have none in common.
    """
    common = [name for name, kind in train.items() if name in test and not kind.is_bulk and not test[name].is_bulk]
    if wanted:
        missing = [name for name in wanted if name not in common]
        if missing:
            raise DataError(
                f"Not in both: {', '.join(missing)[:200]}.", hint=f"Both have {', '.join(common[:30]) or 'no column'}."
            )
        return list(dict.fromkeys(wanted))
    plain = [name for name in common if not _may_be_label(name, train[name]) and not _may_be_label(name, test[name])]
    if not plain:
        raise DataError(
            "The two have no column in common that could be compared.",
            hint=f"The one has {', '.join(list(train)[:20])}; the other {', '.join(list(test)[:20])}.",
        )
    return plain


def _telling(side: _Side, plain: list[str]) -> tuple[list[str], bool, list[str]]:
    """What tells rows apart: running texts where there are any, else all that is no label; whether it is texts; notes.

    A few words or categories alone would make rows of a table equal that are not.
    """
    head = _read(side, LOOKED_AT)
    rows = head.table.slice(0, 100).to_pylist()
    c = Columns(head.kinds, rows, measured(head.kinds, head.table))
    texts = [
        name for name in plain if _holds_text(head.kinds[name]) and not c.is_category(name) and not c.is_split(name)
    ]
    long = any(
        not head.kinds[one].is_text or (c.reports[one].mean or 0) >= RUNNING for one in texts if one in c.reports
    )
    if texts and (long or len(plain) - len(texts) < 3):
        return texts, True, []
    target = target_of(c)
    left = [name for name in plain if c.is_split(name) or (target is not None and name == target.name)]
    notes = [f"Left out, as label or name of a split: {', '.join(left)}."] if left else []
    return [name for name in plain if name not in left] or plain, False, notes


def _may_be_label(name: str, kind: Kind) -> bool:
    return kind.name == "class" or name.lower() in LABELS or name.lower() in ("id", "idx", "index")


def _holds_text(kind: Kind) -> bool:
    return kind.is_text or kind.is_messages or kind.is_turns


def _count(found: Overlap, train: Head, test: Head, columns: list[str], texts: bool) -> None:
    found.train_rows, found.test_rows = len(train.table), len(test.table)
    if not found.train_rows or not found.test_rows:
        found.notes.append("One of the two has no rows.")
        return
    first: dict[bytes, int] = {}
    keys: list[bytes] = []
    for number, text in enumerate(_texts(test.table, columns)):
        keys.append(_key(text))
        first.setdefault(keys[-1], number)
    found.within_test = len(keys) - len(first)
    equal: dict[bytes, int] = {}
    for number, text in enumerate(_texts(train.table, columns)):
        key = _key(text)
        if key in first:
            equal.setdefault(key, number)
    pairs = [(number, equal[key], 1.0) for number, key in enumerate(keys) if key in equal]
    near: list[tuple[int, int, float]] = []
    if texts:
        near = _near_pairs(found, train.table, test.table, columns, [key not in equal for key in keys])
    else:
        found.notes.append("Nearly equal rows were not looked for: the columns hold no running texts.")
    found.exact, found.near = len(pairs), len(near)
    found.exact_share, found.near_share = len(pairs) / len(keys), len(near) / len(keys)
    _show(found, train.table, test.table, columns, [*pairs[: MOST_EXAMPLES // 2], *near[: MOST_EXAMPLES // 2]])


def _near_pairs(
    found: Overlap, train: pa.Table, test: pa.Table, columns: list[str], looked_for: list[bool]
) -> list[tuple[int, int, float]]:
    """Test row, training row, similarity: the most similar training row of each test row that has a near one."""
    until = time.monotonic() + SECONDS
    index = NearTexts(())
    for number, text in enumerate(_texts(test, columns)):
        if looked_for[number]:
            index.add(number, text)
        if time.monotonic() > until:
            found.notes.append(
                f"Near copies were looked for in the first {number + 1:,} test rows alone: it took too long."
            )
            break
    if not index.numbers:
        return []
    best: dict[int, tuple[int, float]] = {}
    for number, text in enumerate(_texts(train, columns)):
        for row, share in index.near(text):
            if share > best.get(row, (0, 0.0))[1]:
                best[row] = (number, share)
        if time.monotonic() > until:
            found.notes.append(
                f"Near copies were looked for in the first {number + 1:,} training rows alone: it took too long."
            )
            break
    found.notes.append(
        f"Nearly equal: an estimated {NEAR:.0%} or more of the character sequences in common; very short rows are left out."
    )
    return [(row, *best[row]) for row in sorted(best)]


def _show(
    found: Overlap, train: pa.Table, test: pa.Table, columns: list[str], pairs: list[tuple[int, int, float]]
) -> None:
    kinds = {name: str(test.schema.field(name).type) for name in columns}
    # Named by a person or not: what may be a label is not shown.
    open_ = [name for name in columns if not _may_be_label(name, Kind(kinds[name])) and kinds[name] != "bool"]
    for row, other, share in pairs:
        texts = [_cut(next(_texts(table.slice(place, 1), open_), "")) for table, place in ((test, row), (train, other))]
        found.examples.append(
            Example(test_row=row, train_row=other, likeness=round(share, 3), test=texts[0], train=texts[1])
        )


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


def _texts(table: pa.Table, columns: list[str]) -> Iterator[str]:
    """Each row as one text: the values of the columns, in their order."""
    if not columns:
        return
    for batch in table.select(columns).to_batches(max_chunksize=1000):
        for row in batch.to_pylist():
            yield "\n".join(_text(row[name]) for name in columns)


def _text(value: Any) -> str:
    """A value as text; of a conversation, the contents alone."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, list):
        return "\n".join(_text(one) for one in value)
    if isinstance(value, dict):
        content = value.get("content", value.get("value"))
        return (
            _text(content)
            if content is not None
            else "\n".join(_text(one) for one in value.values() if one is not None)
        )
    return "" if value is None else str(value)


def _key(text: str) -> bytes:
    """Equal for texts that differ in case, spacing and Unicode form alone."""
    plain = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return hashlib.blake2b(plain.encode("utf-8", "replace"), digest_size=16).digest()
