"""What a run asks, and who answered it first: one row a card that was shown, one a decision, in the run database.

The first decision on an action counts, whoever hands it in: terminal, program, or the graph's own interface (HTTP,
Studio). A second, different one is refused with what was decided, by whom and when. What is asked is known by run, gate,
turn (how many decisions came before) and what was shown, so that a step that is run again after a kill finds its
decision. Plain sqlite3: no LangGraph, no Pydantic. Whether an answer is any good is for the gate to say; it withdraws
one that is not.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from sqlite3 import Connection, Row
from typing import Any

from . import runs
from .database import transaction
from .errors import RequestError
from .settings import database_path

__all__ = ["Answers", "Asked", "Decided", "TooLate", "ask_key", "moment", "too_late"]

SCHEMA = """
CREATE TABLE IF NOT EXISTS asked (
    key TEXT PRIMARY KEY, run TEXT NOT NULL, gate TEXT NOT NULL, turn TEXT NOT NULL, card TEXT NOT NULL,
    actions INTEGER NOT NULL, rule TEXT NOT NULL DEFAULT '', asked_at TEXT NOT NULL, until TEXT,
    problem TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS asked_run ON asked (run, gate, turn);
CREATE TABLE IF NOT EXISTS answers (
    key TEXT NOT NULL, number INTEGER NOT NULL, decision TEXT NOT NULL, via TEXT NOT NULL, at TEXT NOT NULL,
    PRIMARY KEY (key, number)
);
CREATE TABLE IF NOT EXISTS agreed (
    run TEXT NOT NULL, gate TEXT NOT NULL, card TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (run, gate)
);
"""

DID = {"approve": "approved", "reject": "rejected", "edit": "edited", "respond": "answered"}


class TooLate(RequestError):
    """Somebody else answered first; what was decided stands."""


def moment() -> datetime:
    """The present, UTC."""
    return datetime.now(UTC)


def ask_key(run: str, gate: str, turn: str, card_sha256: str) -> str:
    """The identity of what is asked: 64 hex digits, the same whenever the same step is run again."""
    return hashlib.sha256(json.dumps([run, gate, turn, card_sha256]).encode()).hexdigest()


@dataclass(frozen=True)
class Decided:
    """One decision: LangChain's form of it, where it came from, and when (UTC, ISO 8601)."""

    decision: dict[str, Any]
    via: str
    at: str

    def said(self) -> str:
        """What was decided, by whom, when: in words."""
        return f"{DID.get(str(self.decision.get('type')), 'decided')} by a person ({self.via}) at {self.at}"


@dataclass(frozen=True)
class Asked:
    """Something that a run asked.

    Attributes:
        key: its identity.
        card: what was shown and bound.
        actions: how many decisions it takes.
        rule: the policy's rule that made a person decide.
        asked_at, until: when it was first shown, and the end of its deadline; UTC, ISO 8601.
        problem: why the last answer could not be used; empty if none was.
        answers: number of the action, from 1, to its decision.
        new: whether it was asked for the first time just now.
    """

    key: str
    run: str
    gate: str
    turn: str
    card: dict[str, Any]
    actions: int
    rule: str
    asked_at: str
    until: str | None
    problem: str
    answers: dict[int, Decided] = field(default_factory=dict)
    new: bool = False

    @property
    def open(self) -> list[int]:
        """Numbers of the actions that nobody has decided on yet."""
        return [number for number in range(1, self.actions + 1) if number not in self.answers]

    @property
    def expired(self) -> bool:
        """Whether its deadline has passed; a clock that was set back does not make it pass."""
        return self.until is not None and moment() >= datetime.fromisoformat(self.until)

    def answered(self) -> dict[str, str]:
        """Number of an action to what was decided on it, in words."""
        return {str(number): one.said() for number, one in sorted(self.answers.items())}

    def said(self) -> str:
        """What was decided so far, in words."""
        several = self.actions > 1
        parts = [f"{f'{n} ' if several else ''}{self.answers[n].said()}" for n in sorted(self.answers)]
        return f"{self.gate}: {'; '.join(parts) or 'not decided'}"


class Answers:
    """The questions and answers of one database."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or database_path()

    def ask(
        self,
        run: str,
        gate: str,
        turn: str,
        card: Mapping[str, Any],
        card_sha256: str,
        *,
        actions: int = 1,
        rule: str = "",
        deadline_hours: float | None = None,
    ) -> Asked:
        """Note that this is asked; a second time nothing changes, the beginning of its deadline included."""
        key, now = ask_key(run, gate, turn, card_sha256), moment()
        until = None if deadline_hours is None else _text(now + timedelta(hours=deadline_hours))
        values = (key, run, gate, turn, json.dumps(card, default=str), actions, rule, _text(now), until)
        with transaction(SCHEMA, self.path) as db:
            done = db.execute(
                "INSERT INTO asked (key, run, gate, turn, card, actions, rule, asked_at, until) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
                values,
            )
            return replace(_asked(db, key), new=done.rowcount == 1)

    def at_turn(self, run: str, gate: str, turn: str) -> Asked | None:
        """What was last asked at this turn of a gate."""
        return self._last("run=? AND gate=? AND turn=?", run, gate, turn)

    def last(self, run: str) -> Asked | None:
        """What a run asked last: if it waits, that."""
        return self._last("run=?", run)

    def _last(self, where: str, *values: str) -> Asked | None:
        with transaction(SCHEMA, self.path) as db:
            found = db.execute(f"SELECT key FROM asked WHERE {where} ORDER BY rowid DESC LIMIT 1", values).fetchone()  # noqa: S608 - our own words
            return None if found is None else _asked(db, found["key"])

    def give(self, key: str, decisions: Mapping[int, Mapping[str, Any]], via: str) -> Asked:
        """Hand in decisions by the number of their action; all of them or none.

        Raises:
            TooLate: one of these actions was decided differently before.
        """
        with transaction(SCHEMA + runs.SCHEMA, self.path) as db:
            there = _asked(db, key)
            for number, decision in decisions.items():
                known = there.answers.get(number)
                if known is not None and known.decision != dict(decision):
                    raise too_late(there)
                if known is None:
                    row = (key, number, json.dumps(dict(decision)), via, _text(moment()))
                    db.execute("INSERT INTO answers (key, number, decision, via, at) VALUES (?, ?, ?, ?, ?)", row)
            db.execute("UPDATE asked SET problem='' WHERE key=?", (key,))
            there = _asked(db, key)
            _tell(db, there)
            return there

    def of_key(self, key: str) -> Asked | None:
        """What was asked under a key, with the answers so far; None if nothing was."""
        with transaction(SCHEMA, self.path) as db:
            known = db.execute("SELECT 1 FROM asked WHERE key=?", (key,)).fetchone()
            return None if known is None else _asked(db, key)

    def again(self, asked: Asked) -> Asked:
        """The same question as it stands now."""
        with transaction(SCHEMA, self.path) as db:
            return _asked(db, asked.key)

    def withdraw(self, key: str, problem: str) -> None:
        """Take back an answer that cannot be used, with the reason, so that it is asked again."""
        with transaction(SCHEMA, self.path) as db:
            db.execute("DELETE FROM answers WHERE key=?", (key,))
            db.execute("UPDATE asked SET problem=? WHERE key=?", (problem, key))

    def explain(self, key: str, problem: str) -> None:
        """Note why an answer could not be used, where nothing of it was stored."""
        with transaction(SCHEMA, self.path) as db:
            db.execute("UPDATE asked SET problem=? WHERE key=?", (problem, key))

    def agree(self, run: str, gate: str, card: Mapping[str, Any]) -> None:
        """Note what was last agreed to at a gate, by a person or by a rule: the card, or what an edit made of it."""
        with transaction(SCHEMA, self.path) as db:
            db.execute(
                "INSERT OR REPLACE INTO agreed (run, gate, card, at) VALUES (?, ?, ?, ?)",
                (run, gate, json.dumps(card, default=str), _text(moment())),
            )

    def agreed(self, run: str, gate: str) -> dict[str, Any] | None:
        """What was last agreed to at a gate; None if nothing was."""
        with transaction(SCHEMA, self.path) as db:
            found = db.execute("SELECT card FROM agreed WHERE run=? AND gate=?", (run, gate)).fetchone()
        return None if found is None else dict(json.loads(found["card"]))


def _tell(db: Connection, asked: Asked) -> None:
    """Let the table of runs say which actions are decided, as long as it says that the run waits for them."""
    row = db.execute("SELECT waiting FROM runs WHERE name=? AND status='waiting'", (asked.run,)).fetchone()
    waiting = json.loads(row["waiting"]) if row is not None and row["waiting"] else {}
    if waiting.get("shown") == asked.key:
        waiting["answered"] = asked.answered()
        db.execute("UPDATE runs SET waiting=? WHERE name=?", (json.dumps(waiting), asked.run))


def _asked(db: Connection, key: str) -> Asked:
    row = db.execute("SELECT * FROM asked WHERE key=?", (key,)).fetchone()
    answers = db.execute("SELECT * FROM answers WHERE key=?", (key,)).fetchall()
    names = ("key", "run", "gate", "turn", "actions", "rule", "asked_at", "until", "problem")
    return Asked(
        card=json.loads(row["card"]), answers={one["number"]: _decided(one) for one in answers},
        **{name: row[name] for name in names},
    )  # fmt: skip


def _decided(row: Row) -> Decided:
    return Decided(json.loads(row["decision"]), row["via"], row["at"])


def too_late(there: Asked) -> TooLate:
    """What a second answer is told."""
    look = f"`trainwright show {there.run}` shows what the run waits for now"
    goes_on = "" if there.open else f"; `trainwright resume {there.run}` carries out what was decided, if nobody does"
    return TooLate(f"That answer came too late: the first one counts. {there.said()}.", hint=f"{look}{goes_on}.")


def _text(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds")
