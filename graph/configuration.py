"""The configuration file: `config.toml` in the configuration folder. Defaults of settings, and where to send notices.

`[settings]` holds defaults of `Settings` for runs begun in the terminal: a flag beats the file, the file beats what is
built in. Programs and LangGraph Studio hand over settings of their own, which the file does not touch. `[notify]`
counts for every run, `[cache]` and `[web]` for every lookup, `[mcp]` (`servers.py`) for every run whose stages it names.
`extends = "FILE"` takes another file as the ground on which this one is laid, table by table.

After that, `${NAME}` in any text is replaced by the environment's variable, `${NAME:-text}` by the text where there is
none, `$$` by a dollar sign. What `[notify]` takes from the environment or holds in its addresses is a secret from then
on (`redaction.remember`); a secret in `[settings]` is refused, since settings are kept with every run. Whether an
address is one that something answers at is not looked at here, and nothing is ever written.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .errors import RequestError
from .limits import STAGES
from .redaction import redact, remember
from .servers import Mcp, McpServer, secrets_of
from .settings import config_folder
from .state import Settings, StageLimits

__all__ = [
    "FILE_NAME",
    "SECTIONS",
    "Cache",
    "Configuration",
    "Notify",
    "Source",
    "Web",
    "config_path",
    "load_configuration",
]

FILE_NAME = "config.toml"
EXTENDS = "extends"
SIZE_LIMIT = 2**20
"""Bytes of a configuration file; a real one has a thousandth of it."""

Occasion = Literal["waiting", "failed", "ended", "budget"]
Tables = dict[str, Any]
Key = tuple[str | int, ...]
"""The way to a value: ("settings", "stages", "plan", "step_cap"), ("notify", "urls", 0)."""


class Notify(BaseModel):
    """The section `[notify]`."""

    model_config = ConfigDict(extra="forbid")

    urls: list[str] = Field(
        default_factory=list,
        max_length=20,
        repr=False,
        description="Addresses as Apprise reads them, such as mailto://…, slack://….",
    )
    on: list[Occasion] = Field(
        ["waiting", "failed", "ended"],
        description="When: waiting (for a person), failed, ended (in any way), budget (a limit is nearly used up).",
    )


class Cache(BaseModel):
    """The section `[cache]`: answers of outside services, and parsed papers, on the disk."""

    model_config = ConfigDict(extra="forbid")

    max_mib: int = Field(1024, ge=1, le=1_048_576, description="MiB that they take at most; the least used go first.")
    max_days: float = Field(30, gt=0, le=3650, description="Days after which an answer is removed.")


class Web(BaseModel):
    """The section `[web]`: who is asked when the web is searched."""

    model_config = ConfigDict(extra="forbid")

    engine: Literal["duckduckgo", "searxng", "brave"] = Field("duckduckgo", description="The search engine.")
    searxng_url: str = Field("", max_length=500, description="Address of your SearxNG, which must answer in JSON.")
    brave_key: str = Field("", max_length=500, repr=False, description='Key of Brave Search; write "${NAME}".')

    @model_validator(mode="after")
    def _complete(self) -> Web:
        if self.engine == "searxng" and not re.match(r"https?://[^/?#\s]+", self.searxng_url):
            raise ValueError("needs the address of a SearxNG in searxng_url")
        if self.engine == "brave" and not self.brave_key:
            raise ValueError("needs a key in brave_key")
        return self


SECTIONS: dict[str, type[BaseModel]] = {
    "settings": Settings,
    "notify": Notify,
    "cache": Cache,
    "web": Web,
    "mcp": Mcp,
}
"""Every section that the file can have, and what it holds."""


@dataclass(frozen=True)
class Source:
    """Where a value comes from: a file, and the environment's variables that it names."""

    file: Path
    variables: tuple[str, ...] = ()


