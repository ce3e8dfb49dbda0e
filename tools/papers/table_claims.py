"""Claims from tables: which columns hold results, of which metric and data set, and which rows are the paper's own.

A table is read in one of two ways: methods down and results across, or data sets (or metrics) down and methods
across. Where neither metric nor data set of a column can be told, its numbers are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainwright.graph.state import Claim

from .claims import OWN, Context, RankedClaim, rank_of, split_named, tidy_method
from .lookup import row_quote
from .measures import is_share, metric_named
from .numbers import Number, read_cell
from .records import Table
from .table_headers import (
    DATA_HEAD,
    METHOD_HEAD,
    NO_RESULT,
    about_table,
    column_metric,
    dataset_in,
    dataset_of,
    is_name,
    is_plain,
    label_columns,
    names_a_set,
    remainder,
    rows_are_data,
    table_dataset,
    table_metric,
)
from .vocabulary import methods_in

__all__ = ["table_claims"]

_NO_CLAIMS = re.compile(
    r"(?i)\b(?:statistics|overview|summary) (?:of|for) (?:the )?(?:data|corp)|data ?sets? (?:statistics|used|overview|description)"
    r"|hyper-?parameters?|configuration space|search space|notation|\bsettings\b|confusion matri|neighbou?ring words|examples? of"
)


_SIGNED = ("r2", "mcc", "cohen_kappa", "spearman", "pearson", "d_prime")
"""Metrics that can be negative."""

_SPREAD = re.compile(r"(?i)error rate|test|train|(?:\band\b|&|±|\+/-) (?:std|standard)\.? ?(?:errors?|dev\w*)?")
"""Words of a header that do not make its numbers something else than results."""


@dataclass(frozen=True)
class _Column:
    """A column (or row) of results."""

    index: int
    metric: str
    dataset: str
    split: str
    percent: bool
    method: str = ""


def table_claims(table: Table, context: Context) -> Iterator[RankedClaim]:
    """The claims of a table, row by row."""
    if _NO_CLAIMS.search(table.caption) and not metric_named(table.caption):
        return
    numbers = [[read_cell(cell) for cell in row] for row in table.rows]
    labels = label_columns(table, numbers)
    if not labels or len(labels) == len(table.header):
        return
    if rows_are_data(table, labels[0], context):
        yield from _by_rows(table, numbers, labels, context)
    else:
        yield from _by_columns(table, numbers, labels, context)


def _by_columns(
    table: Table, numbers: Sequence[Sequence[Number | None]], labels: Sequence[int], context: Context
) -> Iterator[RankedClaim]:
    columns = list(_result_columns(table, numbers, labels, context))
    shares = {c.index for c in columns if is_share(c.metric) and _in_percent(c, columns, numbers)}
    group = ""
    for number, row in enumerate(table.rows):
        if sum(bool(cell) for cell in row) == 1 and row[labels[0]]:
            group = dataset_of(row[labels[0]], context) or group
            continue
        for column in columns:
            found = numbers[number][column.index]
            if found is None:
                continue
            method, own_dataset, split = _row_meaning(table, row, labels, context)
            if not method and own_dataset and is_name(rest := remainder(table.header[column.index])):
                method = tidy_method(rest)
            claim = _claim(table, row, column, found, column.index in shares, context)
            if claim is None:
                continue
            dataset = own_dataset or column.dataset or group or table_dataset(table, context)
            claim = claim.model_copy(
                update={
                    "method": method,
                    "dataset": dataset,
                    "split": split or _split_of(column, table, dataset, context),
                }
            )
            yield RankedClaim(claim, rank_of(method, " ".join(row), number in table.strong, claim.split, context))


def _result_columns(
    table: Table, numbers: Sequence[Sequence[Number | None]], labels: Sequence[int], context: Context
) -> Iterator[_Column]:
    fallback = table_metric(table, context)
    about = about_table(table, context)
    rest = [i for i in range(len(table.header)) if i not in labels and any(row[i] is not None for row in numbers)]
    named = {i: column_metric(table.header[i], fallback, about) for i in rest}
    any_named = any(name for name, _ in named.values())
    for index in rest:
        head = table.header[index]
        metric, percent = named[index]
        dataset = dataset_in(head, context)
        if metric == "?":
            continue
        if not metric:
            usable = dataset or (not any_named and not NO_RESULT.search(head) and (len(rest) == 1 or is_plain(head)))
            if not usable or not fallback[0] or (any_named and not dataset):
                continue
            metric, percent = fallback[0], percent or fallback[1]
            dataset = dataset or (head if len(rest) > 1 and names_a_set(head) else "")
        elif NO_RESULT.search(_SPREAD.sub("", head)) and not dataset and not percent:
            continue
        percent = percent or (metric == fallback[0] and fallback[1])
        if not dataset and sum(name == metric for name, _ in named.values()) > 1 and (rest_of := remainder(head)):
            dataset = f"{table_dataset(table, context)} {rest_of}".strip()
        yield _Column(index, metric, dataset, split_named(head), percent)


def _in_percent(column: _Column, columns: Sequence[_Column], numbers: Sequence[Sequence[Number | None]]) -> bool:
    """Whether a column's numbers are percentages: it says so, or some number of its metric is above 1."""
    if column.percent:
        return True
    alike = [c.index for c in columns if c.metric == column.metric]
    values = [abs(n.value) for row in numbers for i in alike if (n := row[i]) is not None]
    return any(v > 1 for v in values)


