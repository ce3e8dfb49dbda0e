"""`trainwright lookup AREA OPERATION …` through a pipe: what a person and a program read, offline too, and what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Trainwright
from tests.standin import Canned, StandIn
from trainwright import examples

SCRIPT = "#!/usr/bin/env python\n# Train it.\n## twice\nNote: x = [bold]1\n\x1b[31mred\x1b[0m\n"
RESULT = "<div class='result'><a class='result__a' href='https://example.org/a'>Trees</a><a class='result__snippet'>s</a></div>"
EXAMPLE = str(Path(str(examples.__file__)).with_name("digits_svm.pdf"))
LOOKUPS = {
    ("code", "read", "acme/trees", "run.py"): {"repo": "acme/trees", "path": "run.py", "total_lines": 5},
    ("web", "search", "random forests"): {"hits": [{"title": "Trees", "url": "https://example.org/a", "snippet": "s"}]},
    ("code", "tree", "acme/trees"): {"total": 1, "repo": "acme/trees"},
}


@pytest.fixture
def world(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """GitHub and DuckDuckGo, and nobody's token."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "HF_TOKEN", "HF_HUB_OFFLINE", "TRAINWRIGHT_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRAINWRIGHT_GITHUB_URL", standin.url)
    monkeypatch.setenv("TRAINWRIGHT_GITHUB_RAW_URL", f"{standin.url}/raw")
    monkeypatch.setenv("TRAINWRIGHT_DUCKDUCKGO_URL", standin.url)
    standin.route("GET", "/raw/acme/trees/HEAD/run.py", Canned(SCRIPT, media="text/plain"))
    entry = {"path": "run.py", "type": "blob", "size": len(SCRIPT)}
    standin.route("GET", "/repos/acme/trees/git/trees/HEAD", {"tree": [entry], "truncated": False})
    standin.route("GET", "/search/repositories", {"total_count": 0, "items": []})
    standin.route("GET", "/html/", Canned(RESULT, media="text/html"))
    return standin


@pytest.mark.parametrize("words", LOOKUPS)
def test_json_is_one_object_and_the_same_offline(
    words: tuple[str, ...], world: StandIn, trainwright: Trainwright
) -> None:
    first = trainwright("lookup", *words, "--json")
    asked = len(world.requests)
    again = trainwright("lookup", *words, "--json", "--offline")
    assert (first.code, again.code, first.err, again.err) == (0, 0, "", "")
    (line,), (other,) = first.out.splitlines(), again.out.splitlines()
    one, two = json.loads(line), json.loads(other)
    assert LOOKUPS[words].items() <= one.items()
    assert [source["cached"] for source in one.pop("sources")] == [False]
    assert [source["cached"] for source in two.pop("sources")] == [True]
    assert one == two
    assert len(world.requests) == asked


@pytest.mark.parametrize("words", LOOKUPS)
def test_offline_says_what_is_missing_and_asks_nobody(
    words: tuple[str, ...], world: StandIn, trainwright: Trainwright
) -> None:
    for given, environment, why in (
        (["--offline"], {}, "--offline"), ([], {"TRAINWRIGHT_OFFLINE": "1"}, "TRAINWRIGHT_OFFLINE=1"),
    ):  # fmt: skip
        ran = trainwright("lookup", *words, "--json", *given, **environment)
        assert ran.code == 1
        told = json.loads(ran.out)
        assert (told["event"], told["exit_code"]) == ("error", 1)
        assert world.url in told["message"]
        assert f"not on the disk, and nothing was sent, since {why} was given" in told["message"]
        assert ran.err.splitlines() == [f"Error: {told['message']}", told["hint"]]
    assert world.requests == []


def test_a_file_is_shown_as_it_is_and_harmless(world: StandIn, trainwright: Trainwright) -> None:
    shown = trainwright("lookup", "code", "read", "acme/trees", "run.py").out
    assert "```\n#!/usr/bin/env python\n# Train it.\n## twice\nNote: x = [bold]1\nred\n```\n" in shown
    assert shown.endswith(f"Source: GitHub {world.url}/raw/acme/trees/HEAD/run.py\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["code", "search", "x"], "Error: QUERY: String should have at least 2 characters."),
        (["code", "search", "xy", "--limit", "0"], "Error: --limit: Input should be greater than or equal to 1."),
        (["code", "read", "acme/trees", "--first-line", "-1"], "Error: --first-line: Input should be"),
        (["web", "search", "xy", *["--allowed-domains", "a.org"] * 21], "Error: --allowed-domains: List should have"),
        (["web", "fetch", "file:///etc/passwd"], "is no address of the web; it was not asked"),
        (["web", "fetch", "http://169.254.169.254/latest/"], "is no address of the public internet; it was not asked"),
        (["code", "read", "acme/trees", "../x"], "'../x' is no path in a repository"),
        (["code", "read", "acme/none", "x"], "GitHub has no repository acme/none"),
    ],
)
def test_what_does_not_fit_is_a_line(words: list[str], message: str, world: StandIn, trainwright: Trainwright) -> None:
    ran = trainwright("lookup", *words)
    assert message in ran.err
    assert (ran.code in (1, 2), ran.out) == (True, "")


def test_a_service_that_is_down_is_named(world: StandIn, trainwright: Trainwright) -> None:
    world.fault("*", "down", times=None)
    ran = trainwright("lookup", "code", "tree", "acme/trees", "--json")
    assert ran.code == 1
    assert "GitHub cannot be reached" in json.loads(ran.out)["message"]


def test_a_secret_in_what_was_found_is_not_shown(world: StandIn, trainwright: Trainwright) -> None:
    secret = "ghp_" + "a1B2" * 9
    world.route("GET", "/raw/acme/trees/HEAD/run.py", Canned(f"token = '{secret}'\n"))
    for more in ([], ["--json"]):
        shown = trainwright("lookup", "code", "read", "acme/trees", "run.py", *more).out
        assert "token = " in shown
        assert secret not in shown


@pytest.mark.parametrize(("paper", "data"), [("arxiv:1408.5882", "sklearn:iris"), (EXAMPLE, "flowers/iris")])
def test_the_tools_of_an_offline_run_ask_nobody(
    paper: str, data: str, world: StandIn, trainwright: Trainwright
) -> None:
    ran = trainwright(
        "run", paper, "--data", data, "--offline", "--dry-run", "--approvals", "auto",
        TRAINWRIGHT_ARXIV_URL=world.url, HF_ENDPOINT=world.url,
    )  # fmt: skip
    assert ran.code == 1
    assert "since --offline was given" in ran.out + ran.err
    assert world.requests == []
