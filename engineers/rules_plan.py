"""The built-in engineer's rule for `plan`: which metric, which method, which settings, compared with which claim.

First attempt: the method that the person or the paper names, with the settings that the paper states; where no recipe
has that method, the strongest cheap baseline, and the plan says so. Later attempts change one thing each
(`rules_improve`). What is chosen is always said with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trainwright.graph.state import Claim, PaperBrief, PlannedHyperparameter
from trainwright.tools.toolbox import Workbench

from .recipes import Answers, Call
from .refusals import give_up
from .rules_search import data_wanted
from .rules_words import planned, rejection

__all__ = ["Choice", "plan"]

IMAGE_PIXELS = 32 * 32 * 3
"""What recipes shrink encoded images to, at most."""

TWINS = (
    ("accuracy", "error_rate", "f1_micro"),
    ("balanced_accuracy", "recall_macro"),
    ("mse", "rmse"),
)
"""Metrics of which each follows from the other: a claim in one can be compared with a score in the other."""

MATERIAL_WORDS = {"table": "tables", "text": "texts", "images": "images from pixels"}


@dataclass
class Choice:
    """What is chosen, with its reasons."""

    recipe: str
    title: str
    seconds: float
    hyperparameters: list[PlannedHyperparameter] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    change: str = ""
    parent: int | None = None


def plan(bench: Workbench, answers: Answers) -> Call:
    """The next call."""
    if not bench.request.data:
        return data_wanted(bench, answers)
    for name in ("inspect_data", "find_recipes", "finish"):
        if name in answers.bad:
            return give_up(answers.bad[name])
    data = answers.good.get("inspect_data")
    if data is None:
        return Call("inspect_data", {}, "What are the data?")
    early = _before_choosing(bench, data)
    if early is not None:
        return early
    recipes = answers.good.get("find_recipes")
    if recipes is None:
        return Call("find_recipes", _question(bench, data), "Which tested scripts fit?")
    return _finish(bench, data, recipes)


def _before_choosing(bench: Workbench, data: dict[str, Any]) -> Call | None:
    """A refusal or a question that comes before any choice."""
    if data.get("refusal"):
        return Call("give_up", {"reason": data["refusal"][:4_000]}, "No recipe can serve these data.")
    question = data.get("question")
    if question and question["key"] not in bench.answers:
        options = [str(option) for option in question.get("options", [])][:200]
        return Call("ask", {"key": question["key"], "text": question["text"][:2_000], "options": options})
    if data["modality"] not in MATERIAL_WORDS:
        reason = (
            f"The built-in engineer has recipes for {', '.join(MATERIAL_WORDS.values())}; these data are "
            f"{data['modality'].replace('_', ' ')}. Data in one of those forms would help."
        )
        return Call("give_up", {"reason": reason}, "No recipe can serve these data.")
    return None


def wanted_metric(bench: Workbench, data: dict[str, Any]) -> tuple[str, str]:
    """The metric and the reason: the person's, else the goal's, else the paper's, else what suits the data."""
    from trainwright.tools.evaluation import parse_metric, parse_target

    if bench.request.target:
        return parse_target(bench.request.target).metric, "the person asked for it"
    task = data["task"]
    feedback = "" if bench.attempts else rejection(bench)
    if feedback and (named := _fits(parse_metric(feedback), task, data)):
        return named, "the feedback names it"
    if bench.request.goal and (named := _fits(parse_metric(bench.request.goal), task, data)):
        return named, "the goal names it"
    for name in bench.brief.metrics if bench.brief else []:
        if fitting := _fits(parse_metric(name), task, data):
            return fitting, "the paper reports it"
    return data["metric"], "it suits these data"


def _fits(name: str | None, task: str, data: dict[str, Any]) -> str:
    """The metric if it scores this task with these classes, otherwise nothing."""
    from trainwright.tools.evaluation import metric

    if not name or task not in metric(name).tasks:
        return ""
    binary_only = name in ("f1", "precision", "recall", "average_precision")
    return "" if binary_only and len(data.get("classes") or {}) > 2 else name


def _question(bench: Workbench, data: dict[str, Any]) -> dict[str, Any]:
    brief = bench.brief
    names = [rejection(bench), bench.request.goal, *([brief.method, *brief.methods] if brief else [])]
    features = [column for column in data["columns"] if column["role"] == "feature"]
    return {
        "task": data["task"],
        "modality": data["modality"],
        "rows": max(1, sum(data["rows"].values())),
        "features": max(1, _width(data, len(features))),
        "classes": len(data.get("classes") or {}),
        "metric": wanted_metric(bench, data)[0],
        "methods": [name[:300] for name in names if name][:100],
    }


