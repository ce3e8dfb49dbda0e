"""Notices: what goes out, to whom, how often, and what a bad destination does to a run (nothing)."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langgraph.graph import END, START, StateGraph
from typing_extensions import TypedDict

from trainwright.graph import redaction
from trainwright.graph.configuration import config_path
from trainwright.graph.effects import Journal
from trainwright.graph.state import Status
from trainwright.nodes.notices import (
    ENDED,
    KIND,
    WAITS_FOR,
    notice_of_budget,
    notice_of_end,
    notice_of_waiting,
    undelivered,
)
from trainwright.tools import notices
from trainwright.tools.notices import addresses, send

from .receiver import Receiver, notify, receiving


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A destination; what it makes a secret is none in the next test."""
    monkeypatch.setattr(redaction, "_known", {})
    with receiving() as there:
        yield there


@pytest.fixture
def waited(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits between tries, which take no time."""
    seconds: list[float] = []
    monkeypatch.setattr("trainwright.tools.notices.time.sleep", seconds.append)
    return seconds


def nobody() -> str:
    """An address at which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"json://127.0.0.1:{probe.getsockname()[1]}/"


def problems(*urls: str, **more: Any) -> list[str]:
    """What went wrong at each address."""
    return [delivery.problem for delivery in send(addresses(urls), "title", "text", **more)]


def test_a_notice_arrives_as_it_is_and_once_at_each_destination(receiver: Receiver) -> None:
    urls = (
        receiver.url("a"),
        receiver.url("a"),
        receiver.url("a").upper().replace("/A", "/a"),
        receiver.url("b", "form"),
    )
    assert [address.schema for address in addresses(urls)] == ["json", "form"]
    assert problems(*urls) == ["", ""]
    assert sorted((notice["path"], notice["title"], notice["message"]) for notice in receiver.arrived) == [
        ("/a", "title", "text"),
        ("/b", "title", "text"),
    ]


def test_a_busy_or_broken_destination_is_tried_again_after_1_2_and_4_seconds(
    receiver: Receiver, waited: list[float]
) -> None:
    receiver.faults = [500, 429, 503]
    assert problems(receiver.url()) == [""]
    assert (waited, len(receiver.arrived)) == ([1.0, 2.0, 4.0], 4)


def test_it_ends_after_four_tries(receiver: Receiver, waited: list[float]) -> None:
    receiver.faults = [500] * 9
    assert problems(receiver.url()) == ["HTTP 500 (4 tries)"]
    assert (waited, len(receiver.arrived)) == ([1.0, 2.0, 4.0], 4)


@pytest.mark.parametrize("code", [301, 400, 401, 404, 410])
def test_a_refusal_is_not_tried_again(receiver: Receiver, waited: list[float], code: int) -> None:
    receiver.faults = [code]
    assert problems(receiver.url()) == [f"HTTP {code}"]
    assert (waited, len(receiver.arrived)) == ([], 1)


def test_no_answer_is_tried_again(receiver: Receiver, waited: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.notices.TIME_OUT", 0.2)
    receiver.faults = ["hang"]
    assert problems(receiver.url()) == [""]
    assert (waited, len(receiver.arrived)) == ([1.0], 2)


def test_where_nobody_listens_is_tried_again(waited: list[float]) -> None:
    assert problems(nobody()) == ["no connection, no answer, or a refusal without a reason (4 tries)"]
    assert waited == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_one_that_never_ends_holds_nobody_up_and_takes_no_other_with_it(receiver: Receiver, fault: str) -> None:
    with receiving() as other:
        other.faults = [fault]
        late, well = problems(other.url(), receiver.url(), seconds=1.0)
    assert late in ("no answer within 1 s", "no connection, no answer, or a refusal without a reason")
    assert (well, len(receiver.arrived)) == ("", 1)


@pytest.mark.parametrize(
    "url", ["", "hello", "nonsense://host/", "json://", "file:///etc/passwd", "json://[::1", "x" * 9999]
)
def test_what_is_no_address_is_said_without_it_and_sent_nowhere(url: str, caplog: pytest.LogCaptureFixture) -> None:
    assert [address.schema for address in addresses([url])] == [""]
    assert problems(url) == ["Apprise cannot read the address"]
    assert caplog.text == ""


def test_neither_what_comes_back_nor_the_log_holds_a_key(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    receiver.faults = [403]
    url = f"json://me:hunter2222@127.0.0.1:{receiver.port}/T0KEN123456/"
    slack = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
    found = addresses([url, slack])
    assert [(address.name, address.host) for address in found] == [
        ("address 1 (json)", "127.0.0.1"),
        ("address 2 (slack)", ""),
    ]
    assert (send(found[:1], "t", "b")[0].problem, caplog.text) == ("HTTP 403", "")


class Nothing(TypedDict, total=False):
    """The state of a graph that has nothing to remember."""

    x: int


def visit(*calls: Callable[[], None]) -> list[str]:
    """Make these calls in a node, as the graph does; the notes that it says."""

    def node(state: Nothing) -> Nothing:
        for call in calls:
            call()
        return {}

    graph = StateGraph(Nothing)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    return [
        event["text"] for event in graph.compile().stream({"x": 1}, stream_mode="custom") if event["event"] == "note"
    ]


def waits(gate: str = "approve_plan", card: str = "c" * 64, number: int = 0) -> Callable[[], None]:
    """The notice that a run waits."""
    return lambda: notice_of_waiting("r", gate, card, number)


def test_a_wait_is_told_once_however_often_its_gate_is_visited(receiver: Receiver) -> None:
    notify(receiver.url())
    assert visit(waits(), waits()) + visit(waits()) == []
    assert receiver.bodies == ["r waits for the approval of its plan. To see more: trainwright show r"]
    visit(waits(number=1), waits(card="d" * 64), waits("approve_job"), waits("ask_person"), waits("approve_tools"))
    assert len(receiver.arrived) == 6
    assert [effect.kind for effect in Journal().of_run("r")] == [KIND] * 6


def test_every_gate_and_every_end_has_its_words() -> None:
    from trainwright.graph.settings import EXIT_CODES
    from trainwright.graph.workflow import build_graph

    gates = {name for name in build_graph().nodes if name.startswith(("approve_", "ask_"))} | {"approve_tools"}
    assert set(WAITS_FOR) == gates
    assert {str(status) for status in ENDED} == set(EXIT_CODES) - {"waiting", "interrupted"}


@pytest.mark.parametrize(
    ("on", "told"),
    [
        ((), ["waits for", "has failed", "has published", "has stopped at its budget"]),
        (("failed",), ["has failed"]),
        (("ended",), ["has failed", "has published", "has stopped at its budget"]),
        (("waiting",), ["waits for"]),
        (("budget",), ["has used 80 % of its limit max_usd"]),
    ],
)
def test_only_what_is_asked_for_is_told(receiver: Receiver, on: tuple[str, ...], told: list[str]) -> None:
    notify(receiver.url(), on=on)
    visit(waits())
    for status in (Status.FAILED, Status.PUBLISHED, Status.BUDGET_LIMIT):
        visit(lambda status=status: notice_of_end("r", status))  # type: ignore[misc]
    visit(lambda: notice_of_budget("r", "max_usd", 80, 5_000_000))
    assert [words for words, body in zip(told, receiver.bodies, strict=True) if body.startswith(f"r {words}")] == told


def test_a_raised_limit_is_told_anew(receiver: Receiver) -> None:
    notify(receiver.url(), on=("budget",))
    for amount in (5, 5, 10):
        visit(lambda amount=amount: notice_of_budget("r", "max_usd", 80, amount))  # type: ignore[misc]
    assert len(receiver.arrived) == 2


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("arrives", [False, True])
def test_what_a_crash_came_between_is_not_sent_again_but_noted_once(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, arrives: bool
) -> None:
    notify(receiver.url())

    def killed(*arguments: Any) -> Any:
        if arrives:
            send(*arguments)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(notices, "send", killed)
        with pytest.raises(Killed):
            visit(waits())
    said = visit(waits())
    assert len(said) == 1
    assert "r waits for the approval of its plan was under way when the run was interrupted" in said[0]
    assert visit(waits()) == []
    assert undelivered("r") == said
    assert len(receiver.arrived) == arrives


def test_a_destination_that_takes_nothing_is_noted(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    receiver.faults = [404]
    notify(receiver.url("a"), receiver.url("b"))
    said = visit(waits())
    why = "The notification that r waits for the approval of its plan did not reach address"
    assert len(said) == 1
    assert said[0].startswith(why)
    assert said[0].endswith("(json) of the configuration: HTTP 404.")
    assert undelivered("r") == said
    assert said[0] in caplog.text
    assert visit(waits()) == [], "it is not tried again, and not said again"
    [effect] = Journal().of_run("r")
    assert json.loads(effect.handle or "")["sent"] == 1


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("config.toml", "[notify]\nurls = ['${GONE_VARIABLE}']", "needs the variable GONE_VARIABLE"),
        ("config.toml", "[notify", "is not valid TOML"),
        ("policy.toml", "[[rule", "policy.toml"),
    ],
)
def test_a_broken_file_stops_the_notice_and_not_the_run(receiver: Receiver, file: str, text: str, says: str) -> None:
    notify(receiver.url())
    config_path().with_name(file).write_text(text)
    [said] = visit(waits())
    assert said.startswith("Nobody was notified that r waits for the approval of its plan: ")
    assert says in said
    assert receiver.arrived == []


RULE = """[[rule]]
name = "no-json"
tool = "notification"
when = {{ {condition} }}
decision = "{decision}"
"""


@pytest.mark.parametrize("decision", ["refuse", "ask"])
@pytest.mark.parametrize("condition", ['host = "127.0.0.1"', 'schema = "json"', 'host = "127.*"'])
def test_the_policy_is_asked_for_each_address(receiver: Receiver, decision: str, condition: str) -> None:
    notify(receiver.url("no"), "nonsense://host/")
    config_path().with_name("policy.toml").write_text(RULE.format(condition=condition, decision=decision))
    said = visit(waits())
    assert "address 1 (json) of the configuration: the policy does not allow it (rule no-json)" in said[0]
    assert said[1].endswith("did not reach address 2 of the configuration: Apprise cannot read it.")
    assert receiver.arrived == []
    assert undelivered("r") == said


def test_who_configures_no_address_does_not_wait_for_apprise(receiver: Receiver) -> None:
    program = (
        "import sys\nfrom trainwright.graph.workflow import build_graph\n"
        "from trainwright.nodes.notices import notice_of_waiting\n"
        "notice_of_waiting('r', 'approve_plan', 'c', 0)\nprint('apprise' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
