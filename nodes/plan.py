"""Stage `plan`: from the brief and a first look at the data to a `TrainingPlan`.

The stage's settle step holds the plan to the request: the metric exists and fits the task, the wanted score is the
person's own, and a setting that is said to come from the paper stands there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.engineers.protocol import Stage
from trainwright.graph.errors import DataError, Refusal
from trainwright.graph.state import Modality, Task, TrainingPlan
from trainwright.tools.toolbox import NoArguments, Tool, Workbench

from .lookups import some_of
from .read_paper import READ_SECTION, parsed_paper
from .reading_on import READ_OUTPUT
from .research import RESEARCH

if TYPE_CHECKING:
    from trainwright.tools.datasets import Inspection

__all__ = ["STAGE", "inspect_data"]


CERTAIN = ("The source declares it.", "The goal names it.")
"""Reasons for a target beside which the paper's words do not count."""


class RecipeQuestion(BaseModel):
    """What a recipe is wanted for."""

    model_config = ConfigDict(extra="forbid")

    task: Task
    modality: Modality
    rows: int = Field(ge=1)
    features: int = Field(ge=1)
    classes: int = Field(0, ge=0)
    metric: str = ""
    methods: list[str] = Field(default_factory=list, max_length=100, description="Methods as the paper names them.")


def inspect_data(bench: Workbench, _: NoArguments) -> Inspection:
    """Columns, types, counts, findings, and what could be predicted from what."""
    from trainwright.tools.datasets import inspect_data as inspect

    if not bench.request.data:
        raise DataError(
            "No data were given.", hint="Name a file, a folder, sklearn:NAME or a Hub data set with --data."
        )
    later = bench.plan if bench.stage == "find_data" else None  # what a person approved, or edited
    target = bench.answers.get("target_column") or bench.request.target_column
    target = (later.target_column if later else "") or target
    known: dict[str, Any] = {
        "goal": bench.request.goal,
        "context": f"{bench.brief.title} {bench.brief.summary}" if bench.brief else "",
        "task": (later.task if later else "") or bench.answers.get("task") or _task_of_target(bench.request.target),
        "header": bench.answers.get("header", ""),
    }
    inspection = inspect(bench.request.data, target_column=target, **known)
    if target or inspection.target_why in CERTAIN:
        return inspection
    return _as_the_paper_says(bench, inspection, known)


def _as_the_paper_says(bench: Workbench, inspection: Inspection, known: dict[str, Any]) -> Inspection:
    """The inspection with the target that the paper states in so many words, if it states one of these columns.

    It is an entry of the plan like any other that is read from the paper: shown at the gate, with the words.
    """
    from trainwright.tools.datasets import inspect_data as inspect
    from trainwright.tools.datasets.stated_target import stated_target

    path = bench.folder / bench.brief.text_path if bench.brief and bench.brief.text_path else None
    if path is None or not path.is_file():
        return inspection
    possible = [c.name for c in inspection.columns if c.kind in ("number", "category", "boolean")]
    stated = stated_target(path.read_text(encoding="utf-8"), possible)
    if stated is None:
        return inspection
    found = inspect(bench.request.data, target_column=stated.column, **known)
    return found.model_copy(update={"target_why": f"The paper says so: “{stated.words}”"})


def _task_of_target(target: str) -> str:
    """The task that the wanted score is for, where its metric scores one task alone."""
    from trainwright.tools.evaluation import metric, parse_target

    tasks = metric(parse_target(target).metric).tasks if target else ()
    return tasks[0] if len(tasks) == 1 else ""


def find_recipes(bench: Workbench, question: RecipeQuestion) -> dict[str, Any]:
    """Recipes that match the paper's methods, and the strongest cheap ones for the task."""
    from trainwright.recipes.catalog import estimate_seconds, match_methods, strongest

    size = (question.rows, question.features, question.classes)
    matches = match_methods(question.methods, task=question.task, modality=question.modality)
    best = strongest(question.task, question.modality, *size, question.metric)
    return {
        "matches": [
            {
                "recipe": m.recipe.name,
                "title": m.recipe.title,
                "name_in_paper": m.name_in_paper,
                "exact": m.exact,
                "why": m.why,
                "seconds": round(estimate_seconds(m.recipe, *size), 1),
            }
            for m in matches
        ],
        "strongest": [
            {"recipe": r.name, "title": r.title, "seconds": round(estimate_seconds(r, *size), 1)} for r in best
        ],
    }


