"""A stage with the tools of the MCP servers that it was offered when it began.

`offer` asks the servers once, in `prepare`, and leaves what they said in the run's folder; `offered` makes a stage of
that, the same in every process and at every resume. A call of a server's tool acts, whatever the server says of it: the
policy judges it as `mcp/SERVER/TOOL`, which is asked about unless a rule allows it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model, model_validator
from pydantic_core import PydanticCustomError

from trainwright.engineers import BUILT_IN
from trainwright.engineers.outside import USE
from trainwright.engineers.protocol import Stage
from trainwright.engineers.providers import load_litellm
from trainwright.engineers.schemas import functions_of
from trainwright.graph.configuration import load_configuration
from trainwright.graph.errors import RemoteError, RequestError
from trainwright.graph.redaction import redact
from trainwright.prompts import as_data
from trainwright.tools.policy.actions import Action, Fact
from trainwright.tools.policy.facts import KNOWN_FACTS
from trainwright.tools.servers import call_tool
from trainwright.tools.servers.offers import TOKENS, Offer, Offers, asked, offers_path
from trainwright.tools.servers.schema import problems
from trainwright.tools.toolbox import Tool, Workbench

from .surroundings import surroundings

__all__ = ["FIND", "USE", "offer", "offered"]

FIND = "find_tool"

GIVEN = frozenset({"path", "url", "host", "query", "repository", "method"})
"""Facts of the program's own that a rule may match in what a tool is given; the others a model must not set."""

SHOWN = 600
"""Characters of arguments that the words for a person have; the card shows all of them."""

FOUND = 8
"""Tools that a search lists with their schemas."""


def offer(stage: Stage, bench: Workbench) -> list[str]:
    """Ask the servers of a stage for their tools and keep them in the run's folder; what is to be said (blocking).

    The built-in engineer calls none of them, so nothing is started for it.
    """
    if bench.settings.engineer == BUILT_IN:
        return []
    try:
        configured = load_configuration().mcp.servers
    except RequestError as error:
        return [f"No MCP server was asked: {error.message}"]
    servers = {name: server for name, server in configured.items() if stage.name in server.stages}
    path = offers_path(bench.folder, stage.name, bench.attempt, bench.repairs)
    before = Offers.model_validate_json(path.read_text(encoding="utf-8")) if path.exists() else Offers()
    if not set(servers) - set(before.answered):
        return []
    room = TOKENS - _tokens_of(json.dumps(functions_of(stage), ensure_ascii=False))
    with surroundings(bench):
        offers, notes = asked(servers, before, room, _tokens_of)
    temporary = path.with_name(path.name + ".part")
    temporary.write_text(offers.model_dump_json(), encoding="utf-8")
    temporary.replace(path)
    return notes


def _tokens_of(text: str) -> int:
    """By the tokenizer that litellm carries; models of other makers count a little differently."""
    load_litellm()
    from litellm.litellm_core_utils.default_encoding import encoding

    return len(encoding.encode(text, disallowed_special=()))


def offered(stage: Stage, bench: Workbench) -> Stage:
    """The stage with the tools of its servers (blocking); the stage itself where there are none."""
    path = offers_path(bench.folder, stage.name, bench.attempt, bench.repairs)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return stage
    return _with(stage, text)


@lru_cache(maxsize=32)
def _with(stage: Stage, text: str) -> Stage:
    offers = Offers.model_validate_json(text).offers
    tools = [_tool(one) for one in offers if one.direct]
    if further := {one.called: one for one in offers if not one.direct}:
        tools += [_finding(further), _using({one.called: one for one in offers})]
    return replace(stage, tools=(*stage.tools, *tools)) if tools else stage


def _tool(one: Offer) -> Tool:
    def run(_: Workbench, wanted: Any) -> str:
        return _call(one, wanted.root)

    def acts(bench: Workbench, wanted: Any) -> list[Action]:
        return [_action(one, wanted.root)]

    return Tool(one.called, one.says, _arguments(one), run, acts=acts, parameters=one.parameters)


