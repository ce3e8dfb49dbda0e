"""An engineer that plans like the built-in one and writes code of its own: what a test needs to be hostile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage

from trainwright.engineers.protocol import Stage
from trainwright.engineers.recipes import RecipesEngineer
from trainwright.graph.checkpoint import open_checkpointer
from trainwright.graph.state import Request, Settings, State
from trainwright.graph.workflow import build_graph
from trainwright.tools import code
from trainwright.tools.toolbox import Workbench

HEADER = '# /// script\n# requires-python = ">=3.11"\n# dependencies = ["pandas", "pyarrow"]\n# ///\n'

TRAIN = (
    HEADER
    + """
import argparse, json, pathlib
import pandas as pd
p = argparse.ArgumentParser()
p.add_argument("--data"); p.add_argument("--out"); p.add_argument("--smoke", action="store_true")
p.add_argument("--seed", type=int, default=0)
a = p.parse_args()
data, out = pathlib.Path(a.data), pathlib.Path(a.out)
about = json.loads((data / "dataset.json").read_text())
rows = pd.read_parquet(data / "train.parquet")
BEFORE
columns = [c["name"] for c in about["columns"] if c["role"] == "feature" and c["kind"] == "number"]
means = rows.groupby(about["target"])[columns].mean()
(out / "model").mkdir(parents=True)
(out / "model" / "means.json").write_text(json.dumps({str(k): list(v) for k, v in means.T.to_dict("list").items()}))
(out / "model" / "columns.json").write_text(json.dumps(columns))
with (out / "metrics.jsonl").open("a") as f:
    f.write(json.dumps({"step": 1, "rows": len(rows)}) + "\\n")
"""
)
"""Nearest class mean; `BEFORE` is where a test puts what it wants to try."""

PREDICT = (
    HEADER
    + """
import argparse, json, pathlib
import pandas as pd
p = argparse.ArgumentParser()
p.add_argument("--model"); p.add_argument("--inputs"); p.add_argument("--out")
a = p.parse_args()
model = pathlib.Path(a.model)
means, columns = json.loads((model / "means.json").read_text()), json.loads((model / "columns.json").read_text())
rows = pd.read_parquet(a.inputs)
distance = pd.DataFrame({k: ((rows[columns] - v) ** 2).sum(axis=1) for k, v in means.items()})
answers = pd.DataFrame({"id": rows["id"], "prediction": distance.idxmin(axis=1)})
BEFORE
answers.to_csv(a.out, index=False)
"""
)


def scripts(train: str = "", predict: str = "") -> dict[str, str]:
    """Both scripts, with something put into them."""
    return {"train.py": TRAIN.replace("BEFORE", train), "predict.py": PREDICT.replace("BEFORE", predict)}


class OwnCode:
    """Writes one version of its code after the other; the last one is repeated."""

    def __init__(self, *versions: Mapping[str, str]) -> None:
        self.versions = versions
        self.feedback: list[str] = []
        self.rules = RecipesEngineer()

    async def think(self, stage: Stage, bench: Workbench, transcript: Sequence[AnyMessage]) -> AIMessage:
        """The built-in engineer's turn, but for the code."""
        if stage.name != "write_code":
            return await self.rules.think(stage, bench, transcript)
        self.feedback.append(bench.feedback)
        version = self.versions[min(len(self.feedback), len(self.versions)) - 1]
        code.write_files(bench.folder / "code", {name: text.encode() for name, text in version.items()})
        arguments = {"recipe": "", "change": f"version {len(self.feedback)}"}
        return AIMessage("", tool_calls=[{"name": "finish", "args": arguments, "id": f"finish-{len(self.feedback)}"}])


async def run(engineer: OwnCode, request: Request, **settings: Any) -> State:
    """A whole run with rules at the gates; its state at the end."""
    config: Any = {"configurable": {"thread_id": "t"}, "recursion_limit": 10_000}
    async with open_checkpointer() as checkpointer:
        graph = build_graph(checkpointer, choose=lambda _: engineer)
        context = Settings.model_validate({"approvals": "auto", **settings})
        await graph.ainvoke({"request": request}, config, context=context, durability="sync")
        return State.model_validate((await graph.aget_state(config)).values)
