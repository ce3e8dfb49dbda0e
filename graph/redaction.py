"""The one redactor: no secret passes from here into a prompt, a transcript, a checkpoint, a log, an event or a file.

Secrets are known by their shape (keys of providers, tokens, private keys, passwords in addresses), by the name that
they are assigned to (`API_KEY=…`, `"password": "…"`), and by their value where an environment variable with such a name
holds them or somebody said so (`remember`). Honest text and code stay as they are: `max_tokens=512`, `API_KEY = os.environ["API_KEY"]`, hashes, ids.

A secret whose shape nobody foresaw can be missed: nothing is found by randomness alone, since hashes and ids must stay
readable. Nor are secrets found that were encoded (base64, percent signs), nor those in bytes. No pattern has an
unbounded quantifier inside another, so that time grows with the text and not faster.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ["MARK", "redact", "remember", "secret_variables"]

Model = TypeVar("Model", bound="BaseModel")

MARK = "[redacted "
"""How every mark begins that stands for a secret."""

_START = r"(?<![A-Za-z0-9])"  # not \b: `_` before a secret does not make it part of a word
_PEM = r"(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"

SHAPES: tuple[tuple[str, tuple[str, ...], re.Pattern[str]], ...] = (
    (
        "private key",
        ("-----BEGIN",),
        re.compile(rf"-----BEGIN {_PEM}(?:[A-Za-z0-9+/=\s\\,:.()]|-(?!----)){{16,}}(?:-----END {_PEM})?"),
    ),
    ("Hugging Face token", ("hf_",), re.compile(_START + r"hf_[A-Za-z0-9]{30,}")),
    ("Anthropic key", ("sk-ant-",), re.compile(_START + r"sk-ant-[A-Za-z0-9_-]{20,}")),
    (
        "OpenAI key",
        ("sk-proj-", "sk-svcacct-", "sk-admin-"),
        re.compile(_START + r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{20,}"),
    ),
    ("key", ("sk-",), re.compile(_START + r"sk-(?:or-v1-)?[A-Za-z0-9]{40,}")),
    ("GitHub token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), re.compile(_START + r"gh[pousr]_[A-Za-z0-9]{36,}")),
    ("GitHub token", ("github_pat_",), re.compile(_START + r"github_pat_[A-Za-z0-9_]{36,}")),
    ("GitLab token", ("glpat-",), re.compile(_START + r"glpat-[A-Za-z0-9_-]{20,}")),
    ("AWS key", ("AKIA", "ASIA"), re.compile(r"(?<![A-Za-z0-9+/])(?:AKIA|ASIA)[A-Z0-9]{16,}")),
    ("Google key", ("AIza",), re.compile(r"(?<![A-Za-z0-9+/])AIza[A-Za-z0-9_-]{35,}")),
    ("Groq key", ("gsk_",), re.compile(_START + r"gsk_[A-Za-z0-9]{20,}")),
    ("NVIDIA key", ("nvapi-",), re.compile(_START + r"nvapi-[A-Za-z0-9_-]{20,}")),
    (
        "Slack token",
        ("xoxa-", "xoxb-", "xoxe-", "xoxp-", "xoxr-", "xoxs-"),
        re.compile(_START + r"xox[abeprs]-[A-Za-z0-9.-]{10,}"),
    ),
    (
        "JSON web token",
        ("eyJ",),
        re.compile(_START + r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}"),
    ),
)
"""Kind, texts of which one is in every such secret (a cheap test), and the pattern."""

BEARER = re.compile(r"(?i)(?<![a-z])(bearer\s{1,4})[A-Za-z0-9._~+/=-]{20,}")
ADDRESS = re.compile(r"://[^\s/:@'\"`]{0,200}:(?P<password>[^\s/@'\"`]{1,200})@")
ASSIGNED = re.compile(
    r"(?i)(?P<name>(?:(?<=API)|(?<=API[_-])|(?<=ACCESS)|(?<=ACCESS[_-]))KEY(?:[_-]?ID)?|TOKEN|SECRET|PASSWORD|PASSWD)"
    r"(?:\\?[\"'])?\]?(?::\s{0,4}(?:str|str \| None|Optional\[str\])(?=\s{0,4}=))?"
    r"(?P<between>\s{0,4}(?::=|=>|[=:])\s{0,4})"
    r"(?:\\?(?:\"(?P<double>[^\"\n\\]{4,})|'(?P<single>[^'\n\\]{4,}))|(?P<bare>[A-Za-z0-9+/_.~=-]{8,}+)(?![(\[]))"
)
NAMED = re.compile(r"(?i)(?:API[_-]?KEY|ACCESS[_-]?KEY(?:[_-]?ID)?|TOKEN|SECRET|PASSWORD|PASSWD)$")
VARIABLE = re.compile(
    r"(?i)(?:API_?KEY|TOKEN|SECRET|PASSWORD|PASSWD|ACCESS_KEY(?:_ID)?|CREDENTIALS?|SECRET_KEY|PRIVATE_KEY)$"
    r"|^LITELLM_.*KEY$"
)
NO_SECRET = re.compile(r"[<\[{(),;]|\$[A-Z_({]|%\(")
"""How a value begins that stands for another one: a special token, a placeholder, a piece of code."""

KINDS = ("value", "password", "token", *dict.fromkeys(kind for kind, _, _ in SHAPES))
WORDS = ("token", "secret", "passw", "key")
SHORTEST = 8
"""Characters below which the value of a variable is no secret worth the name: replacing `dev` everywhere would garble."""


def secret_variables() -> list[str]:
    """Names of the environment variables whose values are taken for secrets; never their values."""
    return sorted(_variables())


def _variables() -> dict[str, str]:
    return {
        name: os.environ[name] for name in os.environ if VARIABLE.search(name) and len(os.environ[name]) >= SHORTEST
    }


_known: dict[str, str] = {}
"""Values that this process was told are secrets, and what they are."""


def remember(secrets: Iterable[str], kind: str) -> None:
    """Take these very values for secrets for as long as this process lives, whatever they look like.

    Args:
        secrets: the values; one with fewer than `SHORTEST` characters is left out.
        kind: what they are, for the mark that stands for them.
    """
    global _known
    fresh = {value: kind for value in secrets if len(value) >= SHORTEST and value not in _known}
    if fresh:
        _known = {**_known, **fresh}  # a new one: another thread may be going through the old one


def redact(value: Any) -> Any:
    """A copy of `value` without secrets.

    Args:
        value: a text, or dicts, lists, tuples, sets and Pydantic models of texts, nested as deep as they are.

    Returns:
        The same structure, in which `[redacted KIND]` stands for each secret; what is no text comes back as it is.
    """
    return _redaction(tuple(_variables().items()), tuple(_known.items())).of(value)


@lru_cache(maxsize=4)
def _redaction(variables: tuple[tuple[str, str], ...], known: tuple[tuple[str, str], ...]) -> _Redaction:
    return _Redaction(dict(variables), dict(known))


class _Redaction:
    """What is known of secrets while the environment is as it is."""

    def __init__(self, variables: Mapping[str, str], known: Mapping[str, str]) -> None:
        self.names = {**known, **{value: name for name, value in sorted(variables.items(), reverse=True)}}
        # Marks that are there already are passed over: a variable may hold a word that stands in one.
        marks = [re.escape(f"[redacted {kind}]") for kind in (*KINDS, *variables, *set(known.values()))]
        values = [re.escape(value) for value in sorted(self.names, key=len, reverse=True)]
        self.values = re.compile("|".join(marks + values)) if values else None

    def of(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self.mapping(value)
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            return type(value)(*map(self.of, value))
        for kind in (list, tuple, set, frozenset):
            if isinstance(value, kind):
                return kind(map(self.of, value))
        return self.model(value) if hasattr(type(value), "model_fields") else value

    def mapping(self, items: dict[Any, Any]) -> dict[Any, Any]:
        clean: dict[Any, Any] = {}
        for key, item in items.items():
            name = self.of(key) if isinstance(key, str) else key
            while name in clean:  # two secrets as keys: neither item may be lost
                name += "'"
            clean[name] = self.of(item)
            found = NAMED.search(key) if isinstance(key, str) and isinstance(clean[name], str) else None
            if found and _quoted_secret(found[0], clean[name]):
                clean[name] = "[redacted value]"
        return clean

    def model(self, model: Model) -> Model:
        fields = {name: getattr(model, name) for name in type(model).model_fields} | (model.model_extra or {})
        clean = self.mapping(fields)
        return model.model_copy(update={name: clean[name] for name in fields if clean[name] != fields[name]})

    def text(self, text: str) -> str:
        while (clean := self._once(text)) != text:  # what stood next to a secret may be one too, once that is gone
            text = clean
        return text

    def _once(self, text: str) -> str:
        if self.values and any(value in text for value in self.names):
            text = self.values.sub(lambda m: f"[redacted {self.names[m[0]]}]" if m[0] in self.names else m[0], text)
        for kind, hints, pattern in SHAPES:
            if any(hint in text for hint in hints):
                text = pattern.sub(f"[redacted {kind}]", text)
        if "://" in text:
            text = ADDRESS.sub(_without_password, text)
        lower = text.lower()
        if "bearer" in lower:
            text = BEARER.sub(r"\1[redacted token]", text)
        if any(word in lower for word in WORDS):
            text = _without_assigned(text)
        return text


def _without_password(match: re.Match[str]) -> str:
    return match[0] if NO_SECRET.match(match["password"]) else "://[redacted password]@"


def _without_assigned(text: str) -> str:
    """The text without assigned secrets; looking for the words first is five times as fast as the pattern alone."""
    lower = text.lower()
    if len(lower) != len(text):  # some letters beyond ASCII are two in lower case
        lower = "".join(c.lower() if c.isascii() else c for c in text)
    pieces, done = [], 0
    for place in sorted(place for word in WORDS for place in _places(word, lower)):
        match = ASSIGNED.match(text, place) if place >= done else None
        if match:
            pieces += [text[done:place], _assigned(match)]
            done = match.end()
    return "".join([*pieces, text[done:]])


def _places(word: str, text: str) -> Iterator[int]:
    place = text.find(word)
    while place >= 0:
        yield place
        place = text.find(word, place + 1)


def _assigned(match: re.Match[str]) -> str:
    """The assignment without its value, if the value can be a secret: no expression, no placeholder, no word."""
    group = next(name for name in ("double", "single", "bare") if match[name] is not None)
    name, value = match["name"], match[group]
    if group == "bare":
        environment = name.isupper() and match["between"] == "="  # as a shell and a .env file write it
        secret = _bare_secret(name, value, environment)
    else:
        secret = _quoted_secret(name, value)
    return match[0][: match.start(group) - match.start()] + "[redacted value]" if secret else match[0]


def _is_token(name: str) -> bool:
    """Whether the name may also be that of a piece of text in a language model."""
    return name.lower() == "token"


def _mixed(value: str) -> bool:
    return any(c.isdigit() for c in value) and any(c.isalpha() for c in value)


def _quoted_secret(name: str, value: str) -> bool:
    if NO_SECRET.match(value) or any(c.isspace() for c in value) or not value.isascii():
        return False
    if NAMED.search(value) and value.replace("-", "_").isidentifier():
        return False  # the name of a variable, as in api_key="OPENAI_API_KEY"
    if _is_token(name):
        return (len(value) >= SHORTEST and _mixed(value)) or (len(value) >= 24 and value.isalnum())
    return len(value) >= (SHORTEST if "key" in name.lower() else 4) and value.lower() not in ("none", "null", "true")


def _bare_secret(name: str, value: str, environment: bool) -> bool:
    parts = value.rstrip(".").split(".")
    if (len(parts) > 1 and all(part.isidentifier() for part in parts)) or NAMED.search(value):
        return False  # an attribute, or the name of another variable
    if environment and not _is_token(name) and "key" not in name.lower():
        return True
    words = value.isidentifier() and value.islower() and "_" in value
    return _mixed(value) and (environment or not words)
