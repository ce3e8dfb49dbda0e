"""An adapter for packages that ask with `requests`: mounted in their session, all they ask goes through our transport.

    session.mount("https://", Adapter(ARXIV))

A status such as 404 comes back as an answer, which the package judges itself; a service that stays busy or down raises
`RemoteUnavailable`, and what is offline and not on the disk `NotCached`, through the package.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from .call import LIMIT, user_agent
from .clients import answer_for, headers_back, headers_sent
from .service import DAY, Answer, Service, origin_of

__all__ = ["Adapter"]


class Adapter(BaseAdapter):
    """Sends the requests of a `requests.Session` through our transport.

    Args:
        service: who is asked; without one every address must be public.
        age, seconds, tries, limit: as in `fetch`.

    Attributes:
        answers: what came so far, in order, without the bodies: where it came from, and whether from the disk.
    """

    def __init__(
        self,
        service: Service | None = None,
        *,
        age: float | None = None,
        seconds: float = 60.0,
        tries: int = 3,
        limit: int = LIMIT,
    ) -> None:
        super().__init__()
        self.service = service
        self.age = age if age is not None else service.age if service else DAY
        self.seconds, self.tries, self.limit = seconds, tries, limit
        self.answers: list[Answer] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """The answer to a prepared request. Time-outs and proxies of the session are not used: ours count."""
        headers = headers_sent((request.headers or {}).items())
        given = headers.get("user-agent", "")
        headers["user-agent"] = (
            user_agent() if given.startswith("python-requests/") else f"{user_agent()} {given}".strip()
        )
        body = request.body.encode() if isinstance(request.body, str) else request.body
        if body is not None and not isinstance(body, bytes):
            raise TypeError("a body that is streamed cannot be sent again, and is not sent")
        method = (request.method or "GET").upper()
        answer = answer_for(
            self.answers,
            method=method,
            address=str(request.url),
            headers=headers,
            body=body,
            service=self.service,
            limit=self.limit,
            age=self.age if method == "GET" else None,
            seconds=self.seconds,
            tries=self.tries,
            own=(origin_of(self.service.root),) if self.service else (),
        )
        return _as_response(answer, request)

    def close(self) -> None:
        """Nothing is held."""


def _as_response(answer: Answer, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.request = answer.status, answer.url, request
    response.headers = CaseInsensitiveDict(headers_back(answer))
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = BytesIO(answer.body)
    return response
