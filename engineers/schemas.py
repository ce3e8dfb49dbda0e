"""The tools of a stage as functions that a model can call: JSON schemas, as small as they can be.

A request carries them each time, so what a model does not need is left out: titles, defaults, limits of length (which
break the grammars of some local servers, and are checked by the graph anyway), and fields that the workflow fills in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from .protocol import VERBS, Stage, verbs_of

__all__ = ["functions_of", "schema_of"]

LEFT_OUT = frozenset({
    "title", "default", "minLength", "maxLength", "minItems", "maxItems", "pattern", "additionalProperties",
    "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
})  # fmt: skip

MEANINGS = {
    "ask": "Ask the person who runs this, where a decision belongs to them. The stage waits for the answer.",
    "contradict": "What the data show contradicts the plan: the plan is made anew, with your reason.",
    "give_up": "End the run: it cannot be done. Only after everything sensible was tried.",
}


@lru_cache(maxsize=64)  # a run with MCP servers has stages of its own
def functions_of(stage: Stage) -> tuple[dict[str, Any], ...]:
    """What the model may call in a stage, in OpenAI's form: its tools, `finish`, and the verbs that it allows."""
    return tuple(_functions(stage))


def _functions(stage: Stage) -> Iterator[dict[str, Any]]:
    for tool in stage.tools:
        parameters = schema_of(tool.arguments) if tool.parameters is None else dict(tool.parameters)
        yield _function(tool.name, tool.description, parameters)
    text = f"Deliver the {stage.finish.__name__}, which ends this stage once it is accepted. Call it alone."
    yield _function("finish", text, schema_of(stage.finish, without=stage.filled))
    for verb in verbs_of(stage.name):
        yield _function(verb, MEANINGS[verb], schema_of(VERBS[verb]))


def _function(name: str, description: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "description": description, "parameters": parameters}}


def schema_of(model: type[BaseModel], without: tuple[str, ...] = ()) -> dict[str, Any]:
    """The JSON schema of a model, with its definitions written out in place.

    Args:
        model: must not refer to itself.
        without: fields of the model itself that are left out.
    """
    whole = model.model_json_schema()
    schema = _small(whole, whole.get("$defs", {}))
    schema.pop("description", None)
    properties = {name: value for name, value in schema.get("properties", {}).items() if name not in without}
    _say_once(properties, set())
    needed = [name for name in schema.get("required", []) if name in properties]
    return {"type": "object", "properties": properties, **({"required": needed} if needed else {})}


def _small(schema: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_small(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = _small(definitions[schema["$ref"].rsplit("/", 1)[-1]], definitions)
        target.pop("description", None)  # says what the class is; the field says what it is here
        return {**target, **{k: v for k, v in schema.items() if k == "description"}}
    if "anyOf" in schema:
        return _choice(schema, definitions)
    if "const" in schema:
        return {"type": "string", "enum": [schema["const"]]}
    small: dict[str, Any] = {}
    for key, value in schema.items():
        if key in LEFT_OUT or key == "$defs":
            continue
        if key == "properties":
            small[key] = {name: _small(item, definitions) for name, item in value.items()}
        else:
            small[key] = _small(value, definitions)
    if isinstance(extra := schema.get("additionalProperties"), dict):
        small["additionalProperties"] = _small(extra, definitions)
    return small


def _say_once(properties: dict[str, Any], said: set[tuple[str, str]]) -> None:
    """Leave out what was already said of a field of the same name, further up in the same function."""
    for name, field in properties.items():
        if isinstance(text := field.get("description"), str):
            if (name, text) in said:
                del field["description"]
            said.add((name, text))
        for inner in (field, field.get("items")):
            if isinstance(inner, dict) and isinstance(inner.get("properties"), dict):
                _say_once(inner["properties"], said)


def _choice(schema: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """One of several: what may be null is simply not required; plain types become a list of types."""
    options = [_small(option, definitions) for option in schema["anyOf"] if option.get("type") != "null"]
    kept = {k: v for k, v in schema.items() if k == "description"}
    if len(options) == 1:
        options[0].pop("description", None)
        return {**options[0], **kept}
    if all(set(option) == {"type"} for option in options):
        return {"type": [option["type"] for option in options], **kept}
    return {"anyOf": options, **kept}
