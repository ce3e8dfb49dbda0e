"""The commands that look things up, and those for what is kept of it: `lookup`, `cache`, `mcp`.

What they do is elsewhere; here it is only said how they are called. The commands of the areas are made when one is used.
"""

from __future__ import annotations

from typing import Annotated

import typer

from .failures import guarded

__all__ = ["add_lookups"]

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output, nothing else.")]
WHOLE_LINE = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


def add_lookups(app: typer.Typer) -> None:
    """Give the program these commands."""
    app.command("lookup", context_settings=WHOLE_LINE)(lookup)
    app.command("mcp", context_settings=WHOLE_LINE)(mcp)
    app.add_typer(_cache_commands())


def lookup(context: typer.Context) -> int:
    """Papers, documentation, data sets, models, code, the web."""
    from trainwright.tools.lookup.areas import AREAS

    from .lookup import lookup_app

    app = lookup_app(AREAS.values())
    app.command()(guarded(research))
    return _passed_on(app, context)


def research(
    questions: Annotated[
        list[str],
        typer.Argument(metavar="QUESTION...", help="One to six, each for a helper of its own.", show_default=False),
    ],
    engineer: Annotated[
        str | None, typer.Option(help="Who decides: recipes, or a model as PROVIDER/MODEL.", metavar="ENGINEER")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option("--base-url", help="Address of a server of your own.", metavar="URL")
    ] = None,
    max_usd: Annotated[float | None, typer.Option(help="Dollars of all helpers together.", metavar="USD")] = None,
    turns: Annotated[int | None, typer.Option("--research-turns", help="Turns of each helper.", metavar="N")] = None,
    minutes: Annotated[
        float | None, typer.Option("--research-minutes", help="Minutes of each helper.", metavar="M")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="From the cache alone.")] = False,
    as_json: AsJson = False,
) -> int:
    """Several questions at once, each looked into by a helper."""
    from .researching import research_command

    return research_command(
        questions, engineer=engineer, base_url=base_url, max_usd=max_usd, turns=turns, minutes=minutes,
        offline=offline, as_json=as_json,
    )  # fmt: skip


def mcp(context: typer.Context) -> int:
    """The MCP servers of your configuration."""
    from .servers import servers_app

    return _passed_on(servers_app(), context)


def _passed_on(app: typer.Typer, context: typer.Context) -> int:
    command = typer.main.get_command(app)
    code = command.main(args=context.args, prog_name=context.command_path, standalone_mode=False)
    return code if isinstance(code, int) else 0


def _cache_commands() -> typer.Typer:
    cache = typer.Typer(
        name="cache", help="What is kept of lookups on the disk.", no_args_is_help=True, rich_markup_mode=None
    )

    @cache.command()
    @guarded
    def show(as_json: AsJson = False) -> int:
        """Show how much is kept, of what, and the limits."""
        from .caching import show_cache

        return show_cache(as_json=as_json)

    @cache.command()
    @guarded
    def prune(as_json: AsJson = False) -> int:
        """Remove what is beyond the limits of age and size."""
        from .caching import prune_cache

        return prune_cache(as_json=as_json)

    @cache.command()
    @guarded
    def clear(as_json: AsJson = False) -> int:
        """Remove everything that is kept."""
        from .caching import clear_cache

        return clear_cache(as_json=as_json)

    return cache
