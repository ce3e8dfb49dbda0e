"""Messages of a person to a run: kept in order, cleaned, read once."""

from __future__ import annotations

import pytest

from trainwright.graph.errors import RequestError
from trainwright.graph.tellings import of_run, tell


def test_messages_are_read_in_order_from_where_the_engineer_was() -> None:
    first, other, second = tell("a", "use C=10"), tell("b", "not for a"), tell("a", " and hurry ")
    assert first < other < second
    assert [telling[:2] for telling in of_run("a")] == [(first, "use C=10"), (second, "and hurry")]
    assert [telling[:2] for telling in of_run("a", first)] == [(second, "and hurry")]
    assert of_run("a", second) == []


def test_a_secret_is_not_kept() -> None:
    tell("a", "the token is hf_" + "x" * 34)
    assert "xxx" not in of_run("a")[0].text


@pytest.mark.parametrize("text", ["", "  \n", "x" * 4_001], ids=["empty", "blank", "long"])
def test_an_empty_or_a_long_message_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="1 to 4,000"):
        tell("a", text)
    assert of_run("a") == []
