"""Secrets that a card did not show, put back into what a person made of it; or a refusal."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.graph.errors import Refusal
from trainwright.graph.redaction import redact
from trainwright.nodes.putting_back import put_back

HF = "hf_" + "a1B2" * 9
HF_2 = "hf_" + "c3D4" * 9
AWS = "AKIA" + "ABCD1234" * 2
M_HF, M_AWS = "[redacted Hugging Face token]", "[redacted AWS key]"


@pytest.mark.parametrize(
    ("original", "edited", "meant"),
    [
        ({"a": HF, "b": "x"}, {"a": M_HF, "b": "y"}, {"a": HF, "b": "y"}),
        ({"a": f"use {HF} and {AWS}\n"}, {"a": f"{M_AWS}, then {M_HF}"}, {"a": f"{AWS}, then {HF}"}),
        ({"a": f"{HF} twice {HF}"}, {"a": f"{M_HF} once"}, {"a": f"{HF} once"}),
        ({"a": f"use {HF}"}, {"a": "use nothing"}, {"a": "use nothing"}),
        ({"a": [HF, "x"]}, {"a": [M_HF, "y"]}, {"a": [HF, "y"]}),
        ({"a": [HF, "x"]}, {"a": [M_HF]}, {"a": [HF]}),
        ({"env": {"HF_TOKEN": HF, HF: "1"}}, {"env": {"HF_TOKEN": M_HF, M_HF: "2"}}, {"env": {"HF_TOKEN": HF, HF: "2"}}),
        ({"a": "plain"}, {"a": "other", "b": 3}, {"a": "other", "b": 3}),
        ({"a": f"said {M_HF} before"}, {"a": f"said {M_HF} after"}, {"a": f"said {M_HF} after"}),
    ],
)  # fmt: skip
def test_each_mark_becomes_the_secret_that_it_stood_for(original: Any, edited: Any, meant: Any) -> None:
    assert put_back(redact(original), original, edited) == meant


@pytest.mark.parametrize(
    ("original", "edited"),
    [
        ({"a": f"{HF} and {HF_2}"}, {"a": f"{M_HF} only"}),
        ({"a": HF, "b": "x"}, {"a": "x", "b": M_HF}),
        ({"a": "x"}, {"a": M_HF}),
        ({"a": HF}, {"a": M_AWS}),
        ({"a": [HF, HF_2, "x"]}, {"a": [M_HF, "x"]}),
        ({"a": "x"}, {"a": "x", M_HF: "y"}),
        ({"a": "x"}, {"a": {"b": [M_HF]}}),
    ],
)
def test_a_mark_whose_secret_cannot_be_told_is_refused(original: Any, edited: Any) -> None:
    with pytest.raises(Refusal, match="cannot be told which secret"):
        put_back(redact(original), original, edited)


def test_marks_with_nothing_between_them_are_refused_since_nobody_knows_where_one_ends() -> None:
    shown, original = {"a": f"{M_HF}{M_AWS}"}, {"a": f"{HF}/{AWS}"}
    with pytest.raises(Refusal):
        put_back(shown, original, {"a": f"{M_HF}{M_AWS} more"})


def test_a_text_of_many_marks_takes_no_time_that_grows_with_their_number_of_ways() -> None:
    original = {"a": f"{HF} a " * 2_000}
    assert put_back(redact(original), original, {"a": f"only {M_HF}"}) == {"a": f"only {HF}"}