@dataclass(frozen=True)
class Configuration:
    """What the configuration says.

    Attributes:
        path: the file, whether or not it is there.
        settings: the settings that it gives, and no others; ready for `Settings.model_validate`.
        notify: where notices go, and when.
        cache: how much is kept on the disk of what was looked up, and how long.
        web: who is asked when the web is searched.
        mcp: the MCP servers.
        sources: where each value comes from.
    """

    path: Path
    settings: dict[str, Any] = field(default_factory=dict)
    notify: Notify = field(default_factory=Notify)
    cache: Cache = field(default_factory=lambda: Cache.model_validate({}))
    mcp: Mcp = field(default_factory=Mcp)
    web: Web = field(default_factory=lambda: Web.model_validate({}))
    sources: Mapping[Key, Source] = field(default_factory=dict)


def config_path() -> Path:
    """The configuration file of this person, whether or not it is there."""
    return config_folder() / FILE_NAME


def load_configuration() -> Configuration:
    """What the configuration file says; all defaults where there is none.

    Raises:
        RequestError: it cannot be read or used; the file, the line where one is known, and the key are named.
    """
    path = config_path()
    if not path.exists():
        return Configuration(path)
    tables, files = _read(path, ())
    _check_sections(tables, path, files)
    variables: dict[Key, tuple[str, ...]] = {}
    values = _substituted(tables, (), files, variables)
    _remember(values.get("notify", {}), values.get("web", {}), variables)
    remember(secrets_of(values.get("mcp", {}), variables), "configuration")
    sources = {key: Source(file, variables.get(key, ())) for key, file in files.items() if key[0] in SECTIONS}
    checked = {name: _validated(name, values.get(name, {}), sources, path) for name in SECTIONS}
    _check_settings(values, sources)
    notify, cache, mcp, web = checked["notify"], checked["cache"], checked["mcp"], checked["web"]
    assert isinstance(notify, Notify)
    assert isinstance(cache, Cache)
    assert isinstance(mcp, Mcp)
    assert isinstance(web, Web)
    return Configuration(path, values.get("settings", {}), notify, cache, mcp, web, sources)


def _check_settings(values: Tables, sources: Mapping[Key, Source]) -> None:
    """What the class of the settings does not refuse: limits of a stage that is none, and secrets."""
    for key, source in sources.items():
        if key[:2] == ("settings", "stages") and len(key) > 2 and key[2] not in STAGES:
            raise _problem(source.file, key[:3], "is no stage.", _near(str(key[2]), [*STAGES], [*STAGES]))
        if key[0] == "settings" and redact(value := _at(values, key)) != value:
            hint = "Keys of models are read from the environment; take it out of the file."
            raise _problem(source.file, key, "is a secret, and settings are kept with every run.", hint)


def _read(path: Path, seen: tuple[Path, ...]) -> tuple[Tables, dict[Key, Path]]:
    """The tables of a file on top of those that it extends, and the file that each value stands in."""
    tables = _parsed(path)
    files = dict.fromkeys(_leaves(tables), path)
    base = tables.pop(EXTENDS, None)
    files.pop((EXTENDS,), None)
    if base is None:
        return tables, files
    if not isinstance(base, str) or not base:
        raise _problem(path, (EXTENDS,), "is no file's name.", 'Write extends = "other.toml".')
    below = (path.parent / Path(base).expanduser()).resolve()
    if below in (*seen, path.resolve()):
        raise _problem(path, (EXTENDS,), f"leads in a circle: {base}.", "Take one of the lines out.")
    if not below.is_file():
        raise _problem(
            path, (EXTENDS,), f"names a file that is not there: {below}.", "Put it there, or correct the line."
        )
    ground, ground_files = _read(below, (*seen, path.resolve()))
    merged = _merged(ground, tables)
    return merged, {key: files.get(key) or ground_files[key] for key in _leaves(merged)}


