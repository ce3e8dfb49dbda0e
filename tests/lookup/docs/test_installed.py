"""What is really installed, looked at in the sandbox."""

from __future__ import annotations

import sys
import textwrap
import venv
from pathlib import Path

import pytest

from trainwright.graph.errors import RequestError, SandboxUnavailable
from trainwright.tools.http import lookups
from trainwright.tools.lookup import docs
from trainwright.tools.lookup.docs import installation
from trainwright.tools.lookup.docs.installation import running_code
from trainwright.tools.sandbox.bubblewrap import Capability, probe

pytestmark = pytest.mark.skipif(not probe().available, reason=f"no sandbox here: {probe().reason} {probe().mend}")

DEMO = '''
"""A demo package.

Its second paragraph.
"""
import functools

__all__ = ["Thing", "make", "VALUE", "later"]
VALUE = {"a": 1}

class Thing:
    """A thing of a size."""

    def __init__(self, size: int = 3, *, colour="red", callback=print):
        """Make it."""

    def grow(self, by=1):
        """Grow it.

        More of it.
        """

    @property
    def area(self):
        """How large."""
        raise RuntimeError("a property must not be run")

    @classmethod
    def load(cls, path):
        """Read one."""

    def _hidden(self): ...

def make(size, **options):
    """LONG"""

def __getattr__(name):
    if name == "later":
        raise ImportError("it needs something else")
    raise AttributeError(name)
'''


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An interpreter of its own in which packages of ours are installed."""
    folder = tmp_path_factory.mktemp("installation") / "environment"
    venv.create(folder, with_pip=False, symlinks=True)
    packages = next((folder / "lib").glob("python3*")) / "site-packages"
    _install(packages, "demo", DEMO.replace("LONG", "Make one.\n\n    " + "word " * 3000))
    _install(packages, "broken", "import nothing_of_that_name\n")
    _install(packages, "ends", "import os\nos._exit(3)\n")
    _install(packages, "waits", "import time\ntime.sleep(60)\n")
    _install(packages, "curious", CURIOUS)
    return str(folder / "bin" / "python")


CURIOUS = """
import os, socket
try:
    socket.create_connection(("127.0.0.1", 9), 1)
    network = "yes"
except OSError as error:
    network = type(error).__name__
