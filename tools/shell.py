"""A shell command of the engineer's, run by bash in the sandbox on a copy of the code folder.

The command sees the code (writable, without its history), the training data at /data (read-only), and neither network,
home nor secrets. What it changes among the code's files comes back if it ended by itself; other files stay in the copy,
for the next command. Whether a command may run at all is the policy's business (`tools/policy`), not this module's.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from trainwright.graph.errors import Refusal
from trainwright.graph.redaction import redact
from trainwright.tools import code
from trainwright.tools.sandbox import Limits, Mount, SandboxResult, interpreter_for, run_sandboxed
from trainwright.tools.sandbox.outputs import open_plain
from trainwright.tools.writing.files import FILES, MAX_CHARACTERS
from trainwright.tools.writing.seen import write_whole

__all__ = ["WORKSPACE", "laid_out", "run_command"]

WORKSPACE = "/code"
"""Where the command finds the code; the policy takes it for the workspace."""

SHOWN = 25_000
"""Characters of both streams together that an answer shows."""

KEPT_BYTES = 4 * 2**20
"""Of what it printed, for who reads on."""

STOPPED = "It did not end by itself, so the code folder is as it was."

BECOME = "import os, sys; os.execv(sys.argv[1], ['bash', '-c', sys.argv[2]])"

_lock = threading.Lock()
"""Commands of one answer share the copy, so one runs after the other."""


def run_command(
    folder: Path,
    data: Path,
    command: str,
    seconds: float,
    *,
    mask: tuple[Path, ...] = (),
    cancelled: Callable[[], bool],
) -> dict[str, Any]:
    """Run one command; how it ended, what it printed, which files of the code it changed.

    Args:
        folder: of the run.
        data: what training sees, frozen.
        command: as bash gets it.
        seconds: on the clock, after which it is stopped.
        mask: places that must not be seen.
        cancelled: whether to stop.

    Raises:
        Refusal: there is no shell here, or the run is to stop.
        ContractError: the header of train.py cannot be read.
        SandboxUnavailable: nothing here can isolate it; nothing was run.
    """
    shell = shutil.which("bash", path="/usr/local/bin:/usr/bin:/bin")
    if shell is None:
        raise Refusal("There is no bash on this machine, so no command was run.", hint="Use the other tools.")
    with _lock:
        place, before = _copied(folder)
        kept = frozenset(path.name for path in place.iterdir()) - {*before}
        printed = _Printed()
        result = run_sandboxed(
            [_python(place), "-I", "-c", BECOME, shell, command],
            mounts=[Mount(place, WORKSPACE, writable=True), Mount(data, "/data")],
            cwd=WORKSPACE,
            limits=Limits(wall_seconds=seconds, cpu_seconds=4 * seconds, processes=128),
            env={"PATH": f"{Path(_python(place)).parent}:/usr/local/bin:/usr/bin:/bin"},
            mask=mask,
            cancelled=cancelled,
            on_output=printed,
        )
        if result.ended == "cancelled":
            raise Refusal("It was stopped, because the run is to stop; it says nothing.", hint="Call it again.")
        changes = _brought_back(folder, place, before, kept) if result.ended == "exit" else {"not_taken_over": STOPPED}
    return {**_shown(folder, result, printed), **changes}


def laid_out(folder: Path) -> Path:
    """The folder that the next command will find at `WORKSPACE`, as it will find it unless one runs just now.

    Args:
        folder: of the run.
    """
    if not _lock.acquire(blocking=False):
        return folder / "stages" / "shell"
    try:
        return _copied(folder)[0]
    finally:
        _lock.release()


class _Printed:
    """Keeps both streams as they come."""

    def __init__(self) -> None:
        self.content = bytearray()
        self.lock = threading.Lock()

    def __call__(self, chunk: bytes) -> None:
        with self.lock:
            self.content += chunk[: max(0, KEPT_BYTES - len(self.content))]


def _copied(folder: Path) -> tuple[Path, Mapping[str, bytes]]:
    """The copy with the code as it stands; what earlier commands left beside it, and can be no code, stays."""
    place, present = folder / "stages" / "shell", folder / "code"
    files = code.files_of(present) if present.is_dir() else {}
    if place.is_symlink() or place.is_file():
        place.unlink()
    place.mkdir(parents=True, exist_ok=True)
    for path in place.iterdir():
        if stat.S_ISDIR(path.lstat().st_mode):
            if path.name in files:
                shutil.rmtree(path)
        elif path.name in files or _text(path) is not None:  # what could be code and is none now was removed from it
            path.unlink()
    for name, content in files.items():
        (place / name).write_bytes(content)
    return place, files


def _python(place: Path) -> str:
    """The interpreter that the code will have, or the running one."""
    script = place / "train.py"
    return interpreter_for(script)[0] if script.is_file() and not script.is_symlink() else sys.executable


def _brought_back(
    folder: Path, place: Path, before: Mapping[str, bytes], kept: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Make the changes of the copy those of the code folder; what cannot be code stays in the copy.

    Args:
        folder: of the run.
        place: the copy.
        before: the code as the command found it.
        kept: names of what an earlier command left, which was said then.
    """
    after, left = _texts(place)
    present = code.files_of(folder / "code") if (folder / "code").is_dir() else {}
    changed = {name: content for name, content in after.items() if before.get(name) != content}
    removed = [name for name in before if name not in after and name not in left]
    crossed = [name for name in [*changed, *removed] if present.get(name) != before.get(name)]
    if len({*present, *changed} - {*removed}) > FILES:
        return {"not_taken_over": f"The code folder would have more than {FILES} files; it is as it was."}
    if changed:
        (folder / "code").mkdir(parents=True, exist_ok=True)
        code.git(folder / "code", "init", "--quiet")  # completes a repository that a kill left half made
    for name in sorted({*changed} - {*crossed}):
        write_whole(folder / "code" / name, changed[name], folder / "stages" / "shell-file.part")
    for name in sorted({*removed} - {*crossed}):
        (folder / "code" / name).unlink(missing_ok=True)
    found = {
        "changed": sorted({*changed} - {*crossed}),
        "removed": sorted({*removed} - {*crossed}),
        "not_taken_over": sorted({*left} - kept | {*crossed}),
    }
    return {key: names for key, names in found.items() if names}


