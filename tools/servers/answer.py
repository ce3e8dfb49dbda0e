"""A server's answer as text: pictures and sounds by kind and size, links by name, and never more than was allowed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .words import clean, visible

if TYPE_CHECKING:
    from mcp.types import CallToolResult

__all__ = ["text_of"]


def text_of(result: CallToolResult, limit: int) -> str:
    """The text of an answer.

    Args:
        result: the answer.
        limit: bytes in UTF-8; what is longer is cut, and that is said.
    """
    parts = list(_parts(result))
    whole = visible("\n\n".join(parts)) or "(an empty answer)"
    data = whole.encode()
    if len(data) <= limit:
        return whole
    return f"{data[:limit].decode(errors='ignore')}\n… {len(data) - limit:,} of {len(data):,} bytes were cut"


def _parts(result: CallToolResult) -> Iterator[str]:
    for block in result.content:
        yield _block(block)
    structured = result.structured_content
    if structured is None:
        return
    # Servers are asked to give the same as text too; then once is enough.
    if not any(block.type == "text" and _same(block.text, structured) for block in result.content):
        yield json.dumps(structured, ensure_ascii=False)


def _same(text: str, value: Any) -> bool:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return isinstance(value, dict) and value == {"result": text}
    return bool(found == value or value == {"result": found} or value == {"result": text})


def _block(block: Any) -> str:
    if block.type == "text":
        return str(block.text)
    if block.type in ("image", "audio"):
        return f"[{block.type}: {clean(block.mime_type, 60)}, {_size(block.data)}; it is not shown]"
    if block.type == "resource_link":
        about = f" ({clean(block.description, 200)})" if block.description else ""
        return f"[link: {clean(block.name, 100)}, {clean(str(block.uri), 300)}{about}]"
    if block.type == "resource":
        resource, uri = block.resource, clean(str(block.resource.uri), 300)
        if hasattr(resource, "text"):
            return f"[resource {uri}]\n{resource.text}"
        return f"[resource {uri}: {clean(resource.mime_type or 'unknown kind', 60)}, {_size(resource.blob)}; it is not shown]"
    return f"[{clean(str(block.type), 40)}; it cannot be shown]"


def _size(base64: str) -> str:
    count = len(base64) * 3 // 4
    return f"{count:,} bytes" if count < 1024 else f"{count / 1024:,.0f} kB"
