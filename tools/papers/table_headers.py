"""What the headers, labels and captions of a table of results say: metric, data set, method."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .claims import CITED, Context, split_named, tidy_method
from .measures import bare_error, metric_named
from .numbers import Number, read_cell
from .records import Table
from .vocabulary import datasets_in, known_dataset, methods_in

__all__ = [
    "DATA_HEAD",
    "METHOD_HEAD",
    "NO_RESULT",
    "about_table",
    "column_metric",
    "dataset_in",
    "dataset_of",
    "is_name",
    "is_plain",
    "label_columns",
    "methods_of_table",
    "names_a_set",
    "reads_as_accuracy",
    "remainder",
    "rows_are_data",
    "table_dataset",
    "table_metric",
]

METHOD_HEAD = re.compile(
    r"(?i)\b(?:methods?|models?|algorithms?|classifiers?|systems?|approach(?:es)?|networks?|architectures?|techniques?|learners?|description|variants?|name|configurations?)\b"
)
DATA_HEAD = re.compile(r"(?i)\b(?:data ?sets?|data|corpus|corpora|benchmarks?|tasks?|domains?|problems?)\b")
NO_RESULT = re.compile(
    r"(?i)\btimes?\b|\bruntime|\bsec(?:onds?)?\b|\bhours?\b|\bmemory|\bRAM\b|\bMB\b|\bGB\b|\bparam|#|\bflops?\b|\bcost\b"
    r"|\bepochs?\b|\bsteps?\b|\biter|\blayers?\b|\bunits?\b|\bdepth\b|\bwidth\b|\bsize\b|\bbatch|\byear\b|\brank\b|\bspeed"
    r"|\blatency|\bp-?value|\bnumber\b|\bcount\b|\blearning rate|\blabels?\b|\bnodes\b|\bedges\b|\bfeatures?\b|\bclasses\b"
    r"|\bexamples?\b|\binstances?\b|\bsamples?\b|\bdelta\b|\bchange\b|\bimprovement|\bgain\b|\bdiff|\bstd\b|\bstandard (?:dev|err)"
    r"|Δ|\bseeds?\b|\bdim|\bvocab|\blength\b|\btrain(?:ing)? (?:set|data|size|videos)|\btest (?:set|size)$|\brate$"
)


_SPREAD = re.compile(r"(?i)(?:\band\b|&|±|\+/-)? ?\b(?:std|standard)\.? ?(?:errors?|dev\w*)")
"""How a header says that a spread stands beside its numbers."""


def label_columns(table: Table, numbers: Sequence[Sequence[Number | None]]) -> list[int]:
    """The columns at the left, and others of words, that say what a row is."""
    labels = []
    for index, head in enumerate(table.header):
        filled = [
            i
            for i, row in enumerate(table.rows)
            if row[index] and not re.fullmatch(r"[-−–—✓✗×]|n/?a", row[index], re.I)
        ]
        numeric = sum(numbers[i][index] is not None for i in filled)
        mostly_words = bool(filled) and numeric * 2 < len(filled)
        if mostly_words or (
            index == 0 and not metric_named(head) and (METHOD_HEAD.search(head) or DATA_HEAD.search(head))
        ):
            labels.append(index)
    return labels


def rows_are_data(table: Table, label: int, context: Context) -> bool:
    """Whether data sets or metrics stand in the rows, and methods in the columns."""
    first = [row[label] for row in table.rows if row[label]]
    heads = [head for index, head in enumerate(table.header) if index != label and head]
    if not first or any(metric_named(head) for head in heads):
        return False
    data = sum(bool(dataset_of(cell, context)) for cell in first)
    measured = sum(bool(metric_named(cell)) and len(cell) < 40 for cell in first)
    head = table.header[label]
    named = bool(DATA_HEAD.search(head)) and not METHOD_HEAD.search(head)
    across = sum(bool(dataset_of(cell, context)) for cell in heads)
    down_methods = sum(bool(methods_in(cell)) for cell in first) / len(first)
    across_methods = sum(bool(methods_in(cell)) or cell.lower() in context.own for cell in heads)
    if (
        across_methods >= 2
        and not across
        and across_methods / len(heads) > down_methods
        and not METHOD_HEAD.search(head)
    ):
        return True
    return measured * 2 > len(first) or (across * 2 <= len(heads) and (data * 2 > len(first) or named))


def dataset_of(text: str, context: Context) -> str:
    """The data set that a header or a label means, as it is printed; or nothing."""
    bare = re.sub(r"\s*\[\d+\]|\s*\([^)]*(?:19|20)\d\d\)", "", text).strip()
    if not bare or len(bare) > 60:
        return ""
    if known_dataset(bare):
        return bare
    return bare if any(bare.lower() == name.lower() for name in context.datasets) else ""


def about_table(table: Table, context: Context) -> str:
    """Caption and the sentences that speak of the table."""
    label = re.match(r"(?:Table|TABLE|Tab\.)\s?[\w.]+?(?=[.:\s]|$)", table.caption)
    return f"{table.caption} {context.about.get(label[0].lower().rstrip('.:') if label else '', '')}"


def table_metric(table: Table, context: Context) -> tuple[str, bool]:
    """The metric of a table whose columns name none, and whether its numbers are percentages."""
    for text in (table.caption, " ".join(table.header), about_table(table, context)):
        if name := metric_named(text):
            return name, _says_percent(text)
        if bare_error(text) and (
            context.metric in ("accuracy", "error_rate") or (not context.metric and context.classifies)
        ):
            return "error_rate", _says_percent(text)
    if not context.metric and reads_as_accuracy(table, context):
        return "accuracy", True
    return context.metric, _says_percent(table.caption)


def reads_as_accuracy(table: Table, context: Context) -> bool:
    """Whether a table says no metric, and classification in percent is all that its numbers can be.

    That is: the paper is about classification and names no metric at all, the columns are data sets, and the numbers
    lie between 1 and 100.
    """
    if not context.classifies or context.metrics:
        return False
    across = [i for i, head in enumerate(table.header) if i and dataset_of(head, context)]
    values = [n.value for row in table.rows for i in across if (n := read_cell(row[i])) is not None]
    return len(across) >= 2 and len(values) >= 4 and all(1 < v <= 100 for v in values)


def _says_percent(text: str) -> bool:
    return bool(re.search(r"%|\bpercent|\bper cent", text, re.IGNORECASE))


def table_dataset(table: Table, context: Context) -> str:
    """The one data set that a caption names, else the paper's only one."""
    named = [re.sub(r"(?i)\s+data ?set$", "", m.text) for m in datasets_in(table.caption)]
    lower = table.caption.lower()
    named += [d for d in context.datasets if d.lower() in lower and not any(d.lower() in n.lower() for n in named)]
    unique = list(dict.fromkeys(named))
    if len(unique) == 1:
        return unique[0]
    return "" if unique else context.dataset


