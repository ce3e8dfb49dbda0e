"""How long is waited: what services ask for, the pause between two requests, and between processes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.standin import StandIn
from trainwright.graph.errors import RemoteUnavailable
from trainwright.tools.http import Service, client, fetch, lookups, waiting

NOW = 1_800_000_000.0


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of every wait, which is not made."""
    seconds: list[float] = []
    monkeypatch.setattr(client, "wait", seconds.append)
    return seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:30 GMT"}, 30.0),
        ({"retry-after": "Fri, 15 Jan 2027 07:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "²"}, None),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "²"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "9" * 30}, 999_999_999.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000020"}, 20.0),
        ({"x-ratelimit-remaining": "1", "x-ratelimit-reset": "1800000020"}, None),
        ({"ratelimit": '"api";r=0;t=55', "ratelimit-policy": '"fixed window";"api";q=500;w=300'}, 55.0),
        ({"ratelimit": '"api";r=3;t=55'}, None),
    ],
)
def test_what_a_service_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert waiting.asked_wait(headers, NOW) == seconds


def test_as_long_as_asked(standin: StandIn, service: Service, slept: list[float]) -> None:
    standin.route("GET", "/x", "at last")
    standin.fault("/x", "status:429", retry_after=7)
    standin.fault("/x", "status:503", headers={"ratelimit": '"api";r=0;t=12'})
    assert fetch("x", service=service).text == "at last"
    assert slept == [7.0, 12.0]


def test_githubs_limit_comes_as_a_refusal(standin: StandIn, service: Service, slept: list[float]) -> None:
    standin.route("GET", "/x", "at last")
    reset = str(int(time.time()) + 20)
    standin.fault("/x", "status:403", headers={"x-ratelimit-remaining": "0", "x-ratelimit-reset": reset})
    assert fetch("x", service=service).text == "at last"
    assert 17 < slept[0] <= 20


@pytest.mark.parametrize("kind", ["status:429", "status:503"])
def test_longer_than_anybody_waits(standin: StandIn, service: Service, slept: list[float], kind: str) -> None:
    standin.fault("/x", kind, retry_after=3600)
    with pytest.raises(RemoteUnavailable, match=r"It may be asked again in 3600 s \(at \d\d:\d\d:\d\d\)"):
        fetch("x", service=service)
    assert (slept, len(standin.requests)) == ([], 1)


def test_the_waits_of_one_call_add_up(standin: StandIn, service: Service, slept: list[float]) -> None:
    standin.fault("/x", "status:429", times=None, retry_after=40)
    with pytest.raises(RemoteUnavailable, match="again in 40 s"):
        fetch("x", service=service, tries=5)
    assert slept == [40.0]


def test_longer_and_longer_where_nothing_is_asked(standin: StandIn, service: Service, slept: list[float]) -> None:
    standin.fault("/x", "status:500", times=None)
    with pytest.raises(RemoteUnavailable):
        fetch("x", service=service, tries=4)
    assert len(slept) == 3
    for seconds, middle in zip(slept, (1, 2, 4), strict=True):
        assert middle / 2 <= seconds <= middle * 1.5


def test_a_wait_ends_when_somebody_wants_it_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    asked: list[int] = []
    begun = time.monotonic()
    with (
        lookups(cancelled=lambda: bool(asked.append(1)) or len(asked) > 1),
        pytest.raises(RemoteUnavailable, match="stopped"),
    ):
        waiting.wait(30)
    assert time.monotonic() - begun < 5


