"""The commands of `trainwright`. Each one imports what it needs when it runs, so that `--help` is quick."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from .failures import guarded, say
from .looking import add_lookups

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
MaxUsd = Annotated[
    float | None,
    typer.Option(
        help="Dollars of the whole run; when left out nothing for jobs that cost, and --max-model-usd for a model.",
        metavar="USD",
    ),
]
MaxModelUsd = Annotated[
    float | None,
    typer.Option(help="Dollars for calls of a model; --max-usd when left out, and 5 without it.", metavar="USD"),
]
MaxGpuHours = Annotated[float | None, typer.Option(help="GPU-hours of training jobs; 24 when left out.", metavar="H")]
MaxTokens = Annotated[
    int | None,
    typer.Option(help="Tokens of a model, read and written; 20000000 when left out.", metavar="N"),
]
StageLimit = Annotated[
    list[str] | None,
    typer.Option(
        help="Limit of one stage, such as plan.step_cap=20 (step_cap, max_usd, max_tokens, max_hours); can be repeated.",
        metavar="STAGE.LIMIT=VALUE",
    ),
]
ModelPrice = Annotated[
    str | None,
    typer.Option(
        help="Dollars for a million tokens read and written, such as 3/15, where no list knows the model.",
        metavar="IN/OUT",
    ),
]
MachineUsd = Annotated[
    float | None,
    typer.Option(
        "--machine-usd-per-hour", help="What an hour of a job on this machine costs; 0 when left out.", metavar="USD"
    ),
]
Only = Annotated[
    list[int] | None,
    typer.Option(help="Number of the action that it is for, where several wait; can be repeated.", metavar="N"),
]
ResearchTurns = Annotated[
    int | None, typer.Option(help="Turns of each research helper; 12 when left out.", metavar="N")
]
ResearchUsd = Annotated[
    float | None, typer.Option("--research-max-usd", help="Dollars of each research helper.", metavar="USD")
]
ResearchTokens = Annotated[
    int | None, typer.Option("--research-max-tokens", help="Tokens of each research helper.", metavar="N")
]
ResearchMinutes = Annotated[float | None, typer.Option(help="Minutes of each research helper.", metavar="M")]
Offline = Annotated[
    bool | None,
    typer.Option("--offline/--online", help="Look things up in the cache alone, or in the network too."),
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
    research_turns: ResearchTurns = None,
    research_max_usd: ResearchUsd = None,
    research_max_tokens: ResearchTokens = None,
    research_minutes: ResearchMinutes = None,
    offline: Offline = None,
    engineer: Annotated[
        str | None,
        typer.Option(
            help="Who decides inside the stages: recipes (built in; when left out), or a model as PROVIDER/MODEL, such "
            "as anthropic/claude-opus-4-8.",
            metavar="ENGINEER",
        ),
    ] = None,
    fallback: Fallback = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    context_tokens: ContextTokens = None,
    approvals: Annotated[
        str | None,
        typer.Option(help="ask: a person answers the gates (when left out); auto: rules do.", metavar="ask|auto"),
    ] = None,
    publish_to: Annotated[str | None, typer.Option(help="Name of the published model.", metavar="NAME")] = None,
    step_cap: Annotated[
        int | None, typer.Option(help="Engineer turns over the whole run; 300 when left out.", metavar="N")
    ] = None,
    max_hours: Annotated[
        float | None, typer.Option(help="Hours that the run may be at work; 24 when left out.", metavar="H")
    ] = None,
    max_usd: MaxUsd = None,
    max_model_usd: MaxModelUsd = None,
    max_gpu_hours: MaxGpuHours = None,
    max_tokens: MaxTokens = None,
    stage_limit: StageLimit = None,
    model_price: ModelPrice = None,
    machine_usd_per_hour: MachineUsd = None,
    attempts: Annotated[
        int | None, typer.Option(help="Rounds from plan to evaluation, at most; 3 when left out.", metavar="N")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the split and of the training; 0 when left out.", metavar="N")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Take a paper and data to a published model."""
    from .configuring import configured_settings
    from .request import request_from_flags, settings_from_flags

    settings = settings_from_flags(
        configured_settings(),
        engineer=engineer,
        fallback=fallback,
        base_url=base_url,
        effort=effort,
        context_tokens=context_tokens,
        approvals=approvals,
        step_cap=step_cap,
        max_hours=max_hours,
        max_usd=max_usd,
        max_model_usd=max_model_usd,
        max_gpu_hours=max_gpu_hours,
        max_tokens=max_tokens,
        stages=stage_limit or None,
        model_price=model_price,
        machine_usd_per_hour=machine_usd_per_hour,
        attempts=attempts,
        seed=seed,
        dry_run=dry_run or None,
        research_turns=research_turns,
        research_max_usd=research_max_usd,
        research_max_tokens=research_max_tokens,
        research_minutes=research_minutes,
        offline=offline,
    )
    request = request_from_flags(paper, data, goal, target, target_column, name, publish_to)
    from trainwright.graph import driver

    from .session import follow

    return follow(lambda: driver.start(request, settings), as_json=as_json)


