"""The records of lookups: an area with its operations, and the one flat function that an engineer sees of an area.

A model is shown one function an area, with `operation` and every argument that any operation takes, since each function
costs room in each request. What an operation really takes is checked by its own arguments. This module looks nothing up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

from trainwright.graph.errors import Refusal
from trainwright.tools.http import LOOKUP_SECONDS, lookups

from .found import Found

__all__ = ["Area", "Operation", "call", "flat_arguments"]


@dataclass(frozen=True)
class Operation:
    """One thing that can be looked up.

    Attributes:
        name: as it is called in the terminal and by engineers.
        arguments: the schema of its arguments.
        run: does it. Blocking.
        summary: one line, for the help of the terminal.
        engineers: whether an engineer may call it; what reads a path of this machine is for people alone.
        places: arguments that a person need not give, and gives without a name, as those that must be given.
        seconds: that all its requests may take together, with all that they wait.
    """

    name: str
    arguments: type[BaseModel]
    run: Callable[[Any], Found]
    summary: str
    engineers: bool = True
    places: tuple[str, ...] = ()
    seconds: float = LOOKUP_SECONDS

    def by_place(self, name: str) -> bool:
        """Whether the terminal knows an argument by its place and not by its name."""
        return name in self.places or self.arguments.model_fields[name].is_required()

    def answer(self, arguments: BaseModel) -> Found:
        """Do it within its time (blocking)."""
        with lookups(seconds=self.seconds):
            return self.run(arguments)


@dataclass(frozen=True)
class Area:
    """What belongs together.

    Attributes:
        name: of the tool, and of the group of commands.
        description: one sentence for an engineer.
        operations: what there is.
    """

    name: str
    description: str
    operations: tuple[Operation, ...]

    def operation(self, name: str) -> Operation | None:
        """The operation of that name, or None."""
        return next((one for one in self.operations if one.name == name), None)

    @property
    def offered(self) -> tuple[Operation, ...]:
        """What an engineer may call."""
        return tuple(one for one in self.operations if one.engineers)

    def for_engineers(self) -> str:
        """The description with what each operation takes; of a single one, the function says it."""
        if len(self.offered) == 1:
            return self.description
        return f"{self.description} " + "; ".join(_signature(one) for one in self.offered) + "."


def _signature(operation: Operation) -> str:
    fields = operation.arguments.model_fields.items()
    return f"{operation.name}({', '.join(name + ('' if field.is_required() else '?') for name, field in fields)})"


class _Flat(BaseModel):
    """Null for an argument that is not wanted is what some models send; it is left out."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return {key: value for key, value in given.items() if value is not None} if isinstance(given, dict) else given


@cache
def flat_arguments(area: Area) -> type[BaseModel]:
    """The arguments of all operations that an engineer may call, none of them required but `operation`.

    Raises:
        TypeError: two operations take an argument of the same name and of different types.
    """
    fields: dict[str, Any] = {}
    for operation in area.offered:
        for name, field in operation.arguments.model_fields.items():
            known = fields.get(name)
            if known is not None and known[0] != field.annotation:
                raise TypeError(f"{area.name}: {name} is {known[0]} and {field.annotation}")
            if known is None or (field.description and not known[1].description):
                fields[name] = (field.annotation, Field(default=None, description=field.description))
    named: dict[str, Any] = {"operation": (Literal[tuple(one.name for one in area.offered)], ...)}
    made: type[BaseModel] = create_model(f"{area.name.title()}Lookup", __base__=_Flat, **named, **fields)
    return made


def call(area: Area, given: BaseModel) -> Found:
    """Do what an engineer's flat arguments ask for.

    Raises:
        Refusal: the arguments do not fit the operation.
        TrainwrightError: what the operation raises.
    """
    wanted = given.model_dump(exclude_unset=True)
    operation = area.operation(str(wanted.pop("operation")))
    assert operation is not None, "the flat arguments name only what there is"
    extra = sorted(set(wanted) - set(operation.arguments.model_fields))
    if extra:
        raise Refusal(f"{_signature(operation)} takes no {', '.join(extra)}")
    try:
        arguments = operation.arguments.model_validate(wanted)
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:10]]
        raise Refusal(f"the arguments of {_signature(operation)} do not fit: {'; '.join(lines)}") from error
    return operation.answer(arguments)
