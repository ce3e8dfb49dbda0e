"""What crashed runs left behind, for `trainwright doctor`; ended by `doctor --end`, and never without it.

Processes that nobody waits for, reservations of runs that have ended, effects that happened without a receipt, leases
of processes that were killed, files that were half written. What belongs to a run that could still go on is told, and
ended only by its name: a job that outlives its terminal is as it should be. A run at work has left nothing behind.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

from trainwright.graph import lease
from trainwright.graph.effects import Effect, Journal
from trainwright.graph.errors import RunNotFound, TrainwrightError
from trainwright.graph.ledger import Ledger, Reservation
from trainwright.graph.ownership import maker_of
from trainwright.graph.runs import RunRow, open_runs
from trainwright.graph.settings import home, hub_path, run_path

from .supervisors import Running, end_tree, running
from .words import age, dollars, duration, size

__all__ = ["LeftOver", "end_left_overs", "left_overs"]

OPEN = ("running", "waiting", "interrupted")
"""Statuses of a run that can go on where it is."""

OLD_SECONDS = 3_600.0
"""Age from which a half-made model, or a temporary folder whose maker is gone, is taken for left over."""

UNKNOWN_SECONDS = 86_400.0
"""The same, of a temporary folder that does not say who made it."""

TEMPORARY = ("trainwright-clean-", "trainwright-reproduce-", "trainwright-code-", "trainwright-probe-")


@dataclass(frozen=True)
class LeftOver:
    """One thing that was left behind.

    Attributes:
        kind: `job`, `process`, `reservation`, `effect`, `lease` or `file`.
        run: whose; empty where nobody knows.
        about: what it is, how old, what it costs, in words.
        needs_name: it belongs to a run that could go on, so it is ended only by that run's name.
        end: ends it, and says what was done; None where only a person can.
    """

    kind: str
    run: str
    about: str
    needs_name: bool = False
    end: Callable[[], str] | None = None


def left_overs() -> list[LeftOver]:
    """All that is left over in this home."""
    rows = {row.name: row for row in open_runs().list()}
    found = [_of_process(one, rows.get(one.run)) for one in running() if lease.holder(one.run) is None]
    for row in rows.values():
        if lease.holder(row.name) is None:
            found += [*_reservations(row), *_effects(row), *_leases(row), *_files(row)]
    return [*found, *_temporary()]


def end_left_overs(names: Sequence[str]) -> Iterator[tuple[LeftOver, str, bool]]:
    """End what is left over of the named runs, or of all that have ended: what it was, what was done, whether it is gone.

    Raises:
        RunNotFound: there is no such run, and nothing of it.
    """
    found = left_overs()
    wanted = {_resolved(name, found) for name in names}
    for one in found:
        if one.end is None or (one.run not in wanted if wanted else one.needs_name):
            continue
        try:
            there = bool(one.run) and run_path(one.run).is_dir()
            with lease.held(one.run) if there else nullcontext():
                yield one, one.end(), True
        except (TrainwrightError, OSError) as error:
            yield one, str(error), False


def _resolved(name: str, found: Sequence[LeftOver]) -> str:
    try:
        return open_runs().resolve(name).name
    except RunNotFound:
        if any(one.run == name for one in found):
            return name  # its row is gone
        raise


def _whose(name: str, row: RunRow | None) -> str:
    if row is None or not run_path(name).is_dir():
        return f"{name}, which is gone"
    if row.status in OPEN:
        return f"{name}, at which nobody is at work"
    return f"{name}, which has ended ({row.status.replace('_', ' ')})"


def _of_process(one: Running, row: RunRow | None) -> LeftOver:
    import psutil

    try:
        began = one.process.create_time()
    except psutil.Error:
        began = time.time()
    ran = max(0.0, time.time() - began)
    is_open = row is not None and row.status in OPEN and run_path(one.run).is_dir()
    whose, pid = _whose(one.run, row), one.process.pid
    if one.job is None:
        about = f"process {pid} of {whose}, for {duration(ran)}; costs nothing but this machine"
        return LeftOver("process", one.run, about, needs_name=is_open, end=partial(_end_process, one))
    about = f"job in process {pid} of {whose}, for {duration(ran)}; {_cost(row, ran)}"
    if is_open:
        about += f"; `trainwright resume {one.run}` goes on with it"
    return LeftOver("job", one.run, about, needs_name=is_open, end=partial(_end_job, one))


def _cost(row: RunRow | None, seconds: float) -> str:
    """What an hour of this machine costs, if the person said so."""
    price = Decimal(str((row.settings or {}).get("machine_usd_per_hour", 0) if row is not None else 0))
    return f"{dollars(float(price) * seconds / 3_600)} so far" if price else "costs nothing but this machine"


def _end_process(one: Running) -> str:
    if left := end_tree(one.process):
        raise TrainwrightError(f"{_processes(left)} did not end.", hint=f"kill -9 {' '.join(map(str, left))}")
    return f"process {one.process.pid} was ended with all that it started"


def _processes(numbers: Sequence[int]) -> str:
    return f"{'Processes' if len(numbers) > 1 else 'Process'} {', '.join(map(str, numbers))}"


def _end_job(one: Running) -> str:
    """Cancel it through its engine, make sure that its whole tree is gone, settle what was held for it."""
    import psutil

    from trainwright.nodes.estimates import settle
    from trainwright.tools.jobs import LocalEngine

    assert one.job is not None
    try:
        tree = one.process.children(recursive=True)
    except psutil.NoSuchProcess:
        tree = []
    if (one.job / "job.json").is_file():
        LocalEngine(one.job).cancel(str(one.job))
    left = [pid for process in (one.process, *tree) for pid in end_tree(process)]
    if left:
        raise TrainwrightError(
            f"{_processes(left)} of the job did not end.", hint=f"kill -9 {' '.join(map(str, left))}"
        )
    said = f"the job of {one.run} was ended with all that it started"
    if not (one.job / "job.json").is_file():
        return said
    status = LocalEngine(one.job).status(str(one.job))
    settle(json.loads((one.job / "job.json").read_text(encoding="utf-8"))["key"], status.seconds)
    return f"{said}, after {duration(status.seconds)}; what was held for it is settled"


def _reservations(row: RunRow) -> Iterator[LeftOver]:
    if row.status in OPEN:
        return  # settled when the run goes on
    for held in Ledger().open(row.name):
        amounts = ", ".join(f"{amount} {name}" for name, amount in held.amounts.items())
        about = f"{amounts} held by {_whose(row.name, row)}, for {held.node or 'no node'}, {age(held.at)}"
        yield LeftOver("reservation", row.name, about, end=partial(_settle, row.name, held))


def _settle(run: str, held: Reservation) -> str:
    """By what was really used where that can be known, and in full where it cannot: nothing is refunded on a guess."""
    from trainwright.nodes.estimates import settle, settle_in_full
    from trainwright.tools.jobs import LocalEngine

    folders = [path.parent for path in run_path(run).glob("attempts/*/job*/job.json")]
    for folder in folders:
        if json.loads((folder / "job.json").read_text(encoding="utf-8")).get("key") == held.key:
            LocalEngine(folder).cancel(str(folder))
            seconds = LocalEngine(folder).status(str(folder)).seconds
            settle(held.key, seconds)
            return f"settled: the job ran for {duration(seconds)}"
    settle_in_full(held.key)
    return "settled in full: nobody knows what was used"


def _effects(row: RunRow) -> Iterator[LeftOver]:
    """Effects that happened, or may have, and whose receipt never came; those that certainly did not are none."""
    for effect in Journal().open(row.name):
        if effect.kind != "notification" and (where := _found(effect)) is not None:
            resumes = f"`trainwright resume {row.name}` looks it up" if row.status in OPEN else "look there yourself"
            about = (
                f"the {effect.kind} of attempt {effect.attempt} of {_whose(row.name, row)}, begun {age(effect.intended_at)}, "
                f"has no receipt; {where}; {resumes}"
            )
            yield LeftOver("effect", row.name, about, needs_name=row.status in OPEN)


def _found(effect: Effect) -> str | None:
    """Where an effect without a receipt is found; None if it certainly did not happen."""
    from trainwright.tools.hub import LocalHub
    from trainwright.tools.jobs import LocalEngine

    if effect.kind == "job":
        folder = run_path(effect.run) / "attempts" / str(effect.attempt) / "job"
        return f"its job is in {folder}" if LocalEngine(folder).find(effect.key) else None
    if effect.kind == "publication":
        hub = LocalHub(hub_path())
        there = next((found for name in hub.names() if (found := hub.find(effect.key, name))), None)
        return f"the model is in {there.location}" if there is not None else None
    return "it may or may not have happened"


def _leases(row: RunRow) -> Iterator[LeftOver]:
    there = lease.left_behind(row.name)
    if there is not None:
        host = "" if there.here else f" on {there.host}"
        about = f"the lease of process {there.pid}{host}, which was killed, on {_whose(row.name, row)}; last sign of life {age(there.at)}"
        # Who ends it holds the lease, and lets it go.
        yield LeftOver("lease", row.name, about, end=lambda: "its lease was let go")


def _files(row: RunRow) -> Iterator[LeftOver]:
    """What was half written when a run ended: an open run writes it anew."""
    if row.status in OPEN:
        return
    folder = run_path(row.name)
    parts = [*folder.glob("*.part"), *folder.glob("*/*.part"), *folder.glob("attempts/*/*/*.part")]
    if parts:
        about = f"{len(parts)} half-written files of {_whose(row.name, row)}, {size(sum(map(_size, parts)))}"
        yield LeftOver("file", row.name, about, end=partial(_remove, parts))


def _temporary() -> Iterator[LeftOver]:
    """Half-made models in the hub, and folders in which packages were tried; both are made anew when needed."""
    hub = hub_path()
    halves = [path for path in (*hub.glob(".*.part"), *hub.glob("*/.*.part")) if _old(path)]
    tried = [path for name in TEMPORARY for path in Path(tempfile.gettempdir()).glob(f"{name}*") if _deserted(path)]
    for path in (*halves, *tried):
        yield LeftOver(
            "file", "", f"{path}, {size(_size(path))}, of a run that was killed", end=partial(_remove, [path])
        )


def _deserted(path: Path) -> bool:
    """Whether a temporary folder belongs to nobody who lives; its own time is no sign of the work deep inside it."""
    maker = maker_of(path)
    if maker is None:
        return _old(path, UNKNOWN_SECONDS)
    return not maker.lives and _old(path)


def _old(path: Path, seconds: float = OLD_SECONDS) -> bool:
    """Whether a folder of this user has not been touched for long."""
    try:
        about = path.stat()
    except OSError:
        return False
    return about.st_uid == home_owner() and time.time() - about.st_mtime > seconds


def home_owner() -> int:
    """Who owns this home's runs: nobody else's temporary folders are ours."""
    place = home()
    return next(path for path in (place, *place.parents) if path.exists()).stat().st_uid


def _size(path: Path) -> int:
    from trainwright.tools.sandbox.folders import tree_size

    return path.stat().st_size if path.is_file() else tree_size(path)[0]


def _remove(paths: Sequence[Path]) -> str:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return f"{len(paths)} removed"
