"""The connections of this process, one a server, and the calls of tools over them.

Before each call the server is asked again what it offers. That shows that it is there, so that a connection which was
lost is made anew before anything is at stake, and it shows a tool that is no longer what was offered: such a call is
refused. A call itself is sent once. Where no answer comes and it may have been carried out, that is said, and it is not
sent again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import NotCached, RemoteError, RemoteUnavailable
from trainwright.graph.redaction import redact
from trainwright.graph.servers import McpServer
from trainwright.tools.http import is_offline

from .answer import text_of
from .background import at_end, on_loop
from .connection import Connection, Lost
from .schema import problems
from .words import clean

if TYPE_CHECKING:
    from mcp.types import CallToolResult, Tool

    from .listing import ServerTool

__all__ = ["call_tool", "close_all", "connections"]

TRIES = 2
"""Connections that are made for one request, at most."""


class Connections:
    """The open connections. Lives on the loop."""

    def __init__(self) -> None:
        self._open: dict[str, Connection] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def of(self, name: str, server: McpServer) -> Connection:
        """The connection to a server, a new one where there is none that works.

        Raises:
            Lost: none can be made.
        """
        key = _key(name, server)
        async with self._locks.setdefault(key, asyncio.Lock()):
            there = self._open.get(key)
            if there is not None and there.alive:
                return there
            fresh = Connection(server)
            self._open[key] = fresh
            await fresh.open()
            return fresh

    async def tools(self, name: str, server: McpServer) -> tuple[list[Tool], str]:
        """What a server offers now, and the version of the protocol; one that was lost is connected to anew."""
        from mcp import MCPError

        for attempt in range(1, TRIES + 1):
            used = self._open.get(_key(name, server))
            worked = used is not None and used.alive
            try:
                connection = await self.of(name, server)
                return await connection.tools(), connection.protocol
            except (Lost, MCPError) as error:
                if isinstance(error, MCPError):  # for one, it does not know the session any more
                    connection.abandon()
                # A fresh one that fails would fail again: only one that had worked before is worth another try.
                if attempt == TRIES or not worked:
                    raise
        raise AssertionError("unreachable")

    async def call(
        self, name: str, server: McpServer, digest: str, tool: str, arguments: dict[str, Any]
    ) -> CallToolResult:
        """Call a tool that is still what `digest` was taken of."""
        from .listing import digest_of

        for attempt in range(1, TRIES + 1):
            tools, _ = await self.tools(name, server)
            now = next((one for one in tools if one.name == tool), None)
            if now is None:
                raise RemoteError(f"The MCP server {name} does not offer {tool} any more; nothing was called.")
            if digest_of(now) != digest:
                raise RemoteError(
                    f"The MCP server {name} has changed what it says of {tool} since it was offered; it was not called.",
                    hint=f"Look at `trainwright mcp tools {name}`. A new attempt of the stage offers it as it is now.",
                )
            if wrong := problems(now.input_schema, arguments):
                raise RemoteError(f"The arguments of {tool} do not fit; it was not called.\n" + "\n".join(wrong))
            try:
                return await (await self.of(name, server)).call(tool, arguments)
            except Lost as error:
                if error.sent or attempt == TRIES:
                    raise
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Close all of them."""
        there, self._open = list(self._open.values()), {}
        await asyncio.gather(*(one.close() for one in there))


def _key(name: str, server: McpServer) -> str:
    """A server whose entry was changed is another one."""
    return f"{name} {server.model_dump_json()}"


_connections: Connections | None = None


def connections() -> Connections:
    """Those of this process; called on the loop."""
    global _connections
    if _connections is None:
        _connections = Connections()
        at_end(_connections.close)
    return _connections


def close_all() -> None:
    """Close every connection (blocking); the next call makes a new one."""
    if _connections is not None:
        on_loop(_connections.close(), 15)


def call_tool(name: str, server: McpServer, tool: ServerTool, arguments: Mapping[str, Any]) -> str:
    """Call a tool of a server (blocking).

    Args:
        name, server: the server and its entry in the configuration.
        tool: as it was offered.
        arguments: by name.

    Returns:
        The answer as text, of at most the server's `max_bytes`.

    Raises:
        RemoteUnavailable: the server cannot be reached; nothing was called.
        RemoteError: it answered with an error, has changed the tool, or gave no answer, so that the call may have been
            carried out.
        NotCached: it speaks HTTP, and the program is offline.
    """
    if server.url and is_offline():
        raise NotCached(
            f"The MCP server {name} speaks HTTP, and the program is offline; {tool.name} was not called.",
            hint="Go on without --offline, or use a server of this machine.",
        )
    limit = 2 * TRIES * 2 * server.timeout_seconds + 30
    try:
        result = on_loop(_called(name, server, tool, dict(arguments)), limit)
    except TimeoutError as error:
        raise RemoteError(
            f"The MCP server {name} gave no answer in {limit:g} s; {tool.name} may have been carried out."
        ) from error
    text: str = redact(text_of(result, server.max_bytes))
    if result.is_error:
        raise RemoteError(f"The MCP server {name} answers {tool.name} with an error: {text}")
    return text


async def _called(name: str, server: McpServer, tool: ServerTool, arguments: dict[str, Any]) -> CallToolResult:
    from mcp import MCPError
    from mcp.client._input_required import InputRequiredRoundsExceededError

    try:
        return await connections().call(name, server, tool.digest, tool.name, arguments)
    except Lost as error:
        why = redact(str(error))
        if error.sent:
            raise RemoteError(
                f"The MCP server {name} gave no answer to {tool.name} ({why}); it may have been carried out, and was "
                "not called again.",
                hint="Find out whether it was before calling it again.",
            ) from error
        raise RemoteUnavailable(
            f"The MCP server {name} cannot be reached ({why}); {tool.name} was not called.",
            hint="Look at `trainwright mcp list`; go on without it meanwhile.",
        ) from error
    except (MCPError, InputRequiredRoundsExceededError) as error:
        said = clean(str(error), 1_000)
        raise RemoteError(
            f"The MCP server {name} refuses the call of {tool.name}, or wants something for it that is not given "
            f"(a model's words, a person's, folders): {redact(said)}"
        ) from error


def _forked() -> None:
    """The child of a fork has no connections; those that it sees are its parent's."""
    global _connections
    _connections = None


os.register_at_fork(after_in_child=_forked)
