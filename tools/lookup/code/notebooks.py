"""Notebooks as Markdown: the cells, and of the outputs short texts. Nothing is run.

Formats 3 and 4 of https://nbformat.readthedocs.io/en/latest/format_description.html. Pictures, widgets, HTML and long
outputs are named and left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from .records import fenced

__all__ = ["as_markdown"]

OUTPUT = 500
"""Characters of an output that are kept."""

_DATA = re.compile(r"\(data:image/[^()\s]{0,10000000}\)|\(attachment:[^()\s]{0,1000}\)")
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def as_markdown(raw: bytes) -> str | None:
    """The notebook as Markdown; None where the bytes are none."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    sheets = value.get("worksheets")
    cells = value.get("cells")
    if not isinstance(cells, list) and isinstance(sheets, list):  # format 3
        inner = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
        cells = [cell for one in inner if isinstance(one, list) for cell in one]
    if not isinstance(cells, list):
        return None
    language = _language(value.get("metadata"))
    return (
        "\n\n".join(part for cell in cells if isinstance(cell, dict) for part in _cell(cell, language) if part) + "\n"
    )


def _language(metadata: Any) -> str:
    for section, name in (("language_info", "name"), ("kernelspec", "language")):
        part = metadata.get(section) if isinstance(metadata, dict) else None
        if isinstance(part, dict) and isinstance(part.get(name), str) and re.fullmatch(r"[\w+#-]{1,20}", part[name]):
            return str(part[name])
    return "python"


def _cell(cell: dict[str, Any], language: str) -> Iterator[str]:
    kind, text = cell.get("cell_type"), _text(cell.get("source", cell.get("input"))).strip("\n")
    if kind == "markdown":
        yield _DATA.sub("(picture left out)", text)
    elif kind == "heading":
        level = cell.get("level")
        yield f"{'#' * (level if type(level) is int and 1 <= level <= 6 else 1)} {text}"
    elif kind == "code" and text:
        yield fenced(text, language)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else []:
            yield _output(output) if isinstance(output, dict) else ""
    elif text:
        yield fenced(text)


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", output)
    kinds = [name for name in data if "/" in name and name != "text/plain"] if isinstance(data, dict) else []
    if output.get("output_type") in ("error", "pyerr"):
        text = f"{output.get('ename', 'Error')}: {output.get('evalue', '')}"
    elif output.get("output_type") == "stream":
        text = _text(output.get("text"))
    else:
        text = _text(data.get("text/plain", data.get("text"))) if isinstance(data, dict) else ""
    text = _COLOURS.sub("", text).strip("\n")
    left = f"(output left out: {', '.join(kinds)[:200]})" if kinds else ""
    if len(text) > OUTPUT:
        text = f"{text[:OUTPUT].rstrip()}\n… ({len(text) - OUTPUT:,} characters more)"
    return "\n\n".join(part for part in ("Output:\n\n" + fenced(text) if text else "", left) if part)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