def column_metric(head: str, fallback: tuple[str, bool], about: str) -> tuple[str, bool]:
    """The metric that a header names and whether it says percent; `?` where it names one of two that are opposites."""
    name = metric_named(head)
    percent = _says_percent(head)
    if re.fullmatch(r"(?i)\W*top-?[15]\W*(?:\((?:val|test|validation)\))?\W*", head):
        wrong = bool(re.search(r"(?i)\berror", about)) and not re.search(r"(?i)\baccurac", about)
        if not wrong and not re.search(r"(?i)\baccurac", about):
            return "?", False
        return ("error_rate" if wrong else "accuracy") if "1" in head else (
            "top5_error" if wrong else "top5_accuracy"
        ), percent
    if name is None and bare_error(_SPREAD.sub("", head)):
        name = (
            fallback[0]
            if fallback[0] in ("error_rate", "rmse", "mse", "mae", "wer", "per")
            else "error_rate"
            if percent or fallback[0] == "accuracy"
            else None
        )
    return name or "", percent


def remainder(head: str) -> str:
    """What a header says besides its metric and its split, such as a pair of languages."""
    bare = re.sub(
        r"(?i)\b(?:balanced |frame |top-?[15] )?(?:accurac(?:y|ies)|acc\.?|error(?: rates?)?|err\.?|BLEU|F-?1|F-?score|AU-?C|AUROC|RMSE|MAE|MSE|WER|mAP"
        r"|PPL|perplexity|precision|recall|macro|micro|score|test|validation|val|dev|train(?:ing)?|set|top-?[15]|R2|rates?|percent|classification|mean|average|avg\.?|std\.?|errors?|and|deviations?)\b|[%()↑↓=]",
        " ",
        head,
    )
    words = [word for word in bare.split() if re.search(r"\w", word)]
    return " ".join(words) if re.search(r"[A-Za-z]{2}|\d", bare) else ""


def is_plain(head: str) -> bool:
    """A header that can be the name of a data set: a word or two with a capital or a digit."""
    return bool(head) and len(head.split()) <= 3 and bool(re.search(r"[A-Z\d]", head))


def names_a_set(head: str) -> bool:
    """Whether a plain header over results can only be what they were scored on: no split, no method, no average."""
    generic = re.search(
        r"(?i)\b(?:mean|avg|average|all|total|overall|best|worst|median|baseline|ours?|results?|score|value)\b", head
    )
    return is_plain(head) and not split_named(head) and not methods_in(head) and not generic


def dataset_in(head: str, context: Context) -> str:
    if exact := dataset_of(head, context):
        return exact
    mentions = datasets_in(head)
    if mentions:
        return mentions[0].text
    lower = head.lower()
    return next((d for d in context.datasets if len(d) > 2 and d.lower() in lower), "")


def is_name(text: str) -> bool:
    """Whether a label can be a method's name: not a letter, a number or a yes."""
    return bool(re.search(r"[A-Za-z]{2}", text)) and not re.match(r"(?i)(?:yes|no|none|\d+[KMB]?)(?: \(|$)", text)


def methods_of_table(table: Table) -> list[tuple[str, bool]]:
    """The methods that the labels or the header of a table of results name, and whether they are cited work."""
    if not table.rows:
        return []
    if METHOD_HEAD.search(table.header[0]):
        names = [row[0] for row in table.rows]
    elif DATA_HEAD.search(table.header[0]):
        names = [head for head in table.header[1:] if not NO_RESULT.search(head) and methods_in(head)]
    else:
        return []
    return [(tidy_method(name), bool(CITED.search(name))) for name in names if is_name(name) and len(name) < 80]
