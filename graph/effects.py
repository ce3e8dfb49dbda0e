"""The journal of side effects: what must happen once, happens once, however often its step is run again.

Before an outside system is called, the intent is committed; after it answered, the receipt with its handle. A step
that runs again finds the receipt and reuses it. If a crash came between the two, the target itself is asked whether
it knows the key (`look_up`); only if it does not, the effect is done. The key is a hash of run, attempt, kind and
payload: nothing in it changes with a restart or with time travel.

What this cannot promise: a target that can neither be asked nor told the key gives `EffectAmbiguous`; the run then ends
and says so, and a person decides. This module does not do any effect itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .database import transaction
from .runs import now
from .settings import database_path

__all__ = ["Effect", "Journal", "effect_key"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS effects (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL, payload_sha256 TEXT NOT NULL,
    handle TEXT, intended_at TEXT NOT NULL, received_at TEXT
);
"""


def effect_key(run: str, attempt: int, kind: str, payload: Mapping[str, Any]) -> str:
    """The identity of an effect: 64 hex digits, the same whenever the same step is run again."""
    canonical = json.dumps([run, attempt, kind, payload], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True)
class Effect:
    """One line of the journal; `handle` is None while only the intent is known."""

    key: str
    run: str
    attempt: int
    kind: str
    handle: str | None
    intended_at: str
    received_at: str | None


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
    ) -> str:
        """The handle of the effect, done now or before.

        Args:
            run, attempt, kind, payload: what identifies it.
            do: does it under the key and returns its handle.
            look_up: asks the target for the key; None when it is sure that the effect did not happen.

        Raises:
            EffectAmbiguous: raised by `look_up` when the target cannot tell.
        """
        key = effect_key(run, attempt, kind, payload)
        known = self._intend(key, run, attempt, kind, payload)
        if known is not None and known.handle is not None:
            return known.handle
        handle = look_up(key) if known is not None else None
        if handle is None:
            handle = do(key)
        with transaction(SCHEMA, self.path) as db:
            db.execute("UPDATE effects SET handle=?, received_at=? WHERE key=?", (handle, now(), key))
        return handle

    def _intend(self, key: str, run: str, attempt: int, kind: str, payload: Mapping[str, Any]) -> Effect | None:
        """The line that was there before; otherwise None, and the intent is committed."""
        digest = hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()
        with transaction(SCHEMA, self.path) as db:
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
            rows = db.execute("SELECT * FROM effects WHERE run=? ORDER BY rowid", (run,)).fetchall()
        return [_effect(row) for row in rows]


def _effect(row: Any) -> Effect:
    names = ("key", "run", "attempt", "kind", "handle", "intended_at", "received_at")
    return Effect(**{name: row[name] for name in names})
