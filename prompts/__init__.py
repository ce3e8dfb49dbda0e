"""The first message of a stage: one Markdown file a stage, with Jinja2 variables.

What a prompt says: what this stage must deliver, what is known, what it must not do. What the graph enforces is not
pleaded for. Texts of the world (titles, goals, feedback of a failing script) come in as marked data.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["render"]


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


def as_data(value: Any) -> str:
    """A value of the world, fenced so that it reads as data and cannot end its own fence."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return "<data>" + text.replace("</data>", "<\\/data>")[:4_000] + "</data>"


def render(stage: str, bench: BaseModel, finish: type[BaseModel]) -> str:
    """The prompt of a stage.

    Args:
        stage: its name, which is the file's.
        bench: what is known (`trainwright.tools.toolbox.Workbench`).
        finish: schema of what `finish` takes.
    """
    template = _environment().get_template(f"{stage}.md")
    text: str = template.render(bench=bench, artifact=finish.__name__)
    return text.strip()
