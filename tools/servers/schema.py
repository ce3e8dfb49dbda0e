"""A server's JSON schema: small enough to be shown to a model, and used to check arguments without trusting it.

A schema may be huge, refer to itself, to an address, or be made to take for ever. What is shown is cut to a size; what
is checked never leaves the document, runs no pattern (a pattern can take longer than anybody waits; the server checks
it itself), and is left out where its parts multiply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from .words import clean, visible

__all__ = ["CHOICES", "INNER", "problems", "shown"]

Schema = Mapping[str, Any]

CHARACTERS = 4_000
"""Of a schema that is shown, at most."""

NODES = 2_000
"""Parts of a schema that are looked at for showing it, and that it may have to be checked."""

COST = 5_000
"""Parts of a schema that one value may have to be held against."""

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")
"""Names of properties that every provider takes; others are not shown."""

WORD = 200
"""Characters of a value in `enum` and the like."""

KEPT = ("type", "enum", "const", "format")
INNER = ("items", "additionalProperties")
CHOICES = ("anyOf", "oneOf", "allOf")
DEEPEST = 60
"""Levels of a schema that are checked."""


def shown(schema: Any) -> dict[str, Any]:
    """The schema as a model sees it: references written out, as deep and as well described as there is room for."""
    root = schema if isinstance(schema, dict) else {}
    for depth, described in ((8, 120), (5, 120), (5, 0), (3, 0), (2, 0)):
        small = _Shown(root, described).of(root, depth)
        if small is not None and len(json.dumps(small, ensure_ascii=False)) <= CHARACTERS:
            return _of_function(small)
    names = [name for name in list(_table(root.get("properties")))[:40] if NAME.fullmatch(name)]
    needed = [name for name in _texts(root.get("required")) if name in names]
    return {"type": "object", "properties": {name: {} for name in names}, **({"required": needed} if needed else {})}


def _of_function(small: dict[str, Any]) -> dict[str, Any]:
    """What providers take for the arguments of a function: an object, whose alternatives are one list of properties."""
    parts = [small, *(one for key in CHOICES for one in small.get(key, []))]
    properties = {name: value for part in reversed(parts) for name, value in part.get("properties", {}).items()}
    kept: dict[str, Any] = {key: small[key] for key in ("description", "required") if key in small}
    return {"type": "object", "properties": properties, **kept}


class _Shown:
    """One attempt to write a schema out."""

    def __init__(self, root: Schema, described: int) -> None:
        self.root, self.described, self.count = root, described, 0

    def of(self, schema: Any, depth: int) -> dict[str, Any] | None:
        """The part, or None when there is too much of it."""
        try:
            return self._part(schema, depth)
        except OverflowError:
            return None

    def _part(self, schema: Any, depth: int) -> dict[str, Any]:
        self.count += 1
        if self.count > NODES:
            raise OverflowError
        if not isinstance(schema, dict) or depth < 0:
            return {}
        if isinstance(schema.get("$ref"), str):
            return {**self._part(_target(self.root, schema["$ref"]), depth - 1), **self._words(schema)}
        small = {key: schema[key] for key in KEPT if key in schema and _usable(key, schema[key])} | self._words(schema)
        named = {name: value for name, value in _table(schema.get("properties")).items() if NAME.fullmatch(name)}
        if named:
            small["properties"] = {name: self._part(value, depth - 1) for name, value in named.items()}
        if needed := [name for name in _texts(schema.get("required")) if name in named]:
            small["required"] = needed
        for key in INNER:
            if isinstance(schema.get(key), dict):
                small[key] = self._part(schema[key], depth - 1)
        for key in CHOICES:
            if isinstance(schema.get(key), list):
                small[key] = [self._part(one, depth - 1) for one in schema[key]]
        if small.get("type") == "array":
            small.setdefault("items", {})
        return small

    def _words(self, schema: Schema) -> dict[str, str]:
        text = schema.get("description")
        return {"description": clean(text, self.described)} if self.described and isinstance(text, str) else {}


def _usable(key: str, value: Any) -> bool:
    """Whether a provider takes the value of a key, and a person could read it. One bad schema would stop every request."""
    if key == "type":
        return bool(value) and all(one in TYPES for one in (value if isinstance(value, list) else [value]))
    if key == "enum":
        return isinstance(value, list) and bool(value) and all(map(_scalar, value))
    return _scalar(value)


def _scalar(value: Any) -> bool:
    return (
        visible(value) == value and len(value) <= WORD if isinstance(value, str) else not isinstance(value, dict | list)
    )


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [one for one in _list(value) if isinstance(one, str)]


def _target(root: Schema, reference: str) -> Any:
    """What a reference within the document names; None for any other."""
    found: Any = root
    if not reference.startswith("#"):
        return None
    for part in reference[1:].split("/")[1:]:
        found = _table(found).get(part.replace("~1", "/").replace("~0", "~"))
    return found


def problems(schema: Any, arguments: Mapping[str, Any]) -> list[str]:
    """What of the arguments does not fit the schema, a line each; nothing where the schema is of no use."""
    from jsonschema import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    bare = _without_patterns(schema)
    # To check a schema by its own rules takes a third of a millisecond for each part of it.
    if not isinstance(bare, dict) or len(list(islice(_parts(bare), NODES + 1))) > NODES or _Cost(bare).worst() > COST:
        return []
    kind = validator_for(bare, default=Draft202012Validator)
    try:
        kind.check_schema(bare)
        errors = list(_first_ten(kind(bare, registry=Registry()).iter_errors(arguments)))
    except (SchemaError, Unresolvable, RecursionError, TypeError, ValueError):
        return []
    return [f"{'.'.join(map(str, e.absolute_path)) or 'arguments'}: {clean(e.message, 200)}" for e in errors]


def _first_ten(errors: Iterator[Any]) -> Iterator[Any]:
    for _, error in zip(range(10), errors, strict=False):
        yield error


def _without_patterns(schema: Any, depth: int = 0) -> Any:
    if isinstance(schema, list):
        return [_without_patterns(one, depth + 1) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if depth > DEEPEST:
        return {}
    # What is no schema stays; a property may be named `pattern`, and then holds a schema.
    kept = {k: v for k, v in schema.items() if not (k == "pattern" and isinstance(v, str))}
    if isinstance(kept.pop("patternProperties", None), dict):  # what they allow would count as additional
        kept = {k: v for k, v in kept.items() if k not in ("additionalProperties", "unevaluatedProperties")}
    return {k: v if k in ("enum", "const", "default") else _without_patterns(v, depth + 1) for k, v in kept.items()}


class _Cost:
    """How many parts a value would be held against, by following what applies to the same value."""

    def __init__(self, root: Schema) -> None:
        self.root = root
        self.known: dict[int, float] = {}
        self.open: set[int] = set()

    def worst(self) -> float:
        """The most that any part costs; infinite where one refers to itself without going deeper."""
        return max((self._of(part) for part in _parts(self.root)), default=0)

    def _of(self, schema: Any) -> float:
        if not isinstance(schema, dict):
            return 0
        key = id(schema)
        if key in self.open or len(self.open) > 200:
            return float("inf")
        if key not in self.known:
            self.open.add(key)
            inner = [one for name in CHOICES for one in _list(schema.get(name))]
            inner += [schema.get(name) for name in ("not", "if", "then", "else")]
            for name in ("$ref", "$dynamicRef", "$recursiveRef"):
                if isinstance(schema.get(name), str):
                    inner.append(_target(self.root, schema[name]))
            self.known[key] = 1 + sum(map(self._of, inner))
            self.open.discard(key)
        return self.known[key]


def _parts(schema: Any) -> Iterator[dict[str, Any]]:
    waiting = [schema]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
