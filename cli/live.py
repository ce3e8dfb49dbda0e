"""The picture of a run that is drawn over while it works: its stages, and the job's metrics.

`picture` is a pure function from a view and the present to a Rich renderable, at most as high as the terminal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .screen import Marks
from .view import ORDER, NodeView, RunView
from .words import duration, line, measured, node_title, sparkline, tokens_and_dollars

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

__all__ = ["picture"]

METRICS = 5
"""Metrics of the job that are shown at once."""

_STYLES = {"ahead": "dim", "under way": "bold", "done": "", "waiting": "yellow", "wrong": "red"}
_COLOURS = {"ahead": "dim", "under way": "cyan", "done": "green", "waiting": "yellow", "wrong": "red"}


def picture(view: RunView, now: float, marks: Marks, width: int, height: int) -> Group:
    """The stages and metrics of a run.

    Args:
        view: what is known.
        now: the present on the view's clock.
        marks: the signs to use.
        width: columns of the terminal.
        height: rows of the terminal; a low one gets one row for the stages.
    """
    from rich.console import Group

    metrics = _metric_rows(view, marks, width)
    rows = [_head(view, now)]
    if height >= len(ORDER) + len(metrics) + 4:
        rows += [_node_row(name, view.nodes[name], view, now, marks) for name in ORDER]
    else:
        rows.append(_one_row(view, now, marks))
    rows += metrics[: max(0, height - len(rows) - 1)]
    for row in rows:
        row.no_wrap = True
        row.truncate(max(1, width - 1), overflow="crop")
    return Group(*rows)


def _text(content: str, style: str = "") -> Text:
    from rich.text import Text

    return Text(content, style=style)


def _head(view: RunView, now: float) -> Text:
    name = line(view.run or "starting", 60)
    head = _text(name, "bold")
    head.append(f"  attempt {view.attempt}, step {view.step}, {duration(now - view.started)}", "dim")
    if view.tokens:
        head.append(f", {tokens_and_dollars(view.tokens, view.usd, view.priced)}", "dim")
    return head


def _node_row(name: str, node: NodeView, view: RunView, now: float, marks: Marks) -> Text:
    sign = {
        "ahead": marks.ahead,
        "under way": marks.under_way,
        "done": marks.done,
        "waiting": marks.waiting,
        "wrong": marks.wrong,
    }
    row = _text(f" {sign[node.phase]} ", _COLOURS[node.phase])
    row.append(f"{node_title(name):<16}", _STYLES[node.phase])
    seconds = node.elapsed(now)
    row.append(f"{duration(seconds) if seconds >= 0.05 and node.phase != 'ahead' else '':>10}  ", "dim")
    row.append(_doing(node, view), "" if node.phase == "under way" else "dim")
    return row


def _doing(node: NodeView, view: RunView) -> str:
    share = f" {view.fraction:.0%}" if node.phase == "under way" and view.fraction is not None else ""
    return f"{line(node.note, 160)}{share}" if node.note else share.strip()


def _one_row(view: RunView, now: float, marks: Marks) -> Text:
    done = sum(node.phase == "done" for node in view.nodes.values())
    row = _text(f" {marks.done} {done} of {len(ORDER)}", "green")
    active = next((n for n in ORDER if view.nodes[n].phase in ("under way", "waiting")), None)
    if active is not None:
        node = view.nodes[active]
        row.append(f"  {marks.under_way} {node_title(active)} ", "bold")
        row.append(f"{duration(node.elapsed(now))}  {_doing(node, view)}", "dim")
    return row


def _metric_rows(view: RunView, marks: Marks, width: int) -> list[Text]:
    rows = []
    ascii_only = marks.done.isascii()
    room = max(4, min(32, width - 40))
    for name, values in list(view.series.items())[:METRICS]:
        row = _text(f"   {line(name, 24):<24} {measured(values[-1]):>10}  ")
        row.append(sparkline(values, room, ascii_only), "cyan")
        rows.append(row)
    if len(view.series) > METRICS:
        rows.append(_text(f"   ... and {len(view.series) - METRICS} more metrics", "dim"))
    return rows
