"""The records of lookups: one flat function an area for engineers, one command an operation for a person."""

from __future__ import annotations

import json
from typing import Annotated, Literal

import pytest
import typer
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from trainwright.cli.lookup import lookup_app
from trainwright.engineers.schemas import schema_of
from trainwright.graph.errors import Refusal, RequestError
from trainwright.tools.http import lookups, seconds_left
from trainwright.tools.lookup.areas import AREAS
from trainwright.tools.lookup.found import Found, Source, cut, part_of, parts_of, table
from trainwright.tools.lookup.names import is_arxiv_id, is_git_ref, is_github_repo, is_hub_id, is_repo_path
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


class Near(BaseModel):
    model_config = ConfigDict(extra="forbid")

    of: str = Field("", max_length=9)
    limit: int = 10


def near(wanted: Near) -> Shown:
    return Shown(said=f"{wanted.of or 'all'} {wanted.limit} {seconds_left():.0f}")


AREA = Area(
    "things",
    "Things.",
    (
        Operation("search", Search, search, "Find things."),
        Operation("read_it", Read, read, "Read one."),
        Operation("file", Read, local, "A file of this machine.", engineers=False),
        Operation("near", Near, near, "Things near one.", places=("of",), seconds=60.0),
    ),
)


def arguments(**given: object) -> BaseModel:
    return flat_arguments(AREA).model_validate(given)


def test_one_flat_function_has_what_every_operation_takes() -> None:
    schema = schema_of(flat_arguments(AREA))
    assert list(schema["properties"]) == ["operation", "query", "limit", "sort", "id", "names", "whole", "of"]
    assert schema["properties"]["operation"]["enum"] == ["search", "read_it", "near"]
    assert schema["properties"]["limit"] == {"type": "integer"}
    assert schema["required"] == ["operation"]
    assert "anyOf" not in json.dumps(schema)
    assert (
        AREA.for_engineers() == "Things. search(query, limit?, sort?); read_it(id, names?, whole?); near(of?, limit?)."
    )
    assert Area("things", "Things.", AREA.operations[1:3]).for_engineers() == "Things."


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


@pytest.mark.parametrize(("area", "operation"), [("models", "details"), ("datasets", "inspect")])
def test_a_revision_leads_nowhere_else(area: str, operation: str) -> None:
    with pytest.raises(Refusal, match="revision: Value error, write a branch"):
        call(AREAS[area], flat_arguments(AREAS[area])(operation=operation, id="a/b", revision="a/../../c"))


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


def test_what_need_not_be_given_can_stand_by_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert terminal("things", "near", "trees", "--limit", "3") == 0
    assert "- said: trees 3 60" in capsys.readouterr().out
    assert terminal("things", "near") == 0
    assert "- said: all 10 60" in capsys.readouterr().out
    assert terminal("things", "near", "many trees") == 2
    assert "Error: OF: String should have at most 9 characters." in capsys.readouterr().err
    assert terminal("things", "near", "--help") == 0
    assert "[OF]" in capsys.readouterr().out


def test_each_lookup_has_its_time_however_it_is_called() -> None:
    assert isinstance(found := call(AREA, arguments(operation="near")), Shown)
    assert found.said == "all 10 60"
    with lookups(seconds=5.0):
        assert call(AREA, arguments(operation="near")).model_dump()["said"] == "all 10 5"
    endless = {f"{area.name} {one.name}" for area in AREAS.values() for one in area.operations if one.seconds > 120}
    assert endless == {"docs update", "datasets overlap", "datasets overlap_files"}


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


def test_a_long_text_comes_in_parts_that_end_where_a_word_does() -> None:
    text = "\n\n".join(f"{n} " + "word " * 30 + f"\n    code {n}" for n in range(20))
    parts = parts_of(text, 500)
    assert len(parts) > 5
    assert max(map(len, parts)) <= 500
    assert " ".join(parts).split() == text.split()
    assert all(part.split()[-2] == "code" for part in parts), "between paragraphs"
    assert parts_of("a b" * 400, 1_000)[0].split()[-1] in ("a", "ba", "b"), "between words"
    assert parts_of("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]
    assert parts_of(f"{'y' * 8}\n    {'z' * 8}", 12) == ["y" * 8, "    " + "z" * 8], "an indent stays"
    assert parts_of(f"{'a' * 10}{' ' * 50}{'b' * 10}", 12) == ["a" * 10, "b" * 10], "blanks are no part"
    assert (parts_of("", 10), parts_of("\n", 10), parts_of("a\n", 10)) == ([""], [""], ["a"])
    assert part_of(["a", "b"], 2, "It") == "b"
    for number in (0, 3):
        with pytest.raises(RequestError, match=f"It has 2 parts; there is no part {number}."):
            part_of(["a", "b"], number, "It")


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
        (is_git_ref, ["main", "feature/x.y", "v1.0", "f" * 40], ["", "a..b", "../a", "a//b", "a b", "-a", "a/", "a\n"]),
        (
            is_repo_path,
            ["a", "a b/ç.txt", "a..b/c"],
            ["", "/a", "a/", "a//b", "a/../b", "./a", "a\\b", "a\n", "a" * 401],
        ),
    ],
)
def test_names_of_the_world_are_checked(check: object, good: list[str], bad: list[str]) -> None:
    assert callable(check)
    assert [name for name in good if not check(name)] == []
    assert [name for name in bad if check(name)] == []
