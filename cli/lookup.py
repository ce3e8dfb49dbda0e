"""`trainwright lookup AREA OPERATION …`: everything that an engineer can look up, for a person.

The commands are made from the records of the areas when one is used, so a new operation is a new command, with the same
arguments and the same checks. Nothing is looked up here.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from trainwright.graph.errors import RequestError

from .failures import guarded
from .found import show_found

if TYPE_CHECKING:
    from trainwright.tools.lookup.found import Found
    from trainwright.tools.lookup.operations import Area, Operation

__all__ = ["lookup_app"]

Offline = Annotated[bool, typer.Option("--offline", help="Answer from the cache alone, and say what is missing.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")]
SIMPLE = (str, int, float, bool)


def lookup_app(areas: Iterable[Area]) -> typer.Typer:
    """The commands of the areas, a group each."""
    app = _group("lookup", "Look up papers, documentation, data sets, models, code and the web.")
    for area in areas:
        group = _group(area.name, area.description)
        for operation in area.operations:
            command = guarded(_command(operation))
            command.__signature__ = inspect.Signature(list(_parameters(operation)))  # type: ignore[attr-defined]
            command.__annotations__ = {}
            group.command(operation.name.replace("_", "-"), help=operation.summary)(command)
        app.add_typer(group)
    return app


def _group(name: str, about: str) -> typer.Typer:
    group = typer.Typer(
        name=name, help=about, add_completion=False, no_args_is_help=True, rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )  # fmt: skip
    group.callback()(lambda: None)  # a group stays one, also with a single command
    return group


def _parameters(operation: Operation) -> Iterable[inspect.Parameter]:
    """The arguments as a command line has them: some by their place, the rest behind a name."""
    for name, field in operation.arguments.model_fields.items():
        kind = _kind(field.annotation)
        about = field.description or ""
        given: Any = typer.Argument(help=about, metavar=name.upper(), show_default=False)
        if not operation.by_place(name):
            flags = [f"--{name.replace('_', '-')}"] if kind is bool and field.default is False else []
            given = typer.Option(*flags, help=_told(field), show_default=False)
        default = inspect.Parameter.empty if field.is_required() else None
        annotation = Annotated[kind if field.is_required() else kind | None, given]  # type: ignore[valid-type]
        yield inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
    yield inspect.Parameter("offline", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Offline)
    yield inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=AsJson)


def _told(field: FieldInfo) -> str:
    about = field.description or ""
    default = field.get_default(call_default_factory=True)
    if default in (None, "", False) or default == [] or default == ():
        return about
    return f"{about} [default: {default}]".strip()


def _kind(annotation: Any) -> Any:
    """The type of an argument as the command line knows it: without constraints, and without None."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        (inner,) = [one for one in get_args(annotation) if one is not type(None)]
        return _kind(inner)
    if origin in (list, tuple, set, frozenset):
        return types.GenericAlias(list, (_kind(get_args(annotation)[0]),))
    if origin is Literal:
        return Literal[tuple(one for one in get_args(annotation) if one)]  # who wants none leaves the option away
    if annotation in SIMPLE:
        return annotation
    raise TypeError(f"{annotation} cannot be given on a command line")


def _command(operation: Operation) -> Callable[..., int]:
    def command(*, offline: bool, as_json: bool, **given: Any) -> int:
        wanted = {name: value for name, value in given.items() if value is not None}
        show_found(_looked_up(operation, _validated(operation, wanted), offline), as_json)
        return 0

    return command


def _validated(operation: Operation, wanted: dict[str, Any]) -> BaseModel:
    try:
        return operation.arguments.model_validate(
            {name: value for name, value in wanted.items() if value not in ([], ())}
        )
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(
            f"{_as_typed(operation, first)}: {first['msg'].removeprefix('Value error, ')}.",
            hint="The same command with --help says what it takes.",
        ) from None


def _as_typed(operation: Operation, error: Any) -> str:
    """What an error is about, as the person typed it."""
    name = str(error["loc"][0]) if error["loc"] else ""
    if name not in operation.arguments.model_fields:
        return "Arguments"
    return name.upper() if operation.by_place(name) else f"--{name.replace('_', '-')}"


def _looked_up(operation: Operation, arguments: BaseModel, offline: bool) -> Found:
    from trainwright.tools.http import lookups

    with lookups(offline=offline):
        return operation.answer(arguments)
