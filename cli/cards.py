"""What a person needs to decide at a gate, as lines: the plan, the job, the publication, the calls, the question.

Pure functions from a gate's card (see `nodes/approve_plan.py` and its neighbours) to lines. A field that a card lacks
is left out; nothing here fails on a card of another version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainwright.nodes.card_words import parts

from .screen import Line
from .words import clean, duration, line, node_title, number, size

__all__ = [
    "DIFF_LINES",
    "card_lines",
    "diff_lines",
    "evaluation_lines",
    "gate_title",
    "how_to_answer",
    "text_lines",
    "waiting_lines",
]

Card = Mapping[str, Any]

DIFF_LINES = 40
"""Lines of a difference that a card shows before it says how many more there are."""

DIFF_ROW = 400
"""Characters of one line of a difference that a card shows."""

TEXT_LINES = 40
"""Lines of an argument that a card shows before it says how many more there are."""

LONG = 2_000
"""Characters of a paragraph, or of one line of an argument, that a card shows."""


def gate_title(gate: str) -> str:
    """The title over a gate's card."""
    titles = {
        "approve_plan": "The plan",
        "approve_job": "The training job",
        "approve_publish": "The publication",
        "approve_tools": "A tool wants to run",
        "ask_person": "A question",
    }
    return titles.get(gate, node_title(gate))


SHOWN_WITH_THE_CARD: dict[str, tuple[str, ...]] = {
    "approve_plan": ("action", "estimate"),
    "approve_job": ("action", "where", "estimate"),
    "approve_publish": ("action", "where"),
}
"""What of the words of every card the lines of a gate say already, or what comes before them."""


def waiting_lines(waiting: Card, *, full: bool = False) -> list[Line]:
    """All that a run shows while it waits: why it asks again, the action, the card, who pays, what remains, and so on.

    Args:
        waiting: what waits, and the name of the `run`.
        full: nothing of a text or a difference is left out.
    """
    gate, card = str(waiting.get("gate", "")), waiting.get("card") or {}
    lines = [Line(line(waiting["problem"], 600), "warn")] if waiting.get("problem") else []
    if card.get("action"):
        lines.append(Line(line(card["action"], 600), label="action"))
    run = line(waiting.get("run") or "RUN", 120)
    if gate == "approve_tools":
        lines += call_lines(card, waiting.get("answered") or {}, run=run, full=full)
    elif gate == "approve_job":
        lines += job_lines(card, run=run, full=full)
    else:
        lines += card_lines(gate, card)
    said = SHOWN_WITH_THE_CARD.get(gate, ("action",))
    words = parts(card, waiting.get("standing") or {})
    return lines + [Line(line(text, 600), label=label) for label, text in words if label not in said]


def card_lines(gate: str, card: Card) -> list[Line]:
    """The card of any gate."""
    makers = {
        "approve_plan": plan_lines,
        "approve_job": job_lines,
        "approve_publish": publication_lines,
        "approve_tools": call_lines,
        "ask_person": question_lines,
    }
    maker = makers.get(gate)
    return maker(card) if maker else [Line(line(value, LONG), label=node_title(key)) for key, value in card.items()]


def plan_lines(card: Card) -> list[Line]:
    """The plan with its reasons and its estimate."""
    lines = [Line(line(card[key]), label=key) for key in ("paper", "data") if card.get(key)]
    if card.get("attempt", 1) != 1:
        lines.append(Line(f"{card['attempt']}, {line(card.get('change') or 'begun anew', 300)}", label="attempt"))
    lines.append(Line(line(card.get("approach", ""), LONG), label="approach"))
    lines += [Line(f"- {line(reason, 600)}", indent=2) for reason in card.get("reasons", [])]
    lines.append(Line(_goal_of(card), label="metric"))
    settings = card.get("hyperparameters", [])
    if settings:
        lines.append(Line("", label="settings"))
        lines += [_setting(item) for item in settings]
    if claim := card.get("claim"):
        lines += _claim(claim)
    if card.get("baseline"):
        lines.append(Line(line(card["baseline"]), label="compared with"))
    cost = card.get("usd_micros", 0) / 1e6
    estimate = f"about {duration(card.get('seconds', 0.0))} on {line(card.get('hardware', 'cpu'))}"
    lines.append(Line(f"{estimate}, {'no cost' if not cost else f'{cost:.2f} US dollars'}", label="estimate"))
    return lines