def settle(bench: Workbench, plan: TrainingPlan) -> TrainingPlan:
    """The plan, if it keeps to the request and to the paper.

    Raises:
        Refusal: saying what does not fit.
    """
    from trainwright.tools.evaluation import metric, parse_target

    measure = metric(plan.metric)
    if plan.task not in measure.tasks:
        raise Refusal(f"{plan.metric} does not score a {plan.task} task")
    if plan.direction != measure.direction:
        raise Refusal(f"{plan.metric} is better when {measure.direction}")
    wanted = parse_target(bench.request.target) if bench.request.target else None
    if plan.target is None:
        plan = plan.model_copy(update={"target": wanted})
    if plan.target != wanted:
        raise Refusal(f"the wanted score is {wanted}, as the person gave it, not {plan.target}")
    if wanted is not None and wanted.metric != plan.metric:
        raise Refusal(f"the person wants {wanted.metric}, so that is the metric")
    _check_sources(bench, plan)
    _check_citations(bench, plan)
    return _with_canonical_settings(plan) if plan.recipe else plan


def _check_sources(bench: Workbench, plan: TrainingPlan) -> None:
    stated = bench.brief.hyperparameters if bench.brief else []
    for item in plan.hyperparameters:
        if item.source == "paper" and not any(h.quote == item.quote for h in stated):
            raise Refusal(f"{item.name} is said to come from the paper, but the brief has no such setting")


def _check_citations(bench: Workbench, plan: TrainingPlan) -> None:
    """Hold a plan to what it cites: quotes that stand in the paper, and a ground for what no recipe has."""
    paper = bool(bench.request.paper)
    if not plan.recipe and not (plan.citations if paper else plan.reasons):
        needed = "citations from the paper" if paper else "reasons"
        raise Refusal(f"the plan takes no recipe, so it needs {needed} for its method")
    if plan.citations and not paper:
        raise Refusal("there is no paper, so there is nothing to cite")
    if plan.citations:
        from trainwright.tools.papers import quote_in

        parsed = parsed_paper(bench)
        for item in plan.citations:
            if not quote_in(parsed, item.quote):
                raise Refusal(f"the citation {item.quote[:120]!r} does not stand in the paper")


def _with_canonical_settings(plan: TrainingPlan) -> TrainingPlan:
    """The plan with its settings named and written as the recipe has them.

    Raises:
        Refusal: the recipe does not exist, does not serve the task, or does not take a setting.
    """
    from trainwright.recipes.catalog import check_hyperparameter, load_catalog

    recipe = next((r for r in load_catalog() if r.name == plan.recipe), None)
    if recipe is None:
        raise Refusal(f"there is no recipe {plan.recipe!r}")
    if plan.task not in recipe.tasks or plan.modality not in recipe.modalities:
        raise Refusal(f"{plan.recipe} is not for {plan.task} from {plan.modality}")
    settled = []
    for item in plan.hyperparameters:
        checked = check_hyperparameter(recipe, item.name, item.value, task=plan.task, modality=plan.modality)
        if isinstance(checked, str):
            raise Refusal(checked)
        settled.append(item.model_copy(update={"name": checked[0], "value": checked[1]}))
    twice = {item.name for item in settled if sum(other.name == item.name for other in settled) > 1}
    if twice:
        raise Refusal(f"set more than once: {', '.join(sorted(twice))}")
    return plan.model_copy(update={"hyperparameters": settled})


STAGE = Stage(
    name="plan",
    field="plan",
    finish=TrainingPlan,
    settle=settle,
    tools=(
        Tool(
            "inspect_data",
            "What the data of this run are: columns, types, counts, findings.",
            NoArguments,
            inspect_data,
        ),
        Tool(
            "find_recipes",
            "Tested training scripts that fit a task and a paper's methods.",
            RecipeQuestion,
            find_recipes,
        ),
        READ_SECTION,
        READ_OUTPUT,
        some_of("papers", "search", "read", "linked"),
        some_of("datasets", "search", "inspect"),
        some_of("models", "fit"),
        RESEARCH,
    ),
    filled=("target", "usd_micros"),
)