def _row_meaning(table: Table, row: Sequence[str], labels: Sequence[int], context: Context) -> tuple[str, str, str]:
    """Method, data set and split that the words of a row name."""
    method, dataset, extra = "", "", []
    split = ""
    for index in labels:
        cell, head = row[index], table.header[index]
        if not cell or re.fullmatch(r"[-−–—]|n/?a", cell, re.IGNORECASE):
            continue
        if DATA_HEAD.search(head) and not METHOD_HEAD.search(head):
            dataset = cell
        elif not method and (index == labels[0] or METHOD_HEAD.search(head)):
            method = cell
            split = split_named(cell) if re.search(r"(?i)cross|fold|valid", cell) else ""
        else:
            extra.append(cell)
    if extra and sum(r[labels[0]] == row[labels[0]] for r in table.rows) > 1:
        method = f"{method} ({', '.join(extra)})" if method else ", ".join(extra)
    if OWN.fullmatch(method.strip("()*† ")) and context.main:
        return context.main, dataset, split
    if not is_name(method):
        named = list(dict.fromkeys(m.text for m in methods_in(table.caption)))
        return (named[0] if len(named) == 1 else ""), dataset, split
    return tidy_method(method), dataset, split


def _claim(
    table: Table, row: Sequence[str], column: _Column, number: Number, percent: bool, context: Context
) -> Claim | None:
    value = number.value
    if value < 0 and column.metric not in _SIGNED:
        return None
    if is_share(column.metric):
        value = number.fraction if percent or number.percent else value
        if not -1 <= value <= 1:
            return None
        if percent and 0 < abs(value) < 0.0001:
            return None
    elif number.percent:
        return None
    quote = row_quote(list(row))
    return Claim(metric=column.metric, value=value, page=table.page, quote=quote)


def _split_of(column: _Column, table: Table, dataset: str, context: Context) -> str:
    return column.split or split_named(table.caption) or context.splits.get(dataset.lower(), "")


def _by_rows(
    table: Table, numbers: Sequence[Sequence[Number | None]], labels: Sequence[int], context: Context
) -> Iterator[RankedClaim]:
    fallback, about = table_metric(table, context), about_table(table, context)
    across = [i for i in range(len(table.header)) if i not in labels and table.header[i]]
    for index, row in enumerate(table.rows):
        label = row[labels[0]]
        if not label or not any(numbers[index][i] is not None for i in across):
            continue
        metric, percent = column_metric(label, fallback, about)
        if metric == "?":
            continue
        measured = bool(metric)
        if not measured:
            if NO_RESULT.search(label) or not fallback[0]:
                continue
            metric, percent = fallback
        everywhere = (
            [n for r in numbers for i in across if (n := r[i]) is not None]
            if not measured
            else [n for i in across if (n := numbers[index][i]) is not None]
        )
        dataset = table_dataset(table, context) if measured else label
        if measured and re.match(r"(?i)(?:average|mean|overall)\b", label):
            dataset = "average"
        large = is_share(metric) and (percent or any(n.percent or abs(n.value) > 1 for n in everywhere))
        for place in across:
            found = numbers[index][place]
            head = table.header[place]
            if found is None or NO_RESULT.search(head) or not is_name(head):
                continue
            column = _Column(place, metric, dataset, split_named(label), percent)
            claim = _claim(table, row, column, found, large, context)
            if claim is None:
                continue
            over = dataset_in(head, context) if measured else ""
            method = "" if over else context.main if OWN.fullmatch(head) and context.main else tidy_method(head)
            name = over or dataset
            claim = claim.model_copy(
                update={"method": method, "dataset": name, "split": _split_of(column, table, name, context)}
            )
            yield RankedClaim(claim, rank_of(method, head, False, claim.split, context))
