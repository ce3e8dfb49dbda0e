"""The code folder of a run as an engineer sees it: plain text files by name, none written over unread.

`folder` is the run's folder; its code lies in `folder / "code"`. A file that somebody else changed (a person at a gate,
a recipe that was copied) is refused until it is read again. A write leaves the old content or the new one, never half
of it. Calls may come from several threads of the one process that drives a run. Nothing is committed here.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from trainwright.graph.errors import ContractError, Refusal
from trainwright.tools import code
from trainwright.tools.sandbox.outputs import open_plain

from .editing import replace_once
from .lines import MAX_LINES, Text, lines_of, split_lines
from .seen import PLACE, Seen, write_whole

__all__ = [
    "FILES",
    "MAX_CHARACTERS",
    "Written",
    "edit_file",
    "forget",
    "list_files",
    "read_file",
    "read_kept",
    "remove_file",
    "saw",
    "write_file",
]

MAX_CHARACTERS = 200_000
"""Of one file that is written."""

FILES = 50
"""In the code folder."""

READ_BYTES = 64 * 2**20
"""A larger file is not read at all."""

_lock = threading.RLock()


class Written(BaseModel):
    """A file after it was written.

    Attributes:
        lines, characters: of the whole file.
        new: whether there was no such file.
        count: passages that were replaced; 0 if the whole file was written.
        line: of the first of them.
        note: what was ignored to find it.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    lines: int
    characters: int
    new: bool = False
    count: int = 0
    line: int = 0
    note: str = ""


def list_files(folder: Path) -> dict[str, int]:
    """Sizes in bytes by name, sorted; links and folders are left out."""
    place = folder / "code"
    if not place.is_dir():
        return {}
    plain = (path for path in sorted(place.iterdir()) if path.is_file() and not path.is_symlink())
    return {path.name: path.stat().st_size for path in plain}


def read_file(folder: Path, name: str, first_line: int = 1, lines: int = MAX_LINES) -> Text:
    """Lines of a file of the code folder; the file counts as read.

    Args:
        first_line: from 1.
        lines: at most `MAX_LINES`.

    Raises:
        Refusal: no such file, no text, or no such line.
    """
    with _lock:
        content = _content(folder, name)
        text = lines_of(name, _text(name, content), first_line, lines)
        Seen.load(folder).mark(name, [content])
    return text


def write_file(folder: Path, name: str, text: str) -> Written:
    """Write a whole file: a new one, or one whose present version was read or written before.

    Raises:
        Refusal: the file was not read, or changed since; the name, the size or the number of files is not allowed.
    """
    _check_name(name)
    with _lock:
        present = _present(folder, name)
        content = _encoded(name, text)
        seen = Seen.load(folder)
        if present is not None and present != content:
            _check_seen(seen, name, present)
        _write(folder, seen, name, present, content)
    return Written(name=name, lines=_count(text), characters=len(text), new=present is None)


def edit_file(folder: Path, name: str, old: str, new: str, everywhere: bool = False) -> Written:
    """Replace a passage of a file whose present version was read or written before; see `replace_once`.

    Raises:
        Refusal: as for `write_file` and `replace_once`, or there is no such file.
    """
    with _lock:
        present = _content(folder, name)
        seen = Seen.load(folder)
        _check_seen(seen, name, present)
        edit = replace_once(_text(name, present), old, new, everywhere=everywhere)
        _write(folder, seen, name, present, _encoded(name, edit.text))
    return Written(
        name=name,
        lines=_count(edit.text),
        characters=len(edit.text),
        count=edit.count,
        line=edit.line,
        note=edit.note,
    )


def remove_file(folder: Path, name: str) -> None:
    """Remove a file whose present version was read or written before.

    Raises:
        Refusal: no such file, or it was not read, or changed since.
    """
    with _lock:
        present = _content(folder, name)
        _check_seen(Seen.load(folder), name, present)
        (folder / "code" / name).unlink()


def saw(folder: Path, files: Mapping[str, bytes]) -> None:
    """Let these versions count as read: they were written on the engineer's behalf."""
    with _lock:
        seen = Seen.load(folder)
        for name, content in files.items():
            seen.mark(name, [content])


