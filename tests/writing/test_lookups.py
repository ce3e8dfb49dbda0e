"""Imports, attributes and keyword arguments, looked up for real in what is installed."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from trainwright.recipes.catalog import Recipe, bundle, load_catalog
from trainwright.tools.sandbox import probe
from trainwright.tools.writing import Finding, check_script, installation, lookups

from .scripts import HEADER, PREDICT, TRAIN, Folder

pytestmark = pytest.mark.skipif(not probe().available, reason=f"no sandbox here: {probe().reason} {probe().mend}")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A sound code folder."""
    return Folder(tmp_path / "code")


def told(findings: list[Finding]) -> list[tuple[int, str, str]]:
    """Line, kind and severity."""
    return [(one.line, one.kind, one.severity) for one in findings]


class TestImports:
    def test_what_is_not_there(self, folder: Folder) -> None:
        line = folder.add(
            """
            import no_such_module
            import sklern
            import sklearn.linear_modell
            from sklearn.linear_model import LogisticRegresion
            from . import sibling
            from collections import OrderedDictt
            import json.decoderr
            print(no_such_module, sklern, sklearn, LogisticRegresion, sibling, OrderedDictt, json)
            """
        )
        found = folder.findings()
        assert told(found) == [(line + n, "import", "error") for n in range(7)]
        messages = [one.message for one in found]
        assert "Name its package in the header of train.py" in messages[0]
        assert "perhaps sklearn is meant" in messages[1]
        assert "sklearn.linear_model" in messages[2]
        assert "LogisticRegression" in messages[3]
        assert "begins with a dot" in messages[4]

    def test_what_is_done_only_if_it_can(self, folder: Folder) -> None:
        folder.add(
            """
            import contextlib, importlib.util, sys
            from typing import TYPE_CHECKING
            try:
                import no_such_module
                import numpy.no_such_part
            except ImportError:
                import another_missing_one
            try:
                from numpy import no_such_name
            except (ModuleNotFoundError, ValueError):
                no_such_name = None
            with contextlib.suppress(ImportError):
                import missing_too
            if TYPE_CHECKING:
                from no_types import Anything
            if importlib.util.find_spec("xgboost_missing"):
                import xgboost_missing
            if sys.version_info >= (3, 99):
                from typing import Future
            """
        )
        assert folder.findings() == []

    def test_under_a_condition_it_is_a_warning(self, folder: Folder) -> None:
        line = folder.add("if given.smoke:\n    import no_such_module\n")
        assert told(folder.findings()) == [(line + 1, "import", "warning")]

    def test_in_the_body_of_a_program_it_is_an_error(self, folder: Folder) -> None:
        line = folder.add("if __name__ == '__main__':\n    import no_such_module\n")
        assert told(folder.findings()) == [(line + 1, "import", "error")]

    def test_what_no_header_names(self, folder: Folder) -> None:
        line = folder.add("import sklearn.svm, yaml\nfrom PIL import Image\nimport scipy, json\n")
        found = folder.findings()
        assert told(found) == [(line, "dependency", "warning"), (line + 1, "dependency", "warning")]
        assert "PyYAML".lower() in found[0].message.lower()
        assert "pillow" in found[1].message.lower()

    def test_what_a_named_package_needs_itself_is_there(self, folder: Folder) -> None:
        for name, text in (("train.py", TRAIN), ("predict.py", PREDICT)):
            folder.put(name, '# /// script\n# dependencies = ["scikit_learn>=1.7"]\n# ///\n' + text + "import numpy\n")
        assert folder.findings() == []

    def test_each_script_by_its_own_header(self, folder: Folder) -> None:
        folder.put("predict.py", '# /// script\n# dependencies = ["pandas"]\n# ///\n' + PREDICT + "import shared\n")
        folder.put("shared.py", "import sklearn\n")
        folder.add("import shared\n")
        (found,) = folder.findings()
        assert (found.file, found.kind) == ("shared.py", "dependency")
        assert "header of predict.py" in found.message


