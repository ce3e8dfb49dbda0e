"""The built wheel: everything that runs need is in it, and they run from site-packages."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

from .test_imports import PACKAGES, folder_of

pytestmark = pytest.mark.slow

SKIPPED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*", "*.egg-info")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the checkout so that nothing is left in it."""
    root = folder_of("graph").parent
    if not (root / "pyproject.toml").is_file():
        pytest.skip("not in a checkout")
    copy = tmp_path_factory.mktemp("source")
    for package in PACKAGES:
        shutil.copytree(root / package, copy / package, ignore=SKIPPED)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(root / name, copy / name)
    done = subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(copy / "dist"), str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2_000:] + done.stderr[-2_000:]
    return next((copy / "dist").glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that has the wheel and the dependencies of this one, and not this checkout."""
    from uv import find_uv_bin

    place = tmp_path_factory.mktemp("environment") / "venv"
    venv.create(place, with_pip=False, symlinks=True)
    packages = next(place.glob("lib/python*/site-packages"))
    ours = shutil.ignore_patterns("trainwright*", "__editable__*", "*.pth")
    shutil.copytree(sysconfig.get_path("purelib"), packages, copy_function=linked, ignore=ours, dirs_exist_ok=True)
    python = str(place / "bin" / "python")
    install = [find_uv_bin(), "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python, str(wheel)]
    subprocess.run(install, check=True, timeout=120)
    return place / "bin" / "trainwright"


def linked(source: str, target: str) -> None:
    """A file of a package in a second place, without a second copy where the file system can do that."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def test_every_file_of_the_packages_is_in_it(wheel: Path) -> None:
    root = folder_of("graph").parent
    there = set(zipfile.ZipFile(wheel).namelist())
    needed = {
        f"trainwright/{path.relative_to(root)}"
        for package in PACKAGES
        for path in (root / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith(".")
    }
    assert needed - there == set()
    for data in ("prompts/plan.md", "recipes/recipes.toml", "tools/report/report.html.j2", "examples/digits_svm.pdf"):
        assert f"trainwright/{data}" in there


def test_nothing_else_is_in_it(wheel: Path) -> None:
    folders = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    version = tomllib.loads((folder_of("graph").parent / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "version"
    ]
    assert folders == {"trainwright", f"trainwright-{version}.dist-info"}


def ran(command: Path, *arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    """The installed command, in an empty folder."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"TRAINWRIGHT_HOME": str(home)}
    return subprocess.run(
        [str(command), *arguments], capture_output=True, text=True, cwd=home, env=environment, timeout=240, check=False
    )


def test_the_installed_command_is_the_wheel(installed: Path, tmp_path: Path) -> None:
    code = "import trainwright.cli.main as m, trainwright.graph.workflow as w; print(m.__file__, w.__file__)"
    python = installed.with_name("python")
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True)
    assert [Path(name).is_relative_to(installed.parent.parent) for name in done.stdout.split()] == [True, True]
    assert ran(installed, "--help", home=tmp_path).returncode == 0


def test_the_demo_is_published_from_site_packages(installed: Path, tmp_path: Path) -> None:
    done = ran(installed, "demo", "--json", home=tmp_path)
    assert done.returncode == 0, done.stderr[-2_000:]
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["status"] == "published"
    assert (Path(result["model"]) / "predict.py").is_file()
    assert Path(result["report"]).is_file()
