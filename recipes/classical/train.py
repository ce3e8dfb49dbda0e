# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=2.2", "pandas>=2.3", "pillow>=11", "pyarrow>=20", "scikit-learn>=1.7", "skops>=0.13"]
# ///
"""Train a classical model: `train.py --data DIR --out DIR [--smoke] [--seed N]`.

Reads train.parquet, validation.parquet and dataset.json from DIR. Writes OUT/model_validation/ (fitted on the training
rows alone), OUT/model/ (fitted on training and validation rows with the same settings) and a line of
OUT/metrics.jsonl for each trial. Settings are read from settings.json beside this file; without it, or to run by hand:
--method, --set NAME=VALUE, --metric, --seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from budget import Budget
from checks import check_settings
from contract import BadInput, Rows, Schema, append_metrics, cores, read_rows, with_image_shape
from fitting import Fitted, encoded, fit, situation_of
from methods import METHODS
from saving import Model, save
from scores import BINARY, LOWER, NAMES, default_metric
from search import Search, Trial

SMOKE_ROWS = 200
SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """What is to be trained.

    Attributes:
        recipe: name of the method; empty: what suits the data.
        hyperparameters: fixed.
        metric: canonical name; empty: what the data set says, else accuracy or RMSE.
        seconds: time allowance.
    """

    recipe: str = ""
    hyperparameters: dict[str, Any] = field(default_factory=dict)
    metric: str = ""
    seconds: float = SECONDS


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry of the script; 2 after a message about data or settings that cannot be used."""
    given = _parser().parse_args(arguments)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(given.data, given.out, read_plan(given), smoke=given.smoke, seed=given.seed)
    except BadInput as error:
        print(f"train.py: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Train a classical model.")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with train.parquet, validation.parquet, dataset.json"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for model/, model_validation/, metrics.jsonl")
    parser.add_argument("--smoke", action="store_true", help="few rows, one trial: does it run at all?")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--method", choices=sorted(METHODS), help="instead of the one in settings.json")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="fix a setting")
    parser.add_argument("--metric", help="to optimise")
    parser.add_argument("--seconds", type=float, help="time allowance")
    return parser


def read_plan(given: argparse.Namespace) -> Plan:
    """The plan of settings.json beside this file, with the flags put over it.

    Raises:
        BadInput: the file or a flag cannot be read.
    """
    plan = Plan()
    path = Path(__file__).with_name("settings.json")
    if path.is_file() and not given.method:
        try:
            plan = Plan(**json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, TypeError) as error:
            raise BadInput(f"{path} holds no settings: {error}.") from error
    fixed = dict(plan.hyperparameters)
    for item in given.set:
        name, mark, value = item.partition("=")
        if not mark:
            raise BadInput(f"--set {item}: write NAME=VALUE.")
        fixed[name.strip()] = _value(value.strip())
    seconds = given.seconds if given.seconds is not None else plan.seconds
    if not seconds > 0:
        raise BadInput(f"The time allowance is {seconds}; it must be a positive number of seconds.")
    return Plan(given.method or plan.recipe, fixed, given.metric or plan.metric, seconds)