class TestSiblings:
    def test_are_read_and_not_run(self, folder: Folder, tmp_path: Path) -> None:
        folder.put("model.py", f"WIDTH = 3\ndef build(): ...\nopen({str(tmp_path / 'ran')!r}, 'w')\nraise SystemExit\n")
        line = folder.add(
            """
            import model
            from model import build, biuld
            print(model.WIDTH, model.HEIGHT, build, biuld, model.__name__)
            """
        )
        found = [one for one in folder.findings() if one.kind != "path"]
        assert told(found) == [(line + 1, "import", "error"), (line + 2, "attribute", "error")]
        assert "perhaps build is meant" in found[0].message
        assert not (tmp_path / "ran").exists()

    def test_names_that_are_made_in_other_ways(self, folder: Folder) -> None:
        folder.put(
            "a.py", "import os.path as p\nfrom json import dumps as d\nif p:\n    X = Y = 1\nfor z in 'a':\n    pass\n"
        )
        folder.put("b.py", "def __getattr__(name): return name\n")
        folder.put("c.py", "globals()['x'] = 1\n")
        folder.put("d.py", "from a import *\n")
        folder.put(
            "e.py", "x: int = 1\ntry:\n    y = 1\nexcept ValueError as error:\n    y = error\n(q, [r]) = 1, [2]\n"
        )
        folder.add(
            "from a import p, d, X, Y, z\nfrom b import x\nfrom c import x\nfrom d import X\nfrom e import x, y, q, r\n"
        )
        assert folder.findings() == []

    def test_one_that_cannot_be_parsed_is_told_once(self, folder: Folder) -> None:
        folder.put("model.py", "def f(:\n")
        folder.add("import model\nmodel.f()\n")
        assert [one.kind for one in folder.findings()] == ["syntax"]

    def test_a_sibling_hides_a_package(self, folder: Folder) -> None:
        folder.put("datasets.py", "x = 1\n")
        line = folder.add("import datasets\nfrom datasets import load_dataset\n")
        assert told(folder.findings()) == [(line + 1, "import", "error")]


class TestKeywords:
    def test_that_are_not_taken(self, folder: Folder) -> None:
        line = folder.add(
            """
            import sklearn.svm
            import numpy as np, pandas as pd
            from sklearn.linear_model import LogisticRegression as LR
            from sklearn.model_selection import train_test_split
            from dataclasses import dataclass
            a = LR(penalti="l2", C=1.0)
            b = sklearn.svm.SVC(kernal="rbf")
            c = train_test_split([1], test_sizes=0.2)
            d = np.linspace(0, 1, nums=3)
            e = pd.read_csv("x", seperator=";")
            @dataclass(frozzen=True)
            class F: ...
            """
        )
        found = folder.findings()
        assert told(found) == [(line + n, "keyword", "error") for n in (5, 6, 7, 8, 9, 10)]
        assert "does not take penalti: perhaps penalty is meant" in found[0].message
        assert "kernel" in found[1].message

    def test_that_are_taken(self, folder: Folder) -> None:
        folder.add(
            """
            import json, subprocess
            import matplotlib.pyplot as plt
            import numpy as np, pandas as pd
            from functools import partial
            from sklearn.ensemble import RandomForestClassifier
            from sklearn.linear_model import LogisticRegression
            RandomForestClassifier(n_estimators=10, n_jobs=2, random_state=1)
            LogisticRegression(**{"anything": 1})
            json.dumps({}, anything=1)
            partial(LogisticRegression, anything=1)
            dict(anything=1)
            plt.figure(figsize=(1, 2), anything=1)
            np.array([1], dtype=float, copy=True)
            np.sum([1], axis=0, keepdims=True)
            pd.DataFrame({}).to_csv(anything=1)
            pd.DataFrame(data={}, columns=None)
            subprocess.run(["x"], cwd="x", anything=1)
            """
        )
        assert [one for one in folder.findings() if one.kind != "dependency"] == []

    def test_what_c_code_says_of_itself_is_not_always_all(self, folder: Folder) -> None:
        line = folder.add("import numpy as np\nnp.arange(start=0, stop=5)\nnp.add([1], [2], sig='dd->d')\n")
        assert told(folder.findings()) == [(line + 1, "keyword", "warning"), (line + 2, "keyword", "warning")]

    def test_of_a_name_that_is_something_else_by_then(self, folder: Folder) -> None:
        folder.add(
            """
            from sklearn.linear_model import LogisticRegression, Ridge, Lasso, ElasticNet
            from sklearn.svm import SVC, SVR
            from numpy import mean as fit
            def Ridge(own): ...
            class Lasso:
                def __init__(self, own): ...
            LogisticRegression = Ridge
            LogisticRegression(own=1), Ridge(own=1), Lasso(own=1)
            def f(SVC):
                return SVC(own=1)
            for ElasticNet in ():
                ElasticNet(own=1)
            try:
                from sklearn.svm import NuSVC as SVR
            except ImportError:
                pass
            SVR(own=1)
            class G:
                def fit(self, own): ...
            """
        )
        assert folder.findings() == []

    def test_prepared_for_both(self, folder: Folder) -> None:
        line = folder.add(
            """
            import numpy as np
            from sklearn.preprocessing import OneHotEncoder
            try:
                a = OneHotEncoder(sparse=False)
            except TypeError:
                a = OneHotEncoder(sparse_output=False)
            try:
                b = OneHotEncoder(sparse=False)
            except Exception:
                b = None
            if hasattr(np, "no_such_name"):
                np.no_such_name()
            """
        )
        assert told(folder.findings()) == [(line + 7, "keyword", "warning")]


