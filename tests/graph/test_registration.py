"""A run is registered before anything else happens."""

from __future__ import annotations

from trainwright.graph.registration import register
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import run_path
from trainwright.graph.state import Request, Settings

REQUEST = Request(paper="papers/Great Paper.pdf", data="sklearn:digits", goal="a goal")


def test_registering_makes_row_and_folder_once() -> None:
    name = register(REQUEST, Settings(seed=7), "thread")
    assert name.startswith("digits-great-paper-")
    assert (run_path(name) / "stages").is_dir()
    assert register(REQUEST, Settings(seed=8), "thread") == name
    row = open_runs().of_thread("thread")
    assert row is not None
    assert row.request == REQUEST.model_dump()
    assert row.settings is not None
    assert row.settings["seed"] == 7, "what the first call said counts"
    assert open_runs().of_thread("another") is None


def test_the_text_of_an_abstract_gives_no_name() -> None:
    assert register(Request(paper="Some abstract\nof two lines", data="d.csv"), Settings(), "t").startswith("d-")


def test_a_name_does_not_say_the_data_twice() -> None:
    def named(data: str, paper: str) -> str:
        return register(Request(data=data, paper=paper), Settings(), f"{data} {paper}").rsplit("-", 1)[0]

    assert named("sklearn:digits", "/papers/digits_svm.pdf") == "digits-svm"
    assert named("/data/flowers.csv", "1408.5882") == "flowers-1408-5882"
    assert named("", "/papers/digits_svm.pdf") == "digits-svm"