def forget(folder: Path) -> None:
    """Let nothing count as read any more: a new attempt begins."""
    with _lock:
        (folder / PLACE).unlink(missing_ok=True)


def read_kept(folder: Path, name: str, first_line: int = 1, lines: int = MAX_LINES) -> Text:
    """Lines of an output that was too long for an answer, and was kept in `stages/` of the run's folder.

    Args:
        name: with or without `stages/` before it.

    Raises:
        Refusal: no such output, or no such line.
    """
    name = name.removeprefix("stages/")
    if not (name.endswith(".txt") and code.NAME.fullmatch(name)):
        raise Refusal(
            f"{name[:80]!r} names no kept output.", hint="Give the name that stands where an answer was cut: ….txt."
        )
    content = _plain_content(folder / "stages" / name, f"There is no kept output {name}.")
    return lines_of(name, content.decode(errors="replace"), first_line, lines)


def _check_name(name: str) -> None:
    try:
        code.check_file_names([name])
    except ContractError as error:
        hint = "Files lie in the code folder itself: give a name without a path, of letters, digits, _ - and dots."
        raise Refusal(error.message, hint=hint) from error


def _content(folder: Path, name: str) -> bytes:
    _check_name(name)
    content = _present(folder, name)
    if content is None:
        raise _missing(folder, name)
    return content


def _missing(folder: Path, name: str) -> Refusal:
    names = ", ".join(list_files(folder)) or "none yet"
    return Refusal(f"There is no file {name} in the code folder.", hint=f"There are: {names}. write_file makes one.")


def _present(folder: Path, name: str) -> bytes | None:
    """The content of a file of the code folder; None if there is nothing of that name."""
    path = folder / "code" / name
    return _plain_content(path, "") if path.is_symlink() or path.exists() else None


def _plain_content(path: Path, missing: str) -> bytes:
    try:
        with open_plain(path) as stream:
            content = stream.read(READ_BYTES + 1)
    except FileNotFoundError as error:
        raise Refusal(missing or f"{path.name} is gone.", hint="Names are listed by list_files.") from error
    except OSError as error:
        raise Refusal(
            f"{path.name} is no plain file, and links and folders are not followed.", hint="Use another name."
        ) from error
    if len(content) > READ_BYTES:
        raise Refusal(f"{path.name} is larger than {READ_BYTES >> 20} MiB and was not read.")
    return content


def _text(name: str, content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Refusal(
            f"{name} is no text: a binary file of {len(content):,} bytes.", hint="Only UTF-8 text is read and written."
        )
    return text


def _encoded(name: str, text: str) -> bytes:
    if len(text) > MAX_CHARACTERS:
        raise Refusal(
            f"{name} would have {len(text):,} characters, and {MAX_CHARACTERS:,} are the most; nothing was written.",
            hint="Divide it into several files.",
        )
    if "\0" in text:
        raise Refusal(f"The text of {name} holds a zero byte; nothing was written.", hint="Write \\0 as an escape.")
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise Refusal(f"The text of {name} is not valid Unicode; nothing was written.") from error


def _check_seen(seen: Seen, name: str, present: bytes) -> None:
    if seen.knows(name, present):
        return
    if name in seen.versions:
        raise Refusal(f"{name} changed on disk since it was read; nothing was written.", hint="Read it again.")
    raise Refusal(f"{name} is there, and was not read yet; nothing was written.", hint="Read it first.")


def _write(folder: Path, seen: Seen, name: str, present: bytes | None, content: bytes) -> None:
    place = folder / "code"
    if present is None and len(list_files(folder)) >= FILES:
        raise Refusal(
            f"The code folder has {FILES} files, which is the most; {name} was not written.",
            hint="Put it into one of the files that are there.",
        )
    place.mkdir(parents=True, exist_ok=True)
    code.git(place, "init", "--quiet")  # completes a repository that a kill left half made; otherwise does nothing
    seen.mark(name, [content] if present is None else [present, content])
    # Not in the code folder: what a kill left there would be committed as code.
    write_whole(place / name, content, folder / "stages" / "write_code-file.part")
    seen.mark(name, [content])


def _count(text: str) -> int:
    return len(split_lines(text))
