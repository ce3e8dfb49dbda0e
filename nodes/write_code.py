"""Stage `write_code`: from plan and data to a committed `CodeBundle`.

The bundle's hash is the identity that every later guard compares: what was tested is what is submitted.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.engineers.protocol import Stage
from trainwright.graph.errors import Refusal
from trainwright.graph.state import CodeBundle, Scalar
from trainwright.graph.stopping import stop_requested
from trainwright.tools import code
from trainwright.tools.contract import masked_paths
from trainwright.tools.policy.actions import Action, Fact
from trainwright.tools.toolbox import NoArguments, Tool, Workbench
from trainwright.tools.writing import files as writing

from .commands import SHELL
from .lookups import LOOKUPS, some_of
from .read_paper import READ_SECTION
from .reading_on import READ_OUTPUT, Lines
from .research import RESEARCH

__all__ = ["STAGE", "bundle_of"]

SHOWN = 50
"""Errors, and warnings, that a check shows at once."""


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


class NewText(BaseModel):
    """A whole file."""

    model_config = ConfigDict(extra="forbid")

    name: str
    text: str


class Edit(BaseModel):
    """A passage of a file and what replaces it."""

    model_config = ConfigDict(extra="forbid")

    name: str
    old: str = Field(description="As it stands in the file, long enough to stand there once.")
    new: str
    everywhere: bool = Field(False, description="Replace every occurrence.")


class Trial(BaseModel):
    """What to run."""

    model_config = ConfigDict(extra="forbid")

    script: str = Field("", description="Empty: the test that follows this stage. Else one script, for a look at it.")
    arguments: list[str] = Field(
        default_factory=list, max_length=50, description="Of that script; it sees /data (read-only) and /out."
    )


class RecipeName(BaseModel):
    """A recipe, and perhaps one of its files."""

    model_config = ConfigDict(extra="forbid")

    recipe: str
    file: str = Field("", description="Empty: what it is, and its settings; else the text of this file.")


class CodeChoice(BaseModel):
    """What `finish` says: the code folder as it stands is the attempt's code."""

    model_config = ConfigDict(extra="forbid")

    recipe: str = Field("", description="Recipe that the code comes from; empty for code written anew.")
    change: str = Field(description="What changed since the last attempt, or what this code is, in one line.")


def copy_recipe(bench: Workbench, wanted: RecipeCopy) -> dict[str, Any]:
    """Make a recipe's files the content of the code folder."""
    from trainwright.recipes.catalog import bundle, recipe_named

    files = bundle(recipe_named(wanted.recipe), wanted.hyperparameters, wanted.metric, wanted.seconds)
    code.write_files(bench.folder / "code", files)
    writing.saw(bench.folder, files)
    return {"files": {name: len(content) for name, content in files.items()}}


def show_recipe(bench: Workbench, wanted: RecipeName) -> dict[str, Any]:
    """What a recipe is, which settings it takes, and its scripts."""
    from trainwright.recipes.catalog import bundle, recipe_named

    recipe = recipe_named(wanted.recipe)
    metric = bench.plan.metric if bench.plan else "accuracy"
    files = bundle(recipe, {}, metric, 60.0)
    if wanted.file:
        if wanted.file not in files:
            raise Refusal(f"{recipe.name} has no file {wanted.file[:80]!r}.", hint=f"It has: {', '.join(files)}.")
        return {"recipe": recipe.name, "file": wanted.file, "text": files[wanted.file].decode()}
    return {
        "recipe": recipe.name,
        "title": recipe.title,
        "tasks": recipe.tasks,
        "modalities": recipe.modalities,
        "limits": recipe.limits,
        "settings": {name: setting.allowed() for name, setting in recipe.settings.items()},
        "files": {name: len(content) for name, content in files.items()},
    }


def list_files(bench: Workbench, _: NoArguments) -> dict[str, int]:
    """Names and sizes in bytes."""
    return writing.list_files(bench.folder)


def read_file(bench: Workbench, wanted: Lines) -> BaseModel:
    """The text of one file."""
    return writing.read_file(bench.folder, wanted.name, wanted.first_line, wanted.lines)


def write_file(bench: Workbench, wanted: NewText) -> BaseModel:
    """Write one file whole."""
    return writing.write_file(bench.folder, wanted.name, wanted.text)


def edit_file(bench: Workbench, wanted: Edit) -> BaseModel:
    """Replace a passage."""
    return writing.edit_file(bench.folder, wanted.name, wanted.old, wanted.new, wanted.everywhere)


