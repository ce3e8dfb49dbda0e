"""A run's beginning: its name, its folder and its row, made once.

The driver registers a run before the graph starts, the first node of the graph does where nobody has (Studio). Who
may work on a run is decided in `graph/lease.py`. This module does not run anything.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from trainwright.tools.policy import load_policy

from .errors import RequestError
from .limits import check_stages
from .migrations import migrated
from .redaction import MARK
from .runs import RunRow, open_runs, slug
from .settings import run_path
from .state import Request, Settings

__all__ = ["check_places", "register", "stored"]

log = logging.getLogger("trainwright")


def register(request: Request, settings: Settings, thread_id: str) -> str:
    """The name of the run of `thread_id`; the first call makes its row and its folder.

    Raises:
        RequestError: the wanted name is taken, or is no name; a secret was taken out of the place of paper or data; or
            the policy cannot be read.
    """
    check_places(request)
    check_stages(settings.stages)
    load_policy()  # a run never begins with a policy that nobody can read
    paper = "" if "\n" in request.paper else _stem(request.paper)
    data = _stem(request.data)
    told = bool(slug(data)) and slug(paper).startswith(slug(data))  # digits and digits_svm.pdf: digits-svm
    base = paper if told else "-".join(filter(None, (data, paper))) or request.goal[:40]
    name = open_runs().open(thread_id, request.name, base, request.model_dump(), settings.model_dump())
    folder = run_path(name)
    (folder / "stages").mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return name


def check_places(request: Request) -> None:
    """Refuse a place from which a secret was taken out: nothing lies there any more.

    Raises:
        RequestError: naming what remains of the place.
    """
    for what, place in (("paper", request.paper), ("data", request.data)):
        if MARK in place and "\n" not in place:
            raise RequestError(
                f"The place of the {what} holds a secret, which is not kept, so that nothing lies there: {place}.",
                hint="Fetch it yourself, and give the file; or name a place without a secret.",
            )


def stored(name: str) -> RunRow:
    """The row of a run, with request and settings in today's shape, whichever release wrote them.

    Raises:
        RunNotFound: there is no such run.
        RequestError: they cannot be read.
    """
    row = open_runs().get(name)
    return replace(row, settings=_today(row, Settings, row.settings), request=_today(row, Request, row.request))


def _today(row: RunRow, cls: type[Settings] | type[Request], values: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is stored, without names that this release does not know; what was left out stays left out."""
    if values is None:
        return None
    given = migrated(cls.__name__, values)
    known = {key: value for key, value in given.items() if key in cls.model_fields}
    if left := sorted(set(given) - set(known)):
        log.warning("%s of %s in the table of runs: unknown here and left out: %s", cls.__name__, row.name, left)
    try:
        cls.model_validate(known)
    except ValidationError as error:
        first = error.errors()[0]
        raise RequestError(
            f"The {cls.__name__.lower()} of {row.name} were stored by another Trainwright, and this one cannot read "
            f"{'.'.join(map(str, first['loc']))}: {first['msg']}. Nothing was done.",
            hint="Go on with the release that made the run, or start a new one.",
        ) from error
    return known


def _stem(place: str) -> str:
    """A short readable word for a data source or a paper."""
    name = PurePosixPath(place.split("@")[0].replace("sklearn:", "").rstrip("/")).name
    return re.sub(r"(\.[A-Za-z]\w{0,7})+$", "", name)[:18]
