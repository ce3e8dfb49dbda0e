"""Which column is predicted, and whether that is classification or regression.

Decided where the source, the person, the names or the form of the table make it clear; otherwise it is a question.
Nothing is guessed: a decision by a name or by a position is said in a finding. A paper's words decide nothing: they
order the answers of a question, and raise one where they speak against a decision among several likely names.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.graph.errors import DataError
from trainwright.graph.state import Task

from .facts import Facts
from .messages import shown, shown_list

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Asked", "Chosen", "choose_target", "choose_task", "existing_column"]

SURE = re.compile(r"(?i)^(target|labels?|class(es)?|outcome|ground_?truth|gold(_label)?)$")
LIKELY = re.compile(
    r"(?i)^(y[_ ]?\d*|response|output|dependent|target[_ .].*|labels?[_ .].*|class[_ .](index|id|name|label)"
    r"|.*[_ .-](target|label|labels|outcome))$"
)
TOPICAL = re.compile(
    r"(?i)^(species|diagnosis|sentiment|polarity|categor(y|ies)|intent|emotion|topic|genre|spam|survived|churn(ed)?|default"
    r"|income|price|sale_?price|salary|quality|rating|stars|score|charges|cost|medv|mpg|strength|rings|fraud|attrition"
    r"|approved|exited|converted|purchased?|subscribed|deposit|readmitted|mortality|death|died|disease|result|decision"
    r"|demand|sales|consumption|yield|grade|toxicity|stance|language|author|death_event|num|loan_status|activity|type"
    r"|failure|machine_failure|fault|stroke|cardio|condition|risk|potability|hazardous|quantity|rented_?bike_?count|cnt"
    r"|(is|has|was|will)_[a-z_]+|status|.*[_ ](class|type|status|category|price|score|value|disease|diagnosis|risk)"
    r"|.*[a-z](Type|Status|Category|Price|Score|Value|Disease))$"
)
UNNAMED = re.compile(r"c\d+")
FLAG = re.compile(r"(?i)^(is|has|was|will)_")
CLASS_NAME = re.compile(
    r"(?i)(class|label|categor|species|type|genre|topic|sentiment|intent|emotion|digit|letter|cluster|diagnos|polarity)"
)
NUMBER_NAME = re.compile(
    r"(?i)(price|cost|amount|count|cnt|age|salary|income|value|total|sales|demand|duration|distance|rings|charges|mpg"
    r"|hours?|minutes|seconds|days|years?|temperature|weight|height|yield|consumption|strength|views|clicks|visits|claims)"
)
GOAL_WORD = re.compile(r"(?i)\b(predict|classif|estimat|forecast|target|detect|recogni[sz])")


@dataclass(frozen=True)
class Chosen:
    """A decision and its reason, as a sentence."""

    value: str
    why: str
    sure: bool = True


class Asked(BaseModel):
    """What only a person can tell; the answer comes back under `key`."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="target_column, task or header.")
    text: str
    options: list[str] = Field(default_factory=list)


def existing_column(names: Sequence[str], wanted: str) -> str:
    """The column that a person named; capitals and blanks around it do not matter where that is unambiguous.

    Raises:
        DataError: there is none; names the closest ones.
    """
    if wanted in names:
        return wanted
    loose = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if len(loose) == 1:
        return loose[0]
    folded = {name.casefold(): name for name in names}
    near = [folded[match] for match in difflib.get_close_matches(wanted.strip().casefold(), list(folded), 3, 0.6)]
    hint = f"Did you mean {shown_list(near)}?" if near else f"There are: {shown_list(names, 20)}."
    raise DataError(f"The data have no column {shown(wanted)}.", hint=hint)