@app.command("runs")
@guarded
def list_runs(
    waiting: Annotated[bool, typer.Option("--waiting", help="Only those that wait for a person.")] = False,
    as_json: AsJson = False,
) -> int:
    """List the runs, the latest first."""
    from .listing import show_runs

    return show_runs(waiting=waiting, as_json=as_json)


@app.command()
@guarded
def show(
    run: Run,
    full: Annotated[bool, typer.Option("--full", help="Leave out nothing of the texts that it asks about.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show a run: what was decided, its score, what waits."""
    from .showing import show_run

    return show_run(run, as_json=as_json, full=full)


@app.command()
@guarded
def resume(
    run: Run,
    step_cap: Annotated[int | None, typer.Option(help="New limit of engineer turns.", metavar="N")] = None,
    max_hours: Annotated[float | None, typer.Option(help="New limit of hours at work.", metavar="H")] = None,
    max_usd: MaxUsd = None,
    max_model_usd: MaxModelUsd = None,
    max_gpu_hours: MaxGpuHours = None,
    max_tokens: MaxTokens = None,
    stage_limit: StageLimit = None,
    model_price: ModelPrice = None,
    machine_usd_per_hour: MachineUsd = None,
    engineer: Annotated[
        str | None, typer.Option(help="Another engineer: recipes, or PROVIDER/MODEL.", metavar="ENGINEER")
    ] = None,
    fallback: Fallback = None,
    base_url: BaseUrl = None,
    effort: Effort = None,
    context_tokens: ContextTokens = None,
    data: Annotated[str | None, typer.Option(help="Other data, where the run has stopped.", metavar="DATA")] = None,
    research_turns: ResearchTurns = None,
    research_max_usd: ResearchUsd = None,
    research_max_tokens: ResearchTokens = None,
    research_minutes: ResearchMinutes = None,
    offline: Offline = None,
    as_json: AsJson = False,
) -> int:
    """Go on with a run that was stopped or failed."""
    from .going_on import resume_run

    return resume_run(
        run,
        step_cap=step_cap,
        max_hours=max_hours,
        max_usd=max_usd,
        max_model_usd=max_model_usd,
        max_gpu_hours=max_gpu_hours,
        max_tokens=max_tokens,
        stages=stage_limit or None,
        model_price=model_price,
        machine_usd_per_hour=machine_usd_per_hour,
        engineer=engineer,
        fallback=fallback,
        base_url=base_url,
        effort=effort,
        context_tokens=context_tokens,
        research_turns=research_turns,
        research_max_usd=research_max_usd,
        research_max_tokens=research_max_tokens,
        research_minutes=research_minutes,
        offline=offline,
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
def approve(run: Run, only: Only = None, as_json: AsJson = False) -> int:
    """Approve what a run waits for, and go on."""
    from .going_on import decide

    return decide(run, "approve", "", only=only or (), as_json=as_json)


@app.command()
@guarded
def reject(
    run: Run,
    feedback: Annotated[
        str | None, typer.Option(help="What should change; the run goes back with it.", metavar="TEXT")
    ] = None,
    only: Only = None,
    as_json: AsJson = False,
) -> int:
    """Reject what a run waits for, or send it back."""
    from .going_on import decide

    return decide(run, "reject", feedback, only=only or (), as_json=as_json)


@app.command()
@guarded
def edit(run: Run, only: Only = None, as_json: AsJson = False) -> int:
    """Change what a run waits for in $EDITOR, and go on with that."""
    from .editing import edit_run

    return edit_run(run, only=only or (), as_json=as_json)


@app.command(context_settings={"ignore_unknown_options": True})
@guarded
def answer(
    run: Run,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The answer to the run's question.", show_default=False)],
    only: Only = None,
    as_json: AsJson = False,
) -> int:
    """Answer a run's question, or in place of a tool, and go on."""
    from .going_on import decide

    return decide(run, "respond", text, only=only or (), as_json=as_json)


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
def doctor(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="With --end: of these runs.", show_default=False)
    ] = None,
    end: Annotated[bool, typer.Option("--end", help="End what crashed runs left behind.")] = False,
    as_json: AsJson = False,
) -> int:
    """Say what works here, and what mends the rest."""
    from .doctor import end_left_over, run_doctor

    if end:
        return end_left_over(runs or [], as_json=as_json)
    return run_doctor(runs or [], as_json=as_json)


@app.command()
@guarded
def config(
    action: Annotated[
        str | None,
        typer.Argument(metavar="[check]", help="check: say whether all of it can be used.", show_default=False),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show what is configured, and where each value comes from."""
    from .configuring import run_config

    return run_config(action, as_json=as_json)


policies = typer.Typer(name="policy", help="What a run may do by itself.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(policies)


@policies.command("check")
@guarded
def policy_check(
    command: Annotated[
        list[str] | None,
        typer.Argument(metavar="COMMAND", help="A shell command, quoted or after --.", show_default=False),
    ] = None,
    tool: Annotated[str | None, typer.Option(help="Another action than a command: its tool.", metavar="NAME")] = None,
    fact: Annotated[
        list[str] | None, typer.Option(help="What is known of that action; can be repeated.", metavar="NAME=VALUE")
    ] = None,
    reads: Annotated[bool, typer.Option("--reads", help="That action changes nothing.")] = False,
    workspace: Annotated[
        Path | None, typer.Option(help="The run's folder; the present one when left out.", metavar="DIR")
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="Commands, one a line; - is standard input.", metavar="FILE")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Say what the policy decides: exit code 0 allow, 3 ask, 5 refuse."""
    from .policy import check_policy

    return check_policy(
        command or [], tool=tool, facts=fact or [], reads=reads, workspace=workspace, file=file, as_json=as_json
    )


@policies.command("show")
@guarded
def policy_show(as_json: AsJson = False) -> int:
    """Print the rules in force, in order."""
    from .policy import show_policy

    return show_policy(as_json=as_json)


@app.command()
@guarded
def demo(as_json: AsJson = False) -> int:
    """Take the example to a published model, offline."""
    from .demo import run_demo

    return run_demo(as_json=as_json)


@app.command()
@guarded
def prune(
    runs: Annotated[
        list[str] | None,
        typer.Argument(metavar="RUN...", help="Which runs; all of them when left out.", show_default=False),
    ] = None,
    older_than: Annotated[
        float, typer.Option("--older-than", help="Only runs unchanged for so many days.", metavar="DAYS")
    ] = 0.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would go, and drop nothing.")] = False,
    as_json: AsJson = False,
) -> int:
    """Drop the checkpoints that no resume needs."""
    from .pruning import prune_runs

    return prune_runs(runs or [], older_than=older_than, dry_run=dry_run, as_json=as_json)


@app.command()
@guarded
def fork(
    run: Run,
    at: Annotated[
        int | None,
        typer.Option("--at", help="Begin just after this step; where the run stands when left out.", metavar="STEP"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Name of the new run; made up when left out.", metavar="NAME")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Begin a new run from a step of another."""
    from .forking import fork_run

    return fork_run(run, at, name or "", as_json=as_json)


add_lookups(app)

_ClickError: type[Exception] = typer.BadParameter.__mro__[2]
"""The base of every error that the command line itself can have; typer does not export it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code.

    Without `arguments` this process is the command: once a run is over, signals are ignored until the process ends.
    """
    if arguments is None:
        return _run(sys.argv[1:])
    from .signals import given_back

    with given_back():
        return _run(arguments)


def _run(arguments: Sequence[str]) -> int:
    _open_streams()
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(arguments), prog_name="trainwright", standalone_mode=False)
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
