"""From flags to a request and its settings: everything that can be refused is refused here, before a run exists.

Places on this machine become absolute, so that a run can be resumed from anywhere. Whether a paper can be read and
whether data fit is for the run to find out.
"""

from __future__ import annotations

import math
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from trainwright.graph.errors import RequestError, TrainwrightError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from trainwright.graph.state import Request, Settings

__all__ = [
    "answer_spec",
    "changes_from_flags",
    "data_spec",
    "paper_spec",
    "request_from_flags",
    "settings_from_flags",
]

TEXT_LIMIT = 2**20
"""Characters of a paper's text on standard input; a whole paper has about a tenth of it."""

GOAL_LIMIT = 20_000

_ARXIV = re.compile(r"(arxiv:)?(\d{4}\.\d{4,5}|[a-z-]+(\.[a-z]{2})?/\d{7})(v\d+)?", re.IGNORECASE)
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_HUB = re.compile(r"[\w.-]+/[\w.-]+(:[\w.-]+)?(@[\w./-]+)?")
_DATA_FILE = re.compile(r"\.(csv|tsv|txt|jsonl?|ndjson|parquet|npz|npy|xlsx?|zip|gz|bz2|xz)$", re.IGNORECASE)


def request_from_flags(
    paper: str | None,
    data: str | None,
    goal: str | None,
    target: str | None,
    target_column: str | None,
    name: str | None,
    publish_to: str | None,
    stdin: IO[bytes] | None = None,
) -> Request:
    """The request that the flags of `run` make.

    Raises:
        RequestError: naming the flag, what is wrong with it, and what would be right.
    """
    from trainwright.graph.state import Request

    flags = {
        "PAPER": paper,
        "--data": data,
        "--goal": goal,
        "--target": target,
        "--target-column": target_column,
        "--name": name,
        "--publish-to": publish_to,
    }
    for flag, value in flags.items():
        _check_text(flag, value)
    if paper is None and goal is None:
        raise RequestError(
            "There is neither a paper nor a goal.",
            hint='Give PAPER (an arXiv id, a URL, a file, or - for standard input), or --goal "what you want".',
        )
    if goal and len(goal) > GOAL_LIMIT:
        raise RequestError(
            f"--goal has {len(goal)} characters.", hint=f"Say it in {GOAL_LIMIT}, or give it as a paper: -"
        )
    _check_target(target)
    _check_names(name, publish_to)
    return Request(
        goal=goal or "",
        paper=paper_spec(paper, stdin) if paper else "",
        data=data_spec(data) if data else "",
        target=target or "",
        target_column=target_column or "",
        name=name or "",
        publish_to=publish_to or "",
    )


def _check_text(flag: str, value: str | None) -> None:
    if value is None:
        return
    if not value.strip():
        raise RequestError(f"{flag} is empty.", hint="Leave it out, or say something.")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise RequestError(f"{flag} is not UTF-8 text.", hint="Use a UTF-8 terminal; rename a file that is not UTF-8.")


def _check_target(target: str | None) -> None:
    if target is not None:
        from trainwright.tools.evaluation.metrics import parse_target

        parse_target(target)


def _check_names(run: str | None, model: str | None) -> None:
    if run is not None:
        from trainwright.graph.runs import check_name

        check_name(run)
    if model is not None:
        from trainwright.tools.hub.local import check_model_name

        try:
            check_model_name(model)
        except TrainwrightError as error:
            raise RequestError(f"--publish-to: {error.message}", hint=error.hint) from error


def paper_spec(paper: str, stdin: IO[bytes] | None = None) -> str:
    """The paper as a request carries it: a text with its line breaks, an id, a URL, or an absolute path.

    Raises:
        RequestError: there is no such file, it is a folder, or standard input holds no text.
    """
    if paper == "-":
        return _from_stdin(stdin or sys.stdin.buffer)
    if "\n" in paper.strip():
        raise RequestError("PAPER is a text, not a place.", hint="Give a text on standard input: trainwright run - ...")
    path, kind = _look(paper)
    if kind == "file":
        return str(path)
    if kind == "folder":
        raise RequestError(f"The paper {paper} is a folder.", hint="Give the PDF, Markdown or text file itself.")
    if _URL.fullmatch(paper) or _ARXIV.fullmatch(paper):
        return paper
    if re.match(r"[a-z][a-z0-9+.-]*://", paper, re.IGNORECASE):
        raise RequestError(
            f"The paper {paper[:200]} is no http or https address.", hint="Download it, and give the file."
        )
    raise RequestError(
        f"There is no paper at {paper[:300]}.",
        hint="Give the path of a PDF, Markdown or text file, an arXiv id such as 1408.5882, a URL, or - for a text on "
        "standard input.",
    )