def _goal_of(card: Card) -> str:
    target = card.get("target")
    wanted = f", {target['op']} {number(target['value'])} is wanted" if target else ""
    column = f", predicting {line(card['target_column'], 80)}" if card.get("target_column") else ""
    return f"{line(card.get('metric', ''), 60)} ({line(card.get('direction', ''), 20)} is better{column}{wanted})"


def _setting(item: Card) -> Line:
    origin = {"paper": "the paper", "recipe": "the recipe", "chosen": "chosen"}.get(item.get("source", ""), "")
    page = f", page {item['page']}" if item.get("page") else ""
    quote = f': "{line(item["quote"], 160)}"' if item.get("quote") else f", {line(item.get('why', ''), 160)}"
    return Line(
        f"{line(item.get('name', ''), 60)} = {line(item.get('value', ''), 80)} ({origin}{page}{quote})", indent=2
    )


def _claim(claim: Card) -> list[Line]:
    where = [line(claim[key], 100) for key in ("method", "dataset", "split") if claim.get(key)]
    page = [f"page {claim['page']}"] if claim.get("page") else []
    about = f" ({', '.join(where + page)})" if where or page else ""
    lines = [
        Line(f"{line(claim.get('metric', ''), 40)} {number(claim.get('value'))}{about}", label="claim of the paper")
    ]
    if claim.get("quote"):
        lines.append(Line(f'"{line(claim["quote"], 400)}"', "faint", indent=2))
    return lines


def job_lines(card: Card, *, run: str = "RUN", full: bool = False) -> list[Line]:
    """The job: where, how long, the preflight list, and what changed since the last attempt."""
    code = card.get("code", {})
    memory = f", {size(card['estimated_memory'])} of memory" if card.get("estimated_memory") else ""
    cost = card.get("usd", 0)
    lines = [
        Line(f"{card.get('attempt', 1)}", label="attempt"),
        Line(line(card.get("where", "")), label="where"),
        Line(
            f"about {duration(card.get('estimated_seconds', 0.0))}{memory}, "
            f"{'no cost' if not cost else f'{cost:.2f} US dollars'}",
            label="estimate",
        ),
    ]
    origin = "written for this run"
    if code.get("recipe"):
        origin = f"recipe {line(code['recipe'], 60)}{', unmodified' if code.get('unmodified') else ', modified'}"
    lines.append(Line(f"{origin}, commit {line(code.get('commit', ''), 60)[:12]}", label="code"))
    if card.get("change"):
        lines.append(Line(line(card["change"], 600), label="change"))
    lines.append(Line("", label="preflight"))
    lines += [check_line(check) for check in card.get("preflight", [])]
    return lines + diff_lines(card, None if full else DIFF_LINES, run=run)


def check_line(check: Card) -> Line:
    """One check: passed or open."""
    passed = bool(check.get("passed"))
    detail = f": {line(check['detail'], 200)}" if check.get("detail") else ""
    word = "[ok]  " if passed else "[open]"
    return Line(f"{word} {line(check.get('name', ''), 80)}{detail}", "" if passed else "bad", indent=2)


