"""The recipes as the rest of the program sees them: which there are, which fits, what may be set, what it costs.

Reads `recipes.toml` and hands out the scripts of `classical/` as bundles. Nothing is trained here, no script is
imported, and no number of a paper is believed before it has passed its setting's range.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from trainwright.graph.errors import RequestError
from trainwright.graph.state import Scalar

from .naming import Found, find_method
from .values import Setting, plain, read_value

__all__ = [
    "Match",
    "Recipe",
    "bundle",
    "check_hyperparameter",
    "estimate_seconds",
    "is_unmodified",
    "load_catalog",
    "match_methods",
    "recipe_named",
    "strongest",
]

FOLDER = Path(__file__).parent
SCRIPTS = FOLDER / "classical"
SETTINGS = "settings.json"
MAX_SECONDS = 86_400.0

AFFORDABLE = 900.0
"""Seconds; what would take longer is not called a cheap baseline while anything else fits."""


@dataclass(frozen=True)
class Cost:
    """Seconds of a whole training with its search on two cores: base + unit * rows^r * (columns + 10)^c * classes^k."""

    base: float
    unit: float
    rows: float
    columns: float
    classes: float


@dataclass(frozen=True)
class Recipe:
    """One method with its tested scripts.

    Attributes:
        name: stable name, as in `recipes.toml`.
        title: the method in the field's words.
        tasks: classification, regression.
        modalities: table, text, images.
        names, bare, relatives: patterns of how papers call it; see `recipes.toml`.
        settings: what a plan may fix, by canonical name.
        strength: 1 to 10 for each modality, by what it usually reaches.
        limits: where the method ends, for a person.
    """

    name: str
    title: str
    tasks: tuple[str, ...]
    modalities: tuple[str, ...]
    names: tuple[str, ...]
    settings: Mapping[str, Setting]
    cost: Cost
    strength: Mapping[str, int]
    limits: str
    bare: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    relatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Match:
    """A method that is named somewhere, and the recipe for it.

    Attributes:
        name_in_paper: the whole name as it was given.
        exact: the recipe is that very method; otherwise the nearest one, and `why` says how it differs.
        why: for a person; empty when there is nothing to say.
    """

    recipe: Recipe
    name_in_paper: str
    exact: bool
    why: str


@cache
def load_catalog() -> tuple[Recipe, ...]:
    """Every recipe, in the order of `recipes.toml`."""
    read = tomllib.loads((FOLDER / "recipes.toml").read_text(encoding="utf-8"))
    return tuple(_recipe(entry, read["shared"], read["synonyms"]) for entry in read["recipe"])


def _recipe(entry: Mapping[str, Any], shared: Mapping[str, Any], synonyms: Mapping[str, Any]) -> Recipe:
    given = {**{name: shared[name] for name in entry.get("shared", [])}, **entry.get("settings", {})}
    return Recipe(
        name=entry["name"],
        title=entry["title"],
        tasks=tuple(entry["tasks"]),
        modalities=tuple(entry["modalities"]),
        names=tuple(entry["names"]),
        settings={name: Setting.read(name, one, synonyms) for name, one in given.items()},
        cost=Cost(**entry["cost"]),
        strength=entry["strength"],
        limits=entry["limits"],
        bare={modality: tuple(patterns) for modality, patterns in entry.get("bare", {}).items()},
        relatives=tuple(entry.get("relatives", ())),
    )


def recipe_named(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        RequestError: there is none.
    """
    for recipe in load_catalog():
        if recipe.name == name:
            return recipe
    names = ", ".join(recipe.name for recipe in load_catalog())
    raise RequestError(f"There is no recipe {name[:60]!r}.", hint=f"There are: {names}.")


def match_methods(names: Sequence[str], *, task: str, modality: str) -> list[Match]:
    """The recipe for each name that has one, in the order of the names.

    Args:
        names: methods as papers call them, or sentences that name one, such as a goal.
    """
    matches = []
    for name in names:
        # Looked for among all recipes: an NB-SVM is not to pass for a naive Bayes where there is no NB-SVM.
        found = find_method(name, load_catalog(), modality)
        recipe = recipe_named(found.recipe) if found is not None else None
        if found is not None and recipe is not None and task in recipe.tasks and modality in recipe.modalities:
            matches.append(Match(recipe, name, found.exact, _why(found, recipe, modality)))
    return matches


