"""Stage `write_code`: from plan and data to a committed `CodeBundle`.

The bundle's hash is the identity that every later guard compares: what was tested is what is submitted.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.engineers.protocol import Stage
from trainwright.graph.errors import Refusal
from trainwright.graph.state import CodeBundle, Scalar
from trainwright.tools import code
from trainwright.tools.toolbox import NoArguments, Tool, Workbench

__all__ = ["STAGE", "bundle_of"]


class RecipeCopy(BaseModel):
    """Which recipe to copy, with which settings fixed."""

    model_config = ConfigDict(extra="forbid")

    recipe: str
    hyperparameters: dict[str, Scalar] = Field(default_factory=dict, description="Fixed; the rest is searched.")
    metric: str = Field(description="Canonical name of the metric to optimise.")
    seconds: float = Field(60.0, gt=0, le=86_400, description="Time allowance of the training.")


class FileName(BaseModel):
    """A file of the code folder."""

    model_config = ConfigDict(extra="forbid")

    name: str


class CodeChoice(BaseModel):
    """What `finish` says: the code folder as it stands is the attempt's code."""

    model_config = ConfigDict(extra="forbid")

    recipe: str = Field("", description="Recipe that the code comes from; empty for code written anew.")
    change: str = Field(description="What changed since the last attempt, or what this code is, in one line.")


def copy_recipe(bench: Workbench, wanted: RecipeCopy) -> dict[str, Any]:
    """Make a recipe's files the content of the code folder."""
    from trainwright.recipes.catalog import bundle, load_catalog

    recipe = next((r for r in load_catalog() if r.name == wanted.recipe), None)
    if recipe is None:
        return {"error": f"There is no recipe {wanted.recipe!r}.", "recipes": [r.name for r in load_catalog()]}
    files = bundle(recipe, wanted.hyperparameters, wanted.metric, wanted.seconds)
    code.write_files(bench.folder / "code", files)
    return {"files": {name: len(content) for name, content in files.items()}}


def list_files(bench: Workbench, _: NoArguments) -> dict[str, int]:
    """Names and sizes in bytes."""
    folder = bench.folder / "code"
    return {name: len(content) for name, content in code.files_of(folder).items()} if folder.is_dir() else {}


def read_file(bench: Workbench, wanted: FileName) -> dict[str, Any]:
    """The text of one file."""
    content = code.files_of(bench.folder / "code").get(wanted.name)
    if content is None:
        return {"error": f"There is no file {wanted.name!r} in the code folder."}
    return {"name": wanted.name, "text": content.decode(errors="replace")}


def bundle_of(bench_folder: Any, recipe: str, change: str, attempt: int) -> CodeBundle:
    """Commit the code folder and describe it.

    Raises:
        Refusal: `train.py` or `predict.py` is missing.
        ContractError: the header of a script cannot be read.
    """
    from trainwright.recipes.catalog import is_unmodified

    folder = bench_folder / "code"
    files = code.files_of(folder) if folder.is_dir() else {}
    missing = [name for name in ("train.py", "predict.py") if name not in files]
    if missing:
        raise Refusal(f"the code folder has no {' and no '.join(missing)}")
    digests, total = code.bundle_sha256(files)
    unmodified = bool(recipe) and is_unmodified(files)
    return CodeBundle(
        commit=code.commit(folder, f"Attempt {attempt}: {change}"),
        files=digests,
        sha256=total,
        dependencies=code.dependencies(files),
        recipe=recipe,
        unmodified=unmodified,
        hyperparameters=json.loads(files["settings.json"])["hyperparameters"] if unmodified else None,
        change=change,
    )


def settle(bench: Workbench, choice: CodeChoice) -> CodeBundle:
    """The committed bundle."""
    return bundle_of(bench.folder, choice.recipe, choice.change, bench.attempt)


STAGE = Stage(
    name="write_code",
    field="code",
    finish=CodeChoice,
    settle=settle,
    tools=(
        Tool("copy_recipe", "Copy a tested recipe into the code folder.", RecipeCopy, copy_recipe),
        Tool("list_files", "The files of the code folder with their sizes.", NoArguments, list_files),
        Tool("read_file", "The text of one file of the code folder.", FileName, read_file),
    ),
)