def _look(place: str) -> tuple[Path, Literal["file", "folder", ""]]:
    """The absolute path of a place, and what is there; nothing when it is none.

    Raises:
        RequestError: something is there that cannot be read.
    """
    try:
        path = Path(place).expanduser().absolute()
        kind: Literal["file", "folder", ""] = "folder" if path.is_dir() else "file" if path.exists() else ""
    except (OSError, RuntimeError):  # too long for a path, a folder that is closed to us, an unknown ~user
        return Path(place), ""
    if kind and not os.access(path, os.R_OK):
        raise RequestError(f"{place[:300]} cannot be read: permission denied.", hint="Make it readable, or copy it.")
    return path, kind


def _from_stdin(stdin: IO[bytes]) -> str:
    if stdin.isatty():
        sys.stderr.write("Type or paste the abstract; end with Ctrl-D on a line of its own.\n")
    raw = stdin.read(4 * TEXT_LIMIT + 1)
    if raw.startswith(b"%PDF"):
        raise RequestError("Standard input is a PDF; a text is read there.", hint="Give the path of the PDF instead.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestError("Standard input is not UTF-8 text.", hint="Convert it, for example with iconv.") from error
    if len(text) > TEXT_LIMIT:
        raise RequestError(f"Standard input has more than {TEXT_LIMIT} characters.", hint="Give the paper as a file.")
    if not text.strip():
        raise RequestError("Standard input is empty: there is no paper.", hint="Pipe an abstract into the command.")
    if "\x00" in text:
        raise RequestError("Standard input is not a text: it holds zero bytes.", hint="Give the paper as a file.")
    return text.strip() + "\n"


def _official_parts(path: Path) -> bool:
    """Whether FOLDER/NAME stands for the files NAME_train.csv, NAME_test.csv and the like."""
    from trainwright.tools.datasets.part_files import with_prefix

    return with_prefix(path) is not None


def data_spec(data: str) -> str:
    """The data as a request carries them: an absolute path where there is one, otherwise as given.

    Raises:
        RequestError: it is plainly a path, and nothing is there.
    """
    path, kind = _look(data)
    if kind:
        return str(path)
    if data.startswith("sklearn:"):
        return data
    looks_local = data.startswith(("/", "./", "../", "~")) or _DATA_FILE.search(data) or not _HUB.fullmatch(data)
    if looks_local and _official_parts(path):
        return str(path)
    if looks_local:
        raise RequestError(
            f"There are no data at {data[:300]}.",
            hint="Give a file or a folder that is there, sklearn:NAME, or a Hub data set owner/name[:config][@revision].",
        )
    return data


def answer_spec(waiting: Mapping[str, Any], text: str) -> str:
    """The answer to a question as the run carries it: of one that asks for data, what `--data` would make of it.

    Raises:
        RequestError: it is the path of data, and nothing is there.
    """
    return data_spec(text) if (waiting.get("card") or {}).get("key") == "data" else text


_FLAGS = {
    "engineer": "--engineer",
    "fallback": "--fallback",
    "base_url": "--base-url",
    "effort": "--effort",
    "context_tokens": "--context-tokens",
    "approvals": "--approvals",
    "step_cap": "--step-cap",
    "max_hours": "--max-hours",
    "max_usd": "--max-usd",
    "max_model_usd": "--max-model-usd",
    "max_gpu_hours": "--max-gpu-hours",
    "max_tokens": "--max-tokens",
    "stages": "--stage-limit",
    "model_price": "--model-price",
    "machine_usd_per_hour": "--machine-usd-per-hour",
    "attempts": "--attempts",
    "seed": "--seed",
    "offline": "--offline",
    "research_turns": "--research-turns",
    "research_minutes": "--research-minutes",
    "research_max_usd": "--research-max-usd",
    "research_max_tokens": "--research-max-tokens",
}


def settings_from_flags(configured: Mapping[str, Any] | None = None, **flags: Any) -> Settings:
    """The settings that the flags of `run` make; what is None is as it is configured, or keeps its default.

    Args:
        configured: what the configuration file says of settings; found right already.
        flags: what the person gave.

    Raises:
        RequestError: naming the flag and the rule.
    """
    from pydantic import ValidationError

    from trainwright.engineers import check_engineer
    from trainwright.graph.state import Settings

    try:
        given = _given(flags)
        settings = Settings.model_validate(_laid_on(configured or {}, given))
    except ValidationError as error:
        raise _refusal(error) from error
    if "engineer" in flags:
        check_engineer(settings)
    return settings


_OF_THE_MODEL = ("fallback", "base_url", "effort", "context_tokens", "model_price")
"""Settings that belong to the engineer's model, and mean nothing, or something else, beside another one."""


def _laid_on(configured: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What was given on top of what is configured; of that, nothing that belongs to another model than the given one."""
    same = given.get("engineer", configured.get("engineer")) == configured.get("engineer")
    kept = {name: value for name, value in configured.items() if same or name not in _OF_THE_MODEL}
    stages = dict(kept.get("stages", {}))
    for stage, limits in given.get("stages", {}).items():
        stages[stage] = {**stages.get(stage, {}), **limits}
    return {**kept, **given, "stages": stages} if stages else {**kept, **given}


def changes_from_flags(**flags: Any) -> dict[str, Any]:
    """What the flags of `resume` change; whether an engineer can be there is found out when the run is known.

    Raises:
        RequestError: naming the flag and the rule.
    """
    settings_from_flags(**{name: value for name, value in flags.items() if name != "engineer"})
    return _given(flags)


def _given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """What was given of the flags, as settings: limits of stages by stage, a price that can be read.

    Raises:
        RequestError: a stage, a limit or a price cannot be read.
    """
    found = {name: value for name, value in flags.items() if value is not None}
    if found.get("model_price"):
        from trainwright.engineers.pricing import read_price

        try:
            read_price(found["model_price"])
        except RequestError as error:
            raise RequestError(f"--model-price: {error.message}", hint=error.hint) from error
    if "stages" in found:
        found["stages"] = _stage_limits(found["stages"])
    return found


_STAGE_LIMIT = re.compile(r"(?P<stage>[\w-]+)\.(?P<limit>[\w-]+)=(?P<value>\S+)")


def _stage_limits(texts: Sequence[str]) -> dict[str, dict[str, str]]:
    """`plan.max_usd=2` and the like, by stage and limit.

    Raises:
        RequestError: one has another shape, or names no stage or no limit.
    """
    from trainwright.graph.limits import check_stages
    from trainwright.graph.state import StageLimits

    found: dict[str, dict[str, str]] = {}
    for text in texts:
        match = _STAGE_LIMIT.fullmatch(text.strip())
        names = ", ".join(StageLimits.model_fields)
        limit = match["limit"].replace("-", "_") if match else ""
        if match is None or limit not in StageLimits.model_fields:
            what = "is not STAGE.LIMIT=VALUE" if match is None else f"names no limit of a stage: {limit}"
            raise RequestError(
                f"--stage-limit {text[:80]!r} {what}.", hint=f"Such as plan.max_usd=2; the limits are {names}."
            )
        stage = match["stage"].replace("-", "_")
        check_stages([stage])
        found.setdefault(stage, {})[limit] = match["value"]
    return found


def _refusal(error: ValidationError) -> RequestError:
    first = error.errors()[0]
    field, *inner = (str(part) for part in first["loc"]) if first["loc"] else [""]
    given = first["input"]
    rule = first["msg"].removeprefix("Input ")
    if isinstance(given, float) and not math.isfinite(given):
        rule = "should be a finite number"
    name = f"{_FLAGS.get(field, field)} {'.'.join(inner)}".strip()
    return RequestError(f"{name} {given!r}: it {rule}.", hint="`trainwright run --help` says more.")
