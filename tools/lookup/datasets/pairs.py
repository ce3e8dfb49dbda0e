"""What is asked and what is answered, where it does not stand in two columns of texts.

Answers in a list or a structure (SQuAD, TriviaQA, Natural Questions), one of several choices (MMLU, ARC, HellaSwag), two
languages (WMT), a document and its summary (XSum). Each becomes a prompt and a completion by an expression over a row.
"""

from __future__ import annotations

from dataclasses import dataclass

from .columns import ANSWERS, Columns
from .kinds import Kind

__all__ = ["PICKS", "Pair", "answers_of", "beside_of", "joined", "pair_of", "picked"]

BESIDES = ("input", "context", "passage")

DOCUMENTS = ("document", "article", "dialogue", "text", "report", "body", "content")
SUMMARIES = ("summary", "highlights", "abstract", "tldr", "code")
HELD = ("text", "value", "answer", "content")
"""Where the text of an answer stands in a structure."""

CHOICES = ("choices", "options", "endings", "candidates")
STEMS = ("ctx", "context", "sentence")
PICKS = ("answer", "answerkey", "answer_key", "label", "correct", "gold", "answer_idx", "answer_index")


@dataclass(frozen=True)
class Pair:
    """Expressions over `row`.

    Attributes:
        only: what holds for the rows that have an answer; empty where all do.
        choices, pick: columns of a choice.
    """

    prompt: str
    completion: str
    only: str = ""
    why: str = ""
    choices: str = ""
    pick: str = ""


def pair_of(c: Columns) -> Pair | None:
    """The pair, where there is one of these kinds; choices are looked for apart, since they go before texts."""
    return _answered(c) or _translated(c) or _summarised(c)


def beside_of(c: Columns, prompt: str, answer: str) -> str:
    """What belongs to an instruction besides, such as the input of Alpaca."""
    found = c.named((name for name in BESIDES if c.lower.get(name) not in (prompt, answer)), "is_text")
    return found if found not in (prompt, answer) and not (found and c.is_category(found)) else ""


def joined(c: Columns, prompt: str, beside: str) -> str:
    """The code for an instruction with what belongs to it."""
    further = f' + ("\\n\\n" + row[{beside!r}] if row[{beside!r}] else "")' if beside else ""
    return f"{c.value(prompt)}{further}"


def answers_of(c: Columns) -> str:
    """The column of answers that are lists or structures; empty where there is none."""
    for name in (*ANSWERS, "answers"):
        own = c.lower.get(name, "")
        if own and _first(own, c.kinds[own]):
            return own
    return ""


def _answered(c: Columns) -> Pair | None:
    prompt, answers = c.prompt(), answers_of(c)
    truth = c.lower.get("answer", "")
    if prompt and truth and c.kinds[truth].name == "bool":
        said = f'"yes" if row[{truth!r}] else "no"'
        return Pair(joined(c, prompt, beside_of(c, prompt, truth)), said, why="true is learnt as yes, false as no")
    if not prompt or not answers:
        return None
    code, only = _first(answers, c.kinds[answers]) or ("", "")
    lacking = sum(not _has(row.get(answers), c.kinds[answers]) for row in c.rows)
    why = (
        f"of several answers the first is learnt; {lacking} of the {len(c.rows)} rows looked at have none"
        if lacking
        else ""
    )
    return Pair(
        joined(c, prompt, beside_of(c, prompt, answers)),
        code,
        only,
        why or ("of several answers the first is learnt" if only else ""),
    )


def _first(name: str, kind: Kind) -> tuple[str, str] | None:
    """The code for the first answer, and for whether there is one."""
    row = f"row[{name!r}]"
    if kind.name == "list" and kind.inner is not None:
        if kind.inner.is_text:
            return f"{row}[0]", row
        held = _held(kind.inner)
        return (f"{row}[0][{held[0]!r}]", row) if held and held[1].is_text else None
    held = _held(kind)
    if held is None:
        return None
    inner = f"{row}[{held[0]!r}]"
    if held[1].is_text:
        return inner, ""
    return (f"{inner}[0]", inner) if held[1].inner is not None and held[1].inner.is_text else None


def _held(kind: Kind) -> tuple[str, Kind] | None:
    fields = dict(kind.fields) if kind.name == "struct" else {}
    return next(((name, fields[name]) for name in HELD if name in fields), None)


def _has(value: object, kind: Kind) -> bool:
    held = _held(kind)
    return bool(value.get(held[0]) if isinstance(value, dict) and held else value)


def picked(c: Columns) -> Pair | None:
    """A question, its choices, and which of them is right."""
    choices = next((c.lower[one] for one in CHOICES if one in c.lower), "")
    stem = c.prompt() or c.named(STEMS, "is_text")
    pick = next((c.lower[one] for one in PICKS if one in c.lower), "")
    if not (choices and stem and pick):
        return None
    kind, row = c.kinds[choices], f"row[{choices!r}]"
    if "text" in dict(kind.fields) and "label" in dict(kind.fields):
        texts, index = f'{row}["text"]', f'{row}["label"].index(row[{pick!r}])'
        right: str | None = f"{texts}[{index}]"
    elif kind.name == "list" and kind.inner is not None and kind.inner.is_text:
        texts, right = row, _right(c, choices, pick)
    else:
        return None
    listed = f'"".join(f"\\n{{chr(65 + i)}}. {{one}}" for i, one in enumerate({texts}))'
    why = "the right choice is learnt as a text"
    return Pair(f"{c.value(stem)} + {listed}", right, why=why, choices=choices, pick=pick) if right else None


def _right(c: Columns, choices: str, pick: str) -> str | None:
    """The code for the right choice; None where it is not clear how it is named."""
    kind, texts, value = c.kinds[pick], f"row[{choices!r}]", f"row[{pick!r}]"
    seen = [(row[choices], row[pick]) for row in c.rows if row.get(choices) and row.get(pick) not in (None, "")]
    if kind.name == "class":
        return f"{texts}[{value}]"
    if not seen:
        return None
    if kind.is_integer:
        if any(number == len(there) for there, number in seen):
            return f"{texts}[{value} - 1]"
        return f"{texts}[{value}]" if any(number == 0 for _, number in seen) else None
    if not kind.is_text:
        return None
    if all(word in there for there, word in seen):
        return value
    if all(word.isdecimal() for _, word in seen):
        return f"{texts}[int({value})]" if any(word == "0" for _, word in seen) else None
    letters = all(len(word) == 1 and "A" <= word < chr(65 + len(there)) for there, word in seen)
    return f"{texts}[ord({value}) - 65]" if letters else None


def _translated(c: Columns) -> Pair | None:
    own = c.lower.get("translation", "")
    fields = c.kinds[own].fields if own and c.kinds[own].name == "struct" else ()
    if len(fields) != 2 or not all(kind.is_text for _, kind in fields):
        return None
    (first, _), (second, _) = fields
    return Pair(f"row[{own!r}][{first!r}]", f"row[{own!r}][{second!r}]", why=f"from {first} to {second}")


def _summarised(c: Columns) -> Pair | None:
    document, summary = c.named(DOCUMENTS, "is_text"), c.named(SUMMARIES, "is_text")
    if not document or not summary or c.prompt():
        return None
    return Pair(c.value(document), c.value(summary), why="the prompt is the document alone, without an instruction")
