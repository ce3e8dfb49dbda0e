"""The one HTTP client of Trainwright, with its cache on the disk and its offline mode. See `client`, `cache`, `addresses`.

    answer = fetch("https://example.org/page")            # an address that the world wrote: public hosts only
    value, answer = fetch_json("graph/v1/paper", service=SEMANTIC_SCHOLAR, params={"limit": 10})
    with lookups(offline=True): ...                       # from the disk alone
    with hub_session(): HfApi().model_info("gpt2")        # huggingface_hub on the same transport
    session.mount("https://", Adapter(ARXIV))             # packages that use `requests`

Importing this imports no HTTP library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .cache import Cache, Usage, cache_of, kept
from .client import Fetched, fetch, fetch_json
from .folders import cache_folder
from .service import Answer, Service
from .situation import LOOKUP_SECONDS, is_offline, lookups, seconds_left

if TYPE_CHECKING:
    from .hub import hub_session
    from .requests_adapter import Adapter

__all__ = [
    "LOOKUP_SECONDS",
    "Adapter",
    "Answer",
    "Cache",
    "Fetched",
    "Service",
    "Usage",
    "cache_folder",
    "cache_of",
    "fetch",
    "fetch_json",
    "hub_session",
    "is_offline",
    "kept",
    "lookups",
    "seconds_left",
]


def __getattr__(name: str) -> Any:
    if name == "hub_session":
        from .hub import hub_session

        return hub_session
    if name == "Adapter":
        from .requests_adapter import Adapter

        return Adapter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