def _parsed(path: Path) -> Tables:
    mend = "Correct the file, or move it away."
    try:
        if path.stat().st_size > SIZE_LIMIT:
            raise RequestError(f"{path} has more than {SIZE_LIMIT} bytes; it is no configuration.", hint=mend)
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RequestError(f"{path} cannot be read: {error.strerror or error}.", hint=mend) from error
    except UnicodeDecodeError as error:
        raise RequestError(f"{path} is not UTF-8 text.", hint=mend) from error
    except tomllib.TOMLDecodeError as error:
        raise RequestError(f"{path} is not valid TOML: {error}.", hint=mend) from error
    except RecursionError as error:
        raise RequestError(f"{path} is nested too deeply to be read.", hint=mend) from error


def _merged(ground: Tables, top: Tables) -> Tables:
    """`top` laid on `ground`: tables are merged, anything else is replaced."""
    both = {key: (ground[key], top[key]) for key in ground.keys() & top.keys()}
    deep = {key: _merged(a, b) for key, (a, b) in both.items() if isinstance(a, dict) and isinstance(b, dict)}
    return {**ground, **top, **deep}


def _leaves(value: Any, at: Key = ()) -> Iterator[Key]:
    """The path of everything that is no table and no list; of an empty one, its own."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [leaf for key, item in items for leaf in _leaves(item, (*at, key))]
    yield from inner or ([at] if at else [])


def _at(value: Any, key: Key) -> Any:
    for part in key:
        value = value[part]
    return value


def _check_sections(tables: Tables, path: Path, files: Mapping[Key, Path]) -> None:
    for name, table in tables.items():
        file = next((file for key, file in files.items() if key[0] == name), path)
        if name not in SECTIONS:
            known = [*SECTIONS, EXTENDS]
            raise _problem(file, (name,), "is unknown.", _near(name, known, [f"[{s}]" for s in SECTIONS]))
        if not isinstance(table, dict):
            raise _problem(file, (name,), "is no section.", f"Write [{name}] on a line, and its keys below it.")


_VARIABLE = re.compile(r"\$(?:(?P<dollar>\$)|\{(?P<inner>[^}]*)(?P<end>\}?))")
_INNER = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<otherwise>:-(?P<default>.*))?", re.DOTALL)


def _substituted(value: Any, at: Key, files: Mapping[Key, Path], found: dict[Key, tuple[str, ...]]) -> Any:
    """The value with the environment in it; `found` takes the names of the variables, by path."""
    if isinstance(value, dict):
        return {key: _substituted(item, (*at, key), files, found) for key, item in value.items()}
    if isinstance(value, list):
        return [_substituted(item, (*at, number), files, found) for number, item in enumerate(value)]
    if not isinstance(value, str):
        return value
    names: list[str] = []
    text = _VARIABLE.sub(lambda match: _variable(match, at, files[at], names), value)
    if names:
        found[at] = tuple(dict.fromkeys(names))
    return text


def _variable(match: re.Match[str], at: Key, file: Path, names: list[str]) -> str:
    if match["dollar"]:
        return "$"
    inner = _INNER.fullmatch(match["inner"])
    if inner is None or not match["end"]:
        raise _problem(file, at, "has a `${` that is no ${NAME} and no ${NAME:-text}.", "A dollar sign is written $$.")
    name, value = inner["name"], os.environ.get(inner["name"])
    if inner["otherwise"] and not value:
        return str(inner["default"])
    if value is None:
        hint = f"Set {name}, or say what counts without it: ${{{name}:-…}}."
        raise _problem(file, at, f"needs the variable {name}, which the environment does not have.", hint)
    names.append(name)
    return value


def _validated(name: str, table: Tables, sources: Mapping[Key, Source], path: Path) -> BaseModel:
    try:
        return SECTIONS[name].model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key: Key = (name, *first["loc"])
        source = next((s for k, s in sources.items() if k[: len(key)] == key), None)
        file = source.file if source else path
        if first["type"] == "extra_forbidden":
            names = _names(key[:-1])
            raise _problem(file, key, "is unknown.", _near(str(key[-1]), names, names)) from None
        told = (
            ""
            if name in ("notify", "web", "mcp") or (source and source.variables)
            else f"{redact(first['input'])!r:.80}: "
        )
        rule = first["msg"].removeprefix("Input ").removeprefix("Value error, ")
        what = f"is not usable: {told}it {rule}."
        # Without the cause: it holds the value, which may be a secret.
        raise _problem(file, key, what, "`trainwright config` shows every key with its value.") from None


def _names(key: Key) -> list[str]:
    """The keys that a table can have."""
    inner: dict[Key, type[BaseModel]] = {("settings", "stages"): StageLimits, ("mcp", "servers"): McpServer}
    model = inner.get(key[:2], SECTIONS[str(key[0])])
    return list(model.model_fields)


def _near(name: str, known: list[str], shown: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(close)}?" if close else f"There is {', '.join(shown)}."


def _problem(file: Path, key: Key, what: str, hint: str) -> RequestError:
    line = _line_of(file, key)
    return RequestError(f"{file}{f', line {line}' if line else ''}: {dotted(key)} {what}", hint=hint)


def dotted(key: Key) -> str:
    """A key as a person writes it: settings.stages.plan.step_cap, notify.urls[0]."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.removeprefix(".")