class TestAttributes:
    def test_that_are_not_there(self, folder: Folder) -> None:
        line = folder.add(
            """
            import numpy as np, pandas as pd, os
            a = np.float_typo(1)
            b = np.random.defualt_rng
            c = pd.DataFrame.from_dictt({})
            os.environ.no_such_thing
            """
        )
        found = folder.findings()
        assert told(found) == [(line + n, "attribute", "error") for n in (1, 2, 3)]
        assert "default_rng" in found[1].message

    def test_that_are_there(self, folder: Folder) -> None:
        source = """
            import os, sys
            import numpy as np, scipy, sklearn
            import numpy.typing as npt
            np.random.seed(1)
            def f(x: np.no_such_type) -> npt.NDArray[np.float64]: ...
            scipy.optimize.minimize, sklearn.linear_model.Ridge
            os.environ["X"] = "1"
            sys.stdout.buffer.write
            np.no_such_thing = 1
            """
        folder.put("train.py", HEADER + "from __future__ import annotations\n" + textwrap.dedent(source) + TRAIN)
        assert folder.findings() == []


class TestTheProbe:
    """Modules of an installation of its own, made for the test."""

    @pytest.fixture
    def python(self, tmp_path: Path) -> list[str]:
        """An interpreter with modules that behave badly."""
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
        (place,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
        modules = {
            "loud": 'import sys\nprint(\'{"at": 0, "problem": "module"}\')\nprint(\'x\', file=sys.stderr)\ndef f(a): ...\n',
            "failing": "raise RuntimeError('no graphics card')\n",
            "needy": "import not_there_either\n",
            "leaving": "import sys\nsys.exit(3)\n",
            "crashing": "import os\nos.kill(os.getpid(), 11)\n",
            "lazy": "def __getattr__(name):\n    raise ImportError('torch is needed for ' + name)\n",
            "old_names": (
                "import functools\n"
                "def renamed(function):\n"
                "    @functools.wraps(function)\n"
                "    def call(**given):\n"
                "        if 'old' in given:\n"
                "            given['new'] = given.pop('old')\n"
                "        return function(**given)\n"
                "    return call\n"
                "@renamed\n"
                "def f(new): ...\n"
                "class A:\n"
                "    @renamed\n"
                "    def __init__(self, new): ...\n"
                "def signed(*a, own=None, **more): more.pop('extra', 0)\n"
                "signed.__signature__ = __import__('inspect').signature(lambda a: 0)\n"
                "class Open:\n"
                "    def __init__(self, a, **more): ...\n"
                "class Meta(type):\n"
                "    def __call__(cls, *a, **k): ...\n"
                "class B(metaclass=Meta):\n"
                "    def __init__(self, a): ...\n"
            ),
        }
        for name, source in modules.items():
            (place / f"{name}.py").write_text(source)
        return [str(tmp_path / "env" / "bin" / "python")]

    def ask(self, python: list[str], *wanted: installation.Wanted) -> installation.Answers:
        return installation.ask(python, wanted, {})

    def test_modules_that_fail(self, python: list[str]) -> None:
        wanted = [(name, "", ()) for name in ("failing", "needy", "leaving", "absent")]
        problems = self.ask(python, *wanted).problems
        assert [problems[one]["problem"] for one in wanted] == ["broken", "broken", "broken", "module"]
        assert "no graphics card" in problems[wanted[0]]["text"]
        assert "not_there_either" in problems[wanted[1]]["text"]

    def test_what_a_module_prints_is_no_answer(self, python: list[str]) -> None:
        wanted = ("loud", "f", ("b",))
        answers = self.ask(python, wanted)
        assert answers.problems[wanted] == {
            "at": 0,
            "problem": "keyword",
            "bad": ["b"],
            "near": [],
            "text": "a",
            "sure": True,
        }
        assert answers.trouble == ""

    def test_a_module_that_ends_the_process(self, python: list[str]) -> None:
        before, at, after = (("loud", "f", ()), ("crashing", "", ()), ("old_names", "f", ()))
        answers = self.ask(python, before, at, after)
        assert set(answers.problems) == {before}
        assert "while crashing was imported" in answers.trouble

    def test_an_attribute_that_cannot_be_had(self, python: list[str]) -> None:
        wanted = ("lazy", "Model", ())
        answer = self.ask(python, wanted).problems[wanted]
        assert answer["problem"] == "lazy"
        assert "torch is needed" in answer["text"]

    def test_an_old_keyword_that_a_decorator_takes(self, python: list[str]) -> None:
        taken = [("old_names", name, (keyword,)) for name in ("f", "A") for keyword in ("old", "new")]
        taken += [("old_names", name, ("anything",)) for name in ("Open", "B")]
        taken += [("old_names", "signed", (keyword,)) for keyword in ("a", "own", "extra")]
        wrong = [("old_names", name, ("none",)) for name in ("f", "A", "signed")]
        problems = self.ask(python, *taken, *wrong).problems
        assert [problems[one]["problem"] for one in taken] == [""] * len(taken)
        assert [problems[one]["problem"] for one in wrong] == ["keyword"] * 3

    def test_its_findings(self, folder: Folder, python: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(lookups, "interpreter_for", lambda script: python)
        line = folder.add("import failing, crashing\nfrom lazy import Model\nfailing.x()\nfailing.y()\n")
        found = folder.findings()
        assert told(found) == [(1, "lookup", "warning"), (line, "import", "error")]
        assert "while crashing was imported" in found[0].message
        assert all(len(one.message) <= 300 for one in found)


def test_an_environment_that_cannot_be_built(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    folder.put("predict.py", HEADER.replace('"numpy"', '"no-such-distribution-of-anybody"') + PREDICT + "import x\n")
    (found,) = folder.findings()
    assert (found.file, found.line, found.kind, found.severity) == ("predict.py", 1, "header", "error")
    assert "cannot be built" in found.message


SHIPPED = {
    modality: next(one for one in load_catalog() if modality in one.modalities) for modality in ("images", "text")
}
SHIPPED["table"] = next(one for one in load_catalog() if one.tasks == ("regression",))


@pytest.mark.parametrize("recipe", SHIPPED.values(), ids=SHIPPED)
def test_a_recipe_has_no_findings(recipe: Recipe, tmp_path: Path) -> None:
    metric = "accuracy" if "classification" in recipe.tasks else "rmse"
    for name, content in bundle(recipe, {}, metric, 60.0).items():
        (tmp_path / name).write_bytes(content)
    assert check_script(tmp_path) == []


def test_all_recipes_have_the_scripts_that_were_checked() -> None:
    shown = {
        tuple(name for name in bundle(one, {}, "accuracy" if "classification" in one.tasks else "rmse", 60.0))
        for one in load_catalog()
    }
    assert len(shown) == 1
