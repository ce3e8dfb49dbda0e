"""One connection to one server, which lives on the loop of `background`: open it, ask for the tools, call one.

What a server asks of us (a completion of a model, an answer of a person, our folders) is refused; its logs and progress
are not read. A connection is used until something goes wrong with it, and is then given up: `pool` makes another.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from trainwright.graph.servers import McpServer

from .pipes import Received
from .words import clean

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

__all__ = ["TOOL_LIMIT", "Connection", "Lost"]

Result = TypeVar("Result")

TOOL_LIMIT = 500
"""Tools of one server that are looked at."""

PAGES = 50
QUIET = logging.NullHandler()
ERRORS_SHOWN = 300


class Lost(Exception):
    """The connection cannot be used any more, or never could be.

    Attributes:
        sent: whether the request may have reached the server.
    """

    def __init__(self, why: str, *, sent: bool) -> None:
        super().__init__(why)
        self.sent = sent


class Connection:
    """A server that answers. All methods run on the loop."""

    def __init__(self, server: McpServer) -> None:
        self.server = server
        self.failure: BaseException | None = None
        self._client: Client | None = None
        self._ready = asyncio.Event()
        self._closing = asyncio.Event()
        self._gone = asyncio.Event()
        self._host: asyncio.Task[None] | None = None
        self._scope: Any = None
        self._said = ""
        self._received = Received(server)

    @property
    def alive(self) -> bool:
        """Whether it can be used, as far as is known."""
        return self._client is not None and not (self._gone.is_set() or self._closing.is_set())

    @property
    def protocol(self) -> str:
        """The version of the protocol that was agreed on."""
        assert self._client is not None
        return self._client.protocol_version

    async def open(self) -> None:
        """Connect.

        Raises:
            Lost: it cannot be; within the server's time.
        """
        self._host = asyncio.create_task(self._serve())
        ready, gone = asyncio.create_task(self._ready.wait()), asyncio.create_task(self._gone.wait())
        try:
            await asyncio.wait({ready, gone}, timeout=self.server.timeout_seconds, return_when="FIRST_COMPLETED")
        finally:
            ready.cancel()
            gone.cancel()
        if not self.alive:
            why = self._why() if self._gone.is_set() else self._late()
            self.abandon()
            raise Lost(why, sent=False)

    async def tools(self) -> list[Tool]:
        """What the server offers now.

        Raises:
            Lost: it does not answer, or not in a way that can be read.
        """
        found: list[Tool] = []
        cursor: str | None = None
        assert self._client is not None
        for _ in range(PAGES):
            page = await self._request(self._client.list_tools(cursor=cursor))
            found += page.tools
            cursor = page.next_cursor
            if not cursor or len(found) > TOOL_LIMIT:
                break
        return found[:TOOL_LIMIT]

    async def call(self, tool: str, arguments: dict[str, Any]) -> CallToolResult:
        """Call one tool, once.

        Raises:
            Lost: no answer came; `sent` says whether the call may have been carried out.
            MCPError: the server refuses the call.
        """
        assert self._client is not None
        return await self._request(self._client.call_tool(tool, arguments))

    def abandon(self) -> None:
        """Have it closed, without waiting."""
        self._closing.set()
        if self._scope is not None:
            self._scope.cancel()

    async def close(self) -> None:
        """Close it, and wait until it is."""
        self.abandon()
        if self._host is not None:
            await asyncio.wait({self._host})

    async def _request(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The answer to a request, or `Lost` when none can come."""
        from mcp import MCPError
        from mcp.client._input_required import InputRequiredRoundsExceededError
        from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT

        task, gone = asyncio.ensure_future(work), asyncio.create_task(self._gone.wait())
        limit = self.server.timeout_seconds
        try:
            await asyncio.wait({task, gone}, timeout=limit, return_when="FIRST_COMPLETED")
            if task.done():
                return task.result()
            if not self._gone.is_set():
                self.abandon()
                raise Lost(self._late(), sent=True)
            raise Lost(self._why(), sent=not self._never_sent())
        except MCPError as error:
            if why := self._of_transport(error.message):
                self.abandon()
                raise Lost(why, sent=self._received.status >= 500) from error
            if error.code not in (CONNECTION_CLOSED, REQUEST_TIMEOUT) and error.message != "Session terminated":
                raise
            self.abandon()
            with suppress(TimeoutError):  # the reason is known once the connection has ended
                await asyncio.wait_for(self._gone.wait(), 4)
            terminated = error.message == "Session terminated"  # said before anything is run
            why = self._why() if self.failure or self._said else clean(error.message, 200)
            raise Lost(why, sent=not (terminated or self._never_sent())) from error
        except (Lost, InputRequiredRoundsExceededError):
            raise
        except Exception as error:
            self.abandon()
            raise Lost(f"its answer cannot be read: {clean(str(error), 200)}", sent=True) from error
        finally:
            task.cancel()
            gone.cancel()
            await asyncio.wait({task, gone}, timeout=1)

    def _of_transport(self, said: str) -> str:
        """What the SDK says of an HTTP answer, in words that name no destination; empty where it is the server's word."""
        if said.startswith("Redirect to "):
            return "it redirects to another address, which is not followed"
        if said.startswith("Unexpected content type"):
            return f"what answers there is no MCP server ({clean(said.lower(), 100)})"
        status = self._received.status
        if said not in ("Server returned an error response", "Not Found") or not status:
            return ""
        return f"it answered with HTTP {status}{'; it wants other headers' if status in (401, 403) else ''}"

    def _never_sent(self) -> bool:
        import httpx2

        return isinstance(self.failure, (httpx2.ConnectError, httpx2.ConnectTimeout))

    async def _serve(self) -> None:
        """Hold the connection open. One task enters and leaves it, as the SDK needs."""
        from importlib.metadata import version

        import anyio
        from mcp import Client
        from mcp.types import Implementation

        # What the SDK warns of is in our own words; without a handler Python would write it over the screen.
        logging.getLogger("mcp").addHandler(QUIET)
        try:
            with anyio.CancelScope() as self._scope:
                async with self._streams() as streams:
                    about = Implementation(name="trainwright", version=await asyncio.to_thread(version, "trainwright"))
                    client = Client(streams, client_info=about, cache=None, input_required_max_rounds=1)
                    async with client:
                        # Neither checked nor listed anew for each answer: a pattern in a server's schema could keep
                        # the loop busy for ever, and the answer is data whatever its form.
                        client.session.validate_tool_result = _unchecked  # type: ignore[method-assign]
                        self._client = client
                        self._ready.set()
                        await self._closing.wait()
        except BaseException as error:  # noqa: BLE001 - kept for whoever uses the connection
            self.failure = _first(error)
        finally:
            self._gone.set()

    @asynccontextmanager
    async def _streams(self) -> AsyncGenerator[Any]:
        """The transport, and for a program its folder and what it writes to its error output."""
        if self.server.url:
            from .over_http import over_http

            yield over_http(self.server, self._received)
            return
        import anyio

        from .pipes import over_pipes

        # Files are opened and read in threads: the loop serves other servers too.
        place = await asyncio.to_thread(_Place)
        try:
            yield over_pipes(self.server, place.start(self.server.cwd), place.errors, self._received)
        finally:
            with anyio.CancelScope(shield=True):
                try:
                    self._said = await asyncio.to_thread(place.leave)
                except RuntimeError:  # the process ends, and starts no thread any more
                    self._said = place.leave()

    def _late(self) -> str:
        """That no answer came in time; an answer that is no message is none."""
        odd = self._received.odd
        lines = (
            f"; {odd:,} line{'s' if odd > 1 else ''} that it wrote {'are' if odd > 1 else 'is'} no message"
            if odd
            else ""
        )
        return f"it did not answer within {self.server.timeout_seconds:g} s{lines}"

    def _why(self) -> str:
        """Why it is gone, in words."""
        if isinstance(self.failure, FileNotFoundError):
            return f"{self.server.command!r} or the folder it should start in is not there"
        if isinstance(self.failure, OSError) and self.server.command:
            return f"{self.server.command!r} cannot be started: {self.failure.strerror or self.failure}"
        said = str(self.failure or "")
        what = self._of_transport(said) or clean(said, 200) or "it ended"
        return f"{what}; it wrote: {self._said}" if self._said else what


class _Place:
    """An empty folder for a program to start in, and a file for its error output."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="trainwright-mcp-"))
        self.errors: TextIO = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - `leave` closes it

    def start(self, wanted: str) -> str:
        """The folder that the program starts in."""
        return str(Path(wanted).expanduser()) if wanted else str(self.folder)

    def leave(self) -> str:
        """Remove both, and return the end of what was written."""
        end = self.errors.seek(0, 2)
        self.errors.seek(max(0, end - 4 * ERRORS_SHOWN))
        said = clean(self.errors.read(), 4 * ERRORS_SHOWN)[-ERRORS_SHOWN:]
        self.errors.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return said


async def _unchecked(name: str, result: Any) -> None:
    """Nothing is checked."""


def _first(error: BaseException) -> BaseException:
    """The first cause in a group of errors that is none of a cancellation."""
    if isinstance(error, BaseExceptionGroup):
        inner = [_first(one) for one in error.exceptions]
        return next((one for one in inner if not isinstance(one, asyncio.CancelledError)), inner[0])
    return error
