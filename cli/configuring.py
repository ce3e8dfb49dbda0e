"""`trainwright config`: what is configured, where each value comes from, and whether all of it can be used.

Values are shown without secrets; of an address where notices go, only the kind of service is. Nothing is sent or
written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import RequestError

from .screen import Line, open_screen
from .words import line

if TYPE_CHECKING:
    from trainwright.graph.configuration import Configuration, Source

__all__ = ["Row", "configured_settings", "rows_of", "run_config", "unusable_addresses"]

BUILT_IN = "built in"


@dataclass(frozen=True)
class Row:
    """One value that is in force.

    Attributes:
        key: as a person writes it, such as settings.stages.plan.step_cap.
        value: what counts, without secrets.
        source: `built in`, or the file, with the variables that it names.
    """

    key: str
    value: Any
    source: str


def configured_settings() -> dict[str, Any]:
    """The defaults of a run's settings that the file gives.

    Raises:
        RequestError: the file cannot be used, or holds a price that nobody can read.
    """
    from trainwright.graph.configuration import load_configuration

    settings = load_configuration().settings
    _check_price(settings)
    return settings


def _check_price(settings: Mapping[str, Any]) -> None:
    if settings.get("model_price"):
        from trainwright.engineers.pricing import read_price
        from trainwright.graph.configuration import config_path

        try:
            read_price(settings["model_price"])
        except RequestError as error:
            raise RequestError(f"{config_path()}: settings.model_price: {error.message}", hint=error.hint) from error


def run_config(action: str | None, *, as_json: bool) -> int:
    """Show what is configured, or with `check` say whether it can be used.

    Raises:
        RequestError: it cannot, or there is no such action.
    """
    if action not in (None, "check"):
        raise RequestError(
            f"There is no `trainwright config {action[:40]}`.", hint="There is `trainwright config check`."
        )
    return _check(as_json=as_json) if action else _show(as_json=as_json)


def _show(*, as_json: bool) -> int:
    """Print every value that is in force for a run begun in the terminal."""
    from trainwright.graph.configuration import load_configuration

    configured = load_configuration()
    rows = list(rows_of(configured))
    if as_json:
        from .jsonlines import json_lines

        for row in rows:
            json_lines().write(asdict(row))
        return 0
    there = str(configured.path) if configured.path.exists() else f"{configured.path} is not there; all is built in"
    width = max(len(row.key) for row in rows)
    open_screen(interactive=False).show([Line(there, "title"), *(_line_of(row, width) for row in rows)])
    return 0


def _line_of(row: Row, width: int) -> Line:
    text = f"{row.key:<{width}}  {_text(row.value)}"
    return Line(text, "faint") if row.source == BUILT_IN else Line(f"{text}  (from {row.source})")


def _check(*, as_json: bool) -> int:
    """Say that everything configured can be used."""
    from trainwright.graph.configuration import load_configuration

    configured = load_configuration()
    _check_price(configured.settings)
    if wrong := unusable_addresses(configured):
        raise RequestError(wrong[0], hint=wrong[1])
    there, count = configured.path.exists(), len(configured.notify.urls)
    text = f"{configured.path} can be used" if there else f"{configured.path} is not there; all is built in"
    if as_json:
        from .jsonlines import json_lines

        json_lines().write({"ok": True, "path": str(configured.path), "exists": there, "addresses": count})
        return 0
    notices = f"; notices go to {count} address{'es' if count > 1 else ''}" if count else ""
    open_screen(interactive=False).show([Line(f"{text}{notices}.", "good")])
    return 0


def unusable_addresses(configured: Configuration) -> tuple[str, str] | None:
    """What is wrong with the addresses of notices; None when nothing is. The words of `RequestError`."""
    if not configured.notify.urls:
        return None
    from trainwright.tools.notices import addresses

    wrong = [address for address in addresses(configured.notify.urls) if not address.schema]
    if not wrong:
        return None
    keys = ", ".join(f"notify.urls[{address.number}]" for address in wrong)
    return (
        f"{configured.path}: {keys} {'is no address' if len(wrong) == 1 else 'are no addresses'} that Apprise can read, "
        "so nothing is sent there.",
        "Write it as https://appriseit.com/services/ shows for the service; $ is written $$.",
    )


def rows_of(configured: Configuration) -> Iterator[Row]:
    """Every setting and every key of the configuration, the value that counts, and where it comes from."""
    from trainwright.graph.configuration import dotted
    from trainwright.graph.limits import STAGES
    from trainwright.graph.state import Settings

    settings = Settings.model_validate(configured.settings)
    for name in Settings.model_fields:
        if name != "stages":
            yield Row(f"settings.{name}", getattr(settings, name), _origin(configured, ("settings", name)))
    for stage in STAGES:
        for name, value in settings.stages.get(stage, ()):
            if value is not None:
                key = ("settings", "stages", stage, name)
                yield Row(dotted(key), value, _origin(configured, key))
    for number, url in enumerate(configured.notify.urls):
        key_of_url = ("notify", "urls", number)
        yield Row(dotted(key_of_url), _service(url), _origin(configured, key_of_url))
    yield Row("notify.on", configured.notify.on, _origin(configured, ("notify", "on")))
    for section in (configured.cache, configured.web):
        for name, field in type(section).model_fields.items():
            at = (type(section).__name__.lower(), name)
            found = getattr(section, name)
            yield Row(dotted(at), found if field.repr or not found else "…", _origin(configured, at))
    for name, server in configured.mcp.servers.items():
        key_of_server = ("mcp", "servers", name)
        value = f"{server.where} for {', '.join(server.stages) or 'no stage'}"
        yield Row(dotted(key_of_server), value, _origin(configured, key_of_server))


def _service(url: str) -> str:
    """The kind of service of an address, and nothing else of it."""
    schema, separator, _ = url.partition("://")
    return f"{schema[:20]}://…" if separator and schema.isalnum() else "…"


def _origin(configured: Configuration, key: tuple[str | int, ...]) -> str:
    found = [source for at, source in configured.sources.items() if at[: len(key)] == key]
    return _named(found[0]) if found else BUILT_IN


def _named(source: Source) -> str:
    names = ", ".join(f"${name}" for name in source.variables)
    return f"{source.file}{f', {names}' if names else ''}"


def _text(value: Any) -> str:
    from trainwright.graph.redaction import redact

    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return line(redact(str(value)), 120) if value not in ("", None) else "-"
