"""Serves a real server, which speaks over its pipes alone, over HTTP instead; run by the Python of its environment.

python bridge.py MODULE PORT          prints the port once it listens; MODULE has `serve()`
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import socket
import sys
from typing import Any

import uvicorn
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

run = Server.run


async def over_http(self: Any, *_: Any, **__: Any) -> None:
    """In place of `Server.run`."""
    Server.run = run  # type: ignore[method-assign]  # each session is run by it
    manager = StreamableHTTPSessionManager(app=self)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await manager.handle_request(scope, receive, send)

    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(sys.argv[2])))
    listening.listen()
    print(listening.getsockname()[1], file=sys.stderr, flush=True)
    async with manager.run():
        await uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off")).serve([listening])


@contextlib.asynccontextmanager
async def no_pipes() -> Any:
    """In place of `stdio_server`."""
    yield None, None


Server.run = over_http  # type: ignore[method-assign]
module: Any = importlib.import_module(sys.argv[1])
module.stdio_server = no_pipes
asyncio.run(module.serve())
