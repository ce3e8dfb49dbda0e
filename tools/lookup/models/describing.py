"""What is known of a model: from the Hub's record, config.json, the tokenizer's settings and the headers of its weights.

All of it was written by others, so each value has the kind and range that is expected or counts as missing, and texts
are cut. No file is loaded into a library, and no code of a repository runs. Weights are not downloaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trainwright.graph.errors import NotFound, RemoteError
from trainwright.tools.lookup.found import Source, cut
from trainwright.tools.lookup.hub import asking_the_hub, licence_of
from trainwright.tools.lookup.names import is_arxiv_id
from trainwright.tools.lookup.values import line, mapping

from .arguments import DetailsArgs
from .hub import json_file, model_info, text_file
from .report import Details, Template, WeightFile
from .shapes import CONTEXT, Shape, read_shape, text_part
from .values import number, several, whole

__all__ = ["Model", "details", "dtype_counts", "read_model"]

PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".dill")
"""Endings of files that run code when they are loaded, since they are pickles or may hold one."""

WEIGHTS = (".safetensors", ".gguf", ".onnx", ".h5", ".msgpack", *PICKLES)
SHARDS_READ = 8
"""Headers of weight files are read from the Hub only where there are no more of them."""

PACKED = {"I32", "U8", "U32"}
"""Types in which quantised weights lie packed, several in one element."""

FIELDS_OF_CONTEXT = (*CONTEXT, "model_max_length", "max_target_positions")
TEMPLATE_SHOWN = 400


@dataclass(frozen=True)
class Model:
    """A model with all that was read of it.

    Attributes:
        info: the Hub's record.
        config, tokenizer, adapter: its JSON files; empty where they are not there or closed.
        template: the chat template; empty where there is none.
        shape: None where the config describes none that is understood.
        parameters, parameters_from: how many, and how they were found; None where nobody knows.
    """

    info: Any
    source: Source
    files: tuple[tuple[str, int | None], ...]
    config: Mapping[str, Any]
    tokenizer: Mapping[str, Any]
    adapter: Mapping[str, Any]
    template: str
    shape: Shape | None
    parameters: int | None
    parameters_from: str
    by_dtype: Mapping[str, int]
    notes: list[str] = field(default_factory=list)


def details(wanted: DetailsArgs) -> Details:
    """See `trainwright.tools.lookup.models.details`."""
    model = read_model(wanted.id, wanted.revision)
    info, card = model.info, _card(model.info)
    return Details(
        id=str(info.id),
        revision=line(info.sha, 40),
        task=line(info.pipeline_tag, 60),
        library=line(info.library_name, 60),
        licence=licence_of(card, info.tags),
        gated=line(str(info.gated), 10) if info.gated else "",
        private=info.private is True,
        base=_base(model, card),
        languages=several(card.get("language"), 20, 20),
        datasets=several(card.get("datasets"), 10, 100),
        papers=[tag[6:] for tag in several(info.tags, 200) if tag.startswith("arxiv:") and is_arxiv_id(tag[6:])][:10],
        downloads=number(info.downloads) or 0,
        likes=number(info.likes) or 0,
        modified=str(info.last_modified or "")[:10],
        **_of_config(model),
        **_of_tokenizer(model),
        **_of_files(model),
        sources=[model.source],
        notes=model.notes,
    )


def read_model(id: str, revision: str = "", *, tokenizer: bool = True) -> Model:  # noqa: A002 - as all areas call it
    """Everything that is known of a model; what is closed or missing is told in its notes.

    Args:
        id: owner/name.
        revision: branch, tag or commit; the newest of the main branch when empty.
        tokenizer: whether its settings are read too.

    Raises:
        RequestError: that is no name of a model.
        NotFound: there is no such model or revision.
        RemoteError: the Hub cannot be asked, or refuses.
    """
    info, source = model_info(id, revision)
    notes: list[str] = []
    files = _files(info)
    names = {path for path, _ in files}

    def object_in(name: str) -> Mapping[str, Any]:
        return _object_in(info, name, notes) if name in names else {}

    adapter = object_in("adapter_config.json")
    settings = object_in("tokenizer_config.json") if tokenizer else {}
    config = object_in("config.json") or mapping(info.config)
    template = _template_text(info, settings, names, notes) if tokenizer else ""
    shape = read_shape(config)
    by_dtype = dtype_counts(info) or _counted_in_headers(info, files, notes)
    parameters, origin = _parameters(info, config, by_dtype, shape, adapter, notes)
    return Model(info, source, files, config, settings, adapter, template, shape, parameters, origin, by_dtype, notes)


def _object_in(info: Any, name: str, notes: list[str]) -> Mapping[str, Any]:
    try:
        return json_file(str(info.id), line(info.sha, 40), name)
    except NotFound:
        return {}
    except RemoteError as error:
        closed = " The model is gated: accept its terms on its page, and log in." if info.gated else ""
        notes.append(f"{name} could not be read: {error.message}{closed}")
        return {}


def _files(info: Any) -> tuple[tuple[str, int | None], ...]:
    found = []
    for one in info.siblings or []:
        size = one.size if type(one.size) is int and one.size >= 0 else None
        if isinstance(one.rfilename, str) and one.rfilename.isprintable() and len(one.rfilename) <= 400:
            found.append((one.rfilename, size))
    return tuple(found)


def _card(info: Any) -> Mapping[str, Any]:
    try:
        return mapping(info.card_data.to_dict()) if info.card_data else {}
    except (AttributeError, TypeError, ValueError):  # a card that is no object, or not one that its class understands
        return {}


def dtype_counts(info: Any) -> dict[str, int]:
    """Elements of a model's weight files by their type, as the Hub has counted them; empty where it has not."""
    stated = mapping(getattr(info.safetensors, "parameters", None))
    return {line(kind, 20): count for kind, count in stated.items() if type(count) is int and 0 < count < 10**15}