@pytest.fixture
def paused(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service with a pause that counts, of a tenth of a second."""
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    standin.route("GET", "/*", "x")
    return Service(f"Paused {standin.port}", standin.url, pause=0.1)


def test_threads_keep_the_pause(standin: StandIn, paused: Service) -> None:
    begun = time.monotonic()
    threads = [threading.Thread(target=fetch, args=(f"{n}",), kwargs={"service": paused}) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(standin.requests) == 4
    assert time.monotonic() - begun >= 0.3


def test_a_cached_answer_waits_for_nothing(standin: StandIn, paused: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch("a", service=paused)
    monkeypatch.setattr(client, "take_turn", None)
    assert fetch("a", service=paused).cached


PROCESS = """
import sys
from trainwright.tools.http.waiting import take_turn
import time
for _ in range(3):
    take_turn("Shared", 0.1)
    print(time.time(), flush=True)
"""


def test_processes_keep_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    running = [subprocess.Popen([sys.executable, "-c", PROCESS], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    times = sorted(float(line) for process in running for line in process.communicate(timeout=60)[0].split())
    assert len(times) == 6
    # A process that is woken late shortens the distance to the next: the whole counts.
    assert times[-1] - times[0] >= 0.4


def test_where_nothing_can_be_written_this_process_keeps_it(
    paused: Service, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own_home / "cache").write_text("in the way")
    begun = time.monotonic()
    for _ in range(3):
        waiting.take_turn("Alone", 0.1)
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("text", ["", "nan", "rubbish", "9e99", "-1", "\xff"])
def test_a_damaged_file_of_turns(own_home: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    folder = own_home / "cache" / "http" / "turns"
    folder.mkdir(parents=True)
    name = f"damaged {len(text)} {text[:1]}"
    waiting._file(name).write_text(text, encoding="latin-1")
    begun = time.monotonic()
    waiting.take_turn(name, 0.1)
    assert time.monotonic() - begun < 0.09
    waiting.take_turn(name, 0.1)
    assert time.monotonic() - begun >= 0.09


def test_a_queue_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    monkeypatch.setattr(waiting, "_sleep", lambda seconds: None)
    for _ in range(5):
        waiting.take_turn("Crowded", 30)
    with pytest.raises(RemoteUnavailable, match=r"Crowded may be asked again only in 150 s; this request was not sent"):
        waiting.take_turn("Crowded", 30)


def test_a_service_that_asked_for_it_is_left_alone_by_all(
    standin: StandIn, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    seconds: list[float] = []
    monkeypatch.setattr(waiting, "_sleep", seconds.append)
    busy = Service("Busy", standin.url)
    standin.fault("/x", "status:429", retry_after=60)
    with pytest.raises(RemoteUnavailable):
        fetch("x", service=busy, tries=1)
    standin.route("GET", "/y", "y")
    fetch("y", service=busy)
    assert 50 < seconds[-1] <= 60


@pytest.mark.parametrize("written", [True, False])
def test_what_asks_for_longer_than_anybody_waits_is_not_asked_again_before(
    standin: StandIn, own_home: Path, monkeypatch: pytest.MonkeyPatch, written: bool
) -> None:
    monkeypatch.setenv("TRAINWRIGHT_PAUSE_SCALE", "1")
    monkeypatch.setattr(waiting, "_sleep", lambda seconds: None)
    if not written:
        (own_home / "cache").write_text("in the way")
    standin.route("GET", "/*", "x")
    standin.fault("/repos/a", "status:403", headers={
        "x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(time.time()) + 1800),
    })  # fmt: skip
    limited = Service("Limited", standin.url)
    with pytest.raises(RemoteUnavailable, match="It may be asked again in"):
        fetch("repos/a", service=limited)
    if written:
        waiting._held.clear()  # as in another process
    with pytest.raises(RemoteUnavailable, match=r"Limited may be asked again only in 1[78]\d\d s .*was not sent"):
        fetch("repos/b", service=limited)
    assert standin.paths == ["/repos/a"]
    # Another allowance, and that of another token, are not touched.
    assert fetch("search/a", service=limited).text == "x"
    assert fetch("repos/a", service=limited, headers={"authorization": "Bearer other"}).text == "x"
    monkeypatch.setattr(waiting.time, "time", lambda: NOW + 10 * 365 * 86_400)
    assert fetch("repos/b", service=limited).text == "x"
