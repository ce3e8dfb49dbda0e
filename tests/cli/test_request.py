"""Flags that cannot be used: one clear line each, exit code 2, and no run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from trainwright.cli.main import main
from trainwright.cli.request import (
    changes_from_flags,
    data_spec,
    paper_spec,
    request_from_flags,
    settings_from_flags,
)
from trainwright.graph.errors import RequestError
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import home

GOOD = ["--goal", "classify digits", "--data", "sklearn:digits"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "neither a paper nor a goal"),
        (["", "--data", "sklearn:digits"], "PAPER is empty"),
        (["--goal", "  ", "--data", "sklearn:digits"], "--goal is empty"),
        (["--goal", "x" * 20_001], "--goal has 20001 characters"),
        (["nosuch.pdf", "--data", "sklearn:digits"], "no paper at nosuch.pdf"),
        (["/no/such/folder/paper.pdf"], "no paper at /no/such"),
        (["."], "is a folder"),
        (["ftp://example.org/a.pdf"], "no http or https"),
        (["file:///etc/passwd"], "no http or https"),
        (["an abstract\nwith lines"], "is a text, not a place"),
        (["x" * 5_000], "no paper at xxx"),
        (["~nobody-here/paper.pdf"], "no paper at ~nobody-here"),
        (["--goal", "g", "--data", "nosuch.csv"], "no data at nosuch.csv"),
        (["--goal", "g", "--data", "data/nosuch.parquet"], "no data at data/nosuch.parquet"),
        (["--goal", "g", "--data", "./nosuch"], "no data at ./nosuch"),
        (["--goal", "g", "--data", "nosuch"], "no data at nosuch"),
        (["--goal", "g", "--data", ""], "--data is empty"),
        ([*GOOD, "--target", "accuracy>=97"], "97 cannot be reached"),
        ([*GOOD, "--target", "rmse>=3"], "rmse is better when lower"),
        ([*GOOD, "--target", "niceness>=1"], "no known metric"),
        ([*GOOD, "--target", "accuracy"], "cannot be read"),
        ([*GOOD, "--target", ""], "--target is empty"),
        ([*GOOD, "--target-column", " "], "--target-column is empty"),
        ([*GOOD, "--name", "../../etc"], "cannot be the name of a run"),
        ([*GOOD, "--name", "UPPER"], "cannot be the name of a run"),
        ([*GOOD, "--name", ""], "--name is empty"),
        ([*GOOD, "--publish-to", "../up"], "--publish-to"),
        ([*GOOD, "--publish-to", "a/b/c"], "--publish-to"),
        ([*GOOD, "--engineer", "wizard"], "no engineer 'wizard'"),
        ([*GOOD, "--approvals", "maybe"], "--approvals 'maybe'"),
        ([*GOOD, "--step-cap", "0"], "--step-cap 0"),
        ([*GOOD, "--step-cap", "1000000000"], "--step-cap"),
        ([*GOOD, "--step-cap", "many"], "--step-cap"),
        ([*GOOD, "--max-hours", "0"], "--max-hours"),
        ([*GOOD, "--max-hours", "-1"], "--max-hours"),
        ([*GOOD, "--max-hours", "nan"], "--max-hours"),
        ([*GOOD, "--max-hours", "inf"], "--max-hours"),
        ([*GOOD, "--attempts", "0"], "--attempts 0"),
        ([*GOOD, "--attempts", "51"], "--attempts 51"),
        ([*GOOD, "--seed", "-1"], "--seed -1"),
        ([*GOOD, "--seed", "1.5"], "--seed"),
        ([*GOOD, "--sead", "1"], "--sead"),
        ([*GOOD, "--json=yes"], "--json"),
        (["one.pdf", "two.pdf"], "two.pdf"),
    ],
)
def test_a_flag_that_cannot_be_used(
    arguments: list[str],
    words: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    said = shown.err.splitlines()
    assert len(said) == 2, shown.err
    assert said[0].startswith("Error: ")
    assert words in said[0]
    assert open_runs().list() == []
    assert list(home().iterdir()) == []


@pytest.mark.parametrize(
    "paper", ["1408.5882", "1408.5882v2", "arXiv:1408.5882", "cs/0112017", "https://arxiv.org/abs/1408.5882"]
)
def test_what_names_a_paper_elsewhere_is_left_as_it_is(paper: str) -> None:
    assert paper_spec(paper) == paper


@pytest.mark.parametrize("data", ["sklearn:digits", "owner/name", "owner/name:config@v1.0", "a.b/c-d@refs/pr/1"])
def test_what_names_data_elsewhere_is_left_as_it_is(data: str) -> None:
    assert data_spec(data) == data


def test_places_become_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a b.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "owner" / "name").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    request = request_from_flags("a b.pdf", "owner/name", None, None, None, None, None)
    assert request.paper == str(tmp_path / "a b.pdf")
    assert request.data == str(tmp_path / "owner" / "name")


def test_the_home_sign_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "d.csv").write_text("a,b\n1,2\n")
    assert data_spec("~/d.csv") == str(tmp_path / "d.csv")


def test_an_abstract_on_standard_input_is_a_text() -> None:
    spec = paper_spec("-", io.BytesIO("\ufeffÜber Ziffern.\r\nWe use an SVM.".encode()))
    assert spec == "Über Ziffern.\r\nWe use an SVM.\n"
    assert paper_spec("-", io.BytesIO(b"one line")) == "one line\n"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"),
        (b" \n\t\n", "empty"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"%PDF-1.7 ...", "is a PDF"),
        (b"a\x00b", "zero bytes"),
        (b"x" * (2**20 + 1), "more than"),
    ],
)
def test_standard_input_that_is_no_abstract(raw: bytes, words: str) -> None:
    with pytest.raises(RequestError, match=words):
        paper_spec("-", io.BytesIO(raw))


def test_text_that_is_not_utf8_is_refused() -> None:
    with pytest.raises(RequestError, match="--goal is not UTF-8"):
        request_from_flags(None, None, "caf\udce9", None, None, None, None)


def test_defaults_are_those_of_the_settings() -> None:
    from trainwright.graph.state import Settings

    assert settings_from_flags() == Settings()
    flags = settings_from_flags(engineer="recipes", approvals="auto", step_cap=5, max_hours=None, attempts=2, seed=7)
    assert (flags.approvals, flags.step_cap, flags.max_hours, flags.attempts, flags.seed) == ("auto", 5, 24.0, 2, 7)


def test_the_flags_defaults_as_the_help_says_them_are_the_settings_defaults() -> None:
    import inspect
    import re
    from typing import get_args

    from trainwright.cli import main as commands
    from trainwright.graph.state import Settings

    options = inspect.signature(commands.run, eval_str=True).parameters
    settings = Settings()
    for name in ("engineer", "approvals", "step_cap", "attempts", "seed"):
        assert options[name].default is None, "what is not given is as it is configured"
        said = get_args(options[name].annotation)[1].help
        assert re.search(rf"\b{getattr(settings, name)}\b.*when left out", said), name
    assert f"{settings.max_hours:g} when left out" in str(inspect.signature(commands.run).parameters["max_hours"])


def test_limits_and_prices_become_settings() -> None:
    found = settings_from_flags(
        max_usd=12.5, max_model_usd=3.0, max_gpu_hours=0.0, max_tokens=9, model_price="3/15", machine_usd_per_hour=0.2,
        stages=["plan.step_cap=4", "plan.max-usd=0.5", "write-code.max_hours=2"],
    )  # fmt: skip
    assert (found.max_usd, found.max_model_usd, found.max_gpu_hours, found.max_tokens) == (12.5, 3.0, 0.0, 9)
    assert (found.model_price, found.machine_usd_per_hour) == ("3/15", 0.2)
    assert (found.stages["plan"].step_cap, found.stages["plan"].max_usd) == (4, 0.5)
    assert found.stages["write_code"].max_hours == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"max_usd": -1.0}, r"--max-usd -1\.0: it should be greater than or equal to 0"),
        ({"max_usd": float("nan")}, "--max-usd nan: it should be a finite number"),
        ({"max_hours": float("inf")}, "--max-hours inf: it should be a finite number"),
        ({"max_model_usd": 1e9}, "--max-model-usd 1000000000.0: it should be less than"),
        ({"max_gpu_hours": -0.1}, r"--max-gpu-hours -0\.1: it"),
        ({"max_tokens": -1}, "--max-tokens -1: it"),
        ({"machine_usd_per_hour": -2.0}, r"--machine-usd-per-hour -2\.0: it"),
        ({"model_price": "three"}, "--model-price: 'three' is no price"),
        ({"model_price": "-3/15"}, "--model-price: '-3/15' is no price"),
        ({"model_price": "1e9/1"}, "--model-price: '1e9/1' is no price"),
        ({"stages": ["plan"]}, "--stage-limit 'plan' is not STAGE.LIMIT=VALUE"),
        ({"stages": ["plan.speed=3"]}, "--stage-limit 'plan.speed=3' names no limit of a stage: speed"),
        ({"stages": ["planing.max_usd=3"]}, "no stage 'planing' to limit"),
        ({"stages": ["plan.max_usd=-3"]}, r"--stage-limit plan\.max_usd '-3': it should be greater"),
        ({"stages": ["plan.max_usd=inf"]}, r"--stage-limit plan\.max_usd 'inf': it should be"),
        ({"stages": ["plan.max_hours=nan"]}, r"--stage-limit plan\.max_hours 'nan': it should be"),
        ({"stages": [f"plan.max_tokens={10**23}"]}, r"--stage-limit plan\.max_tokens '1000000.*it should be less"),
        ({"stages": ["plan.step_cap=two"]}, r"--stage-limit plan\.step_cap 'two': it should be a valid integer"),
    ],
)
def test_a_limit_that_is_none_is_refused_with_its_flag(flags: dict[str, Any], message: str) -> None:
    for make in (settings_from_flags, changes_from_flags):
        with pytest.raises(RequestError, match=message):
            make(**flags)


def test_a_resume_changes_only_the_limits_that_were_given() -> None:
    changes = changes_from_flags(max_usd=3.0, max_tokens=None, stages=["plan.max_usd=2"], engineer=None)
    assert changes == {"max_usd": 3.0, "stages": {"plan": {"max_usd": "2"}}}


def test_run_and_resume_have_a_flag_for_every_limit() -> None:
    import inspect

    from trainwright.cli import main as commands
    from trainwright.graph.amounts import flag
    from trainwright.graph.limits import limits_of
    from trainwright.graph.state import Settings

    named = {flag(limit.setting, "1").split()[0] for limit in limits_of(Settings(max_usd=1, max_model_usd=1))}
    assert named == {
        "--step-cap", "--max-hours", "--max-tokens", "--max-gpu-hours", "--max-usd", "--max-model-usd",
    }  # fmt: skip
    for command in (commands.run, commands.resume):
        parameters = inspect.signature(command).parameters
        for name in (*named, "--stage-limit", "--model-price", "--machine-usd-per-hour"):
            assert parameters[name.removeprefix("--").replace("-", "_")].default is None


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    path = tmp_path / "closed.csv"
    path.write_text("a\n1\n")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user can read everything")
    with pytest.raises(RequestError, match="permission denied"):
        data_spec(str(path))
