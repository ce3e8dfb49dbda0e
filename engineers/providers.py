"""Who serves a model: its name, its key, its address, its window; and litellm, loaded once and kept quiet.

A key goes to its own provider alone: an address that a person gives gets the key in `TRAINWRIGHT_API_KEY`, or none.
Nothing is fetched when this is imported or when litellm is loaded; only a server at an address of the person's own is
asked how long its context is. This module makes no call to a model.
"""

from __future__ import annotations

import difflib
import gc
import ipaddress
import logging
import os
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from trainwright.graph.errors import RequestError
from trainwright.graph.redaction import MARK
from trainwright.tools.lookup.hub import hub_token

if TYPE_CHECKING:
    from trainwright.graph.state import Settings

__all__ = [
    "KEYS",
    "OWN_KEY",
    "Line",
    "check_keys",
    "check_model",
    "key_missing",
    "line_of",
    "listed",
    "load_litellm",
    "near_names",
    "on_own_machine",
    "place_of",
]

KEYS: dict[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_API_KEY",),
    "cohere": ("COHERE_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "fireworks_ai": ("FIREWORKS_AI_API_KEY", "FIREWORKS_API_KEY"),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "groq": ("GROQ_API_KEY",),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "mistral": ("MISTRAL_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
    "xai": ("XAI_API_KEY",),
}
"""The environment variables in which a provider's key is looked for; litellm knows more providers than these."""

LOCAL = ("hosted_vllm", "lm_studio", "llamafile", "ollama", "ollama_chat", "vllm")
"""Providers that are a server of the person's own, and need no key."""

NEAR = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
"""Endings of names in a local network."""

OWN_KEY = "TRAINWRIGHT_API_KEY"
"""The variable with the key for the address that `--base-url` names."""

DEFAULT_ADDRESS = {"ollama": "http://localhost:11434", "ollama_chat": "http://localhost:11434"}
ADDRESS_VARIABLE = {
    "ollama": "OLLAMA_API_BASE",
    "ollama_chat": "OLLAMA_API_BASE",
    "hosted_vllm": "HOSTED_VLLM_API_BASE",
    "lm_studio": "LM_STUDIO_API_BASE",
    "llamafile": "LLAMAFILE_API_BASE",
}
BARE = ("anthropic", "ollama", "ollama_chat")
"""Providers whose address has no `/v1` at its end."""

UNKNOWN_WINDOW = 32_768
"""Tokens that a model is taken to read where neither the list nor its server says; an overflow teaches better."""

LONGEST_ANSWER = 16_000
"""Tokens of one answer, at most; less where the model or its window allows less."""

OLLAMA_WINDOW = 32_768
"""Tokens that Ollama is asked to load a model with, at most; its own default of 4,096 holds no stage."""

PROBE_SECONDS = 3.0

_lock = threading.Lock()
_loaded: Any = None


class Line(NamedTuple):
    """All that is needed to call one model.

    Attributes:
        name: as the person gave it.
        model: as litellm knows it, `provider/name`.
        provider: the part before the first slash, as litellm resolves it.
        base: address of the server; empty for the provider's own.
        key: the key to send; None leaves it to litellm, which reads the provider's variable.
        window: tokens that request and answer may have together.
        answer: tokens that an answer may have.
        window_known: whether the list, the server or the person said so.
        reached: whether the server answered when it was asked for its window; True where none was asked.
        own: a server that the person named by its address: the list's prices are not its.
        options: further parameters of each call.
    """

    name: str
    model: str
    provider: str
    base: str
    key: str | None
    window: int
    answer: int
    window_known: bool
    own: bool
    options: Mapping[str, Any]
    reached: bool = True


def load_litellm() -> Any:
    """litellm, imported once in the process, with nothing fetched, no telemetry, and no words on the screen."""
    global _loaded
    with _lock:
        if _loaded is None:
            os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            import litellm

            # Loading it makes half a million objects that stay for good. Without this the collector hardly ever looks
            # for cycles any more, and each call of a model leaves some: a long run grows by tens of megabytes.
            gc.freeze()
            litellm.telemetry = False
            litellm.suppress_debug_info = True
            litellm.disable_streaming_logging = True  # nobody listens, and it is a task for each piece of an answer
            if not os.environ.get("LITELLM_LOG"):
                for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
                    logging.getLogger(name).setLevel(logging.CRITICAL)
            _loaded = litellm
    return _loaded


def check_model(name: str, base_url: str = "") -> None:
    """Refuse what is plainly no model or no address; does not load litellm.

    Raises:
        RequestError: with the rule.
    """
    if base_url:
        _check_address(base_url)
    if not name or any(c.isspace() or not c.isprintable() for c in name) or len(name) > 200:
        raise RequestError(f"{name[:80]!r} is no name of a model.", hint="Such as anthropic/claude-opus-4-8.")
    if "/" not in name and not base_url:
        raise RequestError(
            f"There is no engineer {name[:80]!r}.",
            hint="A model is given as PROVIDER/MODEL, such as anthropic/claude-opus-4-8, openai/gpt-5, ollama/qwen3; "
            "--base-url names a server of your own. For --engineer alone there is recipes, which is built in.",
        )


def _check_address(base_url: str) -> None:
    try:
        parts = None if MARK in base_url else urlsplit(base_url)
        secret = parts is None or bool(parts.password)
        good = parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        secret = good = False
    if secret:
        raise RequestError(
            "The address of the model holds a password, which is not kept.",
            hint=f"Give the address without it, and the key in {OWN_KEY}.",
        )
    if not good:
        raise RequestError(
            f"The address {base_url[:200]} is no http or https address.", hint="Such as http://localhost:8000/v1."
        )


def check_keys(settings: Settings) -> None:
    """Refuse a model whose key is plainly not there, before a run exists.

    Raises:
        RequestError: naming the variable.
    """
    for name, base in ((settings.engineer, settings.base_url), (settings.fallback, "")):
        if name and (variable := key_missing(name, base)):
            raise RequestError(
                f"{name} needs a key, and {variable} is not set.",
                hint=f"Set {variable}, or name another --engineer; recipes needs no key. "
                "`trainwright doctor` shows which keys are there.",
            )


def key_missing(name: str, base_url: str = "") -> str:
    """The variable that must be set before this model can be called; empty if none is missing, or none is known."""
    provider = name.split("/", 1)[0]
    if base_url or provider not in KEYS or any(os.environ.get(variable) for variable in KEYS[provider]):
        return ""
    if provider == "huggingface" and hub_token():
        return ""
    return KEYS[provider][0]


def line_of(name: str, base_url: str = "", context_tokens: int = 0) -> Line:
    """How to call a model. Blocking: it may ask a server of the person's own.

    Args:
        name: as the person gave it.
        base_url: address of the server; empty for the provider's own.
        context_tokens: window that the person gave; 0 if none.

    Raises:
        RequestError: nobody knows the provider.
    """
    litellm = load_litellm()
    model, provider = _resolved(litellm, name, base_url)
    base = _address(provider, base_url)
    key = _key(provider, base_url)
    info = listed(model)
    window, known, reached = context_tokens, bool(context_tokens), True
    if not window and base and provider != "anthropic":
        window, reached = _asked(provider, base, model.split("/", 1)[1], key)
        known = bool(window)
    if not window:
        window = int(info.get("max_input_tokens") or 0)
        known = bool(window)
    window = max(window or UNKNOWN_WINDOW, 1)
    longest = int(info.get("max_output_tokens") or LONGEST_ANSWER)
    answer = max(1, min(longest, LONGEST_ANSWER, window // 4))
    options: dict[str, Any] = {"num_ctx": window} if provider in ("ollama", "ollama_chat") else {}
    return Line(name, model, provider, base, key, window, answer, known, bool(base_url), options, reached)


def on_own_machine(line: Line) -> bool:
    """Whether a model runs on a machine of the person's own, where nobody charges for a call as far as one can tell.

    By the address alone, which is not looked up: loopback and private ones, names without a dot, and the endings that
    are kept for local networks (RFC 6762, RFC 8375, and `.internal`).
    """
    if not line.base:
        return line.provider in LOCAL
    host = (urlsplit(line.base).hostname or "").rstrip(".")
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(NEAR)


def place_of(line: Line) -> str:
    """Who serves a model, as a person calls it: the host of a server that they named, or the provider."""
    return (urlsplit(line.base).hostname or "") if line.own else line.provider


def _resolved(litellm: Any, name: str, base_url: str) -> tuple[str, str]:
    """The model as `provider/name`.

    A server of one's own speaks OpenAI's protocol where the name says no other, and is called as litellm's `hosted_vllm`,
    which is that protocol over plain HTTP: OpenAI's own client takes twice the time. A model of OpenAI's behind another
    address stays one, since its parameters have rules of their own.
    """
    try:
        bare, provider, _, _ = litellm.get_llm_provider(model=name)
    except Exception as error:
        if base_url:
            return f"hosted_vllm/{name}", "hosted_vllm"
        near = near_names(litellm, name)
        raise RequestError(
            f"Nobody knows the provider of {name[:120]!r}.",
            hint=(f"Did you mean {', '.join(near)}? " if near else "")
            + "Give PROVIDER/MODEL, or --base-url for a server of your own.",
        ) from error
    if base_url and ("/" not in name or (provider == "openai" and bare not in litellm.model_cost)):
        return f"hosted_vllm/{bare}", "hosted_vllm"
    if provider == "ollama":  # its older interface knows no tools: litellm would write them into the prompt
        provider = "ollama_chat"
    return f"{provider}/{bare}", str(provider)


def near_names(litellm: Any, name: str) -> list[str]:
    """Up to three names of litellm's list that look like `name`, with their provider."""
    known = {
        key if "/" in key else f"{entry.get('litellm_provider', '')}/{key}": entry
        for key, entry in litellm.model_cost.items()
        if entry.get("mode") in ("chat", "responses")
    }
    return difflib.get_close_matches(name, known, n=3, cutoff=0.7)


def _address(provider: str, base_url: str) -> str:
    """The address in the form that litellm's client for the provider takes."""
    given = base_url or os.environ.get(ADDRESS_VARIABLE.get(provider, ""), "") or DEFAULT_ADDRESS.get(provider, "")
    if not given:
        return ""
    base = given.rstrip("/")
    if provider in BARE:
        return base.removesuffix("/v1")
    return base if urlsplit(base).path else f"{base}/v1"


def _key(provider: str, base_url: str) -> str | None:
    """The key for the place that the request goes to."""
    if base_url:
        return os.environ.get(OWN_KEY) or "no-key"  # clients refuse to be made without any
    if provider in LOCAL:
        return os.environ.get(f"{provider.upper()}_API_KEY") or "no-key"
    if provider == "huggingface":
        return os.environ.get("HUGGINGFACE_API_KEY") or hub_token() or None
    return next((os.environ[v] for v in KEYS.get(provider, ()) if os.environ.get(v)), None)


def listed(model: str) -> Mapping[str, Any]:
    """The model's entry in the list that litellm brings along; empty where it has none.

    Looked up in the list itself: for some providers litellm's own look-up asks a server, or gives 0 for no price.
    """
    known = load_litellm().model_cost
    name = f"ollama/{model.removeprefix('ollama_chat/')}" if model.startswith("ollama_chat/") else model
    entry: Mapping[str, Any] = known.get(name) or known.get(name.split("/", 1)[-1]) or {}
    return entry


def _asked(provider: str, base: str, name: str, key: str | None) -> tuple[int, bool]:
    """Tokens of context as the server at `base` says, 0 where it does not; and whether it could be asked."""
    import httpx

    headers = {"Authorization": f"Bearer {key}"} if key and key != "no-key" else {}
    root = base.removesuffix("/v1")
    with httpx.Client(timeout=PROBE_SECONDS, headers=headers, follow_redirects=False) as client:
        try:
            for found in _answers(client, provider, root, base, name):
                if isinstance(found, int) and not isinstance(found, bool) and found > 0:
                    return (min(found, OLLAMA_WINDOW) if provider in ("ollama", "ollama_chat") else found), True
        except (httpx.ConnectError, httpx.ConnectTimeout, _Loading):
            return 0, False
    return 0, True


class _Loading(Exception):
    """The server is there, and not ready yet."""


def _answers(client: Any, provider: str, root: str, base: str, name: str) -> Iterator[Any]:
    """What the kinds of servers say, each in its own words; sources are their API pages."""
    if provider in ("ollama", "ollama_chat"):
        shown = _json(client, "POST", f"{root}/api/show", {"model": name}).get("model_info") or {}
        yield next((v for k, v in shown.items() if str(k).endswith(".context_length")), 0)
        return
    models = _json(client, "GET", f"{base}/models").get("data") or []
    mine = [m for m in models if isinstance(m, Mapping) and m.get("id") == name]
    mine = mine or (models if len(models) == 1 else [])
    for entry in mine:
        if isinstance(entry, Mapping):
            yield entry.get("max_model_len")  # vLLM
            yield entry.get("context_length")  # several routers
    if provider == "lm_studio":
        yield _json(client, "GET", f"{root}/api/v0/models/{name}").get("loaded_context_length")
    settings = _json(client, "GET", f"{root}/props").get("default_generation_settings") or {}
    yield settings.get("n_ctx") if isinstance(settings, Mapping) else 0  # llama.cpp, for one slot
    for entry in mine:
        meta = entry.get("meta") if isinstance(entry, Mapping) else None
        yield meta.get("n_ctx_train") if isinstance(meta, Mapping) else 0


def _json(client: Any, method: str, url: str, body: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
    """The JSON object at an address; empty where there is none: a server that does not know it is no trouble.

    Raises:
        httpx.ConnectError, httpx.ConnectTimeout: the server cannot be reached.
        _Loading: it says that it has no time yet.
    """
    import httpx

    try:
        answer = client.request(method, url, json=body)
        found = answer.json() if answer.status_code == 200 else {}
    except (httpx.ConnectError, httpx.ConnectTimeout):
        raise
    except (httpx.HTTPError, ValueError):
        return {}
    if answer.status_code == 503:
        raise _Loading
    return found if isinstance(found, Mapping) else {}