HOME = sorted(os.environ)
SECRET = os.path.exists(open("/inspect/wanted.json").read().split('"')[-2])
"""


def _install(packages: Path, name: str, text: str) -> None:
    (packages / name).mkdir()
    (packages / name / "__init__.py").write_text(textwrap.dedent(text), encoding="utf-8")
    meta = packages / f"{name}-1.4.0.dist-info"
    meta.mkdir()
    (meta / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.4.0\n", encoding="utf-8")
    (meta / "top_level.txt").write_text(f"{name}\n", encoding="utf-8")
    (meta / "RECORD").write_text(f"{name}/__init__.py,,\n", encoding="utf-8")


def test_a_class_with_its_signature_keywords_and_members(python: str) -> None:
    found = docs.installed_under("demo.Thing", python, ["size", "colour", "color", "zzz"])
    assert (found.kind, found.distribution, found.version) == ("class", "demo", "1.4.0")
    assert found.signature.startswith("Thing(size: int = 3, *, colour='red', callback=<built-in function print")
    assert " at 0x" not in found.signature
    assert [(k.name, k.exists, k.default, k.close) for k in found.keywords] == [
        ("size", True, "3", []), ("colour", True, "'red'", []), ("color", False, "", ["colour"]), ("zzz", False, "", []),
    ]  # fmt: skip
    assert found.documentation == "A thing of a size."
    assert [(m.name, m.kind, m.about) for m in found.members] == [
        ("grow", "function", "Grow it."), ("area", "property", "How large."), ("load", "function", "Read one."),
    ]  # fmt: skip


def test_where_any_keyword_is_taken_only_a_call_would_tell(python: str) -> None:
    found = docs.installed_under("demo.make", python, ["size", "siz"])
    assert [(k.name, k.exists, k.close) for k in found.keywords] == [("size", True, []), ("siz", None, ["size"])]


def test_a_module_lists_what_it_offers_and_imports_nothing_for_it(python: str) -> None:
    found = docs.installed_under("demo", python)
    assert found.kind == "module"
    assert found.documentation == "A demo package.\n\nIts second paragraph."
    assert [(m.name, m.kind) for m in found.members] == [
        ("Thing", "class"), ("make", "function"), ("VALUE", "dict"), ("later", "imported when it is asked for"),
    ]  # fmt: skip


def test_a_plain_value_and_a_method(python: str) -> None:
    assert docs.installed_under("demo.VALUE", python).signature == "VALUE = {'a': 1}"
    assert docs.installed_under("demo.Thing.grow", python).signature == "grow(self, by=1)"


def test_a_long_docstring_comes_in_parts(python: str) -> None:
    first = docs.installed_under("demo.make", python)
    assert first.parts == 3
    assert 5_900 < len(first.documentation) <= 6_000
    assert first.documentation.endswith("word")
    assert len(docs.installed_under("demo.make", python, part=3).documentation) > 1_000
    with pytest.raises(RequestError, match="no part 4"):
        docs.installed_under("demo.make", python, part=4)


@pytest.mark.parametrize(
    ("name", "problem", "close", "told"),
    [
        ("demo.Thign", "attribute", ["Thing"], "There is no demo.Thign"),
        ("demoo", "module", ["demo"], "no module demoo"),
        ("demo.Thing.grwo", "attribute", ["grow"], "There is no demo.Thing.grwo"),
        ("broken", "broken", [], "nothing_of_that_name"),
        ("demo.later", "lazy", [], "it needs something else"),
        ("ends", "broken", [], "while ends was imported"),
    ],
)
def test_what_is_not_there_is_said_with_what_is_close(
    python: str, name: str, problem: str, close: list[str], told: str
) -> None:
    found = docs.installed_under(name, python)
    assert found.problem == problem
    assert found.close == close
    assert told in found.notes[0]


def test_an_import_that_takes_too_long_is_ended_and_named(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "SECONDS", 1.0)
    found = docs.installed_under("waits.x", python)
    assert found.problem == "broken"
    assert "while waits was imported" in found.notes[0]


def test_a_package_sees_neither_the_network_nor_the_environment(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_" + "s" * 34)
    assert docs.installed_under("curious.network", python).signature != "network = 'yes'"
    assert "HF_TOKEN" not in docs.installed_under("curious.HOME", python).signature


@pytest.mark.parametrize("name", ["", "a b", "os; import x", "../x", "a..b", "1a", "a.", "-c"])
def test_names_that_are_none_are_refused(name: str) -> None:
    with pytest.raises(RequestError):
        docs.installed(name)


def test_the_library_that_this_program_runs_with() -> None:
    found = docs.installed("sklearn.ensemble.RandomForestClassifier", ["n_estimators", "bootstrapp"])
    assert found.distribution == "scikit-learn"
    assert [(k.exists, k.close) for k in found.keywords] == [(True, []), (False, ["bootstrap"])]
    assert f"Python {found.python}" in found.markdown()
    assert "`bootstrapp` is not taken; close: bootstrap" in found.markdown()


def test_in_a_run_the_interpreter_of_its_script_is_asked(
    python: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "interpreter_for", lambda script: [python])
    script = tmp_path / "train.py"
    with running_code(script, tuple):
        assert docs.installed("demo").problem == "module", "no script yet: this program's own"
        script.write_text("print()\n", encoding="utf-8")
        assert docs.installed("demo").version == "1.4.0"


def test_a_header_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text("# /// script\n# dependencies = [\n# ///\n", encoding="utf-8")
    with running_code(script, tuple):
        found = docs.installed("json")
    assert found.kind == "module"
    assert "installed with this program" in found.notes[0]


def test_offline_no_environment_is_built(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text('# /// script\n# dependencies = ["nothing-of-that-name==9"]\n# ///\n', encoding="utf-8")
    with running_code(script, tuple), lookups(offline=True):
        found = docs.installed("json")
    assert "cannot be installed offline" in found.notes[0]


def test_without_a_sandbox_nothing_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "trainwright.tools.sandbox.bubblewrap.probe",
        lambda: Capability(False, "", reason="There is no bubblewrap.", mend="Install it."),
    )
    with pytest.raises(SandboxUnavailable, match="There is no bubblewrap"):
        docs.installed("json")


def test_an_interpreter_that_is_none_is_refused(tmp_path: Path) -> None:
    for given in (str(tmp_path / "python"), str(tmp_path / "x.py")):
        with pytest.raises(RequestError):
            docs.installed_under("json", given)
    assert docs.installed_under("json", sys.executable).problem == ""
