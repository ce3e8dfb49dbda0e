"""The section `[mcp]` of the configuration: the MCP servers of this person, and which of their values are secret.

A server is a program of this machine (`command`) or an address (`url`). Its tools are offered to the stages that its
entry names and to no other. Nothing is started or asked here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

__all__ = ["Mcp", "McpServer", "secrets_of"]

KEY = re.compile(r"(?=.*\d).{12,}")
"""What a folder of an address looks like that is a key."""

StageName = Literal["read_paper", "plan", "find_data", "write_code"]
ServerName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]


class McpServer(BaseModel):
    """One server: `command` with `args`, `env` and `cwd`, or `url` with `headers`."""

    model_config = ConfigDict(extra="forbid")

    command: str = Field("", description="The program, for a server of this machine that speaks over its pipes.")
    args: list[str] = Field(default_factory=list, max_length=100)
    env: dict[str, str] = Field(
        default_factory=dict, repr=False, description="All it gets besides PATH, HOME and such."
    )
    cwd: str = Field("", description="The folder it is started in; one of its own, which is empty, when left out.")
    url: str = Field("", repr=False, description="The address, for a server that speaks HTTP.")
    headers: dict[str, str] = Field(
        default_factory=dict, repr=False, description="Sent to that address and to no other."
    )
    stages: list[StageName] = Field(description="The stages that its tools are offered to; [] for the terminal alone.")
    tools: list[str] = Field(["*"], max_length=100, description="Globs; a tool that none of them names is not offered.")
    timeout_seconds: float = Field(30, gt=0, le=3600, description="For the connection, and for each call.")
    max_bytes: int = Field(100_000, ge=1000, le=10_000_000, description="Of an answer; what is longer is cut.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if bool(self.command) == bool(self.url):
            raise ValueError("should have either a command or a url")
        if self.url and (self.args or self.env or self.cwd):
            raise ValueError("should have no args, env or cwd beside a url")
        if self.command and self.headers:
            raise ValueError("should have no headers beside a command")
        if self.url:
            parts = _parts(self.url)
            if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"\s", self.url):
                raise ValueError("should have a url that begins with https:// or http:// and names a host")
            if parts.username or parts.password:
                raise ValueError("should have no name or password in its url; headers carry them")
            if any(re.search(r"[\r\n\0]", text) for text in (*self.headers, *self.headers.values())):
                raise ValueError("should have headers of one line each")
        return self

    @property
    def where(self) -> str:
        """What is asked, in a few words without secrets: the program, or the address without its query."""
        if self.command:
            return Path(self.command).name
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


class Mcp(BaseModel):
    """The section `[mcp]`."""

    model_config = ConfigDict(extra="forbid")

    servers: dict[ServerName, McpServer] = Field(default_factory=dict, max_length=30)


def _parts(url: str) -> SplitResult:
    """The parts of an address; no part of one that is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # it is read only now
    except ValueError:
        return urlsplit("")
    return parts


def secrets_of(section: Any, variables: Mapping[tuple[str | int, ...], tuple[str, ...]]) -> Iterator[str]:
    """What of `[mcp]` is secret: headers, the environment of a server, and what an address holds besides its host.

    Args:
        section: the table as it stands in the file, with the environment in it; not validated yet.
        variables: which values were taken from the environment, by their path.
    """
    servers = section.get("servers", {}) if isinstance(section, dict) else {}
    for name, server in servers.items() if isinstance(servers, dict) else ():
        if not isinstance(server, dict):
            continue
        headers, env, url = server.get("headers", {}), server.get("env", {}), server.get("url", "")
        for value in headers.values() if isinstance(headers, dict) else ():
            yield from _words(value)
        for key, value in env.items() if isinstance(env, dict) else ():
            if ("mcp", "servers", name, "env", key) in variables:
                yield from _words(value)
        for number, value in enumerate(server.get("args") or ()):
            if ("mcp", "servers", name, "args", number) in variables:
                yield from _words(value)
        parts = _parts(url) if isinstance(url, str) else urlsplit("")
        yield from (part.partition("=")[2] for part in parts.query.split("&"))
        if ("mcp", "servers", name, "url") in variables:  # some services have the key as a folder of their address
            yield from (part for part in parts.path.split("/") if KEY.fullmatch(part))


def _words(value: Any) -> Iterator[str]:
    """The value, and its last word (`Bearer abc`); a path is no secret."""
    if isinstance(value, str) and not value.startswith(("/", "~", "./")):
        yield value
        yield value.rpartition(" ")[2].rpartition("=")[2]
