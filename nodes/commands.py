"""The tool `shell` of the stage that writes code: one command of bash, in the sandbox."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from trainwright.graph.errors import Refusal
from trainwright.graph.stopping import stop_requested
from trainwright.tools.contract import masked_paths
from trainwright.tools.policy.actions import Action
from trainwright.tools.toolbox import Tool, Workbench

__all__ = ["SHELL", "Command"]


class Command(BaseModel):
    """What bash runs."""

    model_config = ConfigDict(extra="forbid")

    command: str = Field(min_length=1, max_length=20_000, pattern=r"^[^\x00]+$")
    seconds: float = Field(120.0, gt=0, le=600)


def shell(bench: Workbench, wanted: Command) -> dict[str, Any]:
    """Run the command on a copy of the code, and take its changes over."""
    from trainwright.tools.shell import run_command

    if bench.dataset is None:
        raise Refusal("There are no frozen data yet, so nothing can be run.")
    data, mask = bench.folder / bench.dataset.folder, masked_paths(bench.request.data)
    return run_command(bench.folder, data, wanted.command, wanted.seconds, mask=mask, cancelled=stop_requested)


def _acts(bench: Workbench, wanted: Command) -> list[Action]:
    """What the command would do where it runs: in the sandbox, without network, whatever it tries."""
    from trainwright.tools.policy.shell import actions_of_command
    from trainwright.tools.shell import WORKSPACE, laid_out

    actions = actions_of_command(wanted.command, Path(WORKSPACE), laid_out(bench.folder))
    return [replace(one, facts={**one.facts, "sandbox": True, "network": False}) for one in actions]


SHELL = Tool(
    "shell",
    "A bash command in the sandbox: code in the current folder, data at /data; changed code comes back.",
    Command,
    shell,
    acts=_acts,
)
