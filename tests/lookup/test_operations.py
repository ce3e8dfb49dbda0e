"""The records of lookups: one flat function an area for engineers, one command an operation for a person."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from trainwright.cli.lookup import lookup_app
from trainwright.engineers.schemas import schema_of
from trainwright.graph.errors import Refusal
from trainwright.tools.lookup.found import Found, Source, cut, table
from trainwright.tools.lookup.names import is_arxiv_id, is_github_repo, is_hub_id
from trainwright.tools.lookup.operations import Area, Operation, call, flat_arguments


class Search(BaseModel):
    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=2)
    limit: int = Field(10, ge=1, le=50)
    sort: Literal["", "date", "citations"] = ""


class Read(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, StringConstraints(pattern=r"^\d+$")]
    names: list[str] = Field(default_factory=list)
    whole: bool = False


class Shown(Found):
    said: str = ""
    rows: list[dict[str, int]] = Field(default_factory=list)


def search(wanted: Search) -> Shown:
    found = Shown(said=f"{wanted.query} {wanted.limit} {wanted.sort}", rows=[{"a": 1, "b": 2}])
    return found.model_copy(update={"sources": [Source(name="Here", stale=True)], "notes": ["one is down"]})


def read(wanted: Read) -> Shown:
    return Shown(said=f"{wanted.id} {wanted.names} {wanted.whole}")


def local(wanted: Read) -> Shown:
    return Shown(said="local")


AREA = Area(
    "things",
    "Things.",
    (
        Operation("search", Search, search, "Find things."),
        Operation("read_it", Read, read, "Read one."),
        Operation("file", Read, local, "A file of this machine.", engineers=False),
    ),
)


def arguments(**given: object) -> BaseModel:
    return flat_arguments(AREA).model_validate(given)


def test_one_flat_function_has_what_every_operation_takes() -> None:
    schema = schema_of(flat_arguments(AREA))
    assert list(schema["properties"]) == ["operation", "query", "limit", "sort", "id", "names", "whole"]
    assert schema["properties"]["operation"]["enum"] == ["search", "read_it"]
    assert schema["properties"]["limit"] == {"type": "integer"}
    assert schema["required"] == ["operation"]
    assert "anyOf" not in json.dumps(schema)
    assert AREA.for_engineers() == "Things. search(query, limit?, sort?); read_it(id, names?, whole?)."
    assert Area("things", "Things.", AREA.operations[1:]).for_engineers() == "Things."


def test_a_call_reaches_its_operation() -> None:
    assert call(AREA, arguments(operation="search", query="ab", sort="date")) == search(Search(query="ab", sort="date"))
    found = call(AREA, arguments(operation="read_it", id="12", names=["x"], whole=True, query=None))
    assert found == read(Read(id="12", names=["x"], whole=True))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"operation": "search", "query": "ab", "id": "1"}, "takes no id"),
        ({"operation": "search", "query": "a"}, "query: String should have at least 2 characters"),
        ({"operation": "search"}, "query: Field required"),
        ({"operation": "search", "query": "ab", "limit": 51}, "limit: "),
        ({"operation": "read_it", "id": "../1"}, "id: "),
    ],
)
def test_what_does_not_fit_an_operation_is_refused(given: dict[str, object], words: str) -> None:
    with pytest.raises(Refusal, match=r"search\(query, limit\?, sort\?\)|read_it\(id") as caught:
        call(AREA, arguments(**given))
    assert words in caught.value.message


def test_an_engineer_cannot_call_what_is_for_people() -> None:
    with pytest.raises(ValueError, match="operation"):
        arguments(operation="file", id="1")


def test_the_same_name_with_two_types_is_a_mistake() -> None:
    class Other(BaseModel):
        query: int

    area = Area("x", "X.", (AREA.operations[0], Operation("other", Other, search, "")))
    with pytest.raises(TypeError, match="query"):
        flat_arguments(area)


def terminal(*words: str) -> int:
    command = typer.main.get_command(lookup_app([AREA]))
    code = command.main(args=list(words), prog_name="lookup", standalone_mode=False)
    return code if isinstance(code, int) else 0


def test_each_operation_is_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal("things", "search", "two words", "--limit", "3", "--sort", "date") == 0
    shown = capsys.readouterr().out
    assert "- said: two words 3 date" in shown
    assert "- a: 1\n    - b: 2" in shown
    assert "Note: one is down" in shown
    assert "Source: Here (from the cache, out of date)" in shown
    assert terminal("things", "read-it", "7", "--names", "x", "--names", "y", "--whole") == 0
    assert "7 ['x', 'y'] True" in capsys.readouterr().out
    assert terminal("things", "file", "7") == 0
    assert "local" in capsys.readouterr().out


def test_a_command_that_does_not_fit_says_which_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal("things", "search", "a") == 2
    assert "Error: QUERY: String should have at least 2 characters." in capsys.readouterr().err
    assert terminal("things", "search", "ab", "--limit", "51") == 2
    assert "Error: --limit: Input should be less than" in capsys.readouterr().err
    with pytest.raises(Exception, match="'size' is not one of"):
        terminal("things", "search", "ab", "--sort", "size")


def test_help_names_every_argument(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal("things", "search", "--help") == 0
    shown = capsys.readouterr().out
    assert "Find things." in shown
    for words in ("QUERY", "--limit", "[default: 10]", "--sort", "--offline", "--json"):
        assert words in shown


def test_texts_are_cut_and_tables_escaped() -> None:
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 3) == "abc … (4 characters more)"
    assert table(["a"], []) == ""
    assert table(["a", "b"], [["x|y\nz", 1234], [None, 1.5]]).splitlines()[2:] == ["| x\\|y z | 1,234 |", "|  | 1.5 |"]


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (
            is_hub_id,
            ["gpt2", "a/b", "a-b/c.d_e"],
            ["", "a/b/c", "../x", "a/..", "a b", "a/b?x", "a//b", "-a/b", "a/b\n"],
        ),
        (is_arxiv_id, ["1408.5882", "1408.5882v2", "cs.LG/0102003", "cs/0102003"], ["1408", "1408.5882/../x", "x\n"]),
        (is_github_repo, ["a/b", "a-b/c.d"], ["a", "a/..", "a/.", "a/b/c", "a/b?c", "a/b\n", "../a"]),
    ],
)
def test_names_of_the_world_are_checked(check: object, good: list[str], bad: list[str]) -> None:
    assert callable(check)
    assert [name for name in good if not check(name)] == []
    assert [name for name in bad if check(name)] == []
