"""`trainwright lookup AREA OPERATION …`: everything that an engineer can look up, for a person.

The commands are made from the records of the areas when one is used, so a new operation is a new command, with the same
arguments and the same checks. Nothing is looked up here.
"""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from trainwright.graph.errors import RequestError

from .failures import guarded

if TYPE_CHECKING:
    from trainwright.tools.lookup.found import Found
    from trainwright.tools.lookup.operations import Area, Operation

__all__ = ["lookup_app"]

Offline = Annotated[bool, typer.Option("--offline", help="Answer from the cache alone, and say what is missing.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object on standard output, nothing else.")]
SIMPLE = (str, int, float, bool)
_FENCE = re.compile(r"`{3,}|~{3,}")
_HEADING = re.compile(r"#{1,6} +(.*)")


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
    """The arguments as a command line has them: what must be given stands by itself, the rest behind a name."""
    for name, field in operation.arguments.model_fields.items():
        kind = _kind(field.annotation)
        about = field.description or ""
        given: Any = typer.Argument(help=about, metavar=name.upper(), show_default=False)
        if not field.is_required():
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
    if origin is Literal or annotation in SIMPLE:
        return annotation
    raise TypeError(f"{annotation} cannot be given on a command line")


def _command(operation: Operation) -> Callable[..., int]:
    def command(*, offline: bool, as_json: bool, **given: Any) -> int:
        wanted = {name: value for name, value in given.items() if value is not None}
        return _show(_looked_up(operation, _validated(operation.arguments, wanted), offline), as_json)

    return command


def _validated(arguments: type[BaseModel], wanted: dict[str, Any]) -> BaseModel:
    try:
        return arguments.model_validate({name: value for name, value in wanted.items() if value not in ([], ())})
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(f"{_as_typed(arguments, first)}: {first['msg'].removeprefix('Value error, ')}.") from None


def _as_typed(arguments: type[BaseModel], error: Any) -> str:
    """What an error is about, as the person typed it."""
    name = str(error["loc"][0]) if error["loc"] else ""
    field = arguments.model_fields.get(name)
    return "Arguments" if field is None else name.upper() if field.is_required() else f"--{name.replace('_', '-')}"


def _looked_up(operation: Operation, arguments: BaseModel, offline: bool) -> Found:
    from trainwright.tools.http import lookups

    with lookups(offline=offline):
        return operation.run(arguments)


def _show(found: Found, as_json: bool) -> int:
    from trainwright.graph.redaction import redact

    if as_json:
        from .jsonlines import json_lines

        json_lines().write(redact(found.model_dump(mode="json")))
        return 0
    from .screen import Line, open_screen

    text = str(redact(found.markdown()))
    open_screen().show(Line(words, role) for words, role in _with_roles(text.split("\n")))
    return 0


def _with_roles(lines: Iterable[str]) -> Iterator[tuple[str, Literal["", "title", "warn", "faint"]]]:
    """Each line of Markdown and what it is; inside a fence it is what was found, and stays as it is."""
    fence = ""
    for line in lines:
        mark = _FENCE.match(line)
        if fence:
            fence = "" if line.rstrip() == fence else fence
            yield line, ""
        elif mark:
            fence = mark[0]
            yield line, ""
        elif heading := _HEADING.fullmatch(line):
            yield heading[1], "title"
        else:
            yield line, "faint" if line.startswith("Source: ") else "warn" if line.startswith("Note: ") else ""
