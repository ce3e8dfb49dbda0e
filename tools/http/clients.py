"""What the clients of other packages share when they ask through our transport, which `hub` and `requests_adapter` do.

Such a client judges statuses itself and connects nowhere: a status such as 404 comes back as an answer, and headers that
belong to its own connection are left out on both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .call import Call
from .client import answer_to
from .service import Answer

__all__ = ["answer_for", "headers_back", "headers_sent"]

_JUDGED = tuple(status for status in range(201, 500) if status not in (408, 425, 429))
_SENT = ("host", "connection", "accept-encoding", "content-length", "transfer-encoding")
_BACK = ("content-encoding", "transfer-encoding", "connection", "keep-alive")


def headers_sent(headers: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """The headers of a client's request as ours sends them, with names in lower case."""
    return {name.lower(): str(value) for name, value in headers if name.lower() not in _SENT}


def headers_back(answer: Answer) -> Mapping[str, str]:
    """The headers of an answer as the client gets them, with the body whole and decompressed."""
    length = ("content-length",) if "content-encoding" in answer.headers else ()
    return {name: value for name, value in answer.headers.items() if name not in (*_BACK, *length)}


def answer_for(answers: list[Answer], **given: Any) -> Answer:
    """The answer to a client's request; it is kept without its body.

    Args:
        answers: takes it.
        given: what `Call` is made of.
    """
    answer = answer_to(Call(cut=False, to=None, also=_JUDGED, **given))
    answers.append(replace(answer, body=b""))
    return answer
