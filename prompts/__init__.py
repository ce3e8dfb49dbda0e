"""What an engineer is told: one Markdown file a stage, with Jinja2 variables, and `engineer.md` for all of them.

`system` says what a stage must deliver and how, and is the same in every run; `known` says what is known when the stage
begins; `standing` what remains of the run's means at this turn. What the graph enforces is not pleaded for. Texts of
the world (titles, goals, the output of a failing script) come in as marked data.
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainwright.tools.toolbox import Standing, Workbench

__all__ = ["as_data", "known", "machine", "marked", "standing", "system"]

PACKAGES = (
    "numpy", "pandas", "pyarrow", "scipy", "scikit-learn", "skops", "pillow", "safetensors", "torch", "transformers",
    "lightgbm", "xgboost",
)  # fmt: skip
"""Packages whose presence a prompt tells; others are installed if a script's header names them and the index has them."""

FENCE = re.compile(r"(?i)<(?=[\s/\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*data\b)")
"""The beginning of a fence, also with what nobody sees in it."""

SOURCE = 120
"""Characters of a source that are shown."""

COLUMNS = 60
"""Columns of the data that a prompt lists."""


@cache
def _environment() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trainwright.prompts", "."),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown for an engineer, not HTML for a browser
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["data"] = as_data
    return environment


def as_data(value: Any, limit: int = 4_000) -> str:
    """A value of the world, fenced so that it reads as data and cannot end its own fence.

    Args:
        value: a text; anything else is shown as JSON.
        limit: characters that are shown; how many are left out is said.
    """
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    shown = _fenced(text[:limit])
    rest = len(text) - limit
    return f"<data>{shown}</data>" + (f" ({rest} characters more are not shown)" if rest > 0 else "")


def marked(text: str, source: str) -> str:
    """The whole of a text of the world as data, with its source.

    Args:
        text: what somebody outside wrote.
        source: the tool that brought it, and where from; it may be of the world, too.
    """
    name = re.sub(r"[^\w .,:/@#?=&%+-]", "", " ".join(source.split()))[:SOURCE]
    return f'<data source="{name}">{_fenced(text)}</data>'


def _fenced(text: str) -> str:
    """Without anything that reads as a fence's own beginning or end."""
    return FENCE.sub("&lt;", text)


def _block(stage: str, name: str, **variables: Any) -> str:
    template = _environment().get_template(f"{stage}.md")
    text = "".join(template.blocks[name](template.new_context(variables)))
    return re.sub(r"\n{3,}", "\n\n", text).strip()


@cache
def system(stage: str) -> str:
    """What a stage must deliver, how, and what is forbidden: the same in every run."""
    from trainwright.tools.evaluation.metrics import METRICS

    scored = {
        task: ", ".join(f"{m.name} ({m.direction})" for m in METRICS.values() if task in m.tasks)
        for task in ("classification", "regression")
    }
    rules: str = _environment().get_template("engineer.md").render()
    return f"{rules.strip()}\n\n{_block(stage, 'system', metrics=', '.join(METRICS), scored=scored)}"


def known(stage: str, bench: Workbench) -> str:
    """What is known when a stage begins: the request, the artifacts that it needs, the attempts so far, feedback."""
    brief = bench.brief and bench.brief.model_dump(
        mode="json", exclude_defaults=True, exclude={"sha256", "text_path", "pages", "source"}
    )
    plan = bench.plan and bench.plan.model_dump(mode="json", exclude_defaults=True)
    text = _block(stage, "known", bench=bench, brief=brief, plan=plan, dataset=_dataset(bench), machine=machine())
    said = [f"The person said earlier: {as_data(one)}" for one in bench.said]
    return "\n".join([text or "Nothing is known yet.", *said])


@cache
def machine() -> str:
    """What scripts run on and with, in one line: cores, memory that one may use, and what this Python has."""
    import os
    from importlib.metadata import PackageNotFoundError, version

    import psutil

    found = []
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    memory = min(16.0, psutil.virtual_memory().total / 2**30 / 2)
    return f"{os.cpu_count()} cores, no GPU, {memory:.0f} GiB for a script; this Python has {', '.join(found)}"


def _dataset(bench: Workbench) -> dict[str, Any] | None:
    data = bench.dataset
    if data is None:
        return None
    columns = [
        {"name": c.name, "kind": c.kind, "role": c.role, "missing": c.missing, "distinct": c.distinct}
        for c in data.columns
        if c.role != "dropped"
    ]
    about: dict[str, Any] = {
        "name": data.name, "task": data.task, "modality": data.modality, "target": data.target,
        "classes": data.classes[:50],
        "rows": {"train": data.split.train, "validation": data.split.validation, "test": data.split.test},
        "columns": columns[:COLUMNS],
        "findings": [f.message for f in data.findings if f.severity != "info"][:10],
    }  # fmt: skip
    if len(columns) > COLUMNS:
        about["more_columns"] = len(columns) - COLUMNS
    if len(data.classes) > 50:
        about["more_classes"] = len(data.classes) - 50
    return about


def standing(bench: Workbench) -> str:
    """What remains at this turn, in one line, and in a second one the limits of which little is left."""
    now = bench.standing
    if now is None:
        return ""
    left = max(0.0, now.seconds_left)
    time = f"{left / 3600:.1f} hours" if left >= 5_400 else f"{left / 60:.0f} minutes"
    spent = f"{now.tokens:,} tokens"
    if now.usd_micros or not now.unpriced_tokens:
        spent += f", ${now.usd_micros / 1e6:.2f}"
    if now.unpriced_tokens:
        spent += f"; the price of {now.unpriced_tokens:,} of them is unknown"
    text = f"Turn {now.steps + 1} of {now.step_cap}; {time} left{_budget(now)}; spent so far: {spent}."
    if bench.node == bench.stage:  # a helper has no attempts
        text += f" Attempt {bench.attempt} of {bench.settings.attempts}, repair {bench.repairs} of {bench.settings.repairs}."
    return "\n".join([text, *([f"Little is left: {'; '.join(now.near)}."] if now.near else [])])


def _budget(now: Standing) -> str:
    """Tokens and dollars that are left for calls of the model, rounded down, as far as they are known."""
    parts = []
    if now.tokens_left is not None:
        parts.append(f"{now.tokens_left:,} tokens")
    if now.usd_micros_left is not None:
        parts.append(f"${now.usd_micros_left // 10_000 / 100:.2f}")
    return f", and of the model's budget {' and '.join(parts)}" if parts else ""
