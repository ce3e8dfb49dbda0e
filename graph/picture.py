"""The picture of the graph, from the graph itself: Mermaid text, or a PNG drawn without a network.

In the PNG the process runs down the middle. What ends a run early leaves to the left, to `wrap_up`; what goes back or
skips a part leaves to the right, on one lane for each node that it leads to. Nothing here knows an edge of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Edge", "edges", "mermaid", "png"]

ORDER = (
    "__start__", "read_paper", "plan", "approve_plan", "find_data", "write_code", "sandbox_test", "approve_job",
    "submit_job", "watch_job", "evaluate", "approve_publish", "publish", "wrap_up", "__end__",
)  # fmt: skip
ASIDE = "ask_person"
"""The one node beside the process: a question, and back to the stage that asked."""

END = "wrap_up"
GATE, PLAIN, INK, FAINT = "#fde9c8", "#dbe9f6", "#333d4b", "#7d8a9c"
LANE_COLOURS = ("#2b63c0", "#17784a", "#9a6200", "#8a3d9e", "#b3261e", "#3a7f8c")
RAIL, FIRST_LANE, LANE = -2.9, 4.4, 0.45
"""Places on the horizontal axis: the way to `wrap_up`, the first lane, and how far lanes stand apart."""

ROW = 1.3
"""How far nodes stand apart on the vertical axis."""


class Edge(NamedTuple):
    """One edge of the graph as it is drawn."""

    source: str
    target: str
    conditional: bool
    label: str


def mermaid(inside: bool = False) -> str:
    """The graph as a Mermaid flow chart; `inside` also shows the loops of the stages."""
    from .workflow import graph

    drawn: str = graph.get_graph(xray=1 if inside else 0).draw_mermaid()
    return drawn.replace(r"\3a", "__")


def edges() -> list[Edge]:
    """Every edge of the graph."""
    from .workflow import graph

    return [Edge(e.source, e.target, bool(e.conditional), str(e.data or "")) for e in graph.get_graph().edges]


def png(path: str | Path) -> Path:
    """Draw the graph into a PNG file with matplotlib.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 12.5))
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.axis("off")
    axes.set_xlim(-5.4, 6.6)
    axes.set_ylim(-ROW * len(ORDER) + 0.6, 0.6)
    drawn = edges()
    places = {name: (0.0, -ROW * row) for row, name in enumerate(ORDER)}
    places[ASIDE] = (-4.4, (places["plan"][1] + places["find_data"][1]) / 2)
    _straight(axes, drawn, places)
    _to_the_end(axes, drawn, places)
    _lanes(axes, drawn, places)
    for name, (x, y) in places.items():
        gate = name == ASIDE or name.startswith("approve")
        box = {"boxstyle": "round,pad=0.4", "fc": GATE if gate else PLAIN, "ec": INK}
        axes.text(x, y, name.strip("_"), ha="center", va="center", fontsize=9.5, color=INK, bbox=box, zorder=5)
    figure.savefig(path, dpi=130, bbox_inches="tight")
    return Path(path)


Places = dict[str, tuple[float, float]]


def _follows(edge: Edge) -> bool:
    """Whether an edge leads to the next node of the process."""
    if edge.source not in ORDER or edge.target not in ORDER:
        return False
    return ORDER.index(edge.target) == ORDER.index(edge.source) + 1


def _straight(axes: Any, drawn: Sequence[Edge], places: Places) -> None:
    """The process itself, and what a node does until it can go on."""
    for edge in drawn:
        (x, y), (to_x, to_y) = places[edge.source], places[edge.target]
        if _follows(edge):
            _line(axes, [(x, y - 0.25), (to_x, to_y + 0.28)], INK)
            _note(axes, x + 0.12, (y + to_y) / 2, edge.label, "left")
        elif edge.source == edge.target:
            _note(
                axes,
                x - 0.95 * (edge.source != ASIDE),
                y + 0.18 + 0.25 * (edge.source == ASIDE),
                f"again: {edge.label}",
                "center" if edge.source == ASIDE else "right",
            )
        elif edge.source == ASIDE and edge.target != END:
            _line(axes, [(x + 0.75, y - 0.1), (to_x - 0.7, to_y - 0.1)], FAINT)
        elif edge.target == ASIDE:
            _line(axes, [(x - 0.7, y + 0.1), (to_x + 0.75, to_y + 0.1)], FAINT)


def _to_the_end(axes: Any, drawn: Sequence[Edge], places: Places) -> None:
    """Everything that ends a run early, on one rail."""
    sources = [edge.source for edge in drawn if edge.target == END and not _follows(edge)]
    end = places[END][1]
    for source in sources:
        x, y = places[source]
        axes.plot([x, RAIL], [y - 0.05, y - 0.05], color=FAINT, lw=1, ls=":", zorder=1)
    top = max(places[source][1] for source in sources) - 0.05
    axes.plot([RAIL, RAIL], [top, end], color=FAINT, lw=1.2, ls=":", zorder=1)
    _line(axes, [(RAIL, end), (-0.62, end)], FAINT)
    _note(axes, RAIL - 0.1, end + 0.25, "ended, rejected, or a limit", "right")


def _lanes(axes: Any, drawn: Sequence[Edge], places: Places) -> None:
    """Ways back, and ways that skip a part: one lane for each node that they lead to."""
    lanes: dict[str, list[Edge]] = defaultdict(list)
    for edge in drawn:
        aside = ASIDE in (edge.source, edge.target) or edge.target == END or edge.source == edge.target
        if not aside and not _follows(edge):
            lanes[edge.target].append(edge)
    leaving: dict[str, int] = defaultdict(int)
    for number, target in enumerate(sorted(lanes, key=lambda name: -ORDER.index(name))):
        x, colour = FIRST_LANE + LANE * number, LANE_COLOURS[number % len(LANE_COLOURS)]
        arrives = places[target][1] + 0.19
        for edge in lanes[target]:
            y = places[edge.source][1] - 0.04 - 0.24 * leaving[edge.source]
            leaving[edge.source] += 1
            axes.plot([0.5, x, x], [y, y, arrives], color=colour, lw=1.2, zorder=1)
            _note(axes, 1.25, y + 0.01, edge.label, "left", colour)
        _line(axes, [(x, arrives), (0.85, arrives)], colour)


def _line(axes: Any, points: list[tuple[float, float]], colour: str) -> None:
    style = {"arrowstyle": "-|>", "color": colour, "lw": 1.2, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", xy=points[1], xytext=points[0], arrowprops=style, zorder=2)


def _note(axes: Any, x: float, y: float, text: str, side: str, colour: str = FAINT) -> None:
    axes.text(x, y, text, ha=side, va="bottom" if colour != FAINT else "center", fontsize=7, color=colour, zorder=4)
