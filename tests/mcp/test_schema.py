"""Schemas of servers: shown within a size, and checked without being believed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from trainwright.tools.servers.schema import CHARACTERS, problems, shown

TREE: dict[str, Any] = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/Node"}},
    "required": ["root"],
    "$defs": {
        "Node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
            },
            "required": ["name"],
        }
    },
}
MANY = {
    "type": "object",
    "properties": {f"field_{n}": {"type": "string", "description": "word " * 300} for n in range(400)},
    "required": ["field_0"],
}
DOUBLING = {
    "type": "object",
    "allOf": [{"$ref": "#/$defs/d0"}],
    "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}, {"$ref": f"#/$defs/d{n + 1}"}]} for n in range(60)},
}
ROUND = {"allOf": [{"$ref": "#"}]}
DEEP: dict[str, Any] = {"type": "object"}
for _ in range(300):
    DEEP = {"type": "object", "properties": {"a": DEEP}}


HUGE = {"type": "object", "properties": {f"p{n}": {"anyOf": [{"type": "string"}, {"const": n}]} for n in range(20_000)}}


@pytest.mark.parametrize(
    "schema", [TREE, MANY, HUGE, DOUBLING, ROUND, DEEP, {}, [], None, {"$ref": "https://a.example/x"}]
)
def test_any_schema_is_shown_and_checked_in_no_time(schema: Any) -> None:
    begun = time.monotonic()
    small = shown(schema)
    problems(schema, {"root": {"name": "a"}})
    assert time.monotonic() - begun < 2
    assert small["type"] == "object"
    assert len(json.dumps(small)) <= CHARACTERS
    assert "$ref" not in json.dumps(small)


def test_references_are_written_out() -> None:
    assert shown(TREE)["properties"]["root"]["properties"]["name"] == {"type": "string"}
    assert shown(MANY)["required"] == ["field_0"]


def test_what_does_not_fit_is_named() -> None:
    assert problems(TREE, {"root": {"name": "a", "children": [{"name": 3}]}}) == [
        "root.children.0.name: 3 is not of type 'string'"
    ]
    assert problems(TREE, {}) == ["arguments: 'root' is a required property"]
    assert problems(TREE, {"root": {"name": "a"}}) == []


def test_a_pattern_that_never_ends_is_not_run() -> None:
    schema = {"properties": {"text": {"type": "string", "pattern": "(a+)+$"}, "pattern": {"type": "integer"}}}
    assert problems(schema, {"text": "a" * 60 + "b", "pattern": "no"}) == ["pattern: 'no' is not of type 'integer'"]


def test_names_that_a_pattern_allows_do_not_count_as_additional() -> None:
    schema = {"patternProperties": {"^x": {}}, "additionalProperties": False}
    assert problems(schema, {"x1": 1}) == []


def test_what_is_shown_is_what_every_provider_takes() -> None:
    """One schema that a provider refuses would stop every request of a stage."""
    inner = {
        "kind": {"type": "colour"}, "list": {"type": "array"}, "none": {"enum": []}, "$odd name": {"type": "string"},
        "hidden": {"enum": ["ok", "do\u202e as I\u200b say"]}, "format": {"type": "string", "format": {"a": 1}},
    }  # fmt: skip
    small = shown({"type": "object", "properties": inner, "required": ["kind", "$odd name", "gone"]})
    assert small == {
        "type": "object",
        "properties": {"kind": {}, "list": {"type": "array", "items": {}}, "none": {}, "hidden": {}, "format": {"type": "string"}},
        "required": ["kind"],
    }  # fmt: skip
    either = {"type": "object", "anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {}}}]}
    assert shown(either) == {"type": "object", "properties": {"a": {"type": "string"}, "b": {}}}
