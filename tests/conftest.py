"""Fixtures that every part of the test suite shares."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from .standin import StandIn

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers share the cores: with a thread for each core in each of them, threads wait for one another.
    for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(_name, "1")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Names a test by the argument's name where the value is bytes: some hold the time at which they were made
    (gzip does), and each worker of a parallel run must collect the same names."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture
def cases() -> Path:
    """The folder of real papers and data sets, or a skip where there is none."""
    folder = os.environ.get("TRAINWRIGHT_CASES", "")
    if not folder:
        pytest.skip("TRAINWRIGHT_CASES is not set: no real cases here")
    return Path(folder)


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Each test has a `TRAINWRIGHT_HOME` of its own, so that no test sees another's runs, and no configuration."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("TRAINWRIGHT_HOME", str(home))
    monkeypatch.setenv("TRAINWRIGHT_CONFIG", str(home / "config"))
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "0")
    return home


@pytest.fixture
def standin() -> Iterator[StandIn]:
    """A stand-in for an outside service on loopback; see `tests/standin.py`."""
    with StandIn() as server:
        yield server
