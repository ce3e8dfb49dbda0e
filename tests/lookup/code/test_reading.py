"""Files by lines, notebooks, and what is no text."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from tests.standin import Canned, StandIn
from trainwright.graph.errors import NotFound, Refusal, RemoteError, RequestError
from trainwright.tools.lookup import code
from trainwright.tools.lookup.code.notebooks import as_markdown
from trainwright.tools.lookup.datasets.withheld import withheld

from .conftest import TOKEN


def test_the_first_lines(github: StandIn) -> None:
    found = code.read("acme/trees", "src/trees/model.py")
    assert (found.first_line, found.last_line, found.total_lines) == (1, 300, 1000)
    assert found.text.startswith("line 1\nline 2\n")
    assert found.notes == ["Lines 301 to 1,000 follow: ask with first_line."]
    assert github.paths == ["/raw/acme/trees/HEAD/src/trees/model.py"]
    assert "lines 1 to 300 of 1000\n\n```\nline 1" in found.markdown()


def test_chosen_lines(github: StandIn) -> None:
    found = code.read("acme/trees", "src/trees/model.py", first_line=999, lines=50)
    assert (found.text, found.last_line, found.notes) == ("line 999\nline 1000", 1000, [])
    with pytest.raises(RequestError, match="has 1,000 lines"):
        code.read("acme/trees", "src/trees/model.py", first_line=1001)


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/acme/trees/blob/main/src/trees/model.py#L10-L12",
        "https://raw.githubusercontent.com/acme/trees/refs/heads/main/src/trees/model.py#L10-L12",
        "https://github.com/acme/trees/blob/feature/x/src/trees/model.py#L10-L12",
    ],
)
def test_the_lines_of_an_address(address: str, github: StandIn) -> None:
    found = code.read(address)
    assert found.path.endswith("src/trees/model.py")  # where a branch ends, the host of the files alone knows
    assert found.text == "line 10\nline 11\nline 12"


def test_lines_are_counted_as_github_counts_them(github: StandIn) -> None:
    github.route("GET", "/raw/acme/trees/HEAD/old.py", "a = 1\n\x0c\nb = '\u2028\x1c'\r\nc = 3\n")
    found = code.read("acme/trees", "old.py", first_line=3, lines=1)
    assert (found.text, found.total_lines) == ("b = '\u2028\x1c'", 4)


def test_long_lines_are_cut(github: StandIn) -> None:
    found = code.read("acme/trees", "examples/train_dpo.py")
    assert f"{'x' * 10} … (1,000 characters more)\nlast" in found.text
    assert found.notes == ["1 line is longer than 4,000 characters and cut."]


def test_much_text_ends_early(github: StandIn) -> None:
    github.route("GET", "/raw/acme/trees/HEAD/wide.txt", "\n".join(["y" * 3_000] * 100))
    found = code.read("acme/trees", "wide.txt")
    assert len(found.text) <= 40_000
    assert found.notes == [f"Lines {found.last_line + 1} to 100 follow: ask with first_line."]


def test_a_notebook_is_markdown(github: StandIn) -> None:
    found = code.read("acme/trees", "examples/notebooks/sft.ipynb")
    assert found.kind == "notebook"
    assert found.text == (
        "# Title\n![p](picture left out)\n\n````python\nprint('```')\n````\n\nOutput:\n\n```\nshort\n```\n\n"
        f"Output:\n\n```\n{'x' * 500}\n… (400 characters more)\n```\n\n(output left out: image/png)\n\n"
        "Output:\n\n```\nValueError: bad\n```\n\n```\nas it is\n```"
    )


def test_an_old_notebook_and_what_is_none() -> None:
    cells = [{"cell_type": "heading", "level": 2, "source": "Old"}, {"cell_type": "code", "input": ["1 + 1"], "language": "python",
              "outputs": [{"output_type": "pyout", "text": ["2"]}]}]  # fmt: skip
    assert as_markdown(json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode()) == (
        "## Old\n\n```python\n1 + 1\n```\n\nOutput:\n\n```\n2\n```\n"
    )
    for bad in (b"", b"[]", b"{}", b'{"cells": 3}', b"[" * 100_000, b"\xff"):
        assert as_markdown(bad) is None
    odd = {
        "cells": [3, {"cell_type": "code", "source": 4}, {"cell_type": "code", "source": "a", "outputs": 5}],
        "metadata": 6,
    }
    assert as_markdown(json.dumps(odd).encode()) == "```python\na\n```\n"


def test_pictures_without_end_take_no_time() -> None:
    begun = time.monotonic()
    cells = [{"cell_type": "markdown", "source": "(data:image/" * 100_000 + "png)"}]
    assert "(picture left out)" in str(as_markdown(json.dumps({"cells": cells}).encode()))
    assert time.monotonic() - begun < 5


def test_a_broken_notebook_is_shown_as_it_is(github: StandIn) -> None:
    github.route("GET", "/raw/acme/trees/HEAD/bad.ipynb", b"{oh")
    found = code.read("acme/trees", "bad.ipynb")
    assert (found.kind, found.text) == ("text", "{oh")
    assert "cannot be read as a notebook" in found.notes[0]


def test_a_binary_file_has_a_size_alone(github: StandIn) -> None:
    found = code.read("acme/trees", "data/weights.bin")
    assert (found.kind, found.size, found.text) == ("binary", 300, "")
    assert found.notes == ["The file is no text: 300 B; it is not shown."]


def test_a_pointer_of_lfs_is_told(github: StandIn) -> None:
    assert "Git LFS" in code.read("acme/trees", "data/large.csv").notes[0]


def test_a_large_file_is_read_from_its_beginning(github: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.code.reading.SIZE", 2_000)
    found = code.read("acme/trees", "src/trees/model.py")
    assert found.notes[0] == "Only the first 2.0 KiB were loaded: lines are counted in them."
    assert found.total_lines < 300
    github.fault("/raw/acme/trees/HEAD/endless", "huge", None)
    assert code.read("acme/trees", "endless").size is None


def test_a_private_file_comes_through_the_api(github: StandIn, token: str) -> None:
    github.route(
        "GET",
        "/repos/acme/private/contents/src/a.py",
        Canned("secret code\n", media="application/vnd.github.raw+json; charset=utf-8"),
    )
    found = code.read("acme/private", "src/a.py", ref="main")
    assert found.text == "secret code"
    raw, api = github.requests
    assert raw.path == "/raw/acme/private/main/src/a.py"
    assert "authorization" not in raw.headers or raw.headers["host"] == api.headers["host"]
    assert (api.headers["authorization"], api.query["ref"]) == (f"Bearer {TOKEN}", ["main"])
    assert api.headers["accept"] == "application/vnd.github.raw+json"


def test_the_token_goes_to_the_api_alone(github: StandIn, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn() as files:
        files.route("GET", "/acme/trees/HEAD/a.py", "x = 1\n")
        monkeypatch.setenv("TRAINWRIGHT_GITHUB_RAW_URL", files.url)
        assert code.read("acme/trees", "a.py").text == "x = 1"
        assert "authorization" not in files.requests[0].headers


def test_a_path_that_is_not_there_is_told_with_near_ones(github: StandIn) -> None:
    with pytest.raises(NotFound, match=r"no src/model\.py") as caught:
        code.read("acme/trees", "src/model.py")
    assert "src/trees/model.py" in caught.value.hint


def test_a_folder_is_no_file(github: StandIn) -> None:
    with pytest.raises(NotFound, match="is a folder") as caught:
        code.read("acme/trees", "examples")
    assert "examples/train_dpo.py" in caught.value.hint
    with pytest.raises(RequestError, match="without a file"):
        code.read("acme/trees")


def test_a_file_of_the_hub(github: StandIn) -> None:
    github.route("GET", "/datasets/acme/rows/resolve/main/README.md", "# Card\n")
    found = code.read("hf:datasets/acme/rows", "README.md")
    assert (found.repo, found.text) == ("hf:datasets/acme/rows", "# Card")


@pytest.fixture
def scored() -> Iterator[None]:
    """The engineer of a run that is scored on acme/rows asks."""
    kept = withheld.set(frozenset({"acme/rows"}))
    yield
    withheld.reset(kept)


@pytest.mark.usefixtures("scored")
def test_rows_that_a_run_is_scored_on_are_not_shown(github: StandIn) -> None:
    github.route("GET", "/datasets/*", "label\n1\n")
    for address in ("hf:datasets/acme/rows", "hf:datasets/Acme/Rows"):
        with pytest.raises(Refusal, match="scored on"):
            code.read(address, "data/test.csv")
    with pytest.raises(Refusal):
        code.read("https://huggingface.co/datasets/acme/rows/resolve/main/test.csv")
    assert not [path for path in github.paths if path.startswith("/datasets")]
    assert code.read("hf:datasets/acme/rows", "README.md").text == "label\n1"


@pytest.mark.usefixtures("scored")
def test_nor_under_an_old_name_of_theirs_nor_while_nobody_knows_it(github: StandIn) -> None:
    github.route("GET", "/datasets/*", "label\n1\n")
    for name in ("old/rows", "acme/rows"):
        github.route("GET", f"/api/datasets/{name}", {"id": "acme/rows", "siblings": [], "tags": []})
    with pytest.raises(Refusal, match="scored on"):
        code.read("hf:datasets/old/rows", "data/test.csv")
    assert code.read("hf:datasets/acme/others", "data/test.csv").text == "label\n1"
    github.fault("/api/datasets/*", "status:503", None)
    with pytest.raises(RemoteError, match="cannot be told"):
        code.read("hf:datasets/older/rows", "data/test.csv")
