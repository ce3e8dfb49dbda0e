"""What a model may call in a stage fits into 2,500 tokens, which each request carries."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from trainwright.engineers.protocol import Stage
from trainwright.engineers.schemas import functions_of
from trainwright.nodes import find_data, plan, read_paper, write_code
from trainwright.nodes.lookups import LOOKUPS
from trainwright.nodes.research import helper_stage

LIMIT = 2_500
SEARCHED = 150
"""Tokens of the two functions through which the tools of MCP servers are reached that have no room of their own."""

STAGES = [read_paper.STAGE, plan.STAGE, find_data.STAGE, write_code.STAGE]


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Callable[[Stage], int]:
    """Counts as GPT-4's tokenizer does, which litellm brings along."""
    found = find_spec("litellm")
    assert found is not None
    assert found.origin is not None
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(Path(found.origin).parent / "litellm_core_utils" / "tokenizers"))
    import tiktoken

    encoding = tiktoken.get_encoding("cl100k_base")
    return lambda stage: len(encoding.encode(json.dumps(functions_of(stage))))


@pytest.mark.parametrize("stage", [*STAGES, helper_stage()], ids=lambda stage: stage.name)
def test_the_functions_of_a_stage_are_few_words(stage: Stage, tokens: Callable[[Stage], int]) -> None:
    room = 0 if stage.name == "research" else SEARCHED  # a helper has no tools of servers
    assert 500 < tokens(stage) <= LIMIT - room


def test_each_lookup_is_offered_somewhere_and_to_helpers() -> None:
    offered = {tool.name for stage in STAGES for tool in stage.tools}
    assert set(LOOKUPS) <= offered
    assert set(LOOKUPS) <= {tool.name for tool in helper_stage().tools}
    assert {"papers", "docs", "datasets", "models", "code", "web"} == set(LOOKUPS)


def test_only_the_web_is_asked_under_the_policy() -> None:
    assert [name for name, tool in LOOKUPS.items() if tool.acts is not None] == ["web"]


def test_what_is_said_of_a_field_is_said_once() -> None:
    """A plan quotes the paper in three places."""
    (finish,) = [one["function"] for one in functions_of(plan.STAGE) if one["function"]["name"] == "finish"]
    text = json.dumps(finish["parameters"])
    assert text.count('"quote"') == 3
    assert text.count("The words or the table row") == 1
