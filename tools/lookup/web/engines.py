"""The search engines, as langchain-community's utilities, with their requests on our transport.

The utilities say what is sent to Brave and SearxNG and how the answers are read; only how a request is made is replaced,
since their own has no time-out, no limit of size, no cache and no offline mode. DuckDuckGo's utility asks through the
package `ddgs`, which brings a transport of its own that cannot be replaced and passes for a browser: here the utility
reads DuckDuckGo's page for browsers without scripts instead, asked for under our own name. This is the one module that
imports langchain-community.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from typing import Any

from pydantic import ConfigDict, SecretStr, model_validator

from trainwright.graph.configuration import Web
from trainwright.graph.errors import RemoteError, RemoteUnavailable
from trainwright.tools.http import Answer, Service, fetch
from trainwright.tools.lookup.found import Source

from .duckduckgo import read_results

with warnings.catch_warnings():  # it warns of its own end when it is imported
    warnings.simplefilter("ignore", DeprecationWarning)
    from langchain_community.utilities.brave_search import BraveSearchWrapper
    from langchain_community.utilities.duckduckgo_search import DuckDuckGoSearchAPIWrapper
    from langchain_community.utilities.searx_search import SearxResults, SearxSearchWrapper

__all__ = ["BRAVE", "DUCKDUCKGO", "Engine", "engine_of"]

HOUR = 3600.0
LIMIT = 2 * 2**20
"""Bytes of a page of results."""

DUCKDUCKGO = Service("DuckDuckGo", "https://html.duckduckgo.com", "TRAINWRIGHT_DUCKDUCKGO_URL", pause=1.0, age=HOUR)
BRAVE = Service("Brave Search", "https://api.search.brave.com", "TRAINWRIGHT_BRAVE_URL", pause=1.0, age=HOUR)

Row = dict[str, str]


class _DuckDuckGo(DuckDuckGoSearchAPIWrapper):
    """DuckDuckGo without `ddgs`."""

    model_config = ConfigDict(extra="allow")

    said: Callable[[Answer | str], None]

    @model_validator(mode="before")
    @classmethod
    def validate_environment(cls, values: dict[str, Any]) -> Any:
        """Nothing besides is needed."""
        return values

    def _ddgs_text(self, query: str, max_results: int | None = None) -> list[Row]:
        params = {"q": query, "kl": self.region}
        answer = fetch("html/", service=DUCKDUCKGO, params=params, limit=LIMIT, seconds=20.0)
        self.said(answer)
        page = read_results(answer.body)
        if page.refused or (answer.status == 202 and not page.results):
            raise RemoteUnavailable(
                "DuckDuckGo asks for a proof that a person searches, and gave no results.",
                hint="Try again later, or set another engine in [web]: docs/code-and-web.md.",
            )
        if not page.known:
            said = "any links of it are given" if page.results else "no link leads anywhere"
            self.said(f"DuckDuckGo's page has another form than is known here: {said}.")
        return page.results[: max_results or self.max_results]


class _SearxNG(SearxSearchWrapper):
    """A SearxNG that the person named."""

    model_config = ConfigDict(extra="allow")

    said: Callable[[Answer | str], None]

    def _searx_api_query(self, params: dict[str, Any]) -> SearxResults:
        service = Service("SearxNG", self.searx_host, age=HOUR)
        path = "" if self.searx_host.rstrip("/").endswith("/search") else "/search"
        answer = fetch(
            f"{service.root}{path}", service=service, params=params, limit=LIMIT, seconds=20.0, also=(403,),
            headers={"accept": "application/json"},
        )  # fmt: skip
        if answer.status == 403:
            raise RemoteError(
                "SearxNG does not answer in JSON.", hint="Add json to search.formats in its settings.yml."
            )
        self.said(answer)
        self._result = SearxResults(json.dumps(answer.json()))
        return self._result


class _Brave(BraveSearchWrapper):
    """Brave Search; the key goes to its address alone."""

    model_config = ConfigDict(extra="allow")

    said: Callable[[Answer | str], None]

    def _search_request(self, query: str) -> list[Any]:
        headers = {"x-subscription-token": self.api_key.get_secret_value(), "accept": "application/json"}
        params = {**self.search_kwargs, "q": query, "extra_snippets": True}
        answer = fetch(
            "res/v1/web/search", service=BRAVE, params=params, headers=headers, limit=LIMIT, seconds=20.0,
            also=(401, 403, 422),
        )  # fmt: skip
        if answer.status != 200:
            raise RemoteError(
                f"Brave Search refuses the request (HTTP {answer.status}).", hint="Check brave_key in [web]."
            )
        self.said(answer)
        results: list[Any] = (answer.json().get("web") or {}).get("results") or []
        return results


class Engine:
    """One search engine.

    Attributes:
        name: as messages call it.
        sources, notes: of the last search.
    """

    def __init__(self, name: str, ask: Callable[[Callable[[Answer | str], None], str, int], list[Row]]) -> None:
        self.name = name
        self._ask = ask
        self.sources: list[Source] = []
        self.notes: list[str] = []

    def results(self, query: str, count: int) -> list[Row]:
        """`title`, `link` and `snippet` of each result.

        Raises:
            RemoteError: it refuses, is down, or sent something malformed.
        """
        self.sources, self.notes = [], []
        try:
            rows = self._ask(self._said, query, count)
            return [row for row in rows if isinstance(row, dict) and isinstance(row.get("link"), str)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RemoteError(f"{self.name} sent a malformed answer.", hint="Try again later.") from error

    def _said(self, what: Answer | str) -> None:
        if isinstance(what, str):
            self.notes.append(what)
        else:
            self.sources.append(what.source())


def engine_of(web: Web) -> Engine:
    """The engine that is configured."""
    if web.engine == "brave":
        return Engine(BRAVE.name, lambda said, query, count: _brave(web.brave_key, said, query, count))
    if web.engine == "searxng":
        host = web.searxng_url.rstrip("/")
        return Engine("SearxNG", lambda said, query, count: _SearxNG(searx_host=host, said=said).results(query, count))
    return Engine(DUCKDUCKGO.name, lambda said, query, count: _DuckDuckGo(said=said, time=None).results(query, count))


def _brave(key: str, said: Callable[[Answer | str], None], query: str, count: int) -> list[Row]:
    wanted = {"count": min(count, 20), "text_decorations": False}
    rows: list[Row] = json.loads(_Brave(api_key=SecretStr(key), search_kwargs=wanted, said=said).run(query))
    return rows
