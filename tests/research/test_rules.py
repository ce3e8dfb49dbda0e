"""The built-in research helper on the real lookups: what it finds by words, and what it says when every source is down."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lookup.papers.services import HUB_TEXT, hub_paper, serve
from tests.standin import Canned, StandIn
from trainwright.cli.researching import research_command
from trainwright.graph.errors import RequestError
from trainwright.graph.ledger import Ledger
from trainwright.graph.research import research
from trainwright.graph.runs import open_runs
from trainwright.graph.state import Settings

ID = "2403.01234"
QUESTION = "How good is a forest of small trees with few rows?"
RESULTS = """3 Results
---------

Our forest reaches an accuracy of 97.4% on the Iris dataset. The learning rate is set to 0.1 and the batch size to 32.
"""


@pytest.fixture
def services(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """The papers' services with one paper, its data set and its code."""
    serve(standin, monkeypatch)
    monkeypatch.setenv("TRAINWRIGHT_DATASETS_SERVER_URL", f"{standin.url}/viewer")
    text = HUB_TEXT.split("3 Results")[0] + RESULTS + "\nReferences\n----------\n" + HUB_TEXT.split("----------\n")[-1]
    standin.route("GET", "/hub/api/papers/search", [hub_paper(ID, "Small Forests Learn from Few Rows")])
    standin.route("GET", f"/hub/papers/{ID}.md", Canned(text, media="text/markdown"))
    repository = {"githubRepo": "https://github.com/example/forests", "githubStars": 77}
    standin.route("GET", f"/hub/api/papers/{ID}", {**hub_paper(ID, "Small Forests")["paper"], **repository})
    standin.route("GET", "/hub/api/datasets", [{"id": "example/irises", "downloads": 90}])
    for kind in ("models", "spaces", "collections"):
        standin.route("GET", f"/hub/api/{kind}", [])
    return standin


def test_results_settings_data_and_code_are_found_and_the_same_twice(services: StandIn) -> None:
    found = research([QUESTION])
    (one,) = found.findings
    assert one.status == "answered", one
    (recipe,) = one.recipes
    assert (recipe.paper, recipe.metric, recipe.value) == (ID, "accuracy", 0.974)
    assert recipe.code == "https://github.com/example/forests"
    assert "example/irises" in recipe.data
    assert recipe.hyperparameters
    assert all(evidence.source == ID for evidence in recipe.sources)
    assert "Our forest reaches an accuracy of 97.4%" in recipe.sources[0].quote
    again = research([QUESTION])
    assert again.findings == found.findings
    assert json.loads(Path(found.file).read_text())["findings"]
    assert "97.4%" in found.markdown()


def test_data_sets_of_the_search_are_told_with_their_records(services: StandIn) -> None:
    (one,) = research([QUESTION]).findings
    (claim,) = (c for c in one.claims if c.evidence[0].source == "example/irises")
    assert claim.text == "The Hub has the data set example/irises (downloads: 90)."
    assert not one.notes


def test_data_sets_alone_are_a_part_of_an_answer(services: StandIn) -> None:
    services.route("GET", "/hub/api/papers/search", [])
    services.fault("/arxiv/*", "status:503", times=None)
    services.fault("/scholar/*", "status:503", times=None)
    (one,) = research([QUESTION]).findings
    assert one.status == "partial", one
    assert [claim.evidence[0].source for claim in one.claims] == ["example/irises"]


def test_it_works_from_the_cache_and_says_so_when_that_has_nothing(services: StandIn) -> None:
    first = research([QUESTION])
    asked = len(services.requests)
    offline = research([QUESTION], Settings(offline=True))
    assert len(services.requests) == asked
    assert offline.findings[0].recipes == first.findings[0].recipes
    (other,) = research(["Which optimiser suits transformers best?"], Settings(offline=True)).findings
    assert other.status == "failed"
    assert "offline" in f"{other.why} {other.summary}".lower()
    assert len(services.requests) == asked


def test_three_helpers_with_every_service_down(services: StandIn) -> None:
    services.fault("/*", "status:503", times=None)
    found = research([QUESTION, "Which kernel for digits?", "What learning rate for forests?"])
    assert [one.status for one in found.findings] == ["failed"] * 3
    for one in found.findings:
        assert one.summary.startswith("Nothing was found by the question's words. ")
        assert "HTTP 503" in one.summary, one.summary
    assert "No question could be answered" in found.notes[0]


def test_outside_a_run_there_is_a_ledger_and_no_run(services: StandIn) -> None:
    found = research([QUESTION])
    run = found.file.split("/research/")[1].split("/")[0]
    assert run.startswith("research-")
    assert Ledger().total(run, "steps") == found.findings[0].turns
    assert open_runs().list() == []


@pytest.mark.parametrize("questions", [[], ["a question"] * 7, ["x"]])
def test_what_cannot_be_researched(questions: list[str]) -> None:
    with pytest.raises(RequestError, match="cannot be researched"):
        research(questions)


def test_the_limit_of_turns_holds_for_rules_too(services: StandIn) -> None:
    (one,) = research([QUESTION], Settings(research_turns=2)).findings
    assert one.turns == 2
    assert one.status in ("partial", "answered")


def test_from_the_terminal(services: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    code = f"import sys; from trainwright.cli.researching import research_command as r; sys.exit(r([{QUESTION!r}], as_json=True))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    assert json.loads(done.stdout)["findings"][0]["recipes"][0]["paper"] == ID
    assert research_command([QUESTION], offline=True) == 0
    assert "97.4%" in capsys.readouterr().out
    services.fault("/*", "status:503", times=None)
    assert research_command(["Which kernel for digits?"]) == 1