def _arguments(one: Offer) -> type[BaseModel]:
    """The arguments of a server's tool: an object that fits the server's own schema."""

    class Arguments(RootModel[dict[str, Any]]):
        @model_validator(mode="after")
        def _fit(self) -> Arguments:
            _check(one, self.root)
            return self

    return Arguments


def _check(one: Offer, arguments: Mapping[str, Any]) -> None:
    if wrong := problems(one.tool.checked, arguments):
        text = as_data("; ".join(wrong))  # it repeats what the server allows
        raise PydanticCustomError("server_schema", "{text}", {"text": f"the server's schema says {text}"})


def _finding(further: Mapping[str, Offer]) -> Tool:
    """The search among the tools that are no functions of their own."""

    class Search(BaseModel):
        model_config = ConfigDict(extra="forbid")

        query: str = Field(max_length=200)

    def run(_: Workbench, wanted: Any) -> dict[str, Any]:
        found = _search(further, wanted.query)
        rows = [{"name": o.called, "description": o.says, "parameters": o.parameters} for o in found[:FOUND]]
        names = [o.called for o in found[FOUND:]]
        whom = [{"name": f"MCP server {name}"} for name in dict.fromkeys(o.tool.server for o in found[:FOUND])]
        return {"tools": rows, **({"further": names} if names else {}), "sources": whom}

    servers = ", ".join(dict.fromkeys(o.tool.server for o in further.values()))
    about = f"Search {len(further)} further tools of the MCP servers {servers}; an empty query lists all."
    return Tool(FIND, about, Search, run)


def _search(further: Mapping[str, Offer], query: str) -> list[Offer]:
    """Those that have the most of the words; all of them where none has any."""
    words = query.lower().split()
    scored = [(sum(w in f"{o.called} {o.tool.description}".lower() for w in words), o) for o in further.values()]
    best = max((score for score, _ in scored), default=0)
    return [o for score, o in sorted(scored, key=lambda pair: -pair[0]) if score or not best]


def _using(offers: Mapping[str, Offer]) -> Tool:
    """The call of a tool by its name, which is judged as the call of that tool."""

    def fit(self: Any) -> Any:
        _check(offers[self.name], self.arguments)
        return self

    fields: dict[str, Any] = {"name": (Literal[tuple(offers)], ...), "arguments": (dict[str, Any], Field({}))}
    checks: dict[str, Any] = {"fit": model_validator(mode="after")(fit)}
    wanted_of = create_model("Use", __config__=ConfigDict(extra="forbid"), __validators__=checks, **fields)

    def run(_: Workbench, wanted: Any) -> str:
        return _call(offers[wanted.name], wanted.arguments)

    def acts(bench: Workbench, wanted: Any) -> list[Action]:
        return [_action(offers[wanted.name], wanted.arguments)]

    texts = {"name": {"type": "string"}, "arguments": {"type": "object"}}
    shown = {"type": "object", "properties": texts, "required": ["name", "arguments"]}
    return Tool(USE, f"Call a tool that {FIND} found, by its name.", wanted_of, run, acts=acts, parameters=shown)


def _action(one: Offer, arguments: Mapping[str, Any]) -> Action:
    tool = one.tool
    facts: dict[str, Fact] = {
        name: value
        for name, value in arguments.items()
        if isinstance(value, str | int | float | bool) and (name in GIVEN or name not in KNOWN_FACTS)
    }
    given = json.dumps(redact(dict(arguments)), ensure_ascii=False)
    given = given if len(given) <= SHOWN else f"{given[:SHOWN]}…"
    text = f"call {tool.name} of the MCP server {tool.server} with {given}; the server's own words about it: “{tool.description}”"
    own: dict[str, Fact] = {"server": tool.server, "claims_read_only": tool.claims_read_only}
    return Action(f"mcp/{tool.server}/{tool.name}", {**facts, **own}, text=text)


def _call(one: Offer, arguments: Mapping[str, Any]) -> str:
    name = one.tool.server
    server = load_configuration().mcp.servers.get(name)
    if server is None:
        raise RemoteError(f"The MCP server {name} is not configured any more; {one.tool.name} was not called.")
    return call_tool(name, server, one.tool, arguments)
