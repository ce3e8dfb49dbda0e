"""The journal: an effect happens once, whatever is killed in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.graph.effects import Journal, effect_key
from trainwright.graph.errors import EffectAmbiguous


class Target:
    """An outside system that remembers what was done under which key."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def do(self, key: str) -> str:
        self.done.append(key)
        return f"handle-{len(self.done)}"

    def look_up(self, key: str) -> str | None:
        return f"handle-{self.done.index(key) + 1}" if key in self.done else None


class Killed(BaseException):
    """Stands for a process that ends between two lines."""


def test_the_receipt_is_reused(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()
    first = journal.once("r", 1, "job", {"code": "a"}, do=target.do, look_up=target.look_up)
    again = journal.once("r", 1, "job", {"code": "a"}, do=target.do, look_up=target.look_up)
    assert (first, again, len(target.done)) == ("handle-1", "handle-1", 1)


def test_killed_before_the_call_it_is_done_by_the_next(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()

    def killed(key: str) -> str:
        raise Killed

    with pytest.raises(Killed):
        journal.once("r", 1, "job", {}, do=killed, look_up=target.look_up)
    assert journal.once("r", 1, "job", {}, do=target.do, look_up=target.look_up) == "handle-1"


def test_killed_after_the_call_it_is_found_and_not_done_again(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()

    def killed_after(key: str) -> str:
        target.do(key)
        raise Killed

    with pytest.raises(Killed):
        journal.once("r", 1, "job", {}, do=killed_after, look_up=target.look_up)
    assert journal.once("r", 1, "job", {}, do=target.do, look_up=target.look_up) == "handle-1"
    assert len(target.done) == 1


def test_what_the_target_cannot_tell_is_not_guessed(tmp_path: Path) -> None:
    journal, target = Journal(tmp_path / "runs.db"), Target()

    def cannot_tell(key: str) -> str | None:
        raise EffectAmbiguous("The hub did not answer.", key="effect")

    def killed(key: str) -> str:
        raise Killed

    with pytest.raises(Killed):
        journal.once("r", 1, "publication", {}, do=killed, look_up=target.look_up)
    with pytest.raises(EffectAmbiguous):
        journal.once("r", 1, "publication", {}, do=target.do, look_up=cannot_tell)
    assert target.done == []
    assert [effect.handle for effect in journal.of_run("r")] == [None]


@given(st.dictionaries(st.text(max_size=5), st.integers(), max_size=4))
def test_the_key_does_not_depend_on_the_order_of_the_payload(payload: dict[str, int]) -> None:
    backwards = dict(reversed(payload.items()))
    assert effect_key("r", 1, "job", payload) == effect_key("r", 1, "job", backwards)
    assert effect_key("r", 2, "job", payload) != effect_key("r", 1, "job", payload)