def _value(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def run(data: Path, out: Path, plan: Plan, *, smoke: bool, seed: int) -> Trial:
    """Train and save; the trial that was chosen.

    Raises:
        BadInput: data or settings cannot be used.
    """
    schema, train, validation = read_data(data)
    if smoke:
        train, validation = _few(schema, train, SMOKE_ROWS), _few(schema, validation, SMOKE_ROWS // 2)
    out.mkdir(parents=True, exist_ok=True)
    search = _search(schema, train, validation, plan, out, seed, smoke)
    chosen, fitted = search.final(search.first() if smoke else search.run())
    named = _validation(search, fitted, chosen, validation)
    about = _about(search, plan, named, seed)
    model = Model(search.method.name, chosen.settings, schema, fitted, chosen.rule)
    save(model, out / "model_validation", {**about, "rows": len(train)})
    both = train.joined(validation)
    again = fit(search.method, chosen.settings, search.situation, schema, both)
    save(replace(model, fitted=again), out / "model", {**about, "rows": len(both)})
    last = {**named, "rows": len(train), "seconds": round(search.budget.elapsed(), 3)}
    append_metrics(out, len(search.trials) + 1, last)
    return chosen


def read_data(data: Path) -> tuple[Schema, Rows, Rows]:
    """Schema, training rows and validation rows of a data folder.

    Raises:
        BadInput: something is missing or cannot be learnt from.
    """
    schema = with_image_shape(Schema.read(data), data / "train.parquet")
    if schema.of_kind("vector") and not schema.shape:
        raise BadInput(f"{data / 'dataset.json'}: there are arrays in the rows, and no shape of them is given.")
    train = read_rows(data / "train.parquet", schema, labelled=True)
    validation = read_rows(data / "validation.parquet", schema, labelled=True)
    if len(train) < 2:
        raise BadInput(f"{data / 'train.parquet'} has {len(train)} rows: there is nothing to learn from.")
    if not len(validation) and len(train) < 10:
        raise BadInput(
            f"{data / 'validation.parquet'} has no rows, and {len(train)} training rows are too few to do without."
        )
    if schema.task == "classification" and len(np.unique(encoded(schema, train))) < 2:
        raise BadInput(
            f"{data / 'train.parquet'} has one class only ({train.target[0] if train.target is not None else ''}): there is nothing to tell apart."
        )
    return schema, train, validation


def _few(schema: Schema, rows: Rows, count: int) -> Rows:
    """At most about `count` rows, of as many classes as there are in them: each class gives its first ones."""
    if schema.task == "regression":
        return rows.take(np.arange(min(count, len(rows))))
    truth = encoded(schema, rows)
    rank = np.zeros(len(truth), dtype=np.int64)
    for label in np.unique(truth):
        places = np.flatnonzero(truth == label)
        rank[places] = np.arange(len(places))
    return rows.take(np.sort(np.argsort(rank, kind="stable")[:count]))


def _search(schema: Schema, train: Rows, validation: Rows, plan: Plan, out: Path, seed: int, smoke: bool) -> Search:
    metric = plan.metric or schema.metric or default_metric(schema.task)
    if metric not in NAMES[schema.task]:
        raise BadInput(
            f"The metric {metric!r} does not score {schema.task}; there are {', '.join(NAMES[schema.task])}."
        )
    if metric in BINARY and len(schema.classes) != 2:
        raise BadInput(
            f"The metric {metric} needs two classes, and there are {len(schema.classes)}; use f1_macro or so."
        )
    recipe = plan.recipe or usual_method(schema, len(train))
    if recipe not in METHODS:
        raise BadInput(f"There is no method {recipe!r}; there are {', '.join(METHODS)}.")
    method = METHODS[recipe]
    if schema.task not in method.tasks:
        raise BadInput(f"{recipe} does not do {schema.task}.")
    situation = situation_of(schema, train, metric, plan.hyperparameters, seed, cores())
    check_settings(method, plan.hyperparameters, situation)
    return Search(
        method, plan.hyperparameters, situation, schema, train, validation, metric,
        Budget(plan.seconds), report=lambda trial, search: _report(trial, search, out), brief=smoke,
    )  # fmt: skip


def usual_method(schema: Schema, rows: int) -> str:
    """The method that is tried first where nobody names one."""
    if schema.of_kind("text"):
        return "linear_svm" if schema.task == "classification" else "ridge"
    if schema.of_kind("image", "vector"):
        return "svm_rbf" if rows <= 20_000 else "hist_gradient_boosting"
    return "hist_gradient_boosting" if rows >= 1_000 else "random_forest"


def _report(trial: Trial, search: Search, out: Path) -> None:
    settings = {"settings": " ".join(f"{k}={v}" for k, v in trial.settings.items())}
    if trial.failed:
        append_metrics(out, len(search.trials), {"failed": trial.failed, **settings})
        return
    value = -trial.quality if search.metric in LOWER else trial.quality
    best = max(search.trials, key=lambda t: t.quality).quality
    numbers = {search.metric: value, f"best_{search.metric}": -best if search.metric in LOWER else best}
    seconds = round(search.budget.elapsed(), 3)
    append_metrics(out, len(search.trials), {**numbers, "rows": trial.rows, "seconds": seconds, **settings})


def _validation(search: Search, fitted: Fitted, chosen: Trial, validation: Rows) -> dict[str, float]:
    """The score of the model that was fitted on the training rows, under the metric's name; empty without rows."""
    if not len(validation):
        return {}
    value = search.scores(fitted, chosen.rule, validation)
    return {search.metric: -value if search.metric in LOWER else value}


def _about(search: Search, plan: Plan, named: dict[str, float], seed: int) -> dict[str, Any]:
    return {
        "fixed": plan.hyperparameters,
        "metric": search.metric,
        "validation": named.get(search.metric),
        "trials": len(search.trials),
        "stopped_by_clock": search.budget.stopped,
        "seed": seed,
        "versions": {name: metadata.version(name) for name in ("scikit-learn", "numpy", "skops")},
    }


if __name__ == "__main__":
    sys.exit(main())
