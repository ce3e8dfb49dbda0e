"""What a stage of a run was offered by servers: asked once when it begins, kept beside its inputs, and sized.

The tools of a stage together must be small enough to be sent with every request. Server tools that fit are functions of
their own; when one does not, all further ones are reached by `find_tool` and `use_tool`, and none is dropped.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field

from trainwright.graph.servers import McpServer
from trainwright.prompts import marked

from .listing import Listed, ServerTool, list_tools
from .schema import CHOICES, INNER

__all__ = ["TOKENS", "Offer", "Offers", "asked", "offers_path"]

TOKENS = 2_500
"""That all functions of a stage may have together."""

SEARCHING = 170
"""Tokens of `find_tool` and `use_tool` together."""

LARGEST = 6_000
"""Characters of a function that is offered as one of its own."""


class Offer(BaseModel):
    """One tool as a stage offers it.

    Attributes:
        called: the name by which the engineer calls it.
        tool: the server's tool.
        direct: whether it is a function of its own.
    """

    called: str
    tool: ServerTool
    direct: bool = True

    @property
    def says(self) -> str:
        """The description, marked as the server's words."""
        said = f"(server {self.tool.server} says) {self.tool.description or 'nothing about it'}"
        return marked(said, f"MCP server {self.tool.server}")

    @property
    def parameters(self) -> dict[str, Any]:
        """The schema that a model is shown; each description in it is marked as the server's words."""
        return _told(self.tool.parameters, self.tool.server)


class Offers(BaseModel):
    """All that servers offer to a stage."""

    offers: list[Offer] = Field(default_factory=list)
    answered: list[str] = Field(default_factory=list, description="The servers that said what they offer.")


def _told(schema: Mapping[str, Any], server: str) -> dict[str, Any]:
    """The schema with marks around what is prose in it; names and values stay, since a call repeats them."""
    told = dict(schema)
    if isinstance(words := told.get("description"), str):
        told["description"] = marked(words, server)
    if isinstance(named := told.get("properties"), dict):
        told["properties"] = {name: _told(one, server) for name, one in named.items()}
    for key in (*INNER, *CHOICES):
        if isinstance(inner := told.get(key), dict):
            told[key] = _told(inner, server)
        elif isinstance(inner, list):
            told[key] = [_told(one, server) for one in inner]
    return told


def offers_path(folder: Path, stage: str, attempt: int, repairs: int) -> Path:
    """Where the offers of a stage lie in a run's folder."""
    return folder / f"stages/{stage}-{attempt}-{repairs}-servers.json"


def asked(
    servers: Mapping[str, McpServer], before: Offers, room: int, measure: Callable[[str], int]
) -> tuple[Offers, list[str]]:
    """What servers offer, and what is to be said about it (blocking).

    Args:
        servers: those of the stage.
        before: what was offered already, and stays as it is; only servers that never answered are asked.
        room: tokens that are left for functions.
        measure: the tokens of a text.
    """
    found = list_tools({name: server for name, server in servers.items() if name not in before.answered})
    notes = [note for name, listed in found.items() for note in _notes(name, listed)]
    offers = list(before.offers)
    for listed in found.values():
        for tool in listed.tools:
            offers.append(Offer(called=_called(tool, {one.called for one in offers}), tool=tool))
    answered = [*before.answered, *(name for name, listed in found.items() if not listed.problem)]
    return Offers(offers=_sized(offers, len(before.offers), room, measure), answered=answered), notes


def _notes(name: str, listed: Listed) -> Iterable[str]:
    if listed.problem:
        yield f"The MCP server {name} cannot be used: {listed.problem}. The stage goes on without its tools."
    yield from (f"Of the MCP server {name}: {note}." for note in listed.notes)


def _called(tool: ServerTool, taken: set[str]) -> str:
    """A name that every provider takes, that no tool of ours has, and no other server's."""
    name = re.sub(r"[^A-Za-z0-9_-]", "_", f"mcp__{tool.server}__{tool.name}")
    if len(name) > 64 or name in taken:
        digest = hashlib.sha256(f"{tool.server}/{tool.name}".encode()).hexdigest()[:8]
        name = f"{name[:55]}_{digest}"
    return name


def _sized(offers: list[Offer], settled: int, room: int, measure: Callable[[str], int]) -> list[Offer]:
    """The offers, each as a function of its own while there is room; what was settled before stays."""
    sizes = [_size(one, measure) for one in offers]
    taken = sum(size for one, size in zip(offers[:settled], sizes, strict=False) if one.direct)
    hidden = any(not one.direct for one in offers[:settled])
    if not hidden and taken + sum(sizes[settled:]) <= room:
        return offers
    room -= SEARCHING
    sized = offers[:settled]
    for one, size in zip(offers[settled:], sizes[settled:], strict=True):
        fits = taken + size <= room
        taken += size if fits else 0
        sized.append(one.model_copy(update={"direct": fits}))
    return sized


def _size(one: Offer, measure: Callable[[str], int]) -> int:
    text = json.dumps([one.called, one.says, one.parameters], ensure_ascii=False)
    return measure(text) + 20 if len(text) <= LARGEST else TOKENS
