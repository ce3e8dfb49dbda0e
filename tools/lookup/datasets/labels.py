"""Classification: which column is the label, and what it is the label of.

The label is the column that a person or the source names, that is of classes or named like labels; else the one that
the choice of a target for a run would take. Where that would ask, the likeliest is taken: it is said to be a guess.
A number with a fraction is a target too; that it makes a regression is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from trainwright.tools.datasets.facts import Facts
from trainwright.tools.datasets.messages import counted
from trainwright.tools.datasets.targets import LIKELY, SURE, TOPICAL, Asked, choose_target, existing_column

from .columns import LABELS, TEXTS, Columns, mapped, mapping, ready, renamed
from .pairs import picked
from .report import ColumnReport, Fitness

__all__ = ["Target", "classification", "target_of"]

PAIRS = (
    ("premise", "hypothesis"), ("sentence1", "sentence2"), ("question1", "question2"), ("question", "sentence"),
    ("text1", "text2"), ("sentence_a", "sentence_b"), ("query", "passage"), ("question", "passage"),
    ("question", "context"), ("claim", "evidence"),
)  # fmt: skip
DATE = re.compile(r"\d{4}-\d\d(-\d\d|$)")
LONG = 60
"""Characters on average from which a text is what a row is about, and no field of a table."""

MOST_CLASSES = 1000
NOTHING = "No column is of classes or named like labels."
VALUE = '__import__("datasets").Value({!r})'


@dataclass(frozen=True)
class Target:
    """The column to predict.

    Attributes:
        why: a reason to be told; empty where its name or type says it.
        others: further columns that could be meant.
    """

    name: str
    why: str = ""
    others: tuple[str, ...] = ()


def target_of(c: Columns) -> Target | None:
    """The column to predict, if there may be one.

    Raises:
        DataError: the column that a person named is not there.
    """
    if c.asked:
        return Target(existing_column(list(c.kinds), c.asked))
    if c.declared in c.kinds:
        return Target(c.declared, "the card names it as the label")
    classes = [name for name, kind in c.kinds.items() if kind.name == "class"]
    if classes:
        own = next((c.lower[name] for name in LABELS if c.lower.get(name) in classes), classes[0])
        return Target(own, others=tuple(name for name in classes if name != own))
    for name in LABELS:
        own = c.lower.get(name, "")
        if own and _can_be_classes(c, own):
            return Target(own)
    return _guessed(c)


def _can_be_classes(c: Columns, name: str) -> bool:
    """Whether a column holds classes by its type, and, where it was counted, by its values."""
    kind, report = c.kinds[name], c.reports.get(name)
    if kind.is_number:
        return _whole(c, name)
    if not (kind.is_text or kind.is_integer or kind.name == "bool"):
        return False
    return report is None or bool(report.labels) or report.min is None or _few(report)


def _few(report: ColumnReport) -> bool:
    """Whether whole numbers are few enough to be codes of classes."""
    if report.of or type(report.min) is not int or type(report.max) is not int:
        return False
    different = report.distinct or report.max - report.min + 1
    return report.min >= -1 and different <= min(MOST_CLASSES, report.rows // 2)


def _whole(c: Columns, name: str) -> bool:
    """Whether numbers that may have a fraction are few whole ones, such as classes with a missing value among them."""
    values = [row[name] for row in c.rows if row.get(name) is not None]
    report = c.reports.get(name)
    few = report is not None and report.distinct is not None and 2 <= report.distinct <= 20
    return few and bool(values) and all(float(value).is_integer() for value in values)


def _guessed(c: Columns) -> Target | None:
    """What the choice of a target for a run makes of columns that are plain values and texts."""
    if any(k.name == "struct" or (k.name == "list" and not _holds_numbers(k)) for k in c.kinds.values()):
        return None
    if c.chosen() or (c.prompt() and c.answer() and not c.is_category(c.answer())):
        return None
    facts = {name: fact for name in c.kinds if (fact := _facts(c, name)) is not None}
    if not any(fact.kind in ("number", "category", "boolean") for fact in facts.values()):
        return None
    chosen = choose_target(facts, named=not all(name.startswith("c") and name[1:].isdigit() for name in facts))
    if not isinstance(chosen, Asked):
        if not _may_stand_beside_texts(c, facts[chosen.value]):
            return None
        likely = [name for name in facts if name != chosen.value and TOPICAL.match(name) and facts[name].kind != "text"]
        why = "" if SURE.match(chosen.value) else f"the label is taken to be {chosen.value}: {_lower(chosen.why)}"
        return Target(chosen.value, why, () if chosen.sure else tuple(likely))
    options = [name for name in chosen.options if _may_stand_beside_texts(c, facts[name])]
    if not options:
        return None
    words = [name for name in options if facts[name].classlike]
    own = words[0] if len(words) == 1 else options[0]
    alike = words if own in words else options
    others = [name for name in options if name != own and (name in alike or _can_be_classes(c, name))]
    return Target(own, f"the label is taken to be {own}, which is a guess", tuple(others))


def _holds_numbers(kind: object) -> bool:
    inner = getattr(kind, "inner", None)
    return bool(inner and (inner.is_number or inner.is_integer or _holds_numbers(inner)))


def _facts(c: Columns, name: str) -> Facts | None:
    """A column as the choice of a target sees it; None where it can be neither target nor what that is of."""
    kind, report = c.kinds[name], c.reports.get(name)
    if report is None or not report.rows or c.is_aside(name) or kind.name == "list":
        return None
    rows, missing, distinct = report.rows, report.missing or 0, report.distinct or 0
    examples = tuple(report.labels)[:5]
    if kind.name == "bool":
        return Facts(name, "boolean", rows, missing, distinct, examples=examples) if distinct == 2 else None
    if kind.is_text and c.is_category(name):
        dates = all(DATE.match(value) for value in examples)
        return (
            Facts(name, "category", rows, missing, distinct, examples=examples) if distinct > 1 and not dates else None
        )
    if kind.is_text:
        return Facts(name, "text", rows, missing, distinct)
    if c.media(name):
        return Facts(name, "image", rows, missing, distinct)
    if not (kind.is_number or kind.is_integer):
        return None
    if not SURE.match(name) and (report.min == report.max is not None or len(report.labels) == 1):
        return None  # it is the same in all rows
    return Facts(name, "number", rows, missing, distinct, whole=kind.is_integer, examples=examples)


def _may_stand_beside_texts(c: Columns, fact: Facts) -> bool:
    """A number beside texts is the target where its name says so, or where it is a code of few."""
    named = SURE.match(fact.name) or LIKELY.match(fact.name) or TOPICAL.match(fact.name)
    few = bool(c.reports[fact.name].labels) and fact.distinct <= fact.rows // 3
    return fact.kind != "number" or not c.texts() or bool(named) or few


def classification(c: Columns) -> Fitness:
    """The verdict on classification, and on regression where the target is a number."""
    if choice := picked(c):
        why = f"{choice.pick} picks one of {choice.choices}: that is multiple choice."
        return Fitness(method="classification", verdict="no", why=why)
    target = target_of(c)
    if target is None:
        return _several(c)
    kind, name = c.kinds[target.name], target.name
    report = c.reports.get(name)
    if kind.is_text and report is not None and report.of == "characters":
        return Fitness(
            method="classification",
            verdict="no",
            why=f"{name} has {report.distinct or 'many'} different texts: those are no classes.",
        )
    if not (kind.is_text or kind.is_integer or kind.is_number or kind.name in ("class", "bool")):
        return Fitness(method="classification", verdict="no", why=f"{name} holds no class or number for each row.")
    regression = not (kind.name == "class" or _can_be_classes(c, name)) and not kind.is_text
    remarks = [target.why, _about_number(name) if regression else _about_classes(c, name), _about_others(target)]
    cast = _cast(c, name, regression)
    what = "number: regression" if regression else "label"
    texts = [one for one in c.texts() if one != name]
    plain = [n for n in c.kinds if n != name and n not in texts and not c.is_aside(n) and _is_plain(c, n)]
    if pair := _pair(c, texts, plain):
        code = f'{{"text": {c.value(pair[0])} + "\\n" + {c.value(pair[1])}, "label": row[{name!r}]}}'
        return mapping("classification", f"two texts and a {what}", mapped(code) + cast, *remarks)
    if text := _text(c, texts, plain):
        left = [one for one in texts if one != text]
        remarks.append(f"left out: {', '.join(left[:4])}" if left else "")
        return _labelled(c, text, "text", name, cast, what, remarks)
    if media := [one for one in c.kinds if one != name and c.media(one)]:
        return _labelled(c, media[0], c.media(media[0]), name, cast, what, remarks)
    if plain and not (texts and _is_about(c, texts, plain)):
        return _table(c, target, cast, regression, remarks)
    return Fitness(
        method="classification", verdict="no", why=f"{name} may be a label, but no single column is what it is of."
    )


def _is_plain(c: Columns, name: str) -> bool:
    kind = c.kinds[name]
    return kind.is_number or kind.is_integer or kind.name in ("bool", "class") or c.is_category(name)


def _is_about(c: Columns, texts: Sequence[str], plain: Sequence[str]) -> bool:
    """Whether the rows are texts with fields, and no table in which some fields are texts."""
    if len(plain) < 3 or len(plain) < len(texts):
        return True
    return any(
        one.lower() in TEXTS or ((r := c.reports.get(one)) is not None and (r.mean or 0) >= LONG) for one in texts
    )


def _pair(c: Columns, texts: list[str], plain: list[str]) -> tuple[str, str] | None:
    """Two texts that are judged together."""
    for first, second in PAIRS:
        if c.lower.get(first) in texts and c.lower.get(second) in texts:
            return c.lower[first], c.lower[second]
    if len(texts) != 2 or any(one.lower() in TEXTS for one in texts) or not _is_about(c, texts, plain):
        return None
    return texts[0], texts[1]


def _text(c: Columns, texts: list[str], plain: list[str]) -> str:
    """The text that is judged."""
    own = next((c.lower[name] for name in TEXTS if c.lower.get(name) in texts), "")
    return own or (texts[0] if len(texts) == 1 and _is_about(c, texts, plain) else "")


def _labelled(
    c: Columns, column: str, called: str, label: str, cast: str, what: str, remarks: Sequence[str]
) -> Fitness:
    names = {column: called, label: "label"}
    line = renamed(names) if any(old != new for old, new in names.items()) else ""
    if c.kinds[column].is_text and called != "text":
        line += f'.cast_column({called!r}, __import__("datasets").{called.capitalize()}())'
        remarks = [*remarks, f"the names of files in {column} are looked for from the folder that Python runs in"]
    line = f"{line or 'dataset = dataset'}{cast}" if line or cast else ""
    form = f"{called} and {'a ' if 'number' in what else ''}{what}"
    if line:
        return mapping("classification", form, line, *remarks, c.empty(column))
    return ready("classification", form, *remarks, c.empty(column))


def _table(c: Columns, target: Target, cast: str, regression: bool, remarks: Sequence[str]) -> Fitness:
    name = target.name
    splits = [one for one in c.kinds if one != name and c.is_split(one)]
    remarks = [*remarks, f"the split of each row is named by {splits[0]}" if splits else ""]
    form = f"a table of {counted(len(c.kinds) - 1, 'column')} and the {'number' if regression else 'label'} {name}"
    form += ": regression" if regression else ""
    known = name.lower() in LABELS
    if known and not cast:
        return ready("classification", form, *remarks)
    line = "dataset = dataset"
    if not known:
        line += '.remove_columns("label")' if "label" in c.kinds and name != "label" else ""
        line += f'.rename_column({name!r}, "label")' if name != "label" else ""
    return mapping("classification", form, line + (cast.replace('"label"', repr(name)) if known else cast), *remarks)


def _cast(c: Columns, name: str, regression: bool) -> str:
    """What makes a column that is called `label` by then a number of a class, or one to be learnt."""
    if regression:
        return f'.cast_column("label", {VALUE.format("float32")})'
    if c.kinds[name].is_number:
        return f'.cast_column("label", {VALUE.format("int64")})'
    return '.class_encode_column("label")' if c.kinds[name].is_text else ""


def _about_number(name: str) -> str:
    return f"a number such as {name} is learnt by regression (num_labels=1), not by classification"


def _about_others(target: Target) -> str:
    names = ", ".join(target.others[:5])
    more = f" and {len(target.others) - 5} more" if len(target.others) > 5 else ""
    return f"it could also be {names}{more}" if names else ""


def _about_classes(c: Columns, label: str) -> str:
    report = c.reports.get(label)
    if report is None or not report.labels or not report.rows:
        return f"{report.distinct} classes" if report is not None and report.distinct and _few(report) else ""
    # A test set without labels has -1 in a column of classes; a plain number of -1 is a class like another.
    without = report.labels.get("-1", 0) if c.kinds[label].name == "class" else 0
    counts = [(name, count) for name, count in report.labels.items() if not (without and name == "-1")]
    if not counts:
        return "all rows have the label -1, which stands for none"
    classes = len(counts) + report.more_labels
    if classes < 2:
        return f"all rows have the same label ({counts[0][0]})"
    told = f"{classes} classes, the commonest {counts[0][1] / report.rows:.0%}"
    return f"{told}; {without:,} rows have the label -1, which stands for none" if without else told


def _several(c: Columns) -> Fitness:
    """The verdict where no column has one class or number for each row; a list of classes can be of words, or of a text."""
    lists = [(name, kind.inner) for name, kind in c.kinds.items() if kind.name == "list" and kind.inner is not None]
    labels = next(((name, inner.names) for name, inner in lists if inner.name == "class"), None)
    words = next((name for name, inner in lists if inner.is_text), "")
    numbers = c.named(LABELS, "is_number")
    why = f"{numbers} is a number, but what it is of is not clear." if numbers else NOTHING
    if labels and words:
        why = f"{labels[0]} has a class for each of {words}: that is token classification."
    elif labels and labels[1] and (text := _text(c, c.texts(), [])):
        several = f"[float(i in row[{labels[0]!r}]) for i in range({len(labels[1])})]"
        code = f'{{"text": {c.value(text)}, "labels": {several}}}'
        why = f"{labels[0]} has several classes for a row: that is multi-label classification"
        return mapping("classification", "text and a number for each label", mapped(code), why)
    return Fitness(method="classification", verdict="no", why=why)


def _lower(text: str) -> str:
    return f"{text[0].lower()}{text[1:].rstrip('.')}"