def choose_target(
    facts: Mapping[str, Facts],
    *,
    asked: str = "",
    declared: str = "",
    goal: str = "",
    context: str = "",
    named: bool = True,
) -> Chosen | Asked:
    """The column to predict.

    Args:
        facts: the columns that could be features or the target, in their order.
        asked: what a person named; it has to exist.
        declared: what the source itself declares.
        goal: the person's own words.
        context: words of others on the task, such as the title of the paper; they choose no column.
        named: whether the columns have names of their own.

    Raises:
        DataError: the column asked for does not exist, or nothing can be predicted.
    """
    if asked:
        return Chosen(existing_column(list(facts), asked), "A person named it.")
    if declared in facts:
        return Chosen(declared, "The source declares it.")
    plain = ("number", "category", "boolean")
    possible = [name for name, fact in facts.items() if fact.kind in plain and (fact.rows or SURE.match(name.strip()))]
    if not possible:
        raise DataError(
            f"No column can be predicted: there are {shown_list(facts, 12)}.",
            hint="A column with a class or a number for each row is needed.",
        )
    if found := _in_goal(possible, goal):
        return Chosen(found, "The goal names it.")
    sure = [name for name in possible if SURE.match(name.strip())]
    likely = sure or [name for name in possible if LIKELY.match(name.strip()) and not _axis(name, facts)]
    if len(likely) == 1:
        return Chosen(likely[0], "Its name says so.")
    if len(likely) > 1:
        return _by_words(likely, goal) or _question(likely, facts, context)
    others = [name for name, fact in facts.items() if name not in possible]
    if len(possible) == 1 and others:
        return Chosen(possible[0], "It is the only column that is neither text nor image.")
    topical = [name for name in possible if TOPICAL.match(name.strip())]
    if len(topical) == 1:
        return Chosen(topical[0], "Its name is one that outcomes have.", sure=False)
    if decided := _by_words(topical or _edges(possible), goal):
        return decided
    decided = _last_of(topical, possible) or _by_form(possible, facts, named)
    if decided is None or _speaks_against(context, topical, decided.value):
        return _question(possible, facts, context)
    return decided


def _axis(name: str, facts: Mapping[str, Facts]) -> bool:
    """A column y beside a column x is a coordinate."""
    return name.lower() == "y" and any(other.lower() == "x" for other in facts) and len(facts) > 2


def _in_goal(possible: Sequence[str], goal: str) -> str:
    """The one column that the goal names behind a word such as "predict"."""
    start = GOAL_WORD.search(goal)
    if start is None:
        return ""
    rest = goal[start.start() :]
    found = [name for name in possible if len(name) > 1 and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", rest, re.I)]
    quoted = [name for name in found if re.search(rf"[\"'`]{re.escape(name)}[\"'`]", rest)]
    chosen = quoted if len(quoted) == 1 else found
    return chosen[0] if len(chosen) == 1 else ""


def _by_words(names: Sequence[str], goal: str) -> Chosen | None:
    """The one candidate whose name, in plain words, stands in the goal."""
    found = _named_in(goal, names)
    if len(found) != 1:
        return None
    return Chosen(found[0], "Of the columns that could be meant, the goal names this one.", sure=False)


def _named_in(text: str, names: Sequence[str]) -> list[str]:
    plain = f" {_words(text)} "
    return [name for name in names if len(name) > 3 and f" {_words(name)} " in plain]


def _speaks_against(context: str, topical: Sequence[str], chosen: str) -> bool:
    """Whether the paper names exactly one of several likely columns, and another one was chosen."""
    found = _named_in(context, topical)
    return len(found) == 1 and found != [chosen]


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.findall(r"[^\W_]+", spaced.lower()))


def _last_of(topical: Sequence[str], possible: Sequence[str]) -> Chosen | None:
    if topical and topical[-1] == possible[-1] and not FLAG.match(topical[-1]):
        return Chosen(topical[-1], "Its name is one that outcomes have, and it stands last.", sure=False)
    return None


def _edges(possible: Sequence[str]) -> list[str]:
    return list(dict.fromkeys((possible[-1], possible[0])))


def _by_form(possible: Sequence[str], facts: Mapping[str, Facts], named: bool) -> Chosen | None:
    """The only column of classes, or the last one where that alone holds classes."""
    classes = [name for name in possible if facts[name].classlike]
    first, last = facts[possible[0]], facts[possible[-1]]
    if len(classes) == 1 and (classes[0] == last.name or (classes[0] == first.name and not named)):
        return Chosen(classes[0], "It is the only column that holds classes.", sure=False)
    if len(classes) == 1 and CLASS_NAME.search(classes[0]):
        return Chosen(
            classes[0], "It is the only column that holds classes, and its name is one of classes.", sure=False
        )
    if last.classlike and last.distinct <= 30 and (not first.classlike or not named):
        return Chosen(last.name, "It stands last, and holds classes; the first column does not.", sure=False)
    binary = [name for name in possible if facts[name].distinct == 2]
    if binary == [possible[-1]]:
        return Chosen(binary[0], "It stands last, and is the only column with two values.", sure=False)
    return None


def _question(names: Sequence[str], facts: Mapping[str, Facts], context: str) -> Asked:
    """The candidates with what they hold: those that the paper names first, then the last column."""
    ordered = list(dict.fromkeys((*_named_in(context, names), names[-1], *names)))
    described = "; ".join(f"{shown(name, 40)} ({_described(facts[name])})" for name in ordered[:8])
    more = f"; and {len(ordered) - 8} more" if len(ordered) > 8 else ""
    text = f"Which column is to be predicted? Several could be: {described}{more}."
    return Asked(key="target_column", text=text, options=ordered[:200])


