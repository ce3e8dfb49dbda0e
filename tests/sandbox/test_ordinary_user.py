"""The sandbox for an ordinary user, in a user namespace: the whole conformance suite again, when we run as root."""

from __future__ import annotations

import os
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import pytest

from trainwright.tools.sandbox import probe

from .ordinary_user import USER, namespaces_permitted, run_as_ordinary_user, run_tests

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="these tests run as an ordinary user anyway"),
    pytest.mark.skipif(not probe().available, reason=f"no sandbox here: {probe().reason}"),
]


@pytest.fixture
def place() -> Iterator[Path]:
    """A home for an ordinary user (pytest's own folders are closed to others); skips where namespaces are forbidden."""
    with tempfile.TemporaryDirectory(prefix="trainwright-ordinary-") as name:
        refused = namespaces_permitted(Path(name))
        if refused:
            pytest.skip(f"an ordinary user may not make user namespaces on this machine: {refused}")
        yield Path(name)


def test_it_really_is_an_ordinary_user(place: Path) -> None:
    done = run_as_ordinary_user(["/bin/sh", "-c", "id -u; cat /etc/shadow"], place)
    assert done.stdout == f"{USER}\n"
    assert "Permission denied" in done.stderr


@pytest.mark.parametrize(
    ("paths", "at_least"),
    [(["tests/sandbox/test_bubblewrap.py"], 70), (["tests/jobs/test_local.py::TestIsolated"], 20)],
    ids=["sandbox", "jobs"],
)
def test_the_suite_as_an_ordinary_user(place: Path, paths: list[str], at_least: int) -> None:
    done = run_tests(paths, place)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    suite = next(ET.parse(place / "results.xml").getroot().iter("testsuite"))
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts["failures"] == counts["errors"] == counts["skipped"] == 0, done.stdout[-3_000:]
    assert counts["tests"] >= at_least