def diff_lines(card: Card, limit: int | None, *, run: str = "RUN") -> list[Line]:
    """The difference to the code that was approved last, or to the version before.

    Args:
        card: the job's card; its `diff` is a unified diff, or of a first attempt git's summary of the new files.
        limit: lines of it to show; all, and whole ones, when None.
        run: whose it is, for the command that shows the rest.
    """
    text = str(card.get("diff") or "")
    rows = text.splitlines()
    added = sum(row.startswith("+") and not row.startswith("+++") for row in rows)
    removed = sum(row.startswith("-") and not row.startswith("---") for row in rows)
    files = sum(row.startswith("+++") for row in rows)
    if not rows:
        return [Line(f"none since {line(card.get('since', 'the last attempt'), 80)}", label="difference")]
    first = limit is not None and card.get("attempt", 1) == 1 and card.get("code", {}).get("unmodified")
    shown = [] if first else rows if limit is None else rows[:limit]
    head = f"{files} file{'s' if files != 1 else ''}, {added} lines added, {removed} removed"
    if not files:
        head = line(rows[-1])
    lines = [Line(f"{head}{', all of it the tested recipe' if first else ''}", label="difference")]
    roles = {"+": "good", "-": "bad", "@": "faint"}
    texts = [row if limit is None else _beginning(row, DIFF_ROW) for row in shown]
    lines += [Line(text, roles.get(text[:1], ""), indent=2) for text in texts]  # type: ignore[arg-type]
    left = 0 if first else len(rows) - len(shown)
    if left or texts != list(shown):
        lines.append(Line(f"{_left(left)}; {_rest(run)}", "faint", indent=2))
    elif first:
        lines.append(Line(_rest(run), "faint", indent=2))
    return lines


def _beginning(row: str, limit: int) -> str:
    return row if len(row) <= limit else f"{row[:limit]} ... {len(row) - limit} more characters"


def _left(rows: int) -> str:
    return f"... {rows} more lines" if rows else "... parts of lines are left out"


def _rest(run: str) -> str:
    return f"`trainwright show {run} --full` shows all of it"


def text_lines(value: object, label: str = "", *, indent: int = 0, run: str = "RUN", full: bool = False) -> list[Line]:
    """A text as it is, line by line, so that none of it reads as a part of another; what is left out is said.

    Args:
        value: the text, or what is shown as JSON.
        label: what it is.
        indent: how far it stands in.
        run: whose it is, for the command that shows the rest.
        full: nothing is left out.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2, default=str)
    rows = clean(text).expandtabs(4).rstrip("\n").split("\n")
    shown = rows if full else [_beginning(row, LONG) for row in rows[:TEXT_LINES]]
    if len(rows) == 1:
        lines = [Line(shown[0], label=label, indent=indent)]
    else:
        lines = [Line(f"({len(rows)} lines)", label=label, indent=indent)]
        lines += [Line(row, indent=indent + 2) for row in shown]
    if shown != rows:
        lines.append(Line(f"{_left(len(rows) - len(shown))}; {_rest(run)}", "warn", indent=indent + 2))
    return lines


def publication_lines(card: Card) -> list[Line]:
    """The publication: name and place, score with its interval, baseline, claim, files."""
    data = card.get("data", {})
    lines = [
        Line(f"{line(card.get('name', ''), 120)}, in {line(card.get('where', ''))}", label="publish as"),
        *([Line(line(card["on_the_hub"], 400), label="this is")] if card.get("on_the_hub") else []),
        Line(line(card.get("method", "")), label="method"),
        *evaluation_lines(card.get("evaluation") or {}),
    ]
    if not card.get("beats_baseline", True):
        lines.append(Line("This is NO better than a model that ignores its input.", "bad"))
    licence = line(data.get("licence") or "unknown", 80)
    lines.append(Line(f"{line(data.get('name', ''), 120)}, licence {licence}", label="data"))
    lines.append(Line(", ".join(line(name, 80) for name in card.get("files", [])[:20]), label="files"))
    return lines


def evaluation_lines(result: Card) -> list[Line]:
    """The score on withheld rows with its interval, the baseline, the wanted score and the paper's claim."""
    if not result:
        return []
    name = line(result.get("metric", ""), 60)
    interval = f"[{number(result.get('low'))}, {number(result.get('high'))}]"
    lines = [
        Line(
            f"{name} {number(result.get('value'))} {interval} on {result.get('n_test', '?')} withheld rows",
            "title",
            label="score",
        )
    ]
    if baseline := result.get("baseline"):
        lines.append(Line(f"{number(baseline.get('value'))} ({line(baseline.get('name', ''), 60)})", label="baseline"))
    if result.get("target_met") is not None:
        met = bool(result["target_met"])
        lines.append(Line("reached" if met else "NOT reached", "good" if met else "warn", label="wanted score"))
    claim = result.get("claim")
    if claim is None:
        lines.append(Line("there is none to compare with", "faint", label="claim"))
    else:
        verdict = {"not_comparable": "not comparable"}.get(claim.get("verdict", ""), claim.get("verdict", ""))
        role = {"reproduced": "good", "better": "good", "worse": "warn"}.get(claim.get("verdict", ""), "")
        said = f"{line(claim.get('metric', ''), 40)} {number(claim.get('value'))}: {line(verdict, 40)}"
        lines.append(Line(said, role, label="claim"))  # type: ignore[arg-type]
        if claim.get("why"):
            lines.append(Line(line(claim["why"], 600), "faint", indent=2))
    return lines


