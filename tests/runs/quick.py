"""An engineer for runs that begin again hundreds of times: the built-in rules, with code that takes no time.

Where nothing can isolate code of its own, it is the built-in engineer, and all takes longer. It can also be made to
call, once a plan, a tool that needs a person, and after it research helpers.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from langchain_core.messages import AIMessage

from trainwright.engineers.recipes import RecipesEngineer
from trainwright.graph import workflow
from trainwright.nodes import plan
from trainwright.tools.policy.actions import Action
from trainwright.tools.sandbox import probe
from trainwright.tools.toolbox import NoArguments, Tool

from .own_code import OwnCode

__all__ = ["engage"]

QUICK = """# /// script
# requires-python = ">=3.11"
# dependencies = ["pyarrow"]
# ///
import argparse, csv, json, pathlib
import pyarrow.parquet as pq

p = argparse.ArgumentParser()
for name in ("--data", "--out", "--model", "--inputs"):
    p.add_argument(name)
p.add_argument("--smoke", action="store_true")
p.add_argument("--seed", type=int, default=0)
a = p.parse_args()
"""
TRAIN = (
    QUICK
    + """
data, out = pathlib.Path(a.data), pathlib.Path(a.out)
about = json.loads((data / "dataset.json").read_text())
names = [c["name"] for c in about["columns"] if c["role"] == "feature" and c["kind"] == "number"]
rows = pq.read_table(data / "train.parquet").to_pylist()
groups = {}
for row in rows:
    groups.setdefault(str(row[about["target"]]), []).append([row[name] for name in names])
means = {label: [sum(column) / len(column) for column in zip(*found)] for label, found in groups.items()}
(out / "model").mkdir(parents=True)
(out / "model" / "means.json").write_text(json.dumps({"names": names, "means": means}))
with (out / "metrics.jsonl").open("a") as f:
    f.write(json.dumps({"step": 1, "rows": len(rows)}) + "\\n")
"""
)
PREDICT = (
    QUICK
    + """
model = json.loads((pathlib.Path(a.model) / "means.json").read_text())
def distance(row, mean):
    return sum((row[name] - value) ** 2 for name, value in zip(model["names"], mean))
with open(a.out, "w", newline="") as f:
    writer = csv.writer(f)
    writer.writerow(["id", "prediction"])
    for row in pq.read_table(a.inputs).to_pylist():
        writer.writerow([row["id"], min(model["means"], key=lambda label: distance(row, model["means"][label]))])
"""
)
"""Nearest class mean in a fraction of a second, where a recipe loads scikit-learn for two."""


class Quick:
    """Writes quick code, and rings and researches once while it plans if it is to; otherwise the built-in rules."""

    def __init__(self, *, asking: bool) -> None:
        self.asking = asking
        self.rules = OwnCode({"train.py": TRAIN, "predict.py": PREDICT}) if probe().available else RecipesEngineer()

    async def think(self, stage: Any, bench: Any, transcript: Any) -> AIMessage:
        """One turn."""
        for name, arguments in EXTRA.items() if self.asking and stage.name == "plan" else ():
            if not any(_calls(message, name) for message in transcript):
                return AIMessage("", tool_calls=[{"name": name, "args": arguments, "id": f"{name}-{bench.attempt}"}])
        others = [message for message in transcript if not any(_calls(message, name) for name in EXTRA)]
        return await self.rules.think(stage, bench, others)


def engage(*, asking: bool) -> None:
    """Put it in the place of the engineer that the settings of a run name, in this process.

    Args:
        asking: whether the stage `plan` has a bell that needs a person; no tool of the built-in engineer does.
    """
    workflow.build_graph.__defaults__ = (None, lambda settings: Quick(asking=asking))
    if asking:
        bell = Tool(
            "ring", "Ring a bell.", NoArguments, lambda *given: {"rang": True}, acts=lambda *given: [Action("ring")]
        )
        plan.STAGE = dataclasses.replace(plan.STAGE, tools=(*plan.STAGE.tools, bell))


EXTRA: dict[str, dict[str, Any]] = {"ring": {}, "research": {"questions": ["which boxes are there?"]}}
"""What it calls besides, in this order, with which arguments."""


def _calls(message: Any, name: str) -> bool:
    calls = getattr(message, "tool_calls", None) or []
    return getattr(message, "name", "") == name or any(call["name"] == name for call in calls)