def remove_file(bench: Workbench, wanted: FileName) -> dict[str, Any]:
    """Remove one file."""
    writing.remove_file(bench.folder, wanted.name)
    return {"removed": wanted.name}


def check_script(bench: Workbench, _: NoArguments) -> dict[str, Any]:
    """Check every script without running it."""
    from trainwright.tools.writing.checking import check_script as check

    found = check(bench.folder / "code", mask=masked_paths(bench.request.data), cancelled=stop_requested)
    errors = [one.model_dump() for one in found if one.severity == "error"]
    warnings = [one.model_dump() for one in found if one.severity == "warning"]
    shown = {"errors": errors[:SHOWN], "warnings": warnings[:SHOWN]}
    return shown if max(len(errors), len(warnings)) <= SHOWN else {**shown, "note": "There are more; these come first."}


def run_code(bench: Workbench, wanted: Trial) -> dict[str, Any]:
    """Run the test that follows, or one script."""
    from trainwright.tools.writing import trying

    if bench.dataset is None or bench.plan is None:
        raise Refusal("There are no frozen data yet, so nothing can be run.")
    about, source = bench.dataset, bench.request.data
    if wanted.script:
        return trying.run_script(bench.folder, about, source, wanted.script, wanted.arguments, cancelled=stop_requested)
    metric, seed = bench.plan.metric, bench.settings.seed
    return trying.try_code(bench.folder, about, source, metric=metric, seed=seed, cancelled=stop_requested)


def _changing(tool: str, verb: str) -> Callable[[Workbench, Any], list[Action]]:
    """What a tool does that changes one file of the code folder."""

    def acts(bench: Workbench, wanted: Any) -> list[Action]:
        folder = bench.folder / "code"
        facts = {"path": str(folder / wanted.name), "workspace": str(folder)}
        return [Action(tool, facts, text=f"{verb} {wanted.name[:200]} in the run's code folder")]

    return acts


def _copies(bench: Workbench, wanted: RecipeCopy) -> list[Action]:
    folder = str(bench.folder / "code")
    text = f"replace the run's code by the recipe {wanted.recipe[:80]}"
    return [Action("copy_recipe", {"path": folder, "workspace": folder, "recipe": wanted.recipe}, text=text)]


def _runs(bench: Workbench, wanted: Trial) -> list[Action]:
    """Code runs in the sandbox, without network, or not at all."""
    what = wanted.script or "the test of the code"
    facts: dict[str, Fact] = {
        "sandbox": True,
        "network": False,
        "script": wanted.script,
        "workspace": str(bench.folder / "code"),
    }
    return [Action("run_code", facts, text=f"run {what[:200]} in the sandbox")]


def begin(bench: Workbench) -> None:
    """A stage that begins has read nothing yet."""
    writing.forget(bench.folder)


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
    begin=begin,
    tools=(
        Tool("list_files", "The files of the code folder with their sizes.", NoArguments, list_files),
        Tool("read_file", "Lines of a file of the code folder.", Lines, read_file),
        Tool(
            "write_file",
            "Write a file whole; one that exists must have been read.",
            NewText,
            write_file,
            acts=_changing("write_file", "write"),
        ),
        Tool(
            "remove_file",
            "Remove a file that was read.",
            FileName,
            remove_file,
            acts=_changing("remove_file", "remove"),
        ),
        Tool(
            "edit_file",
            "Replace a passage of a file that was read.",
            Edit,
            edit_file,
            acts=_changing("edit_file", "change"),
        ),
        Tool(
            "check_script",
            "Check all scripts without running them: names, imports, arguments, contract.",
            NoArguments,
            check_script,
        ),
        Tool(
            "run_code",
            "Run in the sandbox: the very test that follows this stage, or one script.",
            Trial,
            run_code,
            acts=_runs,
        ),
        SHELL,
        READ_SECTION,
        READ_OUTPUT,
        LOOKUPS["docs"],
        LOOKUPS["code"],
        LOOKUPS["web"],
        some_of("models", "details"),
        RESEARCH,
        Tool("show_recipe", "A tested recipe: its settings and scripts.", RecipeName, show_recipe),
        Tool(
            "copy_recipe",
            "Make a tested recipe the whole content of the code folder.",
            RecipeCopy,
            copy_recipe,
            acts=_copies,
        ),
    ),
)
