"""The journal of side effects: what must happen once, happens once, however often its step is run again.

Before an outside system is called, the intent is committed; after it answered, the receipt with its handle. A step
that runs again finds the receipt and reuses it. If a crash came between the two, the target itself is asked whether
it knows the key (`look_up`); only if it does not, the effect is done. The key is a hash of run, attempt, kind and
payload: nothing in it changes with a restart or with time travel.

What this cannot promise: where the target cannot tell, the run asks. Who answered what stands in the journal, and an
answer counts for the one try that it was given for: a crash after it asks again. This module does not do any effect
itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from .database import add_columns, transaction
from .errors import EffectAmbiguous
from .runs import now
from .settings import database_path

__all__ = ["HAPPENED", "NOT_HAPPENED", "Effect", "Journal", "effect_key"]

HAPPENED, NOT_HAPPENED = "it happened", "it did not happen"
"""The answers to the question whether an effect happened."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS effects (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL, payload_sha256 TEXT NOT NULL,
    handle TEXT, intended_at TEXT NOT NULL, received_at TEXT, tries INTEGER NOT NULL DEFAULT 1, said TEXT
);
"""
LATER = {"tries": "INTEGER NOT NULL DEFAULT 1", "said": "TEXT"}
"""Columns that older databases lack."""


def effect_key(run: str, attempt: int, kind: str, payload: Mapping[str, Any]) -> str:
    """The identity of an effect: 64 hex digits, the same whenever the same step is run again."""
    canonical = json.dumps([run, attempt, kind, payload], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Effect:
    """One line of the journal.

    Attributes:
        key, run, attempt, kind: what it is.
        handle: how the target names it; None while only the intent is known.
        intended_at, received_at: UTC, ISO 8601.
        tries: how often it was begun; more than once only where a person said that it had not happened.
        said: what a person said of it, and when; None where nobody was asked.
    """

    key: str
    run: str
    attempt: int
    kind: str
    handle: str | None
    intended_at: str
    received_at: str | None
    tries: int = 1
    said: str | None = None

    @property
    def question(self) -> str:
        """The key of the question whether this try of it happened."""
        return f"effect:{self.kind}:{self.key[:16]}:{self.tries}"

    @property
    def question_of_handle(self) -> str:
        """The key of the question how its target names it."""
        return f"handle:{self.kind}:{self.key[:16]}:{self.tries}"


class Journal:
    """The effects of one database."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or database_path()

    def once(
        self,
        run: str,
        attempt: int,
        kind: str,
        payload: Mapping[str, Any],
        *,
        do: Callable[[str], str],
        look_up: Callable[[str], str | None],
        answers: Mapping[str, str] | None = None,
    ) -> str:
        """The handle of the effect, done now or before.

        Args:
            run, attempt, kind, payload: what identifies it.
            do: does it under the key and returns its handle.
            look_up: asks the target for the key; None when it is sure that the effect did not happen,
                `EffectAmbiguous` when it cannot tell.
            answers: the answers of the run's state, where a person may have told.

        Raises:
            EffectAmbiguous: the target cannot tell, and nobody has said; its `key` is that of the question.
        """
        key = effect_key(run, attempt, kind, payload)
        known = self._intend(key, run, attempt, kind, payload)
        if known is not None and known.handle is not None:
            return known.handle
        handle = self._found(known, look_up, answers or {}) if known is not None else None
        if handle is None:
            handle = do(key)
        with transaction(SCHEMA, self.path) as db:
            db.execute("UPDATE effects SET handle=?, received_at=? WHERE key=?", (handle, now(), key))
        return handle

    def _found(self, known: Effect, look_up: Callable[[str], str | None], answers: Mapping[str, str]) -> str | None:
        """The handle of what was intended before: as the target tells, or else a person; None: it did not happen."""
        try:
            return look_up(known.key)
        except EffectAmbiguous as error:
            said = answers.get(known.question)
            if said == NOT_HAPPENED:
                self._say(known, NOT_HAPPENED, tries=known.tries + 1)
                return None
            if said == HAPPENED:
                if handle := answers.get(known.question_of_handle):
                    self._say(known, f"{HAPPENED}, as {handle[:200]}", tries=known.tries)
                    return handle
                raise _asking_for_handle(known, error) from error
            raise _asking(known, error) from error

    def _say(self, known: Effect, said: str, *, tries: int) -> None:
        """Write down what a person said; a further try is counted before it is made."""
        with transaction(SCHEMA, self.path) as db:
            text = f"a person, at {now()}: {said}"
            db.execute("UPDATE effects SET said=?, tries=? WHERE key=?", (text, tries, known.key))

    def _intend(self, key: str, run: str, attempt: int, kind: str, payload: Mapping[str, Any]) -> Effect | None:
        """The line that was there before; otherwise None, and the intent is committed."""
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()
        with transaction(SCHEMA, self.path) as db:
            add_columns(db, "effects", LATER)
            row = db.execute("SELECT * FROM effects WHERE key=?", (key,)).fetchone()
            if row is not None:
                return _effect(row)
            db.execute(
                "INSERT INTO effects (key, run, attempt, kind, payload_sha256, intended_at) VALUES (?, ?, ?, ?, ?, ?)",
                (key, run, attempt, kind, digest, now()),
            )
        return None

    def of_run(self, run: str) -> list[Effect]:
        """Every effect of a run, the oldest first."""
        with transaction(SCHEMA, self.path) as db:
            add_columns(db, "effects", LATER)
            rows = db.execute("SELECT * FROM effects WHERE run=? ORDER BY rowid", (run,)).fetchall()
        return [_effect(row) for row in rows]

    def open(self, run: str) -> list[Effect]:
        """The effects of a run that were begun and have no receipt: what a crash, or a question, came between."""
        return [effect for effect in self.of_run(run) if effect.handle is None]


def _asking(known: Effect, error: EffectAmbiguous) -> EffectAmbiguous:
    """The question whether it happened."""
    text = (
        f"The {known.kind} of attempt {known.attempt} was begun at {known.intended_at}, before {known.run} was "
        f"interrupted, and where it went to cannot tell whether it happened: {error.message} It was not done again. "
        f"Please look there for {known.key[:16]}."
    )
    hint = error.hint or f"Answer {HAPPENED!r} or {NOT_HAPPENED!r}; only with the second one it is done again."
    return EffectAmbiguous(text, key=known.question, options=(HAPPENED, NOT_HAPPENED), hint=hint)


def _asking_for_handle(known: Effect, error: EffectAmbiguous) -> EffectAmbiguous:
    """The question how its target names it."""
    text = f"The {known.kind} of attempt {known.attempt} happened, you said. How is it named there? {error.message}"
    hint = "Answer with its number, its address or its commit, as the place where it went to shows it."
    return EffectAmbiguous(text, key=known.question_of_handle, hint=hint)


def _effect(row: Any) -> Effect:
    return Effect(**{field.name: row[field.name] for field in fields(Effect)})
