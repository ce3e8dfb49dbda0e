"""`langgraph dev` serves the same graph: a run is driven over HTTP and read from the terminal, and the other way."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient

from trainwright.graph.runs import Runs

ROOT = Path(__file__).resolve().parents[2]
START = "import sys; from trainwright.cli.main import main; sys.exit(main())"
GOAL = "Classify the digits with an RBF support vector machine with C=10 and gamma=0.001"
READY = "Application started up in"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(280)]


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """`langgraph dev` on the checkout, with a home of its own."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.port = free_port()
        self.environment = {**os.environ, "TRAINWRIGHT_HOME": str(self.home), "LANGSMITH_TRACING": "false"}
        command = [
            str(Path(sys.executable).with_name("langgraph")),
            *("dev", "--config", str(ROOT / "langgraph.json"), "--port", str(self.port)),
            *("--no-browser", "--no-reload", "--n-jobs-per-worker", "4"),
        ]
        self.process = subprocess.Popen(
            command, cwd=folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.lines: list[str] = []
        self.ready = threading.Event()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line)
            if READY in line:
                self.ready.set()
        self.ready.set()

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def trainwright(self, *arguments: str) -> tuple[int, str]:
        """The terminal's command on the same home: exit code and standard output."""
        done = subprocess.run(
            [sys.executable, "-c", START, *arguments], env=self.environment, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode, done.stdout


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    try:
        assert running.ready.wait(120), "".join(running.lines[-30:])
        assert running.process.poll() is None, "".join(running.lines[-30:])
        yield running
    finally:
        running.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[LangGraphClient]:
    """The SDK's client of the server."""
    async with get_client(url=f"http://127.0.0.1:{server.port}") as opened:
        yield opened


def shown(state: Any) -> dict[str, Any]:
    """What the run waits for: the one action of the one interrupt."""
    interrupts = [interrupt for task in state["tasks"] for interrupt in task["interrupts"]]
    assert len(interrupts) == 1, state
    actions: list[dict[str, Any]] = interrupts[0]["value"]["action_requests"]
    assert len(actions) == 1
    return actions[0]


APPROVE = {"decisions": [{"type": "approve"}]}


async def test_a_run_over_http_is_the_run_of_the_terminal(server: Server, client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]

    async def go(**given: Any) -> Any:
        await client.runs.wait(thread, "trainwright", context={"approvals": "ask"}, durability="sync", **given)
        return await client.threads.get_state(thread)

    request = {"goal": GOAL, "data": "sklearn:digits", "name": "from-studio"}
    state = await go(input={"request": request})
    assert state["next"] == ["approve_plan"]
    assert shown(state)["name"] == "approve_plan"
    assert shown(state)["args"]["metric"] == "accuracy"

    code, out = server.trainwright("show", "from-studio", "--json")
    assert json.loads(out)["status"] == "waiting"

    for wrong in ({"decision": "sure"}, {"decisions": [{"type": "perhaps"}]}, "yes"):
        state = await go(command={"resume": wrong})
        assert state["next"] == ["approve_plan"], wrong
        assert "could not be used" in shown(state)["description"], wrong

    state = await go(command={"resume": APPROVE})
    assert state["next"] == ["approve_job"]
    assert all(check["passed"] for check in shown(state)["args"]["preflight"])
    state = await go(command={"resume": APPROVE})
    assert state["next"] == ["approve_publish"]
    code, out = server.trainwright("approve", "from-studio", "--json")
    result = json.loads(out.splitlines()[-1])
    assert (code, result["status"], result["run"]) == (0, "published", "from-studio")
    assert result["evaluation"]["value"] > 0.97

    state = await client.threads.get_state(thread)
    assert state["next"] == []
    assert state["values"]["status"] == "published"


async def test_a_run_of_the_terminal_is_approved_over_http(server: Server, client: LangGraphClient) -> None:
    code, out = server.trainwright(
        "run", "--goal", GOAL, "--data", "sklearn:digits", "--name", "from-terminal", "--approvals", "ask", "--json"
    )
    assert code == 3, out
    thread = Runs(server.home / "runs.db").get("from-terminal").thread_id
    await client.threads.create(thread_id=thread, graph_id="trainwright", if_exists="do_nothing")
    assert shown(await client.threads.get_state(thread))["name"] == "approve_plan"
    rejected = {"decisions": [{"type": "reject"}]}
    await client.runs.wait(thread, "trainwright", command={"resume": rejected}, durability="sync")
    code, out = server.trainwright("show", "from-terminal", "--json")
    assert json.loads(out)["status"] == "rejected"


async def test_what_is_no_request_is_told_over_http(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    answer = await client.runs.wait(
        thread, "trainwright", input={"request": {"goal": "x", "nonsense": 1}}, raise_error=False
    )
    assert "nonsense" in json.dumps(answer)


async def test_studio_shows_the_request_and_the_settings_as_forms(client: LangGraphClient) -> None:
    assistant = (await client.assistants.search(graph_id="trainwright"))[0]["assistant_id"]
    schemas = await client.assistants.get_schemas(assistant)
    request = json.dumps(schemas["input_schema"])
    assert "What you want, in your own words" in request
    assert "Engineer turns over the whole run" in json.dumps(schemas["context_schema"])
    drawn = await client.assistants.get_graph(assistant, xray=True)
    names = {node["id"] for node in drawn["nodes"]}
    assert {"approve_plan", "submit_job", "wrap_up", "plan:think"} <= names


async def test_a_model_decides_over_http_and_its_tokens_are_streamed(
    server: Server, client: LangGraphClient, tmp_path: Path
) -> None:
    from tests.models import Asked, Reply
    from tests.models.scientist import Done, Scientist
    from tests.models.server import ModelServer
    from tests.runs.conftest import PAPER

    def read_paper(asked: Asked, calls: list[Done]) -> Reply | None:
        return None if calls else Scientist().read_paper(asked, calls)

    paper = tmp_path / "flowers.md"
    paper.write_text(PAPER)
    thread = (await client.threads.create())["thread_id"]
    request = {"paper": str(paper), "data": "sklearn:iris", "name": "from-a-model"}
    with ModelServer(Scientist({"read_paper": read_paper})) as model:
        context = {"engineer": "openai/test", "base_url": model.openai, "approvals": "auto"}
        streamed: list[str] = []
        kinds: set[str] = set()
        async for part in client.runs.stream(
            thread, "trainwright", input={"request": request}, context=context, stream_mode=["messages", "custom"],
            stream_subgraphs=True, durability="sync",
        ):  # fmt: skip
            assert part.event != "error", part.data
            if "messages" in part.event and part.data:
                streamed += [str(m.get("content")) for m in part.data if isinstance(m, dict)]
            if part.event.startswith("custom"):
                kinds.add(part.data["event"])
    state = await client.threads.get_state(thread)
    assert state["values"]["status"] == "published", state["values"]["reason"]
    assert any("I read the paper." in text for text in streamed)
    assert {"token", "call", "turn", "decided"} <= kinds
    assert "Blocking call" not in "".join(server.lines)


async def test_a_second_answer_over_http_does_not_answer_the_next_card(client: LangGraphClient) -> None:
    thread = (await client.threads.create())["thread_id"]
    request = {"goal": GOAL, "data": "sklearn:digits", "name": "twice"}
    await client.runs.wait(thread, "trainwright", input={"request": request}, durability="sync")
    asked = (await client.threads.get_state(thread))["tasks"][0]["interrupts"][0]["value"]
    _, second = [
        await client.runs.create(thread, "trainwright", command={"resume": answer}, durability="sync")
        for answer in (APPROVE, APPROVE)
    ]
    await client.runs.join(thread, second["run_id"])
    state = await client.threads.get_state(thread)
    assert state["next"] == ["approve_job"], "the second answer was to the plan, and nobody has seen the job"
    assert "before this was shown" in shown(state)["description"]
    assert [a["decision"] for a in state["values"]["approvals"]] == ["approve"]
    stale = {"decisions": [{"type": "approve"}], "shown": asked["shown"]}
    await client.runs.wait(thread, "trainwright", command={"resume": stale}, durability="sync")
    state = await client.threads.get_state(thread)
    assert "something else that was shown before" in shown(state)["description"]
    rejected = {"decisions": [{"type": "reject"}]}
    await client.runs.wait(thread, "trainwright", command={"resume": rejected}, durability="sync")
    assert (await client.threads.get_state(thread))["values"]["status"] == "rejected"


async def test_terminal_and_http_at_the_same_time_the_first_counts_and_the_other_is_told(
    server: Server, client: LangGraphClient
) -> None:
    from tests.runs.test_approvals import RACER

    thread = (await client.threads.create())["thread_id"]
    request = {"goal": GOAL, "data": "sklearn:digits", "name": "raced"}
    await client.runs.wait(thread, "trainwright", input={"request": request}, durability="sync")
    command = [sys.executable, "-c", RACER, "reject", "raced", "--json"]
    racer = subprocess.Popen(
        command,
        env=server.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert racer.stdout is not None
    assert racer.stdout.readline() == "ready\n"
    over_http, (out, err) = await asyncio.gather(
        client.runs.wait(thread, "trainwright", command={"resume": APPROVE}, durability="sync", raise_error=False),
        asyncio.to_thread(racer.communicate, "go\n", 120),
    )
    values = (await client.threads.get_state(thread))["values"]
    decided = [a["decision"] for a in values["approvals"] if a["gate"] == "approve_plan"]
    assert len(decided) == 1, "one answer, and one alone"
    if decided == ["reject"]:
        assert racer.returncode in (2, 5), err  # its answer counts, even if the server carries it out
        told = json.dumps(over_http) + json.dumps(values["notes"])
        ended = "A person rejected at approve_plan" in told  # it came when the run had ended: its result says why
        assert ended or "came too late" in told or "at work" in told
    else:
        assert racer.returncode == 2
        assert "came too late" in out + err or "at work" in out + err or "waits for nothing" in out + err
