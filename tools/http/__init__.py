"""The one HTTP client of Trainwright, with its cache on the disk and its offline mode. See `client`, `cache`, `addresses`.

    answer = fetch("https://example.org/page")            # an address that the world wrote: public hosts only
    value, answer = fetch_json("graph/v1/paper", service=SEMANTIC_SCHOLAR, params={"limit": 10})
    with lookups(offline=True): ...                       # from the disk alone
    with hub_session(HUB): HfApi().model_info("gpt2")     # huggingface_hub on the same transport
    session.mount("https://", Adapter(ARXIV))             # packages that use `requests`

Importing this imports no HTTP library and no database.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .service import Answer, Service, Source
from .situation import LOOKUP_SECONDS, is_offline, lookups, seconds_left

if TYPE_CHECKING:
    from .cache import Cache, Usage, cache_of, kept
    from .client import Fetched, fetch, fetch_json
    from .folders import cache_folder
    from .hub import hub_session
    from .requests_adapter import Adapter

__all__ = [
    "LOOKUP_SECONDS",
    "Adapter",
    "Answer",
    "Cache",
    "Fetched",
    "Service",
    "Source",
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


_MODULES = {
    "Cache": "cache", "Usage": "cache", "cache_of": "cache", "kept": "cache", "cache_folder": "folders",
    "Fetched": "client", "fetch": "client", "fetch_json": "client", "hub_session": "hub", "Adapter": "requests_adapter",
}  # fmt: skip
"""Where the rest is, which is loaded when it is first used: areas of lookups are described without a database."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
