"""langchain-litellm's chat model, which also knows whether the provider ended its answer.

Importing this loads litellm: `engineers/providers.py` does it first, in its quiet way.
"""

from __future__ import annotations

import inspect
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Any

from langchain_litellm import ChatLiteLLM
from pydantic import PrivateAttr

__all__ = ["Chat"]

END = 20
"""Lines behind an answer, at most, that are read to its end."""


class Chat(ChatLiteLLM):
    """A chat model of whose last streamed answer, in this thread, it is known whether it is whole.

    litellm makes up a reason to end where a stream breaks off in good order (a proxy that was restarted), in the middle
    of a call too, and figures of tokens where the provider gives none; only its own stream still knows.
    """

    _streams: threading.local = PrivateAttr(default_factory=threading.local)

    def completion_with_retry(self, run_manager: Any = None, **kwargs: Any) -> Any:
        """Open a stream, and keep it for `finished`."""
        stream = super().completion_with_retry(run_manager=run_manager, **kwargs)
        self._streams.last, self._streams.counted = stream, False
        return self._pieces(stream)

    def _pieces(self, stream: Any) -> Iterator[Any]:
        """The pieces of a stream, up to its figures.

        litellm keeps them all and joins them, twice, for a log that nobody reads and for the figures, which are in one
        piece alone: so the others are taken out of its hands.
        """
        for piece in stream:
            kept = getattr(stream, "chunks", None)
            if isinstance(kept, list) and len(kept) > 1:
                kept[1:] = [one for one in kept[1:] if getattr(one, "usage", None) is not None]
            self._streams.counted = any(getattr(one, "usage", None) is not None for one in kept or ())
            yield piece
            if getattr(piece, "usage", None) is not None and getattr(stream, "received_finish_reason", None):
                return

    def finished(self) -> tuple[bool, bool]:
        """Whether the provider said that the last answer of this thread is complete, and whether it counted its tokens.

        The stream is let go: litellm leaves it half read, in a cycle. The garbage collector would close it whenever it
        comes to it: after hundreds of calls, or while httpx holds the very lock that closing takes.
        """
        last = getattr(self._streams, "last", None)
        self._streams.last = None
        whole = getattr(last, "received_finish_reason", "") is not None
        if chunks := getattr(last, "chunks", None):
            chunks.clear()
        _close(getattr(last, "completion_stream", None), whole)
        return whole, bool(getattr(self._streams, "counted", False))


def _close(stream: Any, whole: bool) -> None:
    """Close a stream and the generators that it reads from, in whatever client of litellm's it came from.

    Behind a whole answer stands only the protocol's own end: with that read, its connection serves the next call too.
    """
    for part in (*getattr(stream, "__dict__", {}).values(), stream):
        if inspect.isgenerator(part) or type(part).__name__ in ("Response", "Stream"):
            with suppress(Exception):
                if whole and inspect.isgenerator(part):
                    deque(islice(part, END), maxlen=0)
                part.close()
