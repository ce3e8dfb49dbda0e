"""What servers offer: their tools, asked for at once, each server within its own time.

A server that is down, silent or unreadable is said to be so, and the others are not kept waiting. What a server says of
a tool is cleaned and cut, and a digest is taken of all of it, so that a change is noticed when the tool is called.
"""

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from trainwright.graph.redaction import redact
from trainwright.graph.servers import McpServer
from trainwright.tools.http import is_offline

from .background import on_loop
from .connection import TOOL_LIMIT, Lost
from .schema import shown
from .words import clean

if TYPE_CHECKING:
    from mcp.types import Tool

__all__ = ["Listed", "ServerTool", "digest_of", "list_tools"]

DESCRIPTION = 300
"""Characters of a tool's description that are shown."""

SCHEMA_LIMIT = 20_000
"""Characters of a schema that is kept; a longer one is looked at only when the tool is called."""

NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")


class ServerTool(BaseModel):
    """One tool of a server.

    Attributes:
        server: the server's name in the configuration.
        name: as the server calls it.
        description: the server's words, cleaned and cut.
        parameters: the schema of its arguments as it is shown.
        checked: the schema as the server gave it; empty where it was too long to be kept.
        digest: of all that the server says of it.
        claims_read_only: what the server says; nobody has checked it.
    """

    server: str
    name: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    checked: dict[str, Any] = Field(default_factory=dict)
    digest: str
    claims_read_only: bool = False


class Listed(BaseModel):
    """What one server offers, or why nothing.

    Attributes:
        tools: in the server's order; those that the configuration allows.
        problem: why there are none; empty where it answered.
        notes: what was left out.
        protocol: version of the protocol that was agreed on.
    """

    tools: list[ServerTool] = Field(default_factory=list)
    problem: str = ""
    notes: list[str] = Field(default_factory=list)
    protocol: str = ""


def list_tools(servers: Mapping[str, McpServer]) -> dict[str, Listed]:
    """What each server offers (blocking, for as long as the slowest may take)."""
    offline = is_offline()
    asked = {name: server for name, server in servers.items() if not (offline and server.url)}
    if asked:
        limit = max(map(_longest, asked.values())) + 5
        found = on_loop(_all(asked), limit)
    else:
        found = {}
    resting = "it speaks HTTP, and the program is offline; it was not asked"
    return {name: found.get(name) or Listed(problem=resting) for name in servers}


def _longest(server: McpServer) -> float:
    """Seconds after which a server has to have said all: its time to connect and its time to answer, and a few to close."""
    return 2 * server.timeout_seconds + 10


async def _all(servers: Mapping[str, McpServer]) -> dict[str, Listed]:
    answers = await asyncio.gather(*(_in_time(name, server) for name, server in servers.items()))
    return dict(zip(servers, answers, strict=True))


async def _in_time(name: str, server: McpServer) -> Listed:
    """What one server offers; whatever it does, the others are heard."""
    limit = _longest(server)
    try:
        return await asyncio.wait_for(_one(name, server), limit)
    except TimeoutError:
        return Listed(problem=f"it had not said within {limit:g} s all that it offers")
    except Exception as error:  # noqa: BLE001 - a server's words can be wrong in more ways than are known
        return Listed(problem=redact(clean(f"what it says of its tools cannot be used: {error}", DESCRIPTION)))


async def _one(name: str, server: McpServer) -> Listed:
    from mcp import MCPError

    from .pool import connections

    try:
        tools, protocol = await connections().tools(name, server)
    except Lost as error:
        return Listed(problem=redact(str(error)))
    except MCPError as error:
        return Listed(problem=redact(clean(f"it refused to say what it offers: {error.message}", DESCRIPTION)))
    listed = Listed(protocol=protocol)
    for tool in tools:
        if note := _left_out(tool, server, listed):
            listed.notes.append(note)
        elif any(fnmatch.fnmatchcase(tool.name, glob) for glob in server.tools):
            listed.tools.append(_tool(name, tool))
    if len(tools) == TOOL_LIMIT:
        listed.notes.append(f"it offers {TOOL_LIMIT} tools or more; no further one was looked at")
    return listed


def _left_out(tool: Tool, server: McpServer, listed: Listed) -> str:
    if not NAME.fullmatch(tool.name):
        return f"a tool with the unusable name {clean(tool.name, 60)!r} was left out"
    if any(one.name == tool.name for one in listed.tools):
        return f"it offers two tools named {tool.name}; the second was left out"
    return ""


def _tool(server: str, tool: Tool) -> ServerTool:
    raw = tool.input_schema if len(json.dumps(tool.input_schema)) <= SCHEMA_LIMIT else {}
    return ServerTool(
        server=server,
        name=tool.name,
        description=redact(clean(tool.description or tool.title or "", DESCRIPTION)),
        parameters=redact(shown(tool.input_schema)),
        checked=raw,
        digest=digest_of(tool),
        claims_read_only=bool(tool.annotations and tool.annotations.read_only_hint),
    )


def digest_of(tool: Tool) -> str:
    """A digest of all that a server says of a tool: its words, its schemas, its claims."""
    said = tool.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"meta", "icons"})
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