def _texts(place: Path) -> tuple[dict[str, bytes], list[str]]:
    """The files of the copy that can be code, and the names of the other files."""
    texts, left = dict[str, bytes](), list[str]()
    for path in sorted(place.iterdir()):
        if stat.S_ISDIR(path.lstat().st_mode):
            continue
        content = _text(path)
        if content is None:
            left.append(path.name[:100])
        else:
            texts[path.name] = content
    return texts, left


def _text(path: Path) -> bytes | None:
    try:
        with open_plain(path) as stream:
            content = stream.read(4 * MAX_CHARACTERS + 1)
        return content if code.NAME.fullmatch(path.name) and len(content.decode()) <= MAX_CHARACTERS else None
    except (OSError, UnicodeDecodeError):
        return None


def _shown(folder: Path, result: SandboxResult, printed: _Printed) -> dict[str, Any]:
    """How it ended and what it printed; what is too long is kept whole in a file."""
    ended = result.message or f"ended with exit code {result.exit_code}"
    found: dict[str, Any] = {"ended": ended, "exit_code": result.exit_code, "seconds": round(result.seconds, 1)}
    streams = {name: text for name, text in (("stdout", result.stdout), ("stderr", result.stderr)) if text}
    if sum(map(len, streams.values())) <= SHOWN:
        return {**found, **streams}
    text: str = redact(bytes(printed.content).decode(errors="replace"))
    name = f"shell-{hashlib.sha256(text.encode()).hexdigest()[:12]}.txt"
    (folder / "stages" / name).write_text(text, encoding="utf-8")
    room = SHOWN // len(streams)
    return {**found, **{key: _cut(stream, room, name) for key, stream in streams.items()}}


def _cut(text: str, room: int, name: str) -> str:
    if len(text) <= room:
        return text
    half = room // 2
    return f"{text[:half]}\n… {len(text) - 2 * half} characters cut; read_output shows the whole: stages/{name} …\n{text[-half:]}"
