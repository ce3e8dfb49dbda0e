"""One call of a program, and the reading of its options. What each program does with them is not known here."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .actions import Fact
from .places import Place
from .recording import Effect
from .scope import Scope, Ways
from .words import Word

if TYPE_CHECKING:
    from .streams import Stream
    from .walking import Walker

__all__ = ["Call", "Given", "Parsed"]

PUBLISHES = re.compile(
    r"^--?(push|upload|publish|deploy)|[-_](push|upload|publish|deploy)|hub[-_]?(token|model|strategy)"
)
"""Options of training scripts that send what was made to others."""

NO_PUBLISHING = re.compile(r"(false|no|0|none)", re.IGNORECASE)
REPORTS = re.compile(r"^--?(report|log)[-_](to|with)$|^--?(wandb|logger)$")
HERE_ALONE = ("none", "tensorboard", "csv", "json", "stdout", "console", "false", "no", "0")
"""Where metrics stay on this machine."""

MAKES = re.compile(r"^--?(o$|out|save|log|dir|dest|target|result|ckpt|checkpoint|cache)|[-_](out|dir|dest|path|folder)")
"""Options whose path is one that a script makes."""


@dataclass(frozen=True)
class Given:
    """An option as it was given.

    Attributes:
        name: with its dashes, as the table spells it.
        value: what belongs to it; None if nothing does.
    """

    name: str
    value: Word | None = None


@dataclass
class Parsed:
    """Options and operands of a call.

    Attributes:
        doubtful: words that may be options, which only the running shell would know.
    """

    options: list[Given] = field(default_factory=list)
    operands: list[Word] = field(default_factory=list)
    doubtful: list[Word] = field(default_factory=list)

    def has(self, *names: str) -> bool:
        """Whether one of these options is given."""
        return any(given.name in names for given in self.options)

    def values(self, *names: str) -> list[Word]:
        """What was given to these options."""
        return [given.value for given in self.options if given.name in names and given.value is not None]


@dataclass
class Call:
    """A program's name, its arguments, and where it is called."""

    walker: Walker
    name: str
    args: list[Word]
    scope: Scope
    stdin: Stream

    @property
    def shown(self) -> str:
        """The call for a person."""
        text = " ".join([self.name, *(word.shown for word in self.args)])
        return text if len(text) <= 160 else text[:157] + "..."

    # -- what it does ------------------------------------------------------------------------------------------------

    def act(
        self,
        effect: Effect,
        text: str = "",
        facts: Mapping[str, Fact] | None = None,
        *,
        reads: bool = False,
        **more: Fact,
    ) -> None:
        """Note an action of this program."""
        self.walker.note.act(effect, self.name, text or self.shown, {**(facts or {}), **more}, reads=reads)

    def harmless(self) -> None:
        """Note that it changes nothing."""
        self.act("read", f"looks: {self.shown}", reads=True)

    def unknown(self, why: str) -> None:
        """Note that it is not known what it does."""
        self.act("unknown", f"{self.shown}: {why}")

    def read(self, word: Word, *, names: bool = False) -> Place:
        """Note that a path is read."""
        return self.walker.note.read(self.name, word, self.scope, names=names)

    def write(self, word: Word) -> Place:
        """Note that a path is written."""
        return self.walker.note.write(self.name, word, self.scope)

    def delete(self, word: Word) -> Place:
        """Note that a path is removed."""
        return self.walker.note.delete(self.name, word, self.scope)

    def run(self, word: Word, given: Sequence[Word] = ()) -> Place:
        """Note that a path is run, and what the words that it is given say that it does."""
        self._told(given)
        return self.walker.note.run(self.name, word, self.scope)

    def _told(self, words: Sequence[Word]) -> None:
        """What the arguments of a program of the workspace name: places, secrets, and that it publishes."""
        option = ""
        for word in words:
            if not word.known:
                option = ""
                continue
            value = word.text
            if value.startswith("-"):
                option, sign, value = value.partition("=")
                denied = option.startswith(("--no-", "--no_")) or NO_PUBLISHING.fullmatch(value)
                if PUBLISHES.search(option) and not denied:
                    self.act("publish", f"{self.shown}: says that it publishes ({option})", host="")
                if not sign:
                    if REPORTS.search(option):
                        continue
                    value = ""
            if REPORTS.search(option) and value and value.lower() not in HERE_ALONE:
                self.act("send", f"{self.shown}: reports to {value}", host="")
            elif value:
                self._names(option, Word(value))
            if value:
                option = ""

    def _names(self, option: str, word: Word) -> None:
        place = self.walker.place(word, self.scope)
        if place.secret:
            self.read(word)
        elif place.outside is not False and (word.text.startswith(("/", "~", "../")) or "/../" in word.text):
            (self.write if MAKES.search(option) else self.read)(word)

    def again(self, words: Sequence[Word], scope: Scope | None = None, stdin: Stream | None = None) -> Ways:
        """Look through this program at the one that it starts."""
        return self.walker.command(words, scope or self.scope, stdin or self.stdin)

    # -- options -----------------------------------------------------------------------------------------------------

    def parse(
        self,
        takes: Collection[str] = (),
        *,
        maybe: Collection[str] = (),
        plain: Collection[str] = (),
        stop: bool = False,
    ) -> Parsed:
        """Options and operands.

        Args:
            takes: options that take a value, with their dashes, in the same word or the next one.
            maybe: options that take a value only in the same word.
            plain: options without a value; needed for long ones with a single dash alone.
            stop: whether options end at the first operand.
        """
        found = Parsed()
        words: Iterator[Word] = iter(self.args)
        for word in words:
            if stop and found.operands:
                found.operands.append(word)
            elif word.known and word.text == "--":
                found.operands += list(words)
            elif word.text.startswith("-") and len(word.text) > 1:
                self._option(found, word, words, takes, maybe, plain)
            else:
                if word.kind == "text" and word.text.startswith(Word.HOLE):
                    found.doubtful.append(word)
                found.operands.append(word)
        return found

    def _option(
        self,
        found: Parsed,
        word: Word,
        words: Iterator[Word],
        takes: Collection[str],
        maybe: Collection[str],
        plain: Collection[str],
    ) -> None:
        text = word.text
        if text.startswith("--"):
            # A long option that is shortened is not spelled out: it stays one that nobody knows.
            name, equals, value = text.partition("=")
            if Word.HOLE in name:
                found.doubtful.append(word)
            if equals:
                found.options.append(Given(name, _part(word, value)))
            else:
                found.options.append(Given(name, next(words, None) if name in takes else None))
        elif text in takes:  # find's and others' long options with one dash are among these
            found.options.append(Given(text, next(words, None)))
        elif len(text) > 2 and (text in plain or text in maybe):
            found.options.append(Given(text))
        else:
            self._letters(found, word, words, takes, maybe)

    def _letters(
        self, found: Parsed, word: Word, words: Iterator[Word], takes: Collection[str], maybe: Collection[str]
    ) -> None:
        """Short options in one word, of which the last may have its value there or in the next word."""
        for place, letter in enumerate(word.text[1:], 1):
            name, rest = f"-{letter}", word.text[place + 1 :]
            if letter == Word.HOLE:
                found.doubtful.append(word)
                return
            if name in takes:
                found.options.append(Given(name, _part(word, rest) if rest else next(words, None)))
                return
            if name in maybe:
                found.options.append(Given(name, _part(word, rest) if rest else None))
                return
            found.options.append(Given(name))


def _part(word: Word, text: str) -> Word:
    """A piece of a word, as the value of the option that stands before it."""
    return Word(text, "literal" if Word.HOLE not in text and word.kind != "glob" else word.kind, many=word.many)
