"""The actions of a command, collected while it is walked through, each said in plain words once."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from .actions import Action, Fact
from .places import UNKNOWN, Place, Places
from .scope import Scope
from .syntax import NotUnderstood
from .words import Word

__all__ = ["Effect", "Recording"]

Effect = Literal[
    "read",
    "write",
    "delete",
    "run",
    "fetch",
    "send",
    "install",
    "publish",
    "spend",
    "secret",
    "environment",
    "process",
    "privilege",
    "system",
    "fork_bomb",
    "unknown",
]
"""What a part of a command does; see docs/policy.md."""

MAX_ACTIONS = 400

MAX_ENTRIES = 2_000
"""Of a folder that is looked through for links."""

CARRIERS = frozenset({"mv", "cp", "rsync"})
"""Programs that take links along."""

MAKERS = frozenset({"ln", "tar", "bsdtar", "gtar", "unzip", "7z", "7za", "7zz", "cpio", "unar", "bsdcpio"})
"""Programs that make links, or take apart what may hold some."""

CODE = re.compile(
    r"(\.(py|pyi|pyx|toml|cfg|ini|pth|so|sh|mk|yaml|yml)|/\*?|/\.[^/]+"
    r"|/((GNUm|m|M)akefile|[jJ]ustfile|Rakefile|SConstruct|Snakefile|Dockerfile|dvc\.lock))$"
)
"""Files that tools and tests load without being told to."""


@dataclass
class Recording:
    """What a command would do, as far as it has been walked through.

    Attributes:
        written: paths that an earlier part of the command writes; what lies there is not what it was.
        plain: those that are written as a stream, so that they are files and no folders.
        linked: places where this command puts links that the disk does not have there yet, or may put some.
        strange: whether it may have made a file whose name looks like an option.
        carries: whether what a program copies or moves holds links.
    """

    places: Places
    actions: list[Action] = field(default_factory=list)
    written: set[str] = field(default_factory=set)
    plain: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    strange: bool = False
    carries: bool = False

    def act(
        self,
        effect: Effect,
        program: str,
        text: str,
        facts: Mapping[str, Fact] | None = None,
        *,
        reads: bool = False,
        **more: Fact,
    ) -> None:
        """Note an action."""
        action = Action(
            "shell", {"effect": effect, "program": program, **(facts or {}), **more}, reads, text, complete=True
        )
        if action in self.actions:
            return
        if len(self.actions) >= MAX_ACTIONS:
            raise NotUnderstood("it does too many things to be shown")
        self.actions.append(action)

    def read(self, program: str, word: Word, scope: Scope, *, names: bool = False) -> Place:
        """Note that a file or folder is read, or only its names."""
        place = self.led(self.places.place(word, scope.cwd))
        if word.text == "-" and word.known:
            return Place(path="-", outside=False)
        if program in CARRIERS and not names:
            self.carries = self.carries or self._holds_links(word, place, scope)
        if place.outside is None and place.path:
            text = f"reads {word.shown}, behind a link that this command may make"
            self.act("read", program, text, place.facts())
        elif place.secret or (place.below and not names):
            text = f"reads {word.shown}, which holds secrets or may hold some"
            self.act("secret", program, text, place.facts())
        elif not place.path:
            text = f"reads {word.shown}: which file that is, is known only when it runs"
            self.act("read", program, text, place.facts())
        else:
            self.act("read", program, f"reads {word.shown}", place.facts(), reads=True)
        return place

    def write(self, program: str, word: Word, scope: Scope) -> Place:
        """Note that a file is written or made."""
        place = self.places.place(word, scope.cwd)
        if place.device or (word.text == "-" and word.known):
            return place
        return self.write_at(program, self.led(place), word.shown)

    def write_at(self, program: str, place: Place, shown: str) -> Place:
        """Note that a place is written."""
        if place.path:
            if program not in ("chmod", "chgrp"):  # what runs later is what lay there before
                self.written.add(place.path)
            if program in ("shell", "tee"):
                self.plain.add(place.path)
            if program in MAKERS or (program in CARRIERS and self.carries):
                self.linked.add(place.path)
            self.strange = self.strange or place.path.rpartition("/")[2].startswith("-")
        self.act("write", program, f"writes {shown}{_where(place)}", {"secret": place.secret, **place.facts()})
        return place

    def delete(self, program: str, word: Word, scope: Scope) -> Place:
        """Note that a file or folder is removed."""
        place = self.led(self.places.place(word, scope.cwd), itself=False)
        facts = place.facts()
        if word.kind == "inside":  # some of what a command listed, or all of it
            facts["whole"] = ""
        self.act("delete", program, f"deletes {word.shown}{_where(place)}", facts)
        return place

    def run(self, program: str, word: Word, scope: Scope) -> Place:
        """Note that a file is run as a program or script."""
        place = self.led(self.places.place(word, scope.cwd)) if word.kind in ("literal", "glob") else UNKNOWN
        if place.device:
            self.act(
                "run", program, f"{program} runs what another command prints", {"source": "stream", "path": place.path}
            )
        elif self.touched(place):
            self.act(
                "run",
                program,
                f"runs {word.shown}, which this command makes or changes",
                {"source": "changed", **place.facts()},
            )
        else:
            text = f"runs {word.shown}{_where(place)}"
            self.act("run", program, text, {"source": "file", "secret": place.secret, **place.facts()})
        return place

    def led(self, place: Place, *, itself: bool = True) -> Place:
        """A place as it is known once the command has put its links, which may lead anywhere."""
        for path in self.linked:
            if (itself and place.path == path) or place.path.startswith(path.rstrip("/") + "/"):
                return replace(place, outside=None)
        return place

    def _holds_links(self, word: Word, place: Place, scope: Scope) -> bool:
        """Whether what is copied or moved is a link, or a folder that holds some or is too large to look through."""
        if word.kind != "literal":
            return word.kind != "glob" or place.outside is not False
        named = self.places.on_disk(os.path.join(scope.cwd, word.text.rstrip("/")))  # noqa: PTH118 - a text
        if os.path.islink(named) or any((path + "/").startswith(place.path + "/") for path in self.linked):  # noqa: PTH114
            return True
        entries = 0
        for folder, folders, files in os.walk(named):
            entries += len(folders) + len(files)
            if entries > MAX_ENTRIES or any(Path(folder, name).is_symlink() for name in (*folders, *files)):
                return True
        return False

    def touched(self, place: Place) -> bool:
        """Whether an earlier part of the command writes a place, or something around it."""
        return any(
            place.path == path or place.path.startswith(path.rstrip("/*") + "/")
            for path in self.written
            if path.rstrip("/*")
        )

    def changes_code(self) -> bool:
        """Whether an earlier part of the command may write code that a run on the whole workspace would load."""
        return any(
            CODE.search(path) or ("." not in path.rpartition("/")[2] and path not in self.plain)
            for path in self.written
        )


def _where(place: Place) -> str:
    if place.target in ("root", "home"):
        return ": all of it"
    if place.target == "above":
        return ": a folder around the workspace"
    if place.target == "workspace":
        return ": the whole workspace"
    if place.protected:
        return ", in the history of the workspace"
    if place.outside is None:
        return ": which file that is, is known only when it runs"
    return ", outside the workspace" if place.outside else ""
