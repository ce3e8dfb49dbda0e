"""Write the generated parts of the documentation: `python docs/generate.py`, or `--check` to see whether they are due.

Generated are the picture in README.md (between its markers), docs/graph.md, docs/settings.md, docs/recipes.md and the
tables of docs/lookups.md (behind their marker). A
test runs the check, so the documents say what the code says.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
MARKERS = re.compile(r"(?s)(<!-- graph -->\n).*?(<!-- /graph -->)")


def picture(inside: bool) -> str:
    """The graph as a Mermaid block."""
    from trainwright.graph.picture import mermaid

    return f"```mermaid\n{mermaid(inside).strip()}\n```\n"


def readme() -> str:
    """README.md with the picture of today."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return MARKERS.sub(lambda found: f"{found[1]}{picture(False)}{found[2]}", text)


def graph_page() -> str:
    """The picture with the loops of the stages."""
    head = "# The graph with the loops inside its stages\n\nFrom the graph itself: `trainwright graph --inside`.\n\n"
    return head + picture(True)


def settings_page() -> str:
    """The two forms that Studio shows: request and settings."""
    from trainwright.graph.state import Request, Settings

    parts = ["# Request and settings\n\nThe forms that LangGraph Studio shows, and the arguments of programs.\n"]
    for model in (Request, Settings):
        rows = [_row(name, field) for name, field in model.model_fields.items()]
        parts.append(f"## {model.__name__}\n\n| field | default | meaning |\n|---|---|---|\n" + "\n".join(rows) + "\n")
    return "\n".join(parts) + ENVIRONMENT


ENVIRONMENT = """
## Environment

| variable | meaning |
|---|---|
| `TRAINWRIGHT_HOME` | where runs, the hub and caches live; default: the platform's user data folder |
| `TRAINWRIGHT_CONFIG` | the folder of `config.toml` and `policy.toml`; default: the platform's configuration folder |
| `TRAINWRIGHT_ARXIV_URL` | another host that answers as arXiv's API does, such as a mirror |
| `TRAINWRIGHT_DEBUG` | `1`: an unexpected error is printed with its traceback |
| `HF_ENDPOINT`, `HF_HUB_OFFLINE`, `HF_TOKEN` | as `huggingface_hub` reads them, for data sets of the Hub |
| `NO_COLOR` | no colours in the terminal |
"""


def _row(name: str, field: Any) -> str:
    default = f"`{field.default}`" if field.default != "" else ""
    return f"| `{name}` | {default} | {field.description} |"


def recipes_page() -> str:
    """The catalog as a table."""
    from trainwright.recipes.catalog import load_catalog

    rows = []
    for recipe in load_catalog():
        settings = ", ".join(f"`{setting}`" for setting in recipe.settings) or "none"
        rows.append(
            f"| `{recipe.name}` | {recipe.title} | {', '.join(recipe.tasks)} | {', '.join(recipe.modalities)} | {settings} |"
        )
    head = (
        "# Recipes\n\nTested training scripts; from `recipes/classical/recipes.toml`. A setting that the paper states is "
        "used and cited; one that it leaves open is chosen on validation inside the recipe.\n\n"
        "| recipe | method | tasks | for | settings |\n|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


OPERATIONS = "<!-- operations -->\n"


def lookups_page() -> str:
    """docs/lookups.md with the operations of today."""
    from trainwright.tools.lookup.areas import AREAS

    text = (ROOT / "docs" / "lookups.md").read_text(encoding="utf-8")
    parts = [text.partition(OPERATIONS)[0] + OPERATIONS.rstrip("\n")]
    for area in AREAS.values():
        rows = [_operation(area.name, operation) for operation in area.operations]
        parts.append(f"## {area.name}\n\n| command | what it does |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


def _operation(area: str, operation: Any) -> str:
    words = [area, operation.name.replace("_", "-")]
    for name, field in operation.arguments.model_fields.items():
        shown = name.upper() if operation.by_place(name) else f"--{name.replace('_', '-')}"
        words.append(shown if field.is_required() else f"[{shown}]")
    people = "" if operation.engineers else " Not for engineers."
    return f"| `{' '.join(words)}` | {operation.summary}{people} |"


def pages() -> dict[Path, str]:
    """Every generated document with the text that it should have."""
    return {
        ROOT / "README.md": readme(),
        ROOT / "docs" / "graph.md": graph_page(),
        ROOT / "docs" / "settings.md": settings_page(),
        ROOT / "docs" / "recipes.md": recipes_page(),
        ROOT / "docs" / "lookups.md": lookups_page(),
    }


def main(arguments: list[str]) -> int:
    """Write, or with `--check` compare."""
    due = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if "--check" in arguments:
        sys.stdout.writelines(f"{path.relative_to(ROOT)} is not what the code says: run `make docs`.\n" for path in due)
        return 1 if due else 0
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
