"""Types of columns, however they are written down: by the Hub's viewer, on a card, or in an Arrow schema.

list<{role: string, content: string}>     class(neg, pos)     int64     image
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Kind", "from_arrow", "from_card", "from_features"]

DEEPEST = 20
"""Levels of nesting that are followed; what lies deeper is called `nested`."""

_BULK = ("Image", "Audio", "Video", "Pdf")


@dataclass(frozen=True)
class Kind:
    """The type of a column.

    Attributes:
        name: of plain values, or `class`, `list`, `struct`, `image`, `audio`, `video`, `pdf`, `nested`.
        names: of the classes.
        inner: what a list holds.
        fields: of a struct.
    """

    name: str
    names: tuple[str, ...] = ()
    inner: Kind | None = None
    fields: tuple[tuple[str, Kind], ...] = ()

    @property
    def is_text(self) -> bool:
        """Whether each value is one text."""
        return self.name == "string"

    @property
    def is_bulk(self) -> bool:
        """Whether the values are pictures, sounds or other bytes, which are never read here."""
        return self.name in ("image", "audio", "video", "pdf", "binary")

    @property
    def is_number(self) -> bool:
        """Whether each value is a number with a fraction."""
        return self.name.startswith(("float", "double", "halffloat", "decimal"))

    @property
    def is_integer(self) -> bool:
        """Whether each value is a whole number."""
        return self.name.startswith(("int", "uint"))

    def keys(self) -> tuple[str, ...]:
        """Fields of the structs in a list; empty for anything else."""
        return tuple(name for name, _ in self.inner.fields) if self.name == "list" and self.inner else ()

    @property
    def is_messages(self) -> bool:
        """Whether each value is a conversation of role and content."""
        return {"role", "content"} <= set(self.keys())

    @property
    def is_turns(self) -> bool:
        """Whether each value is a conversation of from and value, as ShareGPT has it."""
        return {"from", "value"} <= set(self.keys())

    def text(self) -> str:
        """As a report shows it."""
        if self.name == "class":
            more = f", {len(self.names) - 10} more" if len(self.names) > 10 else ""
            return f"class({', '.join(name[:40] for name in self.names[:10])}{more})"
        if self.name == "list":
            return f"list<{self.inner.text() if self.inner else ''}>"
        if self.name == "struct":
            more = f", {len(self.fields) - 12} more" if len(self.fields) > 12 else ""
            inside = ", ".join(f"{name[:40]}: {kind.text()}" for name, kind in self.fields[:12])
            return f"{{{inside}{more}}}"
        return self.name


def from_features(features: Any) -> dict[str, Kind]:
    """Columns and their types, from features as `datasets` writes them in JSON."""
    if isinstance(features, list):  # as the first rows have them
        features = {str(one.get("name")): one.get("type") for one in features if isinstance(one, dict)}
    if not isinstance(features, Mapping):
        return {}
    return {str(name): _feature(value) for name, value in features.items()}


def _feature(value: Any, depth: int = 0) -> Kind:
    if depth > DEEPEST:
        return Kind("nested")
    if isinstance(value, list):
        return Kind("list", inner=_feature(value[0], depth + 1) if value else Kind("null"))
    if not isinstance(value, Mapping):
        return Kind("unknown")
    what = value.get("_type")
    if not isinstance(what, str):
        return Kind("struct", fields=tuple((str(name), _feature(inner, depth + 1)) for name, inner in value.items()))
    if what in ("Sequence", "List", "LargeList"):
        inner = _feature(value.get("feature"), depth + 1)
        return _turned(inner) if what == "Sequence" and inner.name == "struct" else Kind("list", inner=inner)
    if what == "ClassLabel":
        names = value.get("names")
        return Kind("class", names=tuple(map(str, names)) if isinstance(names, list) else ())
    if what in _BULK:
        return Kind(what.lower())
    return _value(str(value.get("dtype") or what)[:60])


def _turned(inner: Kind) -> Kind:
    """What a sequence of structs is loaded as: a struct of lists."""
    return Kind("struct", fields=tuple((name, Kind("list", inner=kind)) for name, kind in inner.fields))


def _value(name: str) -> Kind:
    return Kind({"large_string": "string", "string_view": "string", "large_binary": "binary"}.get(name, name))


def from_card(features: Any) -> dict[str, Kind]:
    """The same from the `dataset_info` of a card."""
    if not isinstance(features, list):
        return {}
    return {str(one["name"]): _entry(one) for one in features if isinstance(one, dict) and "name" in one}


def _entry(value: Any, depth: int = 0) -> Kind:
    if depth > DEEPEST:
        return Kind("nested")
    if isinstance(value, str):
        return Kind(value) if value in ("image", "audio", "video", "pdf") else _value(value[:60])
    if isinstance(value, list):
        pairs = ((str(one.get("name")), _entry(one, depth + 1)) for one in value if isinstance(one, dict))
        return Kind("struct", fields=tuple(pairs))
    if not isinstance(value, dict):
        return Kind("unknown")
    for key in ("list", "sequence", "large_list"):
        if key in value:
            inner = _entry(value[key], depth + 1)
            return _turned(inner) if key == "sequence" and isinstance(value[key], list) else Kind("list", inner=inner)
    if "struct" in value:
        return _entry(value["struct"], depth + 1)
    if "class_label" in value:
        names = (value["class_label"] or {}).get("names") if isinstance(value["class_label"], dict) else None
        return Kind("class", names=tuple(map(str, names.values() if isinstance(names, dict) else names or ())))
    return _entry(value.get("dtype", "unknown"), depth + 1)


def from_arrow(schema: pa.Schema) -> dict[str, Kind]:
    """The same from an Arrow schema; what `datasets` wrote into it counts, since it knows the classes."""
    stated: dict[str, Kind] = {}
    with contextlib.suppress(ValueError, KeyError, TypeError, RecursionError):  # not written by `datasets`
        stated = from_features(json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"])
    return {field.name: stated.get(field.name) or _arrow(field.type) for field in schema}


def _arrow(kind: pa.DataType, depth: int = 0) -> Kind:
    import pyarrow as pa

    if depth > DEEPEST:
        return Kind("nested")
    if pa.types.is_dictionary(kind):
        return _arrow(kind.value_type, depth + 1)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return Kind("list", inner=_arrow(kind.value_type, depth + 1))
    if pa.types.is_struct(kind):
        fields = tuple((field.name, _arrow(field.type, depth + 1)) for field in kind)
        if {name for name, _ in fields} == {"bytes", "path"}:
            return Kind("binary")
        return Kind("struct", fields=fields)
    return _value(str(kind))