def _counted_in_headers(info: Any, files: tuple[tuple[str, int | None], ...], notes: list[str]) -> dict[str, int]:
    """The same, out of the headers of its safetensors files."""
    single, index = "model.safetensors", "model.safetensors.index.json"
    names = {path for path, _ in files}
    shards = [path for path in names if re.fullmatch(r"model-\d+-of-\d+\.safetensors", path)]
    wanted = [single] if single in names else sorted(shards) if index in names else []
    if not wanted or len(wanted) > SHARDS_READ:
        return {}
    counts: dict[str, int] = {}
    try:
        with asking_the_hub(f"the weights of {info.id}") as hub:
            for path in wanted:
                found = hub.api.parse_safetensors_file_metadata(str(info.id), path, revision=line(info.sha, 40) or None)
                for kind, count in found.parameter_count.items():
                    counts[line(str(kind), 20)] = counts.get(line(str(kind), 20), 0) + int(count)
    except RemoteError as error:
        notes.append(f"The headers of the weights could not be read: {error.message}")
        return {}
    return {kind: count for kind, count in counts.items() if 0 < count < 10**15}


def _parameters(
    info: Any,
    config: Mapping[str, Any],
    by_dtype: Mapping[str, int],
    shape: Shape | None,
    adapter: Mapping[str, Any],
    notes: list[str],
) -> tuple[int | None, str]:
    packed = PACKED & set(by_dtype) and bool(mapping(config.get("quantization_config")))
    if by_dtype and not packed:
        return sum(by_dtype.values()), "counted in the safetensors files" + (" of the adapter" if adapter else "")
    counted = whole(mapping(info.gguf), "total", most=10**15)
    if counted:
        return counted, "counted in the GGUF files"
    if shape is None:
        return None, ""
    if packed:
        notes.append(
            "The weights are packed: parameters are estimated from the config, and not the elements in the files."
        )
    return shape.parameters, f"estimated from the config of {shape.layers} layers"


def _of_config(model: Model) -> dict[str, Any]:
    config, shape, part = model.config, model.shape, text_part(model.config)
    return {
        "model_type": line(config.get("model_type"), 60),
        "architectures": several(config.get("architectures"), 3, 100),
        "parameters": model.parameters,
        "parameters_from": model.parameters_from,
        "active": shape.active if shape and shape.experts else None,
        "by_dtype": dict(list(model.by_dtype.items())[:10]),
        "quantised": _quantised(config),
        "context": _context(model, part),
        "rope_scaling": _rope(part),
        "vocabulary": shape.vocabulary or None if shape else whole(part, "vocab_size", most=10**8),
        "hidden": shape.hidden if shape else None,
        "layers": shape.layers if shape else None,
        "heads": shape.heads if shape else None,
        "kv_heads": shape.kv_heads if shape else None,
        "experts": shape.experts or None if shape else None,
        "experts_active": shape.experts_active or None if shape else None,
        "remote_code": bool(mapping(config.get("auto_map")) or mapping(model.tokenizer.get("auto_map"))),
        "adapter": _adapter(model.adapter),
    }


def _quantised(config: Mapping[str, Any]) -> str:
    given = mapping(config.get("quantization_config"))
    if not given:
        return ""
    bits = whole(given, "bits", "w_bit", most=32)
    bits = bits or (4 if given.get("load_in_4bit") is True else 8 if given.get("load_in_8bit") is True else None)
    return " ".join(
        text for text in (line(given.get("quant_method"), 40) or "some way", f"{bits} bits" if bits else "") if text
    )


def _adapter(adapter: Mapping[str, Any]) -> str:
    if not adapter:
        return ""
    rank = whole(adapter, "r", most=10**5)
    return (line(adapter.get("peft_type"), 40) or "of an unknown kind") + (f", rank {rank}" if rank else "")


