"""How a model is called: its provider, its key, its address; and that loading it asks nobody anything."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from trainwright.engineers.providers import KEYS, check_model, key_missing, line_of, load_litellm, near_names
from trainwright.graph.errors import RequestError


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """No key of this machine counts."""
    for names in KEYS.values():
        for name in names:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("TRAINWRIGHT_API_KEY", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "token"))


@pytest.mark.parametrize(
    ("name", "base", "model", "address"),
    [
        ("anthropic/claude-opus-4-8", "", "anthropic/claude-opus-4-8", ""),
        ("claude-opus-4-8", "", "anthropic/claude-opus-4-8", ""),
        ("openai/mine", "http://127.0.0.1:9", "hosted_vllm/mine", "http://127.0.0.1:9/v1"),
        ("openai/mine", "http://127.0.0.1:9/", "hosted_vllm/mine", "http://127.0.0.1:9/v1"),
        ("openai/mine", "http://127.0.0.1:9/v1/", "hosted_vllm/mine", "http://127.0.0.1:9/v1"),
        ("mine", "http://127.0.0.1:9/api", "hosted_vllm/mine", "http://127.0.0.1:9/api"),
        ("some/where/mine", "http://127.0.0.1:9", "hosted_vllm/some/where/mine", "http://127.0.0.1:9/v1"),
        ("openai/gpt-4o", "http://127.0.0.1:9", "openai/gpt-4o", "http://127.0.0.1:9/v1"),
        ("anthropic/claude-x", "http://127.0.0.1:9/v1", "anthropic/claude-x", "http://127.0.0.1:9"),
        ("huggingface/org/model", "", "huggingface/org/model", ""),
    ],
)
def test_the_name_and_the_address_that_litellm_takes(name: str, base: str, model: str, address: str) -> None:
    line = line_of(name, base)
    assert (line.name, line.model, line.base) == (name, model, address)


def test_the_window_and_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    claude = line_of("anthropic/claude-sonnet-4-5")
    assert (claude.window, claude.answer, claude.window_known) == (200_000, 16_000, True)
    assert line_of("anthropic/claude-sonnet-4-5", "", 8_000).answer == 2_000
    unknown = line_of("openai/mine", "http://127.0.0.1:9")
    assert (unknown.window, unknown.window_known) == (32_768, False)
    monkeypatch.setenv("OLLAMA_API_BASE", "http://127.0.0.1:9/v1")
    ollama = line_of("ollama/llama3")
    assert (ollama.base, ollama.window) == ("http://127.0.0.1:9", 8_192)
    assert ollama.options == {"num_ctx": 8_192}
    assert ollama.model == "ollama_chat/llama3", "the older interface knows no tools"


@pytest.mark.parametrize(("status", "reached"), [(200, True), (404, True), (500, True), (503, False)])
def test_whether_a_server_could_be_asked_for_its_window(
    monkeypatch: pytest.MonkeyPatch, status: int, reached: bool
) -> None:
    import httpx

    answering = httpx.MockTransport(lambda request: httpx.Response(status, json={}))
    client = httpx.Client
    monkeypatch.setattr(httpx, "Client", lambda **more: client(**more, transport=answering))
    assert line_of("openai/mine", "http://127.0.0.1:9").reached is reached


def test_a_server_that_is_not_up_yet_was_not_asked() -> None:
    assert not line_of("openai/mine", "http://127.0.0.1:9").reached
    assert line_of("openai/mine", "http://127.0.0.1:9", 8_000).reached, "nothing was to be asked"
    assert line_of("anthropic/claude-sonnet-4-5").reached


def test_a_key_goes_to_its_own_provider_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "key-of-anthropic")
    assert line_of("openai/gpt-4o").key == "key-of-openai"
    assert line_of("openai/gpt-4o", "http://127.0.0.1:9").key == "no-key"
    assert line_of("openai/mine", "http://127.0.0.1:9").key == "no-key"
    assert line_of("anthropic/claude-x", "http://127.0.0.1:9").key == "no-key"
    monkeypatch.setenv("TRAINWRIGHT_API_KEY", "own")
    assert line_of("openai/mine", "http://127.0.0.1:9").key == "own"
    assert line_of("openai/gpt-4o").key == "key-of-openai"


def test_the_key_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert key_missing("openai/gpt-4o") == "OPENAI_API_KEY"
    assert key_missing("openai/gpt-4o", "http://x/v1") == ""
    assert key_missing("ollama/llama3") == ""
    assert key_missing("huggingface/a/b") == "HF_TOKEN"
    monkeypatch.setenv("HF_TOKEN", "hf")
    assert key_missing("huggingface/a/b") == ""


def test_names_that_are_near() -> None:
    near = near_names(load_litellm(), "anthropic/claude-sonet-4-5")
    assert "anthropic/claude-sonnet-4-5" in near
    with pytest.raises(RequestError, match="Nobody knows the provider of 'nobody/model'"):
        line_of("nobody/model")


@pytest.mark.parametrize("base", ["localhost:8000", "file:///etc/passwd", "http://", "http://[bad", "http://x:99999/"])
def test_an_address_that_is_none(base: str) -> None:
    with pytest.raises(RequestError, match="no http or https address"):
        check_model("openai/a", base)


LOADING = """
import socket, sys
def refuse(*a, **k): raise SystemExit(f"asked the network: {a}")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
import trainwright.engineers, trainwright.graph.workflow
assert "litellm" not in sys.modules, "nothing heavy is loaded before a model is asked"
from trainwright.engineers.providers import load_litellm
from trainwright.engineers import chat
litellm = load_litellm()
from trainwright.engineers.chat import Chat
assert litellm.telemetry is False
assert len(litellm.model_cost) > 500
print("quiet")
"""


def test_loading_litellm_asks_nobody_and_says_nothing() -> None:
    program = LOADING.replace("from trainwright.engineers import chat\n", "")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (done.stdout, done.stderr) == ("quiet\n", "")