def _why(found: Found, recipe: Recipe, modality: str) -> str:
    if found.kind == "relative":
        return f"There is no recipe for {found.words!r} itself; {recipe.title} is the nearest method."
    if found.kind == "bare":
        return f"For {modality}, {found.words!r} without further words is taken for {recipe.title}."
    return "" if found.exact else f"What else the name says is left out: this is plain {recipe.title}."


def strongest(task: str, modality: str, rows: int, features: int, classes: int, metric: str) -> list[Recipe]:
    """The recipes for a task, what will probably score best first; what takes long comes last.

    Args:
        rows, features, classes: of the data; classes is 0 for regression.
        metric: canonical name of what is optimised.
    """
    fitting = [recipe for recipe in load_catalog() if task in recipe.tasks and modality in recipe.modalities]

    def rank(recipe: Recipe) -> tuple[bool, float, float]:
        seconds = estimate_seconds(recipe, rows, features, classes)
        merit = recipe.strength.get(modality, 1) + _suits(recipe, modality, rows, features, classes, metric)
        return seconds > AFFORDABLE, -merit, seconds

    return sorted(fitting, key=rank)


LINEAR = ("logistic_regression", "linear_svm", "ridge", "lasso", "elastic_net", "lda")


def _suits(recipe: Recipe, modality: str, rows: int, features: int, classes: int, metric: str) -> float:
    """What the size of the data and the metric add to a recipe's usual strength."""
    merit = 0.0
    if recipe.name == "hist_gradient_boosting":
        # Trees are grown for each class, and leaves of twenty rows need rows.
        merit -= (3.0 if classes > 10 else 0.0) + (2.0 if rows < 1_000 and classes else 0.0)
        merit += 2.0 if metric in ("poisson_deviance", "mae", "medae") else 0.0
    if recipe.name == "poisson_regression" and metric == "poisson_deviance":
        merit += 7.0
    if modality == "table" and recipe.name in LINEAR and features > rows:
        merit += 5.0
    if modality == "table" and recipe.name == "svm_rbf":
        merit += (1.5 if rows < 1_000 else 0.0) + (3.0 if classes > 10 else 0.0)
    if metric in ("log_loss", "roc_auc", "average_precision") and recipe.name.endswith(("_nb", "svm", "tree", "knn")):
        merit -= 1.0
    return merit


def estimate_seconds(recipe: Recipe, rows: int, features: int, classes: int) -> float:
    """Seconds that a training takes on two cores with its search: a rough figure, good to a factor of three.

    Args:
        rows: of training and validation together, at least 1.
        features: columns, or pixels of an image.
        classes: 0 for regression.
    """
    cost = recipe.cost
    size = max(1, rows) ** cost.rows * (max(1, features) + 10) ** cost.columns * max(1, classes) ** cost.classes
    return float(cost.base + cost.unit * size)


def check_hyperparameter(
    recipe: Recipe, name: str, value: Scalar, *, task: str = "", modality: str = ""
) -> tuple[str, Scalar] | str:
    """The setting by its canonical name and value, or, as a string, why the recipe does not take it.

    Args:
        name: as papers write it: C, γ, number of trees, learning rate, …
        value: a number, a word, or either as text; `10^-3` and `1e-3` are the same.
        task, modality: what it is for, where that is known: some settings exist for one of them only.
    """
    known = _setting(recipe, name)
    if known is None:
        there = ", ".join(recipe.settings) or "nothing"
        return f"{recipe.title} has no setting {name[:60]!r}; it has {there}."
    if (task and known.tasks and task not in known.tasks) or (
        modality and known.modalities and modality not in known.modalities
    ):
        return (
            f"{known.name} of {recipe.title} means nothing for {task or 'this task'} from {modality or 'these data'}."
        )
    read = read_value(known, value)
    if read is None:
        return f"{known.name} of {recipe.title} is {known.allowed()}, not {str(value)[:60]!r}."
    return known.name, read


