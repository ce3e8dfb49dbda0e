"""Small programs that stand inside a command, in awk or sed: whether they only read, as far as can be seen.

Each reader knows a small, harmless part of its language. What lies outside it is not understood, which is not the same
as harmful.
"""

from __future__ import annotations

import re

__all__ = ["awk_only_reads", "sed_only_prints"]

MAX_CHARACTERS = 2_000
"""Of a program; a longer one is not read, so that nobody waits for it."""


def awk_only_reads(program: str) -> bool:
    """Whether an awk program neither starts, writes, nor looks at the environment."""
    if len(program) > MAX_CHARACTERS or re.search(
        r"\b(system|getline|ENVIRON|PROCINFO|fflush|close|ARGV|SYMTAB|FUNCTAB)\b|@|\\\n", program
    ):
        return False
    bare = _awk_without_texts(program)
    if bare is None or re.search(r"(?<!\|)\|(?!\|)", bare):
        return False
    for match in re.finditer(r"\bprintf?\b", bare):
        statement = re.split(r"[;}\n]", bare[match.end() :])[0]
        depth = 0
        for character in statement:
            depth += {"(": 1, ")": -1}.get(character, 0)
            if character == ">" and depth <= 0:
                return False
    return True


def _awk_without_texts(program: str) -> str | None:
    """The program without its texts and regular expressions; None if they cannot be told apart."""
    out, place = "", 0
    while place < len(program):
        character = program[place]
        if character == "#":
            end = program.find("\n", place)
            place = len(program) if end < 0 else end
        elif character == "/" and re.search(r"\)\s*$", out) and "/" in program[place + 1 :].split("\n")[0]:
            return None  # a division, or an expression behind a condition
        elif character == '"' or (character == "/" and re.search(r"(^|[({;,!~&|\n}])\s*$", out)):
            match = re.compile(
                r'"(?:[^"\\\n]|\\.)*"' if character == '"' else r"/(?:[^/\\\n\[]|\\.|\[\]?[^\]\n]*\])*/"
            ).match(program, place)
            if match is None:
                return None
            out, place = out + "T", match.end()
        else:
            out, place = out + character, place + 1
    return out


SED_ADDRESS = r"(?:\d+(?:~\d+)?|\$|/(?:[^/\\\n]|\\.)*/I?|\+\d+)"
SED_SUBSTITUTION = re.compile(
    r"s([^\w\s\\;])((?:(?!\1)[^\\\n]|\\[\s\S])*)\1((?:(?!\1)[^\\\n]|\\[\s\S])*)\1([gpiI0-9]*)"
)
SED_SET = re.compile(r"y([^\w\s\\;])(?:(?!\1)[^\\\n]|\\.)*\1(?:(?!\1)[^\\\n]|\\.)*\1")


def sed_only_prints(script: str) -> bool:
    """Whether a sed script only changes what it prints: it starts nothing and opens no file."""
    if len(script) > MAX_CHARACTERS:
        return False
    place = 0
    while place < len(script):
        match = re.compile(rf"[\s;{{}}]*(?:{SED_ADDRESS}(?:,{SED_ADDRESS})?)?\s*!?\s*").match(script, place)
        assert match is not None
        place = match.end()
        if place >= len(script):
            return True
        found = (
            SED_SUBSTITUTION.match(script, place)
            or SED_SET.match(script, place)
            or re.compile(r"[aic]\\?\n?[^\n]*").match(script, place)
            or re.compile(r"(?:[pdqQ=nNgGhHxDPlz]\d*|[bt:]\s*\w*)(?=\s*(?:[;}\n]|$))").match(script, place)
            or re.compile(r"[{}]").match(script, place)
        )
        if found is None or (found.lastindex == 4 and not re.match(r"\s*(?:[;}\n#]|$)", script[found.end() :])):
            return False
        place = found.end()
    return True
