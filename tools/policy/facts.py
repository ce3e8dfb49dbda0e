"""Facts that follow from others, so that rules need not trust who describes an action to have thought of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from .actions import Action, Fact
from .addresses import is_plain
from .hosts import is_public, plain_host
from .places import Places
from .words import Word, names_of

__all__ = ["KNOWN_FACTS", "derived"]

KNOWN_FACTS = names_of(
    """
    approvals command effect program path outside protected whole target secret source host public url query plain
    saves method private repository place flavor hardware usd gpu_hours network sandbox workspace stage attempt
    data recipe script schema key variable approved server
    """
)
"""Names of facts that the program itself gives; rules may name others, which only some MCP tools have."""

GETTING = ("fetch",)
"""Tools that ask with GET unless they say otherwise."""


def derived(action: Action) -> Action:
    """The action with what follows from its facts; a shell's actions have all of theirs."""
    facts: dict[str, Fact] = dict(action.facts)
    if action.tool != "shell":
        facts.update(_of_path(facts))
        if action.tool in GETTING:
            facts.setdefault("method", "GET")
            facts.update(_of_page(facts))
    facts.update(_of_url(facts))
    facts.update(_of_host(facts))
    facts.update(_of_scheme(facts))
    return replace(action, facts=facts) if facts != dict(action.facts) else action


def _of_path(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Where a path leads; never taken from who describes the action if it can be found out."""
    path, workspace = facts.get("path"), facts.get("workspace")
    if not isinstance(path, str) or not path or not isinstance(workspace, str) or not workspace:
        return {}
    places = Places.of(Path(workspace))
    text = os.path.expanduser(path)  # noqa: PTH111 - a text, which may be no path at all
    place = places.place(Word(text), places.workspace)
    found = {name: value for name, value in place.facts().items() if name != "path"}
    return {**found, "secret": place.secret}


def _of_url(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    url = facts.get("url")
    if not isinstance(url, str) or not url:
        return {}
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        host = ""
    return {"host": host}


def _of_page(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """Whether the address of a page may carry something out; never taken from who describes the action."""
    url = facts.get("url")
    return {"plain": is_plain(url)} if isinstance(url, str) and url else {}


def _of_scheme(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    """What is no web address is no public page, whatever its host is."""
    url = facts.get("url")
    if not isinstance(url, str) or not url or url.lower().startswith(("http://", "https://")):
        return {}
    return {"public": False}


def _of_host(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    host = facts.get("host")
    if not isinstance(host, str) or not host:
        return {}
    return {"host": plain_host(host), "public": is_public(host)}
