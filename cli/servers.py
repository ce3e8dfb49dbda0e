"""`trainwright mcp`: the configured MCP servers, what they offer, and a call by hand.

`list` and `tools` start or ask the servers; `call` calls a tool for the person who types it, so that no policy is asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trainwright.graph.errors import RequestError, TrainwrightError

from .failures import guarded
from .screen import Line, open_screen

if TYPE_CHECKING:
    from trainwright.graph.servers import McpServer
    from trainwright.tools.servers import Listed

__all__ = ["servers_app"]

Offline = Annotated[bool, typer.Option("--offline", help="Ask no server over HTTP.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON on standard output, nothing else.")]


def servers_app() -> typer.Typer:
    """The commands."""
    app = typer.Typer(name="mcp", help="The MCP servers of your configuration.", no_args_is_help=True)
    app.command("list", help="Every server: whether it answers, and how many tools it offers to which stages.")(
        guarded(list_servers)
    )
    app.command("tools", help="The tools of a server, in the server's own words.")(guarded(show_tools))
    app.command("call", help="Call a tool of a server; the arguments are a JSON object.")(guarded(call))
    return app


def list_servers(offline: Offline = False, as_json: AsJson = False) -> int:
    """Ask every server at once."""
    servers = _configured()
    found = _listed(servers, offline)
    if as_json:
        _write({name: _facts(server, found[name]) for name, server in servers.items()})
    elif not servers:
        open_screen().show([Line("No MCP server is configured; docs/mcp.md says how.")])
    else:
        open_screen().show(line for name, server in servers.items() for line in _lines(name, server, found[name]))
    return 1 if any(one.problem for one in found.values()) else 0


def show_tools(name: str, offline: Offline = False, as_json: AsJson = False) -> int:
    """Ask one server."""
    server = _server(name)
    listed = _listed({name: server}, offline)[name]
    if as_json:
        shown = {"claims_read_only", "name", "description", "parameters"}
        _write({**_facts(server, listed), "tools": [one.model_dump(include=shown) for one in listed.tools]})
        return 1 if listed.problem else 0
    lines = list(_lines(name, server, listed))
    for tool in listed.tools:
        lines.append(Line(tool.name, "title"))
        lines.append(Line(f"{name} says: {tool.description or 'nothing about it'}", indent=2))
        lines.append(Line(json.dumps(tool.parameters, ensure_ascii=False), "faint", indent=2))
    open_screen().show(lines)
    return 1 if listed.problem else 0


def call(
    name: str,
    tool: str,
    arguments: Annotated[str, typer.Argument()] = "{}",
    offline: Offline = False,
    as_json: AsJson = False,
) -> int:
    """Call a tool and print its answer."""
    from trainwright.tools.http import lookups
    from trainwright.tools.servers import call_tool

    server, given = _server(name), _object(arguments)
    listed = _listed({name: server}, offline)[name]
    if listed.problem:
        raise TrainwrightError(f"The MCP server {name} cannot be used: {listed.problem}. Nothing was called.")
    wanted = next((one for one in listed.tools if one.name == tool), None)
    if wanted is None:
        there = ", ".join(one.name for one in listed.tools) or "none"
        raise RequestError(f"The MCP server {name} has no tool {tool!r}.", hint=f"There is: {there}.")
    with lookups(offline=offline):
        answer = call_tool(name, server, wanted, given)
    if as_json:
        _write({"server": name, "tool": tool, "answer": answer})
    else:
        open_screen().show(Line(line) for line in answer.splitlines())
    return 0


def _configured() -> dict[str, McpServer]:
    from trainwright.graph.configuration import load_configuration

    return dict(load_configuration().mcp.servers)


def _server(name: str) -> McpServer:
    servers = _configured()
    if name not in servers:
        there = f"There is: {', '.join(servers)}." if servers else "docs/mcp.md says how to configure one."
        raise RequestError(f"No MCP server is named {name!r}.", hint=there)
    return servers[name]


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise RequestError(
            f"The arguments are no JSON: {error}.", hint="""Write them as '{"text": "hi"}'."""
        ) from error
    if not isinstance(value, dict):
        raise RequestError("The arguments are no JSON object.", hint="""Write them as '{"text": "hi"}'.""")
    return value


def _listed(servers: dict[str, McpServer], offline: bool) -> dict[str, Listed]:
    from trainwright.tools.http import lookups
    from trainwright.tools.servers import list_tools

    with lookups(offline=offline):
        return list_tools(servers)


def _facts(server: McpServer, listed: Listed) -> dict[str, Any]:
    return {
        "where": server.where,
        "stages": list(server.stages),
        "answers": not listed.problem,
        "problem": listed.problem,
        "protocol": listed.protocol,
        "tools": [one.name for one in listed.tools],
        "notes": listed.notes,
    }


def _lines(name: str, server: McpServer, listed: Listed) -> Iterable[Line]:
    stages = ", ".join(server.stages) or "no stage"
    if listed.problem:
        yield Line(f"{name} ({server.where}) cannot be used: {listed.problem}", "bad")
    else:
        count = len(listed.tools)
        tools = f"{count} tool{'' if count == 1 else 's'}"
        yield Line(f"{name} ({server.where}) answers: {tools} for {stages}; protocol {listed.protocol}", "good")
    yield from (Line(note, "warn", indent=2) for note in listed.notes)


def _write(value: dict[str, Any]) -> None:
    from trainwright.graph.redaction import redact

    from .jsonlines import json_lines

    json_lines().write(redact(value))
