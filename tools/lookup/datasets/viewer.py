"""The Hub's dataset viewer: what it has counted and converted, and, where it has not, why.

It knows the newest revision of a data set only. Its answers are data: names from them are sent back to it as values of
a query and are never part of an address.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from trainwright.graph.errors import RemoteError
from trainwright.tools.http import Answer, Service, fetch_json
from trainwright.tools.lookup.found import Source
from trainwright.tools.lookup.hub import hub_token

__all__ = ["Told", "Viewer"]

VIEWER = Service(
    "the Hub's dataset viewer",
    "https://datasets-server.huggingface.co",
    variable="TRAINWRIGHT_DATASETS_SERVER_URL",
    age=3600.0,
    token=hub_token,
)
_JUDGED = (400, 401, 403, 404, 422, 500, 501)
"""Statuses with which it says why it cannot serve something: no reason to ask again."""

_REASONS = {
    "DisabledViewerError": "it is switched off for this data set",
    "DatasetWithScriptNotSupportedError": "the data set is made by a script, which is not run",
    "DatasetScriptError": "the data set is made by a script, which failed",
    "ResponseNotReady": "it has not finished computing",
    "PreviousStepStillProcessingError": "it has not finished computing",
    "ExternalUnauthenticatedError": "the data set is gated or private, and there is no token",
    "ExternalAuthenticatedError": "the data set is gated or private, and this token is not admitted",
    "DatasetNotFoundError": "it does not know the data set",
    "EmptyDatasetError": "it finds no data",
    "TooBigContentError": "the rows are too large for it",
    "DatasetWithTooManyConfigsError": "there are too many configurations for it",
}


@dataclass(frozen=True)
class Told:
    """An answer: a value, or the reason why there is none."""

    value: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    def list(self, key: str) -> list[dict[str, Any]]:
        """A list of objects in it; whatever else stands there is left out."""
        found = self.value.get(key)
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


@dataclass
class Viewer:
    """The viewer of one data set.

    Attributes:
        sources: what it was asked, with an entry for each answer.
        revision: the commit that its answers are of, where it says so.
    """

    id: str
    sources: list[Source] = field(default_factory=list)
    revision: str = ""

    def ask(self, path: str, **query: str | int) -> Told:
        """What it says; a failure of any kind is a reason."""
        try:
            value, answer = fetch_json(
                path, service=VIEWER, params={"dataset": self.id, **query}, also=_JUDGED, tries=2, seconds=30.0
            )
        except RemoteError as error:
            return Told(reason=error.message.rstrip("."))
        if answer.status != 200:
            return Told(reason=_reason(answer, value))
        if not isinstance(value, dict):
            return Told(reason="it sent a malformed answer")
        self.sources.append(answer.source())
        self.revision = answer.headers.get("x-revision", self.revision)
        return Told(value)


def _reason(answer: Answer, said: Any) -> str:
    code = answer.headers.get("x-error-code", "")
    if code in _REASONS:
        return _REASONS[code]
    text = said.get("error") if isinstance(said, dict) else None
    words = " ".join(text.split())[:160] if isinstance(text, str) else ""
    return f"it answers {answer.status}{f', and says: {words!r}' if words else ''}"
