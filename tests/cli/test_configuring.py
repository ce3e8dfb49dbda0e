"""`trainwright config`, and what the other commands make of the configuration file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Trainwright

FILE = """[settings]
step_cap = 12
engineer = "${ENGINEER:-recipes}"
[settings.stages.plan]
step_cap = 7
[notify]
urls = ["json://me:${PLACE}@127.0.0.1:9/T0KEN123456"]
on = ["ended"]
"""


@pytest.fixture
def file(own_home: Path) -> Path:
    """The configuration file, which is there."""
    path = own_home / "config" / "config.toml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def test_it_shows_what_counts_and_where_it_comes_from_and_no_secret(trainwright: Trainwright, file: Path) -> None:
    ran = trainwright("config", "--json", PLACE="plainwordsecret", ENGINEER="recipes")
    assert (ran.code, ran.err) == (0, "")
    rows = {row["key"]: (row["value"], row["source"]) for row in map(json.loads, ran.out.splitlines())}
    assert rows["settings.step_cap"] == (12, str(file))
    assert rows["settings.engineer"] == ("recipes", f"{file}, $ENGINEER")
    assert rows["settings.attempts"] == (3, "built in")
    assert rows["settings.stages.plan.step_cap"] == (7, str(file))
    assert rows["notify.urls[0]"] == ("json://…", f"{file}, $PLACE")
    assert rows["notify.on"] == (["ended"], str(file))
    plain = trainwright("config", PLACE="plainwordsecret")
    assert plain.out.splitlines()[0] == str(file)
    assert f"notify.urls[0]                 json://…  (from {file}, $PLACE)" in plain.out
    for shown in (ran.out, plain.out):
        assert "plainwordsecret" not in shown
        assert "T0KEN123456" not in shown


def test_check_says_yes_or_the_first_thing_that_is_wrong(trainwright: Trainwright, file: Path) -> None:
    ran = trainwright("config", "check", PLACE="plainwordsecret")
    assert (ran.code, ran.out) == (0, f"{file} can be used; notices go to 1 address.\n")
    ran = trainwright("config", "check")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"Error: {file}, line 7: notify.urls[0] needs the variable PLACE")
    file.write_text('[notify]\nurls = ["json://127.0.0.1/", "nonsense://T0KEN123456/"]\n')
    ran = trainwright("config", "check")
    assert (ran.code, ran.out) == (2, "")
    assert "notify.urls[1] is no address that Apprise can read" in ran.err
    assert "T0KEN123456" not in ran.err
    file.unlink()
    ran = trainwright("config", "check", "--json")
    assert json.loads(ran.out) == {"ok": True, "path": str(file), "exists": False, "addresses": 0}
    assert trainwright("config", "chek").code == 2


def test_a_broken_file_stops_a_run_before_it_is_made_and_no_other_command(trainwright: Trainwright, file: Path) -> None:
    file.write_text("[settings]\nstep_kap = 3\n")
    ran = trainwright("run", "--goal", "g", "--data", "sklearn:iris")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"Error: {file}, line 2: settings.step_kap is unknown.\nDid you mean step_cap?\n"
    assert [trainwright(*command).code for command in (("--help",), ("run", "--help"), ("runs",))] == [0, 0, 0]


@pytest.mark.slow
def test_doctor_reports_a_broken_file_and_addresses_that_are_none(trainwright: Trainwright, file: Path) -> None:
    def findings(**environment: str) -> dict[str, dict[str, object]]:
        lines = trainwright("doctor", "--json", **environment).out.splitlines()
        return {finding["name"]: finding for finding in map(json.loads, lines)}

    well = findings(PLACE="plainwordsecret")
    assert (well["configuration"]["ok"], well["notices"]["ok"]) == (True, True)
    broken = findings()
    assert not broken["configuration"]["ok"]
    assert "needs the variable PLACE" in str(broken["configuration"]["detail"])
    assert "Set PLACE" in str(broken["configuration"]["mend"])
    file.write_text('[notify]\nurls = ["nonsense://T0KEN123456/"]\n')
    none = findings()
    assert (none["configuration"]["ok"], none["notices"]["ok"], none["notices"]["needed"]) == (True, False, False)
    assert "T0KEN123456" not in str(none)


@pytest.mark.slow
def test_flags_beat_the_file_in_a_run(trainwright: Trainwright, file: Path) -> None:
    file.write_text('[settings]\nattempts = 2\nseed = 4\ndry_run = true\napprovals = "auto"\n')
    ran = trainwright("run", "--goal", "g", "--data", "sklearn:iris", "--name", "r", "--seed", "9", "--json")
    assert (ran.code, json.loads(ran.out.splitlines()[-1])["status"]) == (0, "dry_run")
    kept = json.loads(trainwright("show", "r", "--json").out)["settings"]
    assert (kept["attempts"], kept["seed"], kept["step_cap"]) == (2, 9, 300)