def _described(fact: Facts) -> str:
    return f"{fact.kind}, {fact.distinct} different values, such as {shown_list(fact.examples, 3)}"


def choose_task(fact: Facts, values: pd.Series[Any], *, asked: str = "", goal: str = "") -> Chosen | Asked:
    """Whether a column is a class or a quantity.

    Args:
        fact: of the target.
        values: its values, without missing ones.
        asked: the task that was answered or planned, if any.
        goal: the person's own words.

    Raises:
        DataError: the column can be neither, or not what was asked for.
    """
    if fact.kind in ("category", "text", "boolean"):
        if asked == "regression" and fact.kind != "boolean":
            raise DataError(
                f"Column {shown(fact.name)} holds words ({shown_list(fact.examples, 3)}), so it cannot be a number to "
                "predict.",
                hint="Name another column with --target-column.",
            )
        return Chosen("classification", "It holds words." if fact.kind != "boolean" else "It holds truth values.")
    if fact.kind != "number":
        raise DataError(
            f"Column {shown(fact.name)} holds a {fact.kind}, which cannot be predicted here.",
            hint="Name a column with a class or a number for each row with --target-column.",
        )
    if asked:
        _refuse_measured(fact, asked)
        return Chosen(asked, "It was asked for.")
    if not fact.whole:
        return Chosen("regression", "It holds numbers with fractions.")
    by_goal = _task_of_goal(goal)
    return Chosen(by_goal, "The goal says so.") if by_goal else _of_integers(fact, values)


def _refuse_measured(fact: Facts, asked: Task | str) -> None:
    if asked == "classification" and not fact.whole and fact.distinct > 50:
        raise DataError(
            f"Column {shown(fact.name)} holds {fact.distinct} different measured numbers: those are no classes.",
            hint="Ask for regression, or name another column with --target-column.",
        )


def _task_of_goal(goal: str) -> str:
    classes = re.search(r"(?i)\b(classif|categori[sz]|accuracy|f1|recogni[sz])", goal)
    number = re.search(r"(?i)\b(regress|rmse|mae\b|mean absolute|squared error|r2\b|r²)", goal)
    return "classification" if classes and not number else "regression" if number and not classes else ""


def _of_integers(fact: Facts, values: pd.Series[Any]) -> Chosen | Asked:
    """Integers: codes of classes, or counts and measures."""
    if fact.distinct <= 2:
        return Chosen("classification", "It has two values.")
    counts = values.value_counts()
    low, high, least = int(counts.index.min()), int(counts.index.max()), int(counts.min())
    dense = high - low + 1 == fact.distinct and low in (-1, 0, 1)
    even = least >= 5 or (least >= 2 and counts.max() <= 10 * least)
    if NUMBER_NAME.search(fact.name) and not CLASS_NAME.search(fact.name):
        if fact.distinct > 10:
            return Chosen("regression", "Its name and its many values are those of a quantity.")
        return _ask_task(fact, low, high)
    many = fact.distinct > 0.2 * fact.rows or (fact.distinct > 50 and not dense)
    if CLASS_NAME.search(fact.name) and not many:
        return Chosen("classification", "Its name is that of classes.")
    if (
        dense
        and fact.distinct <= 10
        and fact.rows >= 3 * fact.distinct
        and (SURE.match(fact.name) or LIKELY.match(fact.name))
    ):
        return Chosen("classification", f"Its values are the codes {low} to {high}.")
    if dense and even and fact.distinct <= 20 and UNNAMED.fullmatch(fact.name):
        return Chosen("classification", f"It has no name, and its values are the codes {low} to {high}.", sure=False)
    if dense and even and fact.distinct <= 100 and (SURE.match(fact.name) or LIKELY.match(fact.name)):
        return Chosen("classification", f"Its values are the codes {low} to {high}, each in several rows.", sure=False)
    if many:
        return Chosen("regression", f"It has {fact.distinct} different values in {fact.rows} rows.", sure=False)
    return _ask_task(fact, low, high)


def _ask_task(fact: Facts, low: int, high: int) -> Asked:
    text = (
        f"Is {shown(fact.name)} a class or a quantity? It holds {fact.distinct} different whole numbers from {low} to "
        f"{high}. classification: each number stands for a class; regression: the numbers measure or count something."
    )
    return Asked(key="task", text=text, options=["classification", "regression"])
