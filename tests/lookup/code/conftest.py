"""GitHub and the Hub on one stand-in, with their own forms of answers and content of ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.standin import Asked, Canned, StandIn

TOKEN = "ghp_" + "a1B2" * 9

FILES = {
    "README.md": b"# Trees\n",
    "setup.py": b"",
    "src/trees/model.py": b"\n".join(b"line %d" % number for number in range(1, 1001)),
    "examples/README.md": b"Examples\n",
    "examples/train_dpo.py": b"import trees\n" + b"x" * 5_000 + b"\nlast\n",
    "examples/notebooks/sft.ipynb": b"",
    "scripts/run_grpo.sh": b"python train.py\n",
    "tests/test_model.py": b"",
    "docs/index.md": b"",
    "data/weights.bin": b"\0\1\2" * 100,
    "data/large.csv": b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123456\n",
}


def notebook() -> bytes:
    """A notebook of format 4 with every kind of cell and output."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "markdown", "source": ["# Title\n", "![p](data:image/png;base64,AAAA)"], "metadata": {}},
        {"cell_type": "code", "source": "print('```')", "metadata": {}, "execution_count": 1, "outputs": [
            {"output_type": "stream", "name": "stdout", "text": ["\x1b[31mshort\x1b[0m\n"]},
            {"output_type": "display_data", "data": {"image/png": "AAAA", "text/plain": "x" * 900}, "metadata": {}},
            {"output_type": "error", "ename": "ValueError", "evalue": "bad", "traceback": []},
        ]},
        {"cell_type": "raw", "source": "as it is", "metadata": {}},
        {"cell_type": "code", "source": [], "metadata": {}, "outputs": []},
    ]  # fmt: skip
    meta = {"kernelspec": {"language": "python", "name": "python3", "display_name": "Python 3"}}
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": meta, "cells": cells}).encode()


def repository(name: str, **given: Any) -> dict[str, Any]:
    """A repository as the API describes it, with the fields that are read and some that are not."""
    return {
        "id": 1, "full_name": name, "private": False, "description": f"About {name}", "fork": False,
        "stargazers_count": 10, "forks_count": 2, "language": "Python", "archived": False,
        "license": {"key": "apache-2.0", "spdx_id": "Apache-2.0"}, "default_branch": "main",
        "created_at": "2022-01-02T03:04:05Z", "pushed_at": "2024-05-06T07:08:09Z", **given,
    }  # fmt: skip


def tree(files: dict[str, bytes]) -> dict[str, Any]:
    """The tree of a repository as the API gives it."""
    folders = {"/".join(path.split("/")[:depth]) for path in files for depth in range(1, path.count("/") + 1)}
    listed: list[dict[str, Any]] = [{"path": one, "mode": "040000", "type": "tree", "sha": "0" * 40} for one in folders]
    listed += [{"path": p, "mode": "100644", "type": "blob", "sha": "1" * 40, "size": len(b)} for p, b in files.items()]
    listed += [{"path": "vendored", "mode": "160000", "type": "commit", "sha": "2" * 40}]
    return {"sha": "3" * 40, "url": "x", "tree": sorted(listed, key=lambda one: str(one["path"])), "truncated": False}


@pytest.fixture(autouse=True)
def github(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """GitHub's API, its host of files below `/raw`, and the Hub; the repository acme/trees on both."""
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "HF_TOKEN", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRAINWRIGHT_GITHUB_URL", standin.url)
    monkeypatch.setenv("TRAINWRIGHT_GITHUB_RAW_URL", f"{standin.url}/raw")
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    files = {**FILES, "examples/notebooks/sft.ipynb": notebook()}

    def raw(asked: Asked) -> Canned | None:
        rest = asked.path.removeprefix("/raw/acme/trees/")
        ref, _, path = rest.partition("/")
        if rest.startswith("feature/x/"):
            path = rest.removeprefix("feature/x/")
        elif ref not in ("HEAD", "main"):
            return None
        return Canned(files[path], media="text/plain; charset=utf-8") if path in files else None

    standin.route("GET", "/raw/acme/trees/*", raw)
    standin.route("GET", "/repos/acme/trees", repository("acme/trees"))
    standin.route("GET", "/repos/acme/trees/git/trees/HEAD", tree(files))
    standin.route("GET", "/repos/acme/trees/git/trees/main", tree(files))
    standin.route("GET", "/search/repositories", {"total_count": 0, "incomplete_results": False, "items": []})
    return standin


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> str:
    """A token of GitHub in the environment."""
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    return TOKEN
