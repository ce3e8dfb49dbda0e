"""The local sandbox, held to what every sandbox must do."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.errors import ContractError
from trainwright.tools.sandbox import Limits, Mount, SandboxResult, probe, run_sandboxed

from .conformance import Place, SandboxConformance, quick

pytestmark = pytest.mark.skipif(not probe().available, reason=f"no sandbox here: {probe().reason} {probe().mend}")


@dataclass
class Local:
    """Bubblewrap on this machine."""

    place: Place

    def run(self, source: str, limits: Limits | None = None, **options: Any) -> SandboxResult:
        """Run Python source with code and data to read and one folder to write."""
        mounts = [Mount(self.place.code, "/code"), Mount(self.place.data, "/data")]
        mounts.append(Mount(self.place.out, "/out", writable=True))
        mask = [path.parent for path in self.place.secrets.values()]
        argv = [sys.executable, "-c", source]
        return run_sandboxed(argv, mounts=mounts, cwd="/out", limits=limits or quick(), mask=mask, **options)


@pytest.fixture
def sandbox(tmp_path: Path) -> Local:
    return Local(Place(tmp_path))


class TestBubblewrap(SandboxConformance):
    """Every test of the conformance suite."""


def test_a_mount_that_is_a_link_is_refused(sandbox: Local) -> None:
    """A script could leave a link to the withheld labels where its model should be."""
    sandbox.run("import os; os.symlink('../../../withheld', '/out/model')")
    model = sandbox.place.out / "model"
    assert (model / "labels.txt").exists(), "on this side the link leads to the labels"
    with pytest.raises(ContractError, match="link") as caught:
        run_sandboxed([sys.executable, "-c", "pass"], mounts=[Mount(model, "/model")], limits=quick())
    assert caught.value.kind == "link"


def test_a_mount_that_is_not_there_is_refused(sandbox: Local) -> None:
    with pytest.raises(ContractError, match="not there") as caught:
        run_sandboxed([sys.executable, "-c", "pass"], mounts=[Mount(Path("/none"), "/model")], limits=quick())
    assert caught.value.kind == "missing"


def test_a_private_file_of_ours_can_be_read_inside(sandbox: Local) -> None:
    """With a strict umask, code and data are for their owner only, and the sandbox's user is another one."""
    (sandbox.place.data / "train.txt").chmod(0o600)
    sandbox.place.data.chmod(0o700)
    assert sandbox.run("print(open('/data/train.txt').read())").stdout == "the data\n\n"


def test_a_masked_file_below_a_place_that_is_shown(sandbox: Local, tmp_path: Path) -> None:
    """Source data may lie in a system folder, or be reached by a link."""
    system = Path("/usr/share/misc") if Path("/usr/share/misc").is_dir() else Path("/usr/share")
    some = next(path for path in sorted(system.rglob("*")) if path.is_file() and path.stat().st_size > 10)
    link = tmp_path / "data.csv"
    link.symlink_to(some)
    for hidden in (some, link):
        argv = [sys.executable, "-c", f"print(len(open({str(some)!r}, 'rb').read()))"]
        shown = run_sandboxed(argv, mounts=[], limits=quick())
        masked = run_sandboxed(argv, mounts=[], limits=quick(), mask=[hidden])
        assert int(shown.stdout) > 10
        assert masked.stdout.strip() in ("0", "") or int(masked.stdout) == 0