def _width(data: dict[str, Any], features: int) -> int:
    """Numbers a row: of an image its pixels, as many as recipes look at, otherwise its feature columns."""
    if not data.get("shape"):
        return features
    width = 1
    for size in data["shape"]:
        width *= size
    encoded = any(column.get("kind") == "image" for column in data["columns"])
    return min(width, IMAGE_PIXELS) if encoded else width


def _finish(bench: Workbench, data: dict[str, Any], recipes: dict[str, Any]) -> Call:
    from trainwright.tools.evaluation import metric, parse_target

    name, why_metric = wanted_metric(bench, data)
    if rejection(bench) and (wished := as_wished(bench, data, recipes)) is not None:
        choice = wished
    elif bench.attempt == 1 or not bench.attempts:
        choice = first_choice(bench, data, recipes)
    else:
        from .rules_improve import next_choice

        later = next_choice(bench, recipes)
        if later is None:
            return Call(
                "give_up", {"reason": "Every recipe that fits has been tried; the wanted score was not reached."}
            )
        choice = later
    choice.reasons.append(f"Metric {name}: {why_metric}.")
    if data.get("target_why"):
        choice.reasons.append(f"Target {data['target']}: {data['target_why']}")
    if choice.seconds > bench.settings.max_hours * 3600:
        limit = bench.settings.max_hours
        reason = f"{choice.title} would take about {choice.seconds:.0f} s here, more than the limit of {limit:g} h."
        return Call("give_up", {"reason": reason})
    claim = matching_claim(bench.brief, name, data, choice)
    direction = metric(name).direction
    arguments = {
        "task": data["task"],
        "modality": data["modality"],
        "metric": name,
        "direction": direction,
        "target_column": data["target"],
        "approach": _approach(bench, data, choice, name),
        "reasons": choice.reasons,
        "recipe": choice.recipe,
        "method": choice.title,
        "hyperparameters": [item.model_dump() for item in choice.hyperparameters],
        "citations": _citations(choice),
        "claim": claim.model_dump() if claim else None,
        "target": parse_target(bench.request.target).model_dump() if bench.request.target else None,
        "baseline": "majority class" if data["task"] == "classification" else "mean of the training targets",
        "hardware": "cpu",
        "seconds": choice.seconds,
        "change": choice.change,
        "parent": choice.parent,
    }
    return Call("finish", arguments, choice.reasons[0])


def _citations(choice: Choice) -> list[dict[str, Any]]:
    quoted = {item.quote: item.page for item in choice.hyperparameters if item.source == "paper"}
    return [{"quote": quote, "page": page} for quote, page in quoted.items()]


def _approach(bench: Workbench, data: dict[str, Any], choice: Choice, metric_name: str) -> str:
    fixed = ", ".join(f"{h.name}={h.value}{' (paper)' if h.source == 'paper' else ''}" for h in choice.hyperparameters)
    settings = f"with {fixed}" if fixed else "with its settings chosen on validation data"
    start = f"Attempt {bench.attempt}: {choice.change}. " if choice.change else ""
    return (
        f"{start}Predict {data['target']} ({data['task']}) from {MATERIAL_WORDS[data['modality']]} "
        f"with {choice.title}, "
        f"{settings}; what is left open is chosen on validation data for {metric_name}. "
        f"The test labels are withheld until one attempt is accepted."
    )


def as_wished(bench: Workbench, data: dict[str, Any], recipes: dict[str, Any]) -> Choice | None:
    """What the feedback of a rejection asks for: a method, settings, or at least not the same plan again."""
    from trainwright.recipes.catalog import recipe_named

    feedback, last = rejection(bench), bench.plan
    known = {entry["recipe"]: entry for entry in [*recipes["strongest"], *recipes["matches"]]}
    named = next((m for m in recipes["matches"] if m["name_in_paper"] == feedback[:300]), None)
    entry = named or (known.get(last.recipe) if last is not None else None)
    settings = planned(feedback, recipe_named(entry["recipe"]), "the feedback") if entry is not None else []
    change, parent = "", None
    if bench.attempts:
        from .rules_improve import best_so_far

        change, parent = f"as a person asked: {feedback[:200]}", best_so_far(bench).number
    if entry is not None and (named or settings):
        reason = f"{entry['title']}: the feedback says {feedback[:200]!r}."
        return Choice(entry["recipe"], entry["title"], entry["seconds"], settings, [reason], change, parent)
    if wanted_metric(bench, data)[1] == "the feedback names it":
        return None
    rejected = {last.recipe} if last is not None else set()
    rejected |= {attempt.recipe for attempt in bench.attempts}
    entry = next((entry for entry in recipes["strongest"] if entry["recipe"] not in rejected), None)
    if entry is None:
        return None
    reason = (
        f"The feedback ({feedback[:120]!r}) names no method, setting or metric that the built-in engineer knows, so the "
        f"next strongest: {entry['title']}."
    )
    return Choice(entry["recipe"], entry["title"], entry["seconds"], [], [reason], change, parent)