def _setting(recipe: Recipe, name: str) -> Setting | None:
    """By its own name first: another setting may have that word among its aliases."""
    exact = recipe.settings.get(name.strip())
    if exact is not None:
        return exact
    wanted = plain(name)
    for known in recipe.settings.values():
        if wanted == plain(known.name):
            return known
    return next((known for known in recipe.settings.values() if wanted in known.aliases), None)


def bundle(recipe: Recipe, hyperparameters: Mapping[str, Scalar], metric: str, seconds: float) -> dict[str, bytes]:
    """The scripts of a recipe and its settings: a flat folder, as file name to content.

    Args:
        hyperparameters: fixed; what is left out is searched.
        metric: canonical name of what is optimised.
        seconds: time allowance of the training, above 0 and at most a day.

    Raises:
        RequestError: a setting, the metric or the allowance does not fit the recipe.
    """
    fixed: dict[str, Scalar] = {}
    for name, value in hyperparameters.items():
        checked = check_hyperparameter(recipe, name, value)
        if isinstance(checked, str):
            raise RequestError(checked, hint="Leave the setting out, and it is chosen on validation data.")
        if checked[0] in fixed and fixed[checked[0]] != checked[1]:
            raise RequestError(f"{checked[0]} is given twice: {fixed[checked[0]]} and {checked[1]}.")
        fixed[checked[0]] = checked[1]
    settings = {"recipe": recipe.name, "hyperparameters": fixed, "metric": metric, "seconds": float(seconds)}
    problem = _problem(settings)
    if problem:
        raise RequestError(problem)
    return {**_scripts(), SETTINGS: (json.dumps(settings, indent=1, sort_keys=True) + "\n").encode()}


@cache
def _shipped() -> tuple[tuple[str, bytes], ...]:
    scripts = sorted(path for path in SCRIPTS.glob("*.py") if path.name != "__init__.py")
    return tuple((path.name, path.read_bytes()) for path in scripts)


def _scripts() -> dict[str, bytes]:
    return dict(_shipped())


def is_unmodified(files: Mapping[str, bytes]) -> bool:
    """Whether this is a recipe's bundle and nothing else: every script byte for byte as shipped, settings valid."""
    shipped = _scripts()
    if set(files) != {*shipped, SETTINGS}:
        return False
    if any(files[name] != content for name, content in shipped.items()):
        return False
    try:
        settings = json.loads(files[SETTINGS].decode())
    except ValueError:
        return False
    return not _problem(settings)


def _problem(settings: Any) -> str:
    """What is wrong with the content of a settings file; empty if nothing is."""
    from trainwright.tools.evaluation import METRICS

    if not isinstance(settings, dict) or set(settings) != {"recipe", "hyperparameters", "metric", "seconds"}:
        return "The settings must be recipe, hyperparameters, metric and seconds."
    recipe = next((recipe for recipe in load_catalog() if recipe.name == settings["recipe"]), None)
    if recipe is None:
        return f"There is no recipe {str(settings['recipe'])[:60]!r}."
    metric, seconds = settings["metric"], settings["seconds"]
    if metric not in METRICS or not set(METRICS[metric].tasks) & set(recipe.tasks):
        return f"{recipe.title} does not optimise {str(metric)[:60]!r}."
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= MAX_SECONDS:
        return f"The time allowance is {str(seconds)[:40]} s; it must lie above 0 and be at most {MAX_SECONDS:g} s."
    if not math.isfinite(seconds) or not isinstance(settings["hyperparameters"], dict):
        return "The hyperparameters must be a mapping of names to values."
    for name, value in settings["hyperparameters"].items():
        checked = check_hyperparameter(recipe, name, value)
        if isinstance(checked, str):
            return checked
        if checked != (name, value):
            return f"{name}={value} is not in its canonical form, which is {checked[0]}={checked[1]}."
    return ""
