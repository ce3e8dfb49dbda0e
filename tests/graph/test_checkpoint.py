"""The checkpoint file: private, durable, and every class of the state comes back as itself."""

from __future__ import annotations

import inspect
import stat
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from pydantic import BaseModel

from trainwright.graph import state as states
from trainwright.graph.checkpoint import open_checkpointer, state_classes

MODELS = [
    cls for _, name in state_classes() if inspect.isclass(cls := getattr(states, name)) and issubclass(cls, BaseModel)
]


def test_the_list_holds_every_class_of_the_state() -> None:
    assert {cls.__name__ for cls in MODELS} >= {
        "Request", "PaperBrief", "TrainingPlan", "Dataset", "CodeBundle", "SandboxReport", "JobRecord", "Evaluation",
        "Publication", "Attempt", "Approval", "Question", "Settings",
    }  # fmt: skip
    assert ("trainwright.graph.state", "Status") in state_classes()


async def _through_a_file(path: Path, value: Any) -> Any:
    """Write a checkpoint with one value, close the file, open it again and read it."""
    config: Any = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    async with open_checkpointer(path) as saver:
        checkpoint = {**empty_checkpoint(), "channel_values": {"value": value}, "channel_versions": {"value": 1}}
        await saver.aput(config, checkpoint, {"source": "loop", "step": 1, "parents": {}}, {"value": 1})  # type: ignore[arg-type]
    async with open_checkpointer(path) as saver:
        found = await saver.aget_tuple(config)
    assert found is not None
    return found.checkpoint["channel_values"]["value"]


def example(annotation: Any) -> Any:
    """A value of a type in which nothing is left at its default."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return example(inner[0])
    if origin is Literal:
        return inner[-1]
    if origin in (Union, UnionType):
        return example(next(kind for kind in inner if kind is not NoneType))
    if origin is list:
        return [example(inner[0]), example(inner[0])]
    if origin is dict:
        return {"é": example(inner[1])}
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation(**{name: example(field.annotation) for name, field in annotation.model_fields.items()})
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return list(annotation)[-1]
    plain: dict[Any, Any] = {str: "ünï\ncode", int: 3, float: 0.25, bool: True, Any: {"a": [1, None]}}
    return plain[annotation]


@pytest.mark.parametrize("cls", MODELS, ids=lambda cls: cls.__name__)
async def test_every_artifact_comes_back_as_itself(tmp_path: Path, cls: type[BaseModel]) -> None:
    value = example(cls)
    back = await _through_a_file(tmp_path / "runs.db", value)
    assert type(back) is cls, "a class that is missing from the list comes back as a dictionary"
    assert back == value


async def test_the_status_comes_back_as_itself(tmp_path: Path) -> None:
    back = await _through_a_file(tmp_path / "runs.db", states.Status.STEP_LIMIT)
    assert back is states.Status.STEP_LIMIT


async def test_the_file_is_private_and_durable(tmp_path: Path) -> None:
    path = tmp_path / "new" / "runs.db"
    async with open_checkpointer(path) as saver:
        async with saver.conn.execute("PRAGMA journal_mode") as rows:
            assert [row[0] async for row in rows] == ["wal"]
        async with saver.conn.execute("PRAGMA synchronous") as rows:
            assert [row[0] async for row in rows] == [2], "FULL"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
