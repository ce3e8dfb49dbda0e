"""A server as a program of this machine: its messages are lines on its pipes.

The SDK's own transport reads a line however long it is and hands over the environment's `SHELL` and `TERM`; this one
ends a server whose line is too long, or which writes much that is no message, and hands over what the entry says and
the few variables without which no program runs. A server is ended by closing its input; one that stays is killed with
all its children.
"""

from __future__ import annotations

import json
import logging
import os
import signal
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, TextIO

from trainwright.graph.servers import McpServer

if TYPE_CHECKING:
    from anyio.abc import Process

__all__ = ["INHERITED", "LINE_LIMIT", "Received", "environment", "over_pipes"]

log = logging.getLogger(__name__)

INHERITED = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR")
"""Variables that every server gets; no other but those of its own entry."""

MESSAGES = 10_000
MESSAGES_A_SECOND = 100
"""Requests and notices of a server until our next request: so many, and so many more for each second of its time."""

LINE_LIMIT = 16 * 2**20
"""Bytes of one message, and of all lines together that are none."""

GRACE = 1.5
"""Seconds that a server has to end once its input has, and again once it was told to."""


def environment(server: McpServer) -> dict[str, str]:
    """The environment of a server's program."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | server.env


@asynccontextmanager
async def over_pipes(
    server: McpServer, folder: str, errors: TextIO, counted: Received
) -> AsyncGenerator[tuple[Any, Any]]:
    """The streams of messages from and to a server, while its program runs.

    Args:
        server: what to start.
        folder: where it is started.
        errors: a file that takes what it writes to its error output.
        counted: takes how much it sends.

    Raises:
        OSError: it cannot be started.
    """
    import anyio
    from mcp.shared.message import SessionMessage

    process = await anyio.open_process(
        [server.command, *server.args], cwd=folder, env=environment(server), stderr=errors, start_new_session=True
    )
    incoming, received = anyio.create_memory_object_stream[SessionMessage | Exception](0)
    sent, outgoing = anyio.create_memory_object_stream[SessionMessage](0)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_read, process, incoming, counted)
            tasks.start_soon(_write, process, outgoing, counted)
            try:
                yield received, sent
            finally:
                with anyio.CancelScope(shield=True):
                    received.close()
                    sent.close()
                    await _end(process)
                tasks.cancel_scope.cancel()
    finally:
        for stream in (incoming, received, sent, outgoing):
            stream.close()


class Received:
    """How much a server sends that answers nothing. Without an end of it, a server could take all memory and a core.

    Attributes:
        odd: lines that are no messages.
        status: of its last HTTP answer, where that was an error.
    """

    def __init__(self, server: McpServer) -> None:
        self.most = MESSAGES + MESSAGES_A_SECOND * server.timeout_seconds
        self.count = self.odd = self.status = 0

    def take(self, message: Any) -> None:
        """Count a message of the server.

        Raises:
            ValueError: there are too many.
        """
        self.count += hasattr(message, "method")
        if self.count > self.most:
            raise ValueError(f"it sent more than {self.most:,.0f} messages that nobody asked for")

    def sent(self, message: Any) -> None:
        """A request of ours begins the count anew; our answers to the server's do not."""
        if hasattr(message, "method") and hasattr(message, "id"):
            self.count = 0


async def _read(process: Process, incoming: Any, counted: Received) -> None:
    """Every line that is a message; the others are left out."""
    import anyio
    from mcp.shared.message import SessionMessage

    assert process.stdout is not None
    buffer, junk = bytearray(), 0
    async with incoming:
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
            async for chunk in process.stdout:
                start = len(buffer)
                buffer += chunk
                while (end := buffer.find(b"\n", start)) >= 0:
                    line, start = bytes(buffer[:end]), 0
                    del buffer[: end + 1]
                    try:
                        message = _message(line)
                    except ValueError:
                        junk += len(line)
                        counted.odd += bool(line.strip())
                        log.debug("a line of %d bytes is no message", len(line))
                        continue
                    counted.take(message)
                    await incoming.send(SessionMessage(message))
                if len(buffer) > LINE_LIMIT or junk > LINE_LIMIT:
                    raise ValueError(f"it wrote more than {LINE_LIMIT // 2**20} MiB that are no message")


def _message(line: bytes) -> Any:
    """The message in a line. Halves of characters, as a server in Python writes for odd names of files, become "?".

    Raises:
        ValueError: there is none.
    """
    from mcp.types import jsonrpc_message_adapter

    try:
        return jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValueError:
        if b"\\u" not in line:
            raise
    try:
        whole = json.dumps(json.loads(line), ensure_ascii=False)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return jsonrpc_message_adapter.validate_json(whole.encode("utf-8", "replace"), by_name=False)


async def _write(process: Process, outgoing: Any, counted: Received) -> None:
    import anyio

    assert process.stdin is not None
    with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError, OSError):
        async with outgoing:
            async for one in outgoing:
                counted.sent(one.message)
                line = one.message.model_dump_json(by_alias=True, exclude_unset=True) + "\n"
                await process.stdin.send(line.encode())


async def _end(process: Process) -> None:
    """Close its input; then tell it and its children to end; then kill them."""
    import anyio

    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await process.stdin.aclose()
    for number in (signal.SIGTERM, signal.SIGKILL, None):
        with anyio.move_on_after(GRACE):
            # Not process.wait(): it waits for the pipes too, which a child of the server may keep open.
            while process.returncode is None:  # noqa: ASYNC110 - there is no event for it
                await anyio.sleep(0.01)
        if number is not None and (process.returncode is None or number == signal.SIGKILL):
            with suppress(OSError):
                os.killpg(process.pid, number)
        if process.returncode is not None and number != signal.SIGTERM:
            break
    with suppress(OSError, anyio.BrokenResourceError, anyio.ClosedResourceError):
        await process.stdout.aclose()
    # Else it would warn when it is collected while a survivor holds an end of a pipe; nothing public closes it.
    if (transport := getattr(getattr(process, "_process", None), "_transport", None)) is not None:
        transport.close()
