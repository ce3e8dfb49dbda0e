"""A stand-in for the Hub that answers about models as the Hub does; what it says is our own."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest

from tests.standin import Asked, Canned, StandIn

from . import configs

SHA = "0123456789abcdef0123456789abcdef01234567"
TEMPLATE = (
    "{% for message in messages %}{% if message['role'] == 'system' %}[S]{% elif message['role'] == 'user' %}[U]"
    "{% elif message.role in ['assistant', 'tool'] %}{% generation %}{{ message['content'] }}{% endgeneration %}{% endif %}"
    "{% endfor %}{% if tools %}{{ tools | tojson }}{% endif %}{% if enable_thinking %}<think>{% endif %}"
)


def record(**changes: Any) -> dict[str, Any]:
    """The answer of /api/models/owner/name?blobs=true."""
    return {
        "_id": "66a0", "id": "tiny/llama", "modelId": "tiny/llama", "author": "tiny", "sha": SHA, "private": False,
        "gated": False, "disabled": False, "downloads": 1234, "likes": 56, "library_name": "transformers",
        "pipeline_tag": "text-generation", "lastModified": "2026-03-04T05:06:07.000Z",
        "createdAt": "2026-01-02T03:04:05.000Z",
        "tags": ["transformers", "safetensors", "arxiv:2302.13971", "arxiv:nonsense", "license:apache-2.0"],
        "config": {"architectures": ["LlamaForCausalLM"], "model_type": "llama",
                   "tokenizer_config": {"bos_token": "<s>", "chat_template": "{{ short }}"}},
        "cardData": {"license": "apache-2.0", "language": ["en", "de"], "datasets": ["tiny/words"],
                     "base_model": "tiny/base"},
        "safetensors": {"parameters": {"BF16": 6_738_415_616}, "total": 6_738_415_616},
        "siblings": [
            {"rfilename": "README.md", "size": 10}, {"rfilename": "config.json", "size": 600},
            {"rfilename": "tokenizer_config.json", "size": 700},
            {"rfilename": "model.safetensors", "size": 13_476_839_424,
             "lfs": {"sha256": "a" * 64, "size": 13_476_839_424, "pointerSize": 135}},
        ],
    } | changes  # fmt: skip


def siblings(*names: str) -> list[dict[str, Any]]:
    """Files as the Hub lists them."""
    return [{"rfilename": name, "size": 100} for name in names]


def header(**tensors: tuple[str, list[int]]) -> bytes:
    """A safetensors file without its data."""
    found = {
        name: {"dtype": kind, "shape": shape, "data_offsets": [place, place + 1]}
        for place, (name, (kind, shape)) in enumerate(tensors.items())
    }
    text = json.dumps(found).encode()
    return struct.pack("<Q", len(text)) + text


Serve = Callable[..., StandIn]


@pytest.fixture
def hub(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Lets the stand-in be the Hub: `hub(changes of the record, files={path: content})`."""
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    monkeypatch.setenv("HF_TOKEN_PATH", "/nonexistent/token")
    monkeypatch.delenv("HF_TOKEN", raising=False)

    def serve(*, files: dict[str, Any] | None = None, **changes: Any) -> StandIn:
        held = {
            "config.json": configs.LLAMA_2_7B,
            "tokenizer_config.json": {
                "tokenizer_class": "LlamaTokenizer", "model_max_length": 4096, "bos_token": {"content": "<s>"},
                "eos_token": "</s>", "pad_token": None, "chat_template": TEMPLATE,
            },
        } | (files or {})  # fmt: skip

        def file(asked: Asked) -> Any:
            found = held.get(asked.path.rsplit("/", 1)[-1])
            return Canned(status=404, headers={"X-Error-Code": "EntryNotFound"}) if found is None else found

        told = record(**changes)
        standin.route("GET", "/api/models/{owner}/{name}", told)
        standin.route("GET", "/api/models/{owner}/{name}/revision/{revision}", told)
        standin.route("GET", "/{owner}/{name}/resolve/*", file)
        return standin

    return serve
