"""The limits of a run: which there are, what they still allow, and which of them is reached.

Money for a model's calls and money for machines are bounded apart: calls have a limit of their own by default, and
nothing else that costs starts before a person sets `max_usd`. The limits of one stage come on top of the run's. This
module reads settings and sums; the ledger refuses, and the nodes end the run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

from .amounts import HOUR, MICROS, floor
from .errors import RequestError
from .ledger import Limit, Sums
from .state import Settings, StageLimits, Status

__all__ = [
    "COMPUTE",
    "MODEL_USD",
    "STAGES",
    "Remaining",
    "check_lowered",
    "check_stages",
    "limits_at",
    "limits_of",
    "merged",
    "named",
    "reached",
    "remaining",
    "said",
    "status_of",
]

COMPUTE = ("sandbox_test", "submit_job", "watch_job")
"""Nodes whose dollars pay for machines; those of all others pay for calls of a model."""

RESEARCH = "research"
"""What research helpers use is counted at nodes below this one: `research/STAGE/HELPER`."""

MODEL_USD = 5.0
"""US dollars for calls of a model when neither `max_model_usd` nor `max_usd` is given."""

STAGES = (
    "read_paper", "plan", "find_data", "write_code", "sandbox_test", "watch_job", "evaluate", "publish",
)  # fmt: skip
"""Nodes that can have limits of their own; of those without an engineer, `watch_job` stands for the training job."""

TOKENS = ("input_tokens", "output_tokens")

MEANING: dict[str, tuple[tuple[str, ...], int]] = {
    "step_cap": (("steps",), 1),
    "max_hours": (("milliseconds",), HOUR),
    "max_tokens": (TOKENS, 1),
    "max_gpu_hours": (("gpu_milliseconds",), HOUR),
    "max_usd": (("usd_micros",), MICROS),
    "max_model_usd": (("usd_micros",), MICROS),
}
"""What each setting limits, and how many smallest units are in one of its units."""


class Remaining(NamedTuple):
    """How a limit stands; all amounts in its resource's smallest unit."""

    limit: Limit
    used: int
    held: int

    @property
    def left(self) -> int:
        """What may still be reserved; never negative."""
        return max(0, self.limit.amount - self.used - self.held)


def limits_of(settings: Settings) -> tuple[Limit, ...]:
    """Every limit of a run, those of the whole run first."""
    found = [_limit(name, getattr(settings, name)) for name in ("step_cap", "max_hours", "max_tokens", "max_gpu_hours")]
    return (*found, *_money(settings), *_stages(settings))


def limits_at(settings: Settings, node: str) -> tuple[Limit, ...]:
    """The limits of a run, with those that a research helper has on top of them where `node` is one's."""
    if not node.startswith(f"{RESEARCH}/"):
        return limits_of(settings)
    own = {"max_usd": settings.research_max_usd, "max_tokens": settings.research_max_tokens}
    return (
        *limits_of(settings),
        *(_limit(name, value)._replace(setting=f"{RESEARCH}_{name}", nodes=(node,)) for name, value in own.items()),
    )


def _money(settings: Settings) -> Iterator[Limit]:
    """Dollars: of all together when a person says so, else of calls alone, and nothing for machines."""
    if settings.max_usd is not None:
        yield _limit("max_usd", settings.max_usd)
    else:
        yield _limit("max_usd", 0)._replace(nodes=COMPUTE)
    if settings.max_model_usd is not None or settings.max_usd is None:
        model = MODEL_USD if settings.max_model_usd is None else settings.max_model_usd
        yield _limit("max_model_usd", model)._replace(but=COMPUTE)


def _stages(settings: Settings) -> Iterator[Limit]:
    for stage, bounds in settings.stages.items():
        for name in StageLimits.model_fields:
            if (value := getattr(bounds, name)) is not None:
                nodes = (stage, f"{RESEARCH}/{stage}")  # what its helpers use is its own
                yield _limit(name, value)._replace(setting=f"stages.{stage}.{name}", nodes=nodes)


def _limit(name: str, value: float) -> Limit:
    resources, unit = MEANING[name]
    return Limit(name, resources, floor(value, unit))


def remaining(sums: Sums, settings: Settings) -> tuple[Remaining, ...]:
    """How every limit of a run stands, by what `Ledger.sums` says."""
    return tuple(Remaining(limit, *limit.taken(sums)) for limit in limits_of(settings))


def status_of(setting: str) -> Status:
    """The status with which a run ends at a limit."""
    ends = {"step_cap": Status.STEP_LIMIT, "max_hours": Status.DEADLINE}
    return ends.get(setting.rpartition(".")[2], Status.BUDGET_LIMIT)


