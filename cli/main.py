"""The commands of `trainwright`. Each one imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from .failures import guarded, say

__all__ = ["app", "main"]

app = typer.Typer(
    name="trainwright",
    help="Give it a paper; get back a trained, honestly evaluated, published model.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Run = Annotated[str, typer.Argument(metavar="RUN", help="Name of the run, or the beginning of it.", show_default=False)]
Fallback = Annotated[
    str | None, typer.Option(help="Model that takes over when the engineer's cannot go on.", metavar="MODEL")
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url", help="Address of a server of your own; its key is read from TRAINWRIGHT_API_KEY.", metavar="URL"
    ),
]
Effort = Annotated[
    str | None,
    typer.Option(help="How hard the model thinks.", metavar="none|minimal|low|medium|high|xhigh|max"),
]
ContextTokens = Annotated[
    int | None, typer.Option(help="Tokens that the model reads; found out when left out.", metavar="N")
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on standard output, nothing else.")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"trainwright {version('trainwright')}")
        raise typer.Exit


@app.callback()
def _program(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Give it a paper; get back a trained, honestly evaluated, published model."""


EXAMPLES = (
    "Examples: trainwright run paper.pdf --data table.csv; "
    "trainwright run 1408.5882 --data texts/ --target 'accuracy>=0.8'; "
    "trainwright run --goal 'predict the price' --data houses.csv --target-column price --approvals auto"
)


