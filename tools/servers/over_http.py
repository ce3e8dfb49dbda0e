"""A server at an address: streamable HTTP by the SDK, with our limits of size and time.

The headers of the server's entry go to its origin alone: the SDK follows a redirect within that origin and no other.
Nothing of this machine goes along: no `.netrc`, no cookie, no token. Proxies of the environment are honoured.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from trainwright.graph.servers import McpServer
from trainwright.tools.http.call import user_agent

from .pipes import Received

__all__ = ["ANSWER_LIMIT", "over_http"]

ANSWER_LIMIT = 16 * 2**20
"""Bytes of one HTTP answer, and of all that a server sends on streams of its own until our next request."""

TOO_MUCH = f"it sent more than {ANSWER_LIMIT // 2**20} MiB"


@asynccontextmanager
async def over_http(server: McpServer, counted: Received) -> AsyncGenerator[tuple[Any, Any]]:
    """The streams of messages from and to a server.

    Args:
        counted: takes the status of an answer that is an error.
    """
    import httpx2
    from mcp.client.streamable_http import streamable_http_client

    from trainwright.tools.http.network import proxy_for

    class Limited(httpx2.AsyncBaseTransport):
        """Ends an answer that is too large; a compressed one, whose size is not known, is refused."""

        def __init__(self) -> None:
            self.inner = httpx2.AsyncHTTPTransport(proxy=proxy_for(server.url) or None, trust_env=False)
            self.unasked = 0

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            if request.method == "POST" and b'"method"' in request.content and b'"id"' in request.content:
                self.unasked = 0  # a request of ours, and no answer to one of the server's
            if request.method == "GET" and self.unasked > ANSWER_LIMIT:
                raise httpx2.ReadError(TOO_MUCH, request=request)
            answer = await self.inner.handle_async_request(request)
            if request.method == "POST":
                counted.status = answer.status_code if answer.status_code >= 400 else 0
            if answer.headers.get("content-encoding", "identity") != "identity":
                await answer.aclose()
                raise httpx2.DecodingError("it answered compressed, which was not asked for", request=request)
            answer.stream = Counted(self, answer.stream, request.method == "GET")
            return answer

        async def aclose(self) -> None:
            await self.inner.aclose()

    class Counted(httpx2.AsyncByteStream):
        """The bytes of an answer; those of a server's own streams are counted together."""

        def __init__(self, transport: Limited, inner: Any, unasked: bool) -> None:
            self.transport, self.inner, self.unasked = transport, inner, unasked
            self.before = transport.unasked if unasked else 0

        async def __aiter__(self) -> AsyncIterator[bytes]:
            count = 0
            async for chunk in self.inner:
                count += len(chunk)
                self.transport.unasked += len(chunk) if self.unasked else 0
                if count > ANSWER_LIMIT - self.before:
                    raise httpx2.ReadError(TOO_MUCH)
                yield chunk

        async def aclose(self) -> None:
            await self.inner.aclose()

    headers = {"user-agent": user_agent(), **server.headers, "accept-encoding": "identity"}
    client = httpx2.AsyncClient(
        headers=headers, timeout=httpx2.Timeout(server.timeout_seconds), transport=Limited(), trust_env=False
    )
    streams = streamable_http_client(server.url, http_client=client, max_sse_event_size=ANSWER_LIMIT)
    async with client, streams as (received, sent):
        yield received, sent