def call_lines(
    card: Card, answered: Mapping[str, str] | None = None, *, run: str = "RUN", full: bool = False
) -> list[Line]:
    """The tool calls that need a person, numbered where there are several.

    Args:
        card: with its `calls`.
        answered: number of a call to what was decided on it already.
        run, full: as in `text_lines`.
    """
    calls, done = card.get("calls", []), answered or {}
    lines = []
    whole: Any = {"indent": 2, "run": run, "full": full}
    for place, call in enumerate(calls, start=1):
        mark = f"{place}. " if len(calls) > 1 else ""
        state = f" ({line(done[str(place)], 200)})" if str(place) in done else " (open)" if done else ""
        lines.append(Line(f"{mark}{line(call.get('name', ''), 80)}{state}", "title"))
        for words in call.get("does", []):
            lines += text_lines(words, "action", **whole)
        for key, value in call.get("args", {}).items():
            lines += text_lines(value, line(key, 60), **whole)
    return lines


def question_lines(card: Card) -> list[Line]:
    """The question and its allowed answers."""
    lines = [Line(str(card.get("text", ""))[:LONG])]
    options = card.get("options", [])
    if options:
        shown = ", ".join(line(option, 80) for option in options[:60])
        more = f" and {len(options) - 60} more" if len(options) > 60 else ""
        lines.append(Line(f"{shown}{more}", label="answers"))
    return lines


def how_to_answer(run: str, gate: str, open_actions: Sequence[int] | None = None) -> list[Line]:
    """The commands that answer a gate.

    Args:
        run: its name.
        gate: where it waits.
        open_actions: numbers of the actions that nobody has decided on; None where that is not known.
    """
    if open_actions is not None and not open_actions:
        return [Line(f"trainwright resume {run}", label="all is answered; to carry it out", indent=2)]
    if gate == "ask_person":
        ways = [
            ("answer", f"trainwright answer {run} TEXT"),
            ("do not answer, end the run", f"trainwright reject {run}"),
        ]
    elif gate == "approve_tools":
        ways = [
            ("approve", f"trainwright approve {run}"),
            ("change it first", f"trainwright edit {run}"),
            ("reject, with a reason", f'trainwright reject {run} --feedback "why"'),
            ("answer in its place", f"trainwright answer {run} TEXT"),
        ]
    else:
        ways = [
            ("approve", f"trainwright approve {run}"),
            ("change it first", f"trainwright edit {run}"),
            ("send back", f'trainwright reject {run} --feedback "what to change"'),
            ("reject and end the run", f"trainwright reject {run}"),
        ]
    lines = [Line(command, label=what, indent=2) for what, command in ways]
    if open_actions is not None and len(open_actions) > 1:
        numbers = ", ".join(map(str, open_actions))
        lines.append(Line(f"any of these with --only N; open: {numbers}", "faint", indent=2))
    return lines