@app.command(epilog=EXAMPLES)
@guarded
def run(
    paper: Annotated[
        str | None,
        typer.Argument(
            metavar="PAPER",
            help="arXiv id or URL, PDF (path or URL), Markdown or text file, or - for a text on standard input.",
            show_default=False,
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="csv, tsv, jsonl, parquet or npz (a file, or a folder with train, validation and test files), a folder "
            "of class folders with images, sklearn:NAME, or a Hub data set owner/name[:config][@revision].",
            metavar="DATA",
        ),
    ] = None,
    goal: Annotated[str | None, typer.Option(help="What you want, in your own words.", metavar="TEXT")] = None,
    target: Annotated[
        str | None, typer.Option(help='Score to reach, such as "accuracy>=0.97" or "rmse<=3.1".', metavar="TARGET")
    ] = None,
    target_column: Annotated[
        str | None, typer.Option(help="Column to predict; found when left out.", metavar="NAME")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the run; made up when left out.", metavar="NAME")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="End after the plan, with its estimate.")] = False,
    engineer: Annotated[
        str,
        typer.Option(
            help="Who decides inside the stages: recipes (built in), or a model as PROVIDER/MODEL, such as "
            "anthropic/claude-opus-4-8.",
            metavar="ENGINEER",
        ),
    ] = "recipes",
    fallback: Fallback = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    context_tokens: ContextTokens = None,
    approvals: Annotated[
        str, typer.Option(help="ask: a person answers the gates; auto: rules do.", metavar="ask|auto")
    ] = "ask",
    publish_to: Annotated[str | None, typer.Option(help="Name of the published model.", metavar="NAME")] = None,
    step_cap: Annotated[int, typer.Option(help="Engineer turns over the whole run.", metavar="N")] = 300,
    max_hours: Annotated[
        float | None, typer.Option(help="Hours that the run may be at work; 24 when left out.", metavar="H")
    ] = None,
    attempts: Annotated[int, typer.Option(help="Rounds from plan to evaluation, at most.", metavar="N")] = 3,
    seed: Annotated[int, typer.Option(help="Seed of the split and of the training.", metavar="N")] = 0,
    as_json: AsJson = False,
) -> int:
    """Take a paper and data to a published model."""
    from .request import request_from_flags, settings_from_flags

    settings = settings_from_flags(
        engineer=engineer,
        fallback=fallback,
        base_url=base_url,
        effort=effort,
        context_tokens=context_tokens,
        approvals=approvals,
        step_cap=step_cap,
        max_hours=max_hours,
        attempts=attempts,
        seed=seed,
        dry_run=dry_run,
    )
    request = request_from_flags(paper, data, goal, target, target_column, name, publish_to)
    from trainwright.graph import driver

    from .session import follow

    return follow(lambda: driver.start(request, settings), as_json=as_json)


@app.command("runs")
@guarded
def list_runs(as_json: AsJson = False) -> int:
    """List the runs, the latest first."""
    from .listing import show_runs

    return show_runs(as_json=as_json)


@app.command()
@guarded
def show(run: Run, as_json: AsJson = False) -> int:
    """Show a run: what was decided, its score, what waits."""
    from .showing import show_run

    return show_run(run, as_json=as_json)


@app.command()
@guarded
def resume(
    run: Run,
    step_cap: Annotated[int | None, typer.Option(help="New limit of engineer turns.", metavar="N")] = None,
    max_hours: Annotated[float | None, typer.Option(help="New limit of hours at work.", metavar="H")] = None,
    engineer: Annotated[
        str | None, typer.Option(help="Another engineer: recipes, or PROVIDER/MODEL.", metavar="ENGINEER")
    ] = None,
    fallback: Fallback = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    context_tokens: ContextTokens = None,
    data: Annotated[str | None, typer.Option(help="Other data, where the run has stopped.", metavar="DATA")] = None,
    as_json: AsJson = False,
) -> int:
    """Go on with a run that was stopped or failed."""
    from .going_on import resume_run

    return resume_run(
        run,
        step_cap=step_cap,
        max_hours=max_hours,
        engineer=engineer,
        fallback=fallback,
        base_url=base_url,
        effort=effort,
        context_tokens=context_tokens,
        data=data,
        as_json=as_json,
    )


@app.command(context_settings={"ignore_unknown_options": True})
@guarded
def tell(
    run: Run,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What its engineer should know.", show_default=False)],
    as_json: AsJson = False,
) -> int:
    """Say something to the engineer of a run."""
    from .telling import tell_run

    return tell_run(run, text, as_json=as_json)


@app.command()
@guarded
def approve(run: Run, as_json: AsJson = False) -> int:
    """Approve what a run waits for, and go on."""
    from .going_on import decide

    return decide(run, "approve", "", as_json=as_json)


@app.command()
@guarded
def reject(
    run: Run,
    feedback: Annotated[
        str | None, typer.Option(help="What should change; the run goes back with it.", metavar="TEXT")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Reject what a run waits for, or send it back."""
    from .going_on import decide

    return decide(run, "reject", feedback, as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})
@guarded
def answer(
    run: Run,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The answer to the run's question.", show_default=False)],
    as_json: AsJson = False,
) -> int:
    """Answer a run's question, and go on."""
    from .going_on import decide

    return decide(run, "respond", text, as_json=as_json)


@app.command()
@guarded
def graph(
    png: Annotated[str | None, typer.Option(help="Draw it into this PNG file.", metavar="FILE")] = None,
    inside: Annotated[bool, typer.Option("--inside", help="Also show the loops inside the stages.")] = False,
) -> int:
    """Print the picture of the process, as Mermaid text."""
    from .drawing import draw_graph

    return draw_graph(png, inside=inside)


@app.command()
@guarded
def doctor(as_json: AsJson = False) -> int:
    """Say what works here, and what mends the rest."""
    from .doctor import run_doctor

    return run_doctor(as_json=as_json)


@app.command()
@guarded
def demo(as_json: AsJson = False) -> int:
    """Take the example to a published model, offline."""
    from .demo import run_demo

    return run_demo(as_json=as_json)


_ClickError: type[Exception] = typer.BadParameter.__mro__[2]
"""The base of every error that the command line itself can have; typer does not export it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    _open_streams()
    command = typer.main.get_command(app)
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = command.main(args=given, prog_name="trainwright", standalone_mode=False)
    except _ClickError as error:
        return _usage(error)
    except typer.Abort:
        say("Stopped.")
        return 130
    return code if isinstance(code, int) else 0


def _usage(error: Exception) -> int:
    """One line with what is wrong with the command line, and one with where to read more."""
    message = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    if type(error).__name__ == "NoArgsIsHelpError":
        sys.stdout.write(message + "\n")
        return 2
    say(f"Error: {message}", f"`{context.command_path if context else 'trainwright'} --help` says more.")
    return 2


def _open_streams() -> None:
    """A closed standard stream goes nowhere instead of breaking the first line that is printed."""
    import os

    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole process
