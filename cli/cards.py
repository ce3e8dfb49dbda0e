"""What a person needs to decide at a gate, as lines: the plan, the job, the publication, the calls, the question.

Pure functions from a gate's card (see `nodes/approve.py`) to lines. A field that a card lacks is left out; nothing
here fails on a card of another version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .screen import Line
from .words import duration, line, node_title, number, size

__all__ = ["DIFF_LINES", "card_lines", "diff_lines", "evaluation_lines", "gate_title", "how_to_answer"]

Card = Mapping[str, Any]

DIFF_LINES = 40
"""Lines of a difference that a card shows before it says how many more there are."""

LONG = 2_000
"""Characters of a paragraph that a card shows."""


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


def job_lines(card: Card) -> list[Line]:
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
    return lines + diff_lines(card, DIFF_LINES)


def check_line(check: Card) -> Line:
    """One check: passed or open."""
    passed = bool(check.get("passed"))
    detail = f": {line(check['detail'], 200)}" if check.get("detail") else ""
    word = "[ok]  " if passed else "[open]"
    return Line(f"{word} {line(check.get('name', ''), 80)}{detail}", "" if passed else "bad", indent=2)


def diff_lines(card: Card, limit: int | None) -> list[Line]:
    """The difference to the last attempt's code.

    Args:
        card: the job's card; its `diff` is a unified diff, or of a first attempt git's summary of the new files.
        limit: lines of it to show; all when None.
    """
    text = str(card.get("diff") or "")
    rows = text.splitlines()
    added = sum(row.startswith("+") and not row.startswith("+++") for row in rows)
    removed = sum(row.startswith("-") and not row.startswith("---") for row in rows)
    files = sum(row.startswith("+++") for row in rows)
    if not rows:
        return [Line("none since the last attempt", label="difference")]
    first = limit is not None and card.get("attempt", 1) == 1 and card.get("code", {}).get("unmodified")
    shown = [] if first else rows if limit is None else rows[:limit]
    head = f"{files} file{'s' if files != 1 else ''}, {added} lines added, {removed} removed"
    if not files:
        head = line(rows[-1])
    lines = [Line(f"{head}{', all of it the tested recipe' if first else ''}", label="difference")]
    roles = {"+": "good", "-": "bad", "@": "faint"}
    lines += [Line(row[:400], roles.get(row[:1], ""), indent=2) for row in shown]  # type: ignore[arg-type]
    if not first and len(shown) < len(rows):
        lines.append(Line(f"... {len(rows) - len(shown)} more lines", "faint", indent=2))
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


def call_lines(card: Card) -> list[Line]:
    """The tool calls that need a person."""
    lines = []
    for call in card.get("calls", []):
        lines.append(Line(line(call.get("name", ""), 80), "title"))
        lines += [Line(line(value, LONG), label=line(key, 60), indent=2) for key, value in call.get("args", {}).items()]
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


def how_to_answer(run: str, gate: str) -> list[Line]:
    """The commands that answer a gate."""
    if gate == "ask_person":
        ways = [
            ("answer", f"trainwright answer {run} TEXT"),
            ("do not answer, end the run", f"trainwright reject {run}"),
        ]
    else:
        ways = [
            ("approve", f"trainwright approve {run}"),
            ("send back", f'trainwright reject {run} --feedback "what to change"'),
            ("reject and end the run", f"trainwright reject {run}"),
        ]
    return [Line(command, label=what, indent=2) for what, command in ways]