_TABLE = re.compile(r"\s*\[\s*([\w.\" '-]+?)\s*\]\s*(?:#.*)?")
_KEY = re.compile(r"\s*([\w.\" '-]+?)\s*=")


def _line_of(file: Path, key: Key) -> int | None:
    """The line on which a key is set, or its table begins; None where that is written in a way not foreseen."""
    names = [part for part in key if isinstance(part, str)]
    table: list[str] = []
    best: tuple[int, int] | None = None
    for number, text in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").splitlines(), 1):
        if header := _TABLE.fullmatch(text):
            table = here = _parts(header[1])
        elif assigned := _KEY.match(text):
            here = [*table, *_parts(assigned[1])]
        else:
            continue
        common = min(len(here), len(names))
        if here[:common] == names[:common] and (best is None or common > best[0]):
            best = (common, number)
    return best[1] if best else None


def _parts(text: str) -> list[str]:
    return [part.strip().strip("\"'") for part in text.split(".")]


_HOST = re.compile(r"localhost|(?:[a-z0-9-]+\.)+[a-z]{2,24}|[0-9]+(?:\.[0-9]+){3}")
_WORD = re.compile(r"[A-Za-z]?[a-z_-]+|[0-9]+")
_PASSWORD = re.compile(r"[^/@]*?:(?P<password>[^/@]+)@")


def _remember(notify: Any, web: Any, variables: Mapping[Key, tuple[str, ...]]) -> None:
    """Tell the redactor what of the addresses is secret: all of them, and each part that may be a key; and the key."""
    urls = notify.get("urls", []) if isinstance(notify, dict) else []
    taken = [name for key, names in variables.items() if key[0] in ("notify", "cache") for name in names]
    secrets = [value for name in taken if not _HOST.fullmatch(value := os.environ[name])]
    for url in urls if isinstance(urls, list) else []:
        if isinstance(url, str):
            secrets += _secret_parts(url)
    key = web.get("brave_key") if isinstance(web, dict) else None
    secrets += [key] if isinstance(key, str) and key else []
    remember(secrets, "configuration")


def _secret_parts(url: str) -> Iterator[str]:
    place = url.partition("://")[2] or url
    yield url
    if not _HOST.fullmatch(place.strip("/")):
        yield place
    if login := _PASSWORD.match(place):
        yield from (login["password"], unquote(login["password"]))
    for part in re.split(r"[/:@?&=#,]", place):
        for form in (part, unquote(part)):
            if not (_HOST.fullmatch(form) or _WORD.fullmatch(form)):
                yield form
