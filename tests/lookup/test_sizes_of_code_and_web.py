"""What an engineer is shown of two areas stays small, and offering them loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from trainwright.engineers.schemas import schema_of
from trainwright.tools.lookup import code, web
from trainwright.tools.lookup.operations import Area, call, flat_arguments


@pytest.mark.parametrize(("area", "tokens"), [(code.AREA, 200), (web.AREA, 130)])
def test_the_function_is_small(area: Area, tokens: int) -> None:
    shown = {"name": area.name, "description": area.for_engineers(), "parameters": schema_of(flat_arguments(area))}
    assert len(json.dumps({"type": "function", "function": shown})) / 4 <= tokens * 1.6


def test_offering_them_loads_nothing_heavy() -> None:
    program = (
        "import sys; from trainwright.tools.lookup import code, web; code.AREA, web.AREA\n"
        "heavy = {'httpx', 'requests', 'lxml', 'bs4', 'markdownify', 'langchain_community', 'huggingface_hub'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


def test_a_call_of_an_engineer(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = flat_arguments(code.AREA).model_validate({"operation": "tree", "repo": "a/b", "path": "x", "limit": 3})
    given: dict[str, object] = {}

    def tree(repo: str, **rest: object) -> object:
        given.update(rest, repo=repo)
        return None

    monkeypatch.setattr("trainwright.tools.lookup.code.trees.tree", tree)
    call(code.AREA, wanted)
    assert given == {"repo": "a/b", "path": "x", "ref": "", "limit": 3}