def reached(
    run: str, stage: str, sums: Sums, settings: Settings, *, steps: int, paid: bool
) -> tuple[Status, str] | None:
    """The status and the reason if a limit leaves nothing for another turn of a stage.

    Args:
        run: its name, for the command that goes on.
        stage: whose turn it would be.
        sums: what is used and held.
        settings: with the limits.
        steps: engineer turns as the run's state counts them. After a kill in the middle of a turn the ledger knows of
            one more, which is taken again.
        paid: whether a turn calls a model. If not, the limits of dollars and tokens do not matter.
    """
    again = sum(used for (_, name), (used, _) in sums.items() if name == "steps") - steps
    wanted = ("steps", "milliseconds", *(("usd_micros", *TOKENS) if paid else ()))
    for row in remaining(sums, settings):
        limit = row.limit
        taken = row.used + row.held - (again if "steps" in limit.resources else 0)
        # A budget of nothing stops only what costs, and that is refused when it asks.
        if limit.covers(stage) and limit.resources[0] in wanted and taken and taken >= limit.amount:
            return status_of(limit.setting), (
                f"The {named(limit)} is reached ({limit.say(taken)} used). All work is kept: "
                f"`trainwright resume {run} {limit.flag(taken + 1)}` goes on."
            )
    return None


def named(limit: Limit) -> str:
    """A limit as a person calls it: `step limit of 300`, `dollar limit of $5.00 for calls of a model`."""
    stage = f" of stage {limit.setting.split('.')[1]}" if limit.setting.startswith("stages.") else ""
    words = {"steps": "step", "milliseconds": "time", "gpu_milliseconds": "GPU", "usd_micros": "dollar"}
    word = words.get(limit.resources[0], "token")
    amount = f"{limit.amount:,}" if word == "step" else limit.say(limit.amount)
    money = " for calls of a model" if limit.setting == "max_model_usd" else ""
    stage = " of one research helper" if limit.setting.startswith(f"{RESEARCH}_") else stage
    return f"{word} limit{stage} of {amount}{money}"


def check_stages(stages: Collection[str]) -> None:
    """Refuse limits of what is no stage, which would otherwise bound nothing.

    Raises:
        RequestError: naming it, and the stages that there are.
    """
    for name in stages:
        if name not in STAGES:
            raise RequestError(
                f"There is no stage {name[:60]!r} to limit.", hint=f"The stages are {', '.join(STAGES)}."
            )


def merged(before: Mapping[str, StageLimits], given: Mapping[str, StageLimits | dict[str, Any]]) -> dict[str, Any]:
    """The limits of single stages after a change, as plain data: what `given` does not name stays as it was.

    Raises:
        RequestError: there is no such stage.
    """
    check_stages(given)
    found = {name: bounds.model_dump(exclude_none=True) for name, bounds in before.items()}
    for name, bounds in given.items():
        fresh = bounds if isinstance(bounds, StageLimits) else StageLimits.model_validate(bounds)
        found[name] = {**found.get(name, {}), **fresh.model_dump(exclude_none=True)}
    return found


def check_lowered(run: str, sums: Sums, before: Settings, after: Settings, given: Collection[str] = ()) -> None:
    """Refuse a change that would stop the run at once: a limit at or below what is used already.

    A limit that stays as it was is not looked at: a stage that has ended may well have used all of its own.

    Args:
        run: its name.
        sums: what is used and held.
        before, after: its settings.
        given: settings that were named, also with the value that they had.

    Raises:
        RequestError: naming the limit, what is used, and a value that goes on.
    """
    known = limits_of(before)
    for row in remaining(sums, after):
        limit, taken = row.limit, row.used + row.held
        if (limit not in known or limit.setting in given) and taken and taken >= limit.amount:
            what = f"taken {limit.say(taken)}" if limit.setting == "step_cap" else f"used {limit.say(taken)}"
            raise RequestError(
                f"{run} has {what} already; a {named(limit)} would stop it at once.",
                hint=f"Give a higher one: {limit.flag(max(2 * taken, taken + 1))}.",
            )


def said(settings: Settings) -> str:
    """The limits in one line, for the beginning of a run; those of tokens and GPU-hours where they are not the usual."""
    by = {limit.setting: limit for limit in limits_of(settings)}
    usual = {limit.setting: limit for limit in limits_of(Settings())}
    rare = [name for name in ("max_tokens", "max_gpu_hours") if by[name] != usual[name]]
    parts = [by[name].say(by[name].amount) for name in ("step_cap", "max_hours", *rare)]
    total, model = by["max_usd"], by.get("max_model_usd")
    if settings.max_usd is not None:
        parts.append(f"{total.say(total.amount)} in all")
    if model is not None:
        parts.append(f"models {model.say(model.amount)}")
    if settings.max_usd is None:
        parts.append("jobs $0 (nothing paid)")
    stages = [limit for limit in by.values() if limit.setting.startswith("stages.")]
    return ", ".join([*parts, *(f"{limit.setting.split('.')[1]} {limit.say(limit.amount)}" for limit in stages)])
