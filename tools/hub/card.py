"""The model card, in the Hub's format: YAML metadata with a model index, then prose for people.

The text comes from a template; everything from the world (quotes, column names, goals) is escaped on its way in. The
metadata goes through `huggingface_hub`'s own classes, so that what the Hub would refuse is refused here.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from trainwright.graph.state import Dataset, Evaluation, State, TrainingPlan

__all__ = ["escape", "model_card", "public_name", "public_source"]

TITLES = {"accuracy": "Accuracy", "error_rate": "Error rate", "f1_macro": "Macro F1", "rmse": "RMSE", "mae": "MAE"}
PIPELINES = {
    ("table", "classification"): "tabular-classification",
    ("table", "regression"): "tabular-regression",
    ("text", "classification"): "text-classification",
    ("images", "classification"): "image-classification",
}


def escape(value: Any, limit: int = 400) -> str:
    """A text of the world for Markdown: one line, no markup, no HTML, bounded."""
    text = re.sub(r"\s+", " ", "".join(c if c.isprintable() else " " for c in str(value))).strip()
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return re.sub(r"([\\`*_{}\[\]()#+!|<>~])", r"\\\1", text)


def public_name(given: str) -> str:
    """A paper or data source as it was given, without a path of this machine or its text."""
    if "\n" in given or len(given) > 300:
        return "text"
    if re.match(r"(?i)(https?|ftp)://|sklearn:", given):
        return re.sub(r"(?<=//)[^/@]*@", "", given).split("?")[0]
    path = Path(given).expanduser()
    return path.name if path.exists() or path.is_absolute() or given.startswith(("~", ".")) else given


def public_source(state: State) -> str:
    """Where the data came from, without a path of this machine."""
    return public_name(state.dataset.source) if state.dataset else ""


@cache
def _template() -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("trainwright.tools.hub", "."),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - Markdown; `escape` is applied to every outside text
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["md"] = escape
    return environment.get_template("card.md.j2")


def model_card(state: State, name: str) -> str:
    """The card of a run's model."""
    plan, data, result = state.plan, state.dataset, state.evaluation
    assert plan is not None
    assert data is not None
    assert result is not None
    text: str = _template().render(
        name=name, state=state, plan=plan, data=data, result=result, limits=limits(state), source=public_source(state)
    )
    return f"---\n{_metadata(name, plan, data, result)}\n---\n\n{text.strip()}\n"


def _metadata(name: str, plan: TrainingPlan, data: Dataset, result: Evaluation) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    task = PIPELINES.get((plan.modality, plan.task), "other")
    entry = EvalResult(
        task_type=task,
        dataset_type=re.sub(r"[^\w./-]+", "-", data.name) or "data",
        dataset_name=re.sub(r"\s+", " ", data.name)[:100] or "data",
        dataset_split="test",
        dataset_revision=data.revision[:64] or None,
        metric_type=plan.metric,
        metric_name=TITLES.get(plan.metric, plan.metric),
        metric_value=round(result.value, 6),
        metric_config=None,
        verified=False,
    )
    card = ModelCardData(
        license="other",
        library_name="sklearn",
        pipeline_tag=task if task != "other" else None,
        tags=["trainwright", *(["skops"] if plan.recipe else []), plan.task, plan.modality],
        metrics=[plan.metric],
        model_name=name.split("/")[-1],
        eval_results=[entry],
    )
    return str(card.to_yaml())


def limits(state: State) -> list[str]:
    """What a user of the model must know, from the audit and from the score."""
    data, result = state.dataset, state.evaluation
    assert data is not None
    assert result is not None
    known = [
        f.message for f in data.findings if f.severity != "info" or f.code in ("sensitive_column", "duplicate_rows")
    ]
    if result.n_test < 200:
        known.append(f"the test part has {result.n_test} rows only, so the interval is wide")
    if data.split.kind not in ("official", "time", "group"):
        known.append("the split is our own, at random: data from another time or place may score lower")
    return known
