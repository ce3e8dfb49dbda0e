"""Things in a script that work elsewhere and not here: pickles, paths of one machine, the network, a trainer's bars.

Each is seen in the syntax tree, never in comments or docstrings.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from .findings import Finding, Severity
from .scripts import Script

__all__ = ["habits"]

PICKLES: dict[str, Severity] = {
    **{
        f"{module}.{name}": "error"
        for module in ("pickle", "dill", "cloudpickle", "joblib")
        for name in ("dump", "load")
    },
    **{f"{module}.{name}": "warning" for module in ("pickle", "dill", "cloudpickle") for name in ("dumps", "loads")},
    "pickle.Pickler": "error",
    "pickle.Unpickler": "error",
    "torch.save": "error",
    "pandas.read_pickle": "error",
}
INSTEAD = {"torch": "safetensors.torch.save_file"}
SAVE = "skops.io.dump, safetensors, JSON or numpy arrays without objects"

NETWORK = (
    "requests",
    "httpx",
    "aiohttp",
    "urllib3",
    "urllib.request.urlopen",
    "urllib.request.urlretrieve",
    *(f"huggingface_hub.{name}" for name in ("hf_hub_", "snapshot_", "HfApi", "HfFileSystem", "Inference", "login")),
    "torch.hub",
    "nltk.download",
    "kagglehub",
    "gdown",
    "wandb.init",
    "wandb.login",
    "sklearn.datasets.fetch_",
    "spacy.cli.download",
    "gensim.downloader",
    "tensorflow_datasets.load",
)
"""Beginnings of names whose call needs the network."""

NEEDLESS = ("requests.exceptions", "httpx.HTTP", "urllib3.exceptions")
LOCAL_BUILDERS = frozenset({"parquet", "csv", "json", "text", "arrow", "imagefolder", "audiofolder", "pandas"})
WEB = re.compile(r"(?:https?|ftp|s3|gs|hf)://")
ABSOLUTE = re.compile(
    r"(?:~|/(?:home|Users|root|mnt|media|data|datasets|content|kaggle|workspace|work|srv|opt|scratch|storage|code|out|model|inputs))(?:/|$)"
    r"|[A-Za-z]:[\\/](?![\\/])"
)
"""A path that begins at a home or at a folder where data or code of some machine may lie."""

PROSE = frozenset({"help", "description", "epilog", "metavar", "usage"})
TRAINERS = re.compile(r"(?:\w*TrainingArguments|(?:SFT|DPO|GRPO|KTO|ORPO|CPO|PPO|RLOO|Reward)Config)")


def habits(script: Script, requirements: Sequence[str]) -> Iterator[Finding]:
    """Findings of all kinds for one script.

    Args:
        requirements: of the headers of those scripts that use this one.
    """
    for call in script.calls:
        yield from _pickle(script, call)
        yield from _network(script, call)
        yield from _trainer(script, call)
    yield from _paths(script)
    yield from _attention(script, requirements)


def _pickle(script: Script, call: ast.Call) -> Iterator[Finding]:
    name, severity = script.dotted(call.func), PICKLES.get(script.dotted(call.func))
    if isinstance(call.func, ast.Attribute) and call.func.attr == "to_pickle":
        name, severity = "to_pickle", "error"
    if severity is not None:
        instead = INSTEAD.get(name.partition(".")[0], SAVE)
        text = f"{name} makes or reads a pickle, which no file of a model may be or hold: use {instead}."
        yield Finding(script.name, call.lineno, "pickle", severity, text)
    elif _true(call, "allow_pickle"):
        text = "allow_pickle=True lets numpy make or read a pickle: store arrays of numbers or of fixed-width text."
        yield Finding(script.name, call.lineno, "pickle", "warning", text)


def _true(call: ast.Call, keyword: str) -> bool:
    return any(word.arg == keyword and getattr(word.value, "value", None) is True for word in call.keywords)


def _network(script: Script, call: ast.Call) -> Iterator[Finding]:
    what = _from_the_net(script, call)
    if what:
        text = f"{what} needs the network, and there is none where the script runs: use what lies in --data or --model."
        yield Finding(script.name, call.lineno, "network", "warning", text)


def _from_the_net(script: Script, call: ast.Call) -> str:
    """What in a call needs the network; empty if nothing does."""
    name = script.dotted(call.func)
    if name and name.startswith(NETWORK) and not name.startswith(NEEDLESS):
        return name
    last = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    first = _literal(script, call.args[0]) if call.args else None
    if last == "load_dataset" and first is not None and first not in LOCAL_BUILDERS:
        return f"load_dataset({first[:60]!r})"
    # A folder of the run is no literal, so a literal names a repository.
    if last in ("from_pretrained", "pipeline", "SentenceTransformer") and not _true(call, "local_files_only"):
        model = _keyword(script, call, "model") if last == "pipeline" else first
        if model is not None:
            return f"{last}({model[:60]!r})"
    if last == "push_to_hub" or _true(call, "push_to_hub"):
        return "push_to_hub"
    if _true(call, "download"):
        return f"{last}(download=True)"
    if first is not None and WEB.match(first) and last.startswith(("read_", "load", "open", "fetch", "download")):
        return f"{last}({first[:60]!r})"
    return ""


def _keyword(script: Script, call: ast.Call, name: str) -> str | None:
    return next((_literal(script, word.value) for word in call.keywords if word.arg == name), None)


def _literal(script: Script, node: ast.expr) -> str | None:
    """The text that an expression is, or that the module's constant of that name holds."""
    if isinstance(node, ast.Name):
        values = [
            statement.value
            for statement in script.tree.body
            if isinstance(statement, ast.Assign) and any(getattr(t, "id", "") == node.id for t in statement.targets)
        ]
        node = values[0] if len(values) == 1 else node
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _paths(script: Script) -> Iterator[Finding]:
    inner, prose = set[int](), set[int]()
    for node in script.nodes:
        if isinstance(node, ast.JoinedStr):  # only its beginning can be the beginning of a path
            inner |= {id(value) for value in node.values[1:]}
        elif isinstance(node, ast.keyword) and node.arg in PROSE:
            prose |= {id(value) for value in ast.walk(node.value)}
    for text in script.texts:
        if id(text) not in inner | prose and ABSOLUTE.match(str(text.value)) and len(str(text.value)) > 1:
            yield _path(script, text.lineno, repr(str(text.value)[:60]))
    for call in script.calls:
        name = script.dotted(call.func)
        home = name.endswith(("Path.home", "path.expanduser"))
        tilde = name.endswith("Path") and bool(call.args) and getattr(call.args[0], "value", None) == "~"
        if home or tilde:
            yield _path(script, call.lineno, f"{name}()")