def first_choice(bench: Workbench, data: dict[str, Any], recipes: dict[str, Any]) -> Choice:
    """The method that the goal or the paper names, else the strongest cheap baseline; with the settings they state."""
    from trainwright.recipes.catalog import recipe_named

    choice = _first_method(bench, data, recipes)
    own = planned(bench.request.goal, recipe_named(choice.recipe), "the goal")
    names = {item.name for item in own}
    choice.hyperparameters = [*own, *(item for item in choice.hyperparameters if item.name not in names)]
    return choice


def _first_method(bench: Workbench, data: dict[str, Any], recipes: dict[str, Any]) -> Choice:
    brief = bench.brief or PaperBrief()
    for match in recipes["matches"]:
        named = match["name_in_paper"]
        in_goal = bool(bench.request.goal) and named[:300] == bench.request.goal[:300]
        if in_goal or not brief.method or named == brief.method[:300]:
            where = "the goal" if in_goal else "the paper"
            reason = f"{match['title']}: {where} names it. {match['why']}".strip()
            choice = Choice(match["recipe"], match["title"], match["seconds"], reasons=[reason])
            return _with_paper_settings(choice, brief, named, data)
    best = recipes["strongest"][0]
    if brief.method:
        wanted = brief.method[:120]
        reason = f"No recipe has the paper's method ({wanted}), so the strongest cheap baseline: {best['title']}."
    else:
        reason = f"No method was named, so the strongest cheap baseline for these data: {best['title']}."
    choice = Choice(best["recipe"], best["title"], best["seconds"], reasons=[reason])
    matched = next((m["name_in_paper"] for m in recipes["matches"] if m["recipe"] == choice.recipe), "")
    return _with_paper_settings(choice, brief, matched, data) if matched else choice


def _with_paper_settings(choice: Choice, brief: PaperBrief, named: str, data: dict[str, Any]) -> Choice:
    """Fix what the paper states for this method, each once; a setting with several values is left to the search."""
    from trainwright.recipes.catalog import check_hyperparameter, load_catalog

    recipe = next(r for r in load_catalog() if r.name == choice.recipe)
    found: dict[str, list[PlannedHyperparameter]] = {}
    for item in brief.hyperparameters:
        if item.method and not _same_method(item.method, named, choice.recipe):
            continue
        checked = check_hyperparameter(recipe, item.name, item.value, task=data["task"], modality=data["modality"])
        if isinstance(checked, tuple):
            name, value = checked
            planned = PlannedHyperparameter(
                name=name, value=value, source="paper", page=item.page, quote=item.quote, why="stated in the paper"
            )
            found.setdefault(name, []).append(planned)
    for name, items in found.items():
        values = {str(item.value) for item in items}
        if len(values) == 1:
            choice.hyperparameters.append(items[0])
        else:
            choice.reasons.append(
                f"{name}: the paper names {', '.join(sorted(values))}, so it is chosen on validation."
            )
    return choice


def _same_method(stated: str, named: str, recipe: str) -> bool:
    if stated.lower() in named.lower() or named.lower() in stated.lower():
        return True
    from trainwright.recipes.catalog import match_methods

    return any(
        m.recipe.name == recipe for task in ("classification", "regression") for m in _all(match_methods, stated, task)
    )


def _all(match: Any, stated: str, task: str) -> list[Any]:
    return [m for modality in MATERIAL_WORDS for m in match([stated], task=task, modality=modality)]


def matching_claim(brief: PaperBrief | None, metric_name: str, data: dict[str, Any], choice: Choice) -> Claim | None:
    """The claim to compare with: same metric, and as far as possible the same data set and the same method."""
    from trainwright.tools.evaluation import same_dataset

    twins = {metric_name, *next((pair for pair in TWINS if metric_name in pair), ())}
    claims = [claim for claim in (brief.claims if brief else []) if claim.metric in twins]

    def fit(claim: Claim) -> tuple[int, int, int]:
        named = bool(claim.dataset) and same_dataset(claim.dataset, data["name"])
        method = bool(claim.method) and _same_method(claim.method, choice.title, choice.recipe)
        return (
            2 if named else 1 if not claim.dataset else 0,
            2 if method else 1 if not claim.method else 0,
            claim.metric == metric_name,
        )

    return max(claims, key=fit, default=None)