def _context(model: Model, part: Mapping[str, Any]) -> int | None:
    found = [whole(given, *FIELDS_OF_CONTEXT, most=10**9) for given in (part, model.config, mapping(model.info.gguf))]
    found += [whole(mapping(model.info.gguf), "context_length"), whole(model.tokenizer, "model_max_length", most=10**9)]
    return next((one for one in found if one), None)


def _rope(part: Mapping[str, Any]) -> str:
    given = mapping(part.get("rope_scaling"))
    kind, factor = line(given.get("rope_type") or given.get("type"), 30), given.get("factor")
    if not given or kind == "default":
        return ""
    named = (
        f" x{factor:g}" if isinstance(factor, int | float) and not isinstance(factor, bool) and 0 < factor < 1e6 else ""
    )
    original = whole(given, "original_max_position_embeddings")
    return (kind or "scaled") + named + (f" from {original}" if original else "")


def _of_tokenizer(model: Model) -> dict[str, Any]:
    settings = {**mapping(mapping(model.info.config).get("tokenizer_config")), **model.tokenizer}
    special: dict[str, str] = {}
    for name in ("bos_token", "eos_token", "pad_token", "unk_token"):
        value = settings.get(name)
        if text := line(mapping(value).get("content") if isinstance(value, dict) else value, 60):
            special[name] = text
    return {
        "tokenizer": line(settings.get("tokenizer_class"), 60),
        "special_tokens": special,
        "chat_template": _template(model.template) if model.template else None,
    }


def _template_text(info: Any, settings: Mapping[str, Any], names: set[str], notes: list[str]) -> str:
    """The template: its own file, else the one in the tokenizer's settings, else the Hub's copy of that."""
    if "chat_template.jinja" in names:
        try:
            return text_file(str(info.id), line(info.sha, 40), "chat_template.jinja")
        except RemoteError as error:
            notes.append(f"chat_template.jinja could not be read: {error.message}")
    for given in (settings, mapping(mapping(info.config).get("tokenizer_config"))):
        stated = given.get("chat_template")
        if isinstance(stated, list):  # several, by name
            named = {line(mapping(one).get("name")): mapping(one).get("template") for one in stated[:20]}
            stated = named.get("default") or next(iter(named.values()), None)
        if isinstance(stated, str) and stated.strip():
            return stated
    return ""


def _template(text: str) -> Template:
    text = text[: 10**6]
    named = re.findall(r"""role['"]?\]?\s*(?:==|!=)\s*['"](\w{1,20})['"]""", text)
    listed = re.findall(r"""role['"]?\]?\s+in\s+[\[(]([^\])]{1,200})[\])]""", text)
    named += [one for group in listed for one in re.findall(r"\w{1,20}", group)]
    return Template(
        excerpt=cut("".join(c if c.isprintable() or c == "\n" else " " for c in text.strip()), TEMPLATE_SHOWN),
        roles=list(dict.fromkeys(named))[:10],
        tools=bool(re.search(r"\btools\b|tool_calls", text)),
        thinking=bool(re.search(r"enable_thinking|<think>|reasoning_content|\bthinking\b", text)),
        masks_assistant="generation %}" in text or "generation -%}" in text,
    )


def _base(model: Model, card: Mapping[str, Any]) -> list[str]:
    own = several(model.adapter.get("base_model_name_or_path"), 1)
    return list(dict.fromkeys([*own, *several(card.get("base_model"), 5)]))


def _is_pickle(path: str) -> bool:
    name = path.rsplit("/", 1)[-1].lower()
    return name.endswith(PICKLES) and not name.startswith("openvino")  # whose .bin holds bare numbers


def _of_files(model: Model) -> dict[str, Any]:
    paths = [path for path, _ in model.files]
    weights = [
        WeightFile(path=cut(path, 200), size=size) for path, size in model.files if path.lower().endswith(WEIGHTS)
    ]
    unsafe = [path for path in paths if _is_pickle(path)]
    if len(weights) > 20:
        model.notes.append(f"{len(weights) - 20} more weight files are not listed.")
    if len(unsafe) > 20:
        model.notes.append(f"{len(unsafe) - 20} more files that can run code are not listed.")
    if unsafe:
        model.notes.append("Loading the unsafe files runs code that lies in them; load the safetensors files alone.")
    has = any(path.endswith(".safetensors") for path in paths)
    return {
        "safetensors_only": (has and not unsafe) if has or unsafe else None,
        "unsafe_files": [cut(path, 200) for path in unsafe[:20]],
        "weights": weights[:20],
        "gguf": [cut(path, 200) for path in paths if path.lower().endswith(".gguf")][:20],
        "files": len(paths),
        "size": sum(size or 0 for _, size in model.files),
    }
