"""Which Python runs a script, what of it a sandbox shows, the system-call filter, and when there is no sandbox."""

from __future__ import annotations

import platform
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from trainwright.graph.errors import ContractError, SandboxUnavailable
from trainwright.tools.contract import Scripts, isolation_for, predict_limits
from trainwright.tools.sandbox import Capability, Limits, header_of, interpreter_for, run_sandboxed, run_trusted
from trainwright.tools.sandbox.interpreter import interpreter_roots, satisfied
from trainwright.tools.sandbox.limits import container_memory, default_memory
from trainwright.tools.sandbox.masks import masks
from trainwright.tools.sandbox.seccomp import KNOWN, filter_program


def script(folder: Path, header: str) -> Path:
    path = folder / "train.py"
    path.write_text(f"# /// script\n{header}# ///\nprint(1)\n")
    return path


def test_a_header_that_is_satisfied_runs_here(tmp_path: Path) -> None:
    path = script(
        tmp_path, '# requires-python = ">=3.11"\n# dependencies = ["numpy>=1", "x; python_version < \'3\'"]\n'
    )
    assert header_of(path)["dependencies"] == ["numpy>=1", "x; python_version < '3'"]
    assert interpreter_for(path) == [sys.executable]


def test_no_header_asks_for_nothing(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("print(1)")
    assert header_of(tmp_path / "train.py") == {}
    assert interpreter_for(tmp_path / "train.py") == [sys.executable]


@pytest.mark.parametrize(
    "header",
    [
        {"requires-python": "<3"},
        {"dependencies": ["numpy>999"]},
        {"dependencies": ["a-package-that-nobody-has"]},
    ],
)
def test_what_is_not_satisfied(header: dict[str, object]) -> None:
    assert not satisfied(header)


@pytest.mark.parametrize(
    "header",
    [
        "# dependencies = [\n",
        "# dependencies = 'numpy'\n",
        "# dependencies = [1]\n",
        "# requires-python = 3\n",
        "# dependencies = ['not a name!']\n",
        "# dependencies = ['-r /etc/passwd']\n",
        "# dependencies = ['x @ https://example.com/x.whl']\n",
        "# dependencies = ['x @ file:///etc/x']\n",
        "# requires-python = 'new'\n",
    ],
)
def test_a_header_that_cannot_be_used_is_named(tmp_path: Path, header: str) -> None:
    with pytest.raises(ContractError) as caught:
        interpreter_for(script(tmp_path, header))
    assert caught.value.kind == "header"


def test_a_script_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no train\.py") as caught:
        interpreter_for(tmp_path / "train.py")
    assert caught.value.kind == "missing"


def test_an_environment_that_cannot_be_built_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_CACHE", "1")
    path = script(tmp_path, "# dependencies = ['a-package-that-nobody-has']\n")
    with pytest.raises(ContractError, match="cannot be built") as caught:
        interpreter_for(path)
    assert caught.value.kind == "environment"
    with pytest.raises(ContractError):
        interpreter_for(path)


def test_an_environment_that_takes_for_ever_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stuck = tmp_path / "uv"
    stuck.write_text("#!/bin/sh\nexec sleep 600\n")
    stuck.chmod(0o755)
    path = script(tmp_path, "# dependencies = ['a-package-that-nobody-has']\n")
    with monkeypatch.context() as patched:
        patched.setattr("uv.find_uv_bin", lambda: str(stuck))
        patched.setattr("trainwright.tools.sandbox.interpreter.BUILD_SECONDS", 0.3)
        with pytest.raises(ContractError, match=r"train\.py was not built within 0\.005 minutes") as caught:
            interpreter_for(path)
    assert caught.value.kind == "environment"
    assert "package index" in caught.value.hint
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(ContractError, match="cannot be built"):
        interpreter_for(path)  # nothing of it is left that would look like an environment, and no lock


def test_an_environment_is_built_once(tmp_path: Path, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of Python than ours is not needed to see it: no dependency, and ours is said not to do."""
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setattr("trainwright.tools.sandbox.interpreter.satisfied", lambda header: False)
    path = script(tmp_path, f"# requires-python = '=={platform.python_version()}'\n")
    [first] = interpreter_for(path)
    assert Path(first).is_relative_to(own_home / "environments")
    done = subprocess.run([first, "-c", "print(6 * 7)"], capture_output=True, text=True, check=False)
    assert done.stdout == "42\n", done.stderr
    changed = Path(first).stat().st_mtime_ns
    assert interpreter_for(path) == [first]
    assert Path(first).stat().st_mtime_ns == changed


def test_the_roots_of_this_interpreter_hold_it() -> None:
    roots = interpreter_roots(sys.executable)
    assert any(Path(sys.executable).resolve().is_relative_to(root) for root in [*roots, Path("/usr")])
    assert Path("/") not in roots


@pytest.mark.parametrize("more", ["home", ".git"])
def test_an_installation_in_a_folder_that_holds_more_shows_its_own_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    """Python installed with a home folder as its prefix, or an environment made in a checkout."""
    for name in ("bin", "lib", "secrets", ".git"):
        (tmp_path / name).mkdir()
    (tmp_path / "bin" / "python").write_text("")
    if more == "home":
        (tmp_path / ".git").rmdir()
        monkeypatch.setenv("HOME", str(tmp_path))
    assert interpreter_roots(str(tmp_path / "bin" / "python")) == [tmp_path / "bin", tmp_path / "lib"]


def test_masks_cover_what_is_shown_and_nothing_else(tmp_path: Path) -> None:
    shown, other = tmp_path / "env", tmp_path / "other"
    data = shown / "lib" / "python3.11" / "site-packages" / "sklearn" / "datasets" / "data"
    table = shown / "lib" / "python3.11" / "site-packages" / "statsmodels" / "datasets" / "sunspots" / "sunspots.csv"
    for folder in (data, table.parent, shown / "home", other):
        folder.mkdir(parents=True)
    for path in (table, shown / "source.csv", other / "labels.csv"):
        path.write_text("1")
    link = tmp_path / "link.csv"
    link.symlink_to(shown / "source.csv")
    arguments = masks([shown / "home", link, other / "labels.csv", shown / "gone"], [shown])
    assert [a for a in arguments if a.startswith(str(tmp_path))] == [
        *[str(shown / "home")] * 2,
        str(shown / "source.csv"),
        *[str(data)] * 2,
        str(table),
    ]


# The filter, run by an interpreter of its little language


def decide(program: bytes, number: int, *, audit: int, argument: int = 0) -> int:
    """What the kernel would answer to a system call."""
    data = struct.pack("<iIQQ", number, audit, 0, argument)
    steps = [struct.unpack("=HBBI", program[i : i + 8]) for i in range(0, len(program), 8)]
    at = register = 0
    while True:
        code, yes, no, value = steps[at]
        at += 1
        if code == 0x20:
            register = int(struct.unpack("<I", data[value : value + 4])[0])
        elif code == 0x06:
            return int(value)
        else:
            hit = {0x15: register == value, 0x35: register >= value, 0x45: bool(register & value)}[code]
            at += yes if hit else no


ALLOW, PERM, NOSYS, FAMILY = 0x7FFF0000, 0x50000 | 1, 0x50000 | 38, 0x50000 | 97


@pytest.mark.parametrize("machine", KNOWN)
def test_the_filter(machine: str) -> None:
    numbers, program = KNOWN[machine], filter_program(machine)

    def answer(number: int, argument: int = 0, audit: int = numbers.audit) -> int:
        return decide(program, number, audit=audit, argument=argument)

    assert answer(0) == answer(39) == answer(59) == ALLOW
    assert {answer(n) for n in numbers.refused} == {PERM}
    assert {answer(n) for n in numbers.absent} == {NOSYS}
    assert answer(0, audit=0x40000003) == NOSYS, "calls of another architecture"
    assert answer(0x40000000 | 59) == NOSYS, "the x32 interface"
    assert answer(numbers.clone, 0x01200011) == ALLOW, "an ordinary fork"
    assert answer(numbers.clone, 0x003D0F00) == ALLOW, "an ordinary thread"
    assert answer(numbers.clone, 0x10000000 | 17) == PERM, "a user namespace"
    assert [answer(numbers.socket, family) for family in (1, 2, 10, 16)] == [ALLOW] * 4
    assert [answer(numbers.socket, family) for family in (40, 38, 17)] == [FAMILY] * 3


def test_there_is_no_filter_for_what_is_not_known() -> None:
    assert filter_program("vax") == b""


# Without a sandbox


def test_generated_code_does_not_run_where_nothing_isolates_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    none = Capability(False, "", "bubblewrap is not installed.", "apt-get install bubblewrap")
    monkeypatch.setattr("trainwright.tools.sandbox.bubblewrap.probe", lambda: none)
    monkeypatch.setattr("trainwright.tools.contract.probe", lambda: none)
    with pytest.raises(SandboxUnavailable, match="not installed") as caught:
        run_sandboxed([sys.executable, "-c", "open('ran', 'w')"], mounts=(), limits=Limits())
    assert caught.value.hint == "apt-get install bubblewrap"
    with pytest.raises(SandboxUnavailable):
        isolation_for(trusted=False)
    assert isolation_for(trusted=True) == "process"
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text("import os; print(os.environ)")
    with pytest.raises(SandboxUnavailable):
        Scripts(tmp_path / "code", trusted=False).train(
            tmp_path, tmp_path / "out", seed=0, smoke=False, limits=Limits()
        )
    monkeypatch.setenv("HF_TOKEN", "secret")
    done = Scripts(tmp_path / "code", trusted=True).train(
        tmp_path, tmp_path / "out", seed=0, smoke=True, limits=Limits()
    )
    assert done.exit_code == 0
    assert "secret" not in done.stdout


def test_a_trusted_script_has_limits_too(tmp_path: Path) -> None:
    sleeping = run_trusted(
        [sys.executable, "-c", "import time; time.sleep(60)"], cwd=tmp_path, limits=Limits(wall_seconds=0.3)
    )
    assert sleeping.ended == "timeout"
    writing = "open('x', 'wb').write(bytes(30_000_000)); import time; time.sleep(60)"
    limits = Limits(wall_seconds=20, disk_bytes=10_000_000)
    assert run_trusted([sys.executable, "-c", writing], cwd=tmp_path, limits=limits).ended == "disk"


# Running the two scripts


def test_what_was_in_the_place_of_the_outputs_is_removed(tmp_path: Path) -> None:
    """A link that an earlier script left where the next one writes must not lead anywhere."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "train.py").write_text(
        "import sys; open(sys.argv[sys.argv.index('--out') + 1] + '/x', 'w').write('1')"
    )
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "keep").write_text("1")
    out = tmp_path / "out"
    out.symlink_to(tmp_path / "mine")
    scripts = Scripts(tmp_path / "code", trusted=True)
    for _ in range(2):
        assert scripts.train(tmp_path / "code", out, seed=0, smoke=False, limits=Limits()).exit_code == 0
    assert [p.name for p in (tmp_path / "mine").iterdir()] == ["keep"]
    assert [p.name for p in out.iterdir()] == ["x"]


def test_limits_of_a_prediction_grow_with_rows_and_classes() -> None:
    small, rows, classes = predict_limits(10), predict_limits(10**6), predict_limits(10**6, 1_000)
    assert small.file_bytes < rows.file_bytes < classes.file_bytes
    assert classes.disk_bytes > classes.file_bytes
    assert rows.wall_seconds > small.wall_seconds


def test_memory_of_this_machine() -> None:
    limit, used = container_memory()
    assert (limit == 0) == (used == 0)
    assert 0 < default_memory() <= 16 * 2**30
