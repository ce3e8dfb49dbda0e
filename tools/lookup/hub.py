"""The Hugging Face Hub as every lookup asks it: by the client of huggingface_hub, on our transport, with errors of ours.

    with asking_the_hub("data set owner/name") as hub:
        info = hub.api.dataset_info("owner/name")
    source = hub.source("api/datasets/owner/name")

What is asked, and what an answer means, is each area's own matter. No file is downloaded by that client.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from trainwright.graph.errors import NotFound, RemoteError, RemoteUnavailable
from trainwright.tools.http import Answer, Service

from .found import Source

__all__ = ["HUB", "AskedHub", "asking_the_hub", "hub_token", "licence_of"]

LATER = "Try again later."
CHECK = "Check owner and name; for a private one, log in with `hf auth login`."


def hub_token() -> str:
    """The person's own token of the Hub, empty where there is none."""
    from huggingface_hub import get_token

    return get_token() or ""


HUB = Service("the Hugging Face Hub", "https://huggingface.co", variable="HF_ENDPOINT", age=3600.0, token=hub_token)
"""The Hub, as its client and what is fetched without it ask; the token goes to its own origin alone."""


@dataclass(frozen=True)
class AskedHub:
    """The Hub's client, and what it was answered so far.

    Attributes:
        api: `huggingface_hub.HfApi`.
        answers: in order, without their bodies.
    """

    api: Any
    answers: list[Answer]

    def source(self, path: str = "", name: str = HUB.name) -> Source:
        """The answers as one source: from the disk where all of them are, out of date where one of them is.

        Args:
            path: where a person finds it; the address that was asked last when empty.
            name: what the source is called.
        """
        asked = self.answers[-1].source().address if self.answers else HUB.root
        cached = bool(self.answers) and all(answer.cached for answer in self.answers)
        stale = any(answer.stale for answer in self.answers)
        return Source(name=name, address=HUB.address(path) if path else asked, cached=cached, stale=stale)


@contextmanager
def asking_the_hub(what: str, hint: str = CHECK) -> Iterator[AskedHub]:
    """Ask the Hub inside the block; what its client raises becomes an error of ours.

    Args:
        what: is asked for, as messages call it, such as `data set owner/name`.
        hint: what a person can do where the Hub does not have it.

    Raises:
        NotFound: the Hub has no such thing, or does not show it.
        RemoteUnavailable: it is down or busy.
        RemoteError: it refuses, or its answer cannot be read.
    """
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled, SafetensorsParsingError

    from trainwright.tools.http import hub_session

    try:
        with hub_session(HUB) as session:
            yield AskedHub(HfApi(endpoint=HUB.root, library_name="trainwright"), session.answers)
    except HfHubHTTPError as error:
        raise _refusal(what, hint, error) from error
    except OfflineModeIsEnabled as error:
        raise RemoteUnavailable(f"The Hugging Face Hub cannot be asked for {what}: its client is offline.") from error
    except (
        SafetensorsParsingError, httpx.HTTPError, httpx.InvalidURL,
        ValueError, TypeError, LookupError, AttributeError, RecursionError,
    ) as error:  # fmt: skip
        raise RemoteError(f"The Hugging Face Hub sent a malformed answer for {what}.", hint=LATER) from error


def _refusal(what: str, hint: str, error: Any) -> RemoteError:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    status = getattr(error.response, "status_code", 0)
    if isinstance(error, GatedRepoError):  # a kind of RepositoryNotFoundError
        return RemoteError(
            f"The Hugging Face Hub shows {what} only to those who accepted its terms.",
            hint="Accept them on its page, and log in with `hf auth login`.",
        )
    if isinstance(error, RevisionNotFoundError):
        return NotFound(f"The Hugging Face Hub has no such revision of {what}.", hint="Check branch, tag or commit.")
    if isinstance(error, RepositoryNotFoundError):
        return NotFound(f"The Hugging Face Hub has no {what}, or it is private.", hint=hint)
    if status in (404, 410):
        return NotFound(f"The Hugging Face Hub has nothing for {what} (HTTP {status}).", hint="Check the name.")
    if status == 429 or status >= 500:
        return RemoteUnavailable(f"The Hugging Face Hub answered HTTP {status} for {what}.", hint=LATER)
    return RemoteError(f"The Hugging Face Hub refuses {what} (HTTP {status}).")


def licence_of(card: Mapping[str, Any], tags: Any) -> str:
    """The licence that a card states, else the one among the tags; empty where there is none."""
    stated = card.get("license")
    if stated == "other" and isinstance(card.get("license_name"), str):
        stated = card["license_name"]
    named = [str(one) for one in stated] if isinstance(stated, list) else [str(stated)] if stated else []
    listed = tags if isinstance(tags, list) else []
    tagged = [tag.removeprefix("license:") for tag in listed if isinstance(tag, str) and tag.startswith("license:")]
    return ", ".join(named or tagged)[:100]
