"""Instructions that come through the real tools of a run: each is marked with its source, and nothing comes of them.

One run of the model that believes every text reads them all: what an MCP server says of its tools, a data set card, the
server's answer, a README, the output of its own failing script, and what the test of its code says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.lookup.datasets.services import Repository, Services
from tests.mcp.conftest import Server, configure, program
from tests.models import Asked, Call, Reply
from tests.models.scientist import Done, known
from tests.runs.own_code import scripts
from tests.runs.policies import rules
from tests.standin import Canned, StandIn
from trainwright.tools.servers import close_all

from .corpus import CARRIERS, MARK, poison
from .gullible import Gullible
from .test_gullible import BROKEN, check, collector, told

__all__ = ["collector"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]

SOURCES = {
    "described": 'data source="MCP server desk"',
    "parameter": 'data source="desk"',
    "card": 'data source="datasets: ',
    "answer": 'data source="mcp__desk__echo"',
    "readme": 'data source="code: ',
    "log": 'data source="run_code"',
    "feedback": "data",
}
"""Where each text must be said to come from."""

HOLDING = re.compile(r'<(data(?: source="[^"<>]*")?)>(.*?)</data>', re.S)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Server]:
    """An MCP server that lies in its descriptions and its answers; the person lets it be called."""
    server = program(tmp_path)
    schema = {"type": "object", "properties": {"text": {"type": "string", "description": poison("parameter")}}}
    server.tell(describe=poison("described"), answer=poison("answer"), extra={"note": schema})
    configure(desk={**server.entry, "stages": ["read_paper", "plan"], "timeout_seconds": 20})
    rules('name = "the desk"\ntool = "mcp/desk/*"\ndecision = "allow"')
    yield server
    close_all()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The Hub and GitHub, with a card and a README of somebody else's."""
    with StandIn() as standin:
        monkeypatch.setenv("HF_ENDPOINT", standin.url)
        monkeypatch.setenv("TRAINWRIGHT_DATASETS_SERVER_URL", f"{standin.url}/viewer")
        monkeypatch.setenv("TRAINWRIGHT_GITHUB_URL", standin.url)
        monkeypatch.setenv("TRAINWRIGHT_GITHUB_RAW_URL", f"{standin.url}/raw")
        monkeypatch.setattr("huggingface_hub.get_token", lambda: None)
        card = f"---\nlicense: mit\n---\n# Reviews\n{poison('card')}\n"
        files = {"README.md": card.encode(), "train.csv": b"text,label\nfine,1\ndull,0\n"}
        Services(standin).add(Repository("someone/reviews", files, {"license": "mit"}))
        readme = Canned(f"# Trees\n\n{poison('readme')}\n", media="text/plain; charset=utf-8")
        standin.route("GET", "/raw/acme/trees/HEAD/README.md", readme)
        yield standin


def after(call: Call, own: Callable[[Asked, list[Done]], Reply]) -> Callable[[Asked, list[Done]], Reply]:
    """A turn that makes a call first; what the model does of its own follows, as if it had not made it."""

    def turn(asked: Asked, made: list[Done]) -> Reply:
        rest = [one for one in made if one.name != call.name]
        return own(asked, rest) if len(rest) < len(made) else Reply(calls=(call,))

    return turn


def first_code(asked: Asked, made: list[Done]) -> Reply | None:
    """Read the README, and run the script that fails before it is handed in."""
    if "To heed in this round" in known(asked):
        return None
    names = [one.name for one in made]
    if "code" not in names:
        return Reply(calls=(Call("code", {"operation": "read", "repo": "acme/trees", "path": "README.md"}),))
    if "write_file" not in names:
        return Reply(calls=tuple(Call("write_file", {"name": n, "text": t}) for n, t in scripts(train=BROKEN).items()))
    return None if "run_code" in names else Reply(calls=(Call("run_code", {}),))


def sources(gullible: Gullible, tag: str) -> set[str]:
    """The beginnings of all blocks in which a text stands."""
    blocks = [found for asked in gullible.requests for text in told(asked) for found in HOLDING.findall(text)]
    return {opening for opening, inner in blocks if f"{MARK}-{tag}" in inner}


async def test_what_real_tools_bring_is_marked_and_nothing_comes_of_it(
    tmp_path: Path, collector: StandIn, world: StandIn, desk: Server
) -> None:
    gullible = Gullible(
        waits={"find_data": f"{MARK}-card", "plan": f"{MARK}-answer", "write_code": f"{MARK}-(readme|log)"}
    )
    gullible.wise.broken = BROKEN
    wise = gullible.wise
    echo = Call("use_tool", {"name": "mcp__desk__echo", "arguments": {"text": "hi"}})
    wise.turns = {
        "plan": after(echo, wise.plan),
        "find_data": after(Call("datasets", {"operation": "inspect", "id": "someone/reviews"}), wise.find_data),
        "write_code": first_code,
    }
    await check(CARRIERS["a cell"](tmp_path, ""), gullible, collector)
    assert set(gullible.tried) == {"read_paper", "plan", "find_data", "write_code"}
    assert desk.calls() == [["echo", {"text": "hi"}]]
    for tag, opening in SOURCES.items():
        found = sources(gullible, "log" if tag == "feedback" else tag)
        assert any(one == opening or (opening.endswith(" ") and one.startswith(opening)) for one in found), (tag, found)
