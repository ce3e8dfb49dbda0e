"""Data sets: search the Hub, inspect one or a local file, compare two, and find rows that two of them share.

    found = datasets.search("movie reviews", task="text-classification", limit=5)
    report = datasets.inspect("stanfordnlp/imdb", split="train", samples=3)
    report = datasets.file("train.csv")
    both = datasets.compare("owner/one", "train.csv")
    shared = datasets.overlap("train.csv", "owner/one::test")

Everything only reads. Importing this imports neither a data library nor a client of the Hub.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from trainwright.tools.lookup.operations import Area, Operation

from .arguments import CompareArgs, CompareFilesArgs, FileArgs, InspectArgs, OverlapArgs, OverlapFilesArgs, SearchArgs

if TYPE_CHECKING:
    from .report import Comparison, Inspection, Listing, Overlap

ROWS = 100_000
"""Rows that are read of each of two data sets, where nobody says how many."""

LONG = float("inf")
"""Seconds for reading two data sets from beginning to end: as long as it takes."""

__all__ = ["AREA", "compare", "file", "inspect", "overlap", "search"]


def search(
    query: str,
    *,
    task: str = "",
    language: str = "",
    size: str = "",
    licence: str = "",
    author: str = "",
    sort: str = "trending",
    limit: int = 10,
) -> Listing:
    """Data sets of the Hub.

    Args:
        query: words in their names.
        task: as the Hub calls it, such as `text-classification`.
        language: two letters, such as `de`.
        size: rows as the Hub classes them, such as `10K<n<100K`.
        licence: as the Hub calls it, such as `apache-2.0`.
        author: user or organisation.
        sort: trending, downloads, likes, created or modified.
        limit: 1 to 50.

    Raises:
        RemoteError: the Hub cannot be asked, or refuses.
    """
    from .searching import search as run

    given = {"task": task, "language": language, "size": size, "licence": licence, "author": author, "sort": sort}
    return run(SearchArgs.model_validate({"query": query, "limit": limit, **given}))


def inspect(
    id: str,  # noqa: A002 - the name of the argument for all areas
    *,
    config: str = "",
    split: str = "",
    samples: int = 3,
    revision: str = "",
    target: str = "",
) -> Inspection:
    """What is known of a data set on the Hub.

    Args:
        id: `owner/name[:config[:split]]`.
        config: the first when empty.
        split: the first of the configuration when empty.
        samples: rows to show, 0 to 10.
        revision: branch, tag or commit. The Hub's viewer knows only the newest: others are read from the files.
        target: the column to predict, for the verdict on classification; found out when empty.

    Raises:
        DataError: there is no column of that name.
        NotFound: there is no such data set, configuration, split or revision.
        RemoteError: neither the Hub nor its viewer can tell.
    """
    from .arguments import hub_part
    from .inspecting import inspect_hub

    part = hub_part(id)
    spec = f"{part.id}:{config or part.config}:{split or part.split}".rstrip(":")
    return inspect_hub(
        InspectArgs.model_validate({"id": spec, "samples": samples, "revision": revision, "target": target})
    )


def file(path: str, *, samples: int = 3, target: str = "") -> Inspection:
    """The same report for a local file (csv, tsv, jsonl, json, parquet; gzip too) or folder.

    Args:
        samples, target: as `inspect` takes them.

    Raises:
        DataError: it is not there, or cannot be read; names the line where known. Or it has no such column.
    """
    from .inspecting import inspect_file

    return inspect_file(path, samples, target=target)


def compare(id: str, other: str) -> Comparison:  # noqa: A002 - as above
    """Two data sets side by side; each is a path, or `owner/name[:config[:split]]`. A path that exists wins.

    Raises:
        DataError: a path cannot be read.
        RemoteError: the Hub does not know the other, or cannot be asked.
    """
    from .comparing import compare as run

    return run(id, other, local=True)


def overlap(train: str, test: str, *, columns: Sequence[str] = (), rows: int = ROWS) -> Overlap:
    """Rows of `test` that also stand in `train`: equal ones, and texts that are nearly equal.

    Args:
        train: a path, or `owner/name[:config[:split]]`; its split `train` when none is named.
        test: the same; its split `test` when none is named.
        columns: what is compared; when empty, the texts that both have, else all columns that both have.
        rows: at most so many of each are read, from the beginning.

    Raises:
        DataError: a path cannot be read, or the two have no column in common.
        RemoteError: the Hub cannot be asked.
    """
    from .overlapping import overlap as run

    return run(train, test, tuple(columns), rows, local=True)


def _search(wanted: SearchArgs) -> Listing:
    from .searching import search as run

    return run(wanted)


def _inspect(wanted: InspectArgs) -> Inspection:
    from .inspecting import inspect_hub

    return inspect_hub(wanted)


def _compare(local: bool) -> Any:
    def run(wanted: CompareArgs | CompareFilesArgs) -> Comparison:
        from .comparing import compare as compared

        return compared(wanted.id, wanted.other, local=local)

    return run


def _overlap(local: bool) -> Any:
    def run(wanted: OverlapArgs | OverlapFilesArgs) -> Overlap:
        from .overlapping import overlap as found

        return found(wanted.train, wanted.test, tuple(wanted.columns), getattr(wanted, "rows", ROWS), local=local)

    return run


AREA = Area(
    "datasets",
    "Data sets of the Hugging Face Hub.",
    (
        Operation("search", SearchArgs, _search, "Find data sets on the Hub."),
        Operation("inspect", InspectArgs, _inspect, "Splits, columns, figures, samples, and what it can train."),
        Operation("compare", CompareArgs, _compare(local=False), "Two data sets of the Hub side by side."),
        Operation("overlap", OverlapArgs, _overlap(local=False), "Rows that a test set shares with a training set.",
                  seconds=LONG),
        Operation("file", FileArgs, lambda wanted: file(wanted.path, samples=wanted.samples, target=wanted.target),
                  "The report of `inspect` for a file or folder of this machine.", engineers=False),
        Operation("compare_files", CompareFilesArgs, _compare(local=True),
                  "Like compare, and either may be a file or folder.", engineers=False),
        Operation("overlap_files", OverlapFilesArgs, _overlap(local=True),
                  "Like overlap, and either may be a file or folder.", engineers=False, seconds=LONG),
    ),
)  # fmt: skip