def _path(script: Script, line: int, what: str) -> Finding:
    text = f"{what} is a place of one machine: use --data, --model and --out, and paths beside this file (__file__)."
    return Finding(script.name, line, "path", "warning", text)


def _attention(script: Script, requirements: Sequence[str]) -> Iterator[Finding]:
    if any(re.match(r"flash[-_.]attn\b", need, re.IGNORECASE) for need in requirements):
        return
    for text in script.texts:
        if text.value == "flash_attention_2":
            message = 'flash_attention_2 needs the package flash-attn, which no header names and which has to be built: use attn_implementation="sdpa".'
            yield Finding(script.name, text.lineno, "fine_tuning", "warning", message)


def _trainer(script: Script, call: ast.Call) -> Iterator[Finding]:
    """Losses must come as lines, not as a bar that is drawn over and over."""
    name = script.dotted(call.func).rpartition(".")[2]
    given = {word.arg: word.value for word in call.keywords}
    if not TRAINERS.fullmatch(name) or None in given:
        return
    wrong = []
    if "disable_tqdm" not in given or getattr(given["disable_tqdm"], "value", None) is False:
        wrong.append("disable_tqdm=True")
    if "logging_strategy" not in given or getattr(given["logging_strategy"], "value", None) == "no":
        wrong.append('logging_strategy="steps"')
    if wrong:
        text = f"Give {name} {' and '.join(wrong)} (and logging_first_step=True), so that the losses are lines of the output."
        yield Finding(script.name, call.lineno, "fine_tuning", "warning", text)
