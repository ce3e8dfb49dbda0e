"""What a model is, asked of a stand-in for the Hub with the Hub's own client: also when half of it is missing or mad."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.graph.errors import NotCached, NotFound, RemoteError, RemoteUnavailable, RequestError
from trainwright.tools.http import lookups
from trainwright.tools.lookup import models

from . import configs
from .conftest import SHA, Serve, header, siblings


def test_everything_that_a_model_says_of_itself(hub: Serve) -> None:
    hub()
    found = models.details("tiny/llama")
    assert (found.id, found.revision, found.model_type) == ("tiny/llama", SHA, "llama")
    assert found.architectures == ["LlamaForCausalLM"]
    assert (found.parameters, found.parameters_from) == (6_738_415_616, "counted in the safetensors files")
    assert found.by_dtype == {"BF16": 6_738_415_616}
    assert (found.licence, found.gated, found.context, found.vocabulary) == ("apache-2.0", "", 4096, 32000)
    assert (found.hidden, found.layers, found.heads, found.kv_heads) == (4096, 32, 32, 32)
    assert (found.tokenizer, found.special_tokens) == ("LlamaTokenizer", {"bos_token": "<s>", "eos_token": "</s>"})
    assert (found.safetensors_only, found.unsafe_files, found.remote_code) == (True, [], False)
    assert (found.base, found.languages, found.datasets) == (["tiny/base"], ["en", "de"], ["tiny/words"])
    assert (found.papers, found.downloads, found.likes) == (["2302.13971"], 1234, 56)
    assert (found.modified, found.files, found.size) == ("2026-03-04", 4, 13_476_840_734)
    assert [weight.path for weight in found.weights] == ["model.safetensors"]
    assert found.sources[0].name == "the Hugging Face Hub"
    assert found.notes == []
    assert "6738415616" in found.markdown()


def test_a_chat_template_is_looked_into(hub: Serve) -> None:
    hub()
    template = models.details("tiny/llama").chat_template
    assert template is not None
    assert template.roles == ["system", "user", "assistant", "tool"]
    assert (template.tools, template.thinking, template.masks_assistant) == (True, True, True)


def test_a_template_in_a_file_of_its_own_comes_first(hub: Serve) -> None:
    hub(
        siblings=siblings("config.json", "tokenizer_config.json", "chat_template.jinja"),
        files={"chat_template.jinja": "{{ own }}" + "x" * 1000},
    )
    template = models.details("tiny/llama").chat_template
    assert template is not None
    assert template.excerpt.startswith("{{ own }}xxx")
    assert template.excerpt.endswith("characters more)")
    assert len(template.excerpt) < 500
    assert (template.tools, template.thinking, template.roles) == (False, False, [])


def test_of_several_templates_the_default_counts(hub: Serve) -> None:
    several = [{"name": "tool_use", "template": "{{ tools }}"}, {"name": "default", "template": "{{ plain }}"}]
    hub(files={"tokenizer_config.json": {"chat_template": several}})
    template = models.details("tiny/llama").chat_template
    assert template is not None
    assert template.excerpt == "{{ plain }}"


def test_files_that_run_code_are_named(hub: Serve) -> None:
    hub(siblings=siblings("model.safetensors", "pytorch_model.bin", "sub/training_args.bin", "openvino_model.bin"))
    found = models.details("tiny/llama")
    assert found.safetensors_only is False
    assert found.unsafe_files == ["pytorch_model.bin", "sub/training_args.bin"]
    assert any("runs code" in note for note in found.notes)


def test_without_weights_nobody_says_that_they_are_safe(hub: Serve) -> None:
    hub(siblings=siblings("README.md"), safetensors=None)
    found = models.details("tiny/llama")
    assert found.safetensors_only is None
    assert "safetensors_only" not in found.model_dump_json(exclude_defaults=True)


def test_a_model_of_experts_has_all_and_active_parameters(hub: Serve) -> None:
    hub(files={"config.json": configs.MIXTRAL}, safetensors=None, siblings=siblings("config.json"))
    found = models.details("tiny/llama")
    assert (found.parameters, found.experts, found.experts_active) == (46_702_792_704, 8, 2)
    assert found.parameters_from == "estimated from the config of 32 layers"
    assert found.active == pytest.approx(12.9e9, rel=0.01)


def test_parameters_are_counted_in_the_headers_where_the_hub_has_not(hub: Serve) -> None:
    weights = header(a=("F32", [10, 20]), b=("BF16", [7]))
    server = hub(safetensors=None, files={"model.safetensors": weights})
    found = models.details("tiny/llama")
    assert (found.parameters, found.by_dtype) == (207, {"F32": 200, "BF16": 7})
    asked = [one for one in server.requests if one.path.endswith("model.safetensors")]
    assert asked
    assert all(one.headers["range"].startswith("bytes=") for one in asked)


def test_headers_that_are_none_are_told_and_the_config_counts(hub: Serve) -> None:
    hub(safetensors=None, files={"model.safetensors": b"\xff" * 100})
    found = models.details("tiny/llama")
    assert found.parameters == 6_738_415_616
    assert found.parameters_from.startswith("estimated")
    assert any("headers" in note for note in found.notes)


def test_packed_weights_are_estimated_and_said_to_be(hub: Serve) -> None:
    hub(
        files={"config.json": configs.LLAMA_2_7B | {"quantization_config": {"quant_method": "gptq", "bits": 4}}},
        safetensors={"parameters": {"I32": 800_000_000, "F16": 262_000_000}, "total": 1_062_000_000},
    )
    found = models.details("tiny/llama")
    assert (found.parameters, found.quantised) == (6_738_415_616, "gptq 4 bits")
    assert any("packed" in note for note in found.notes)


def test_an_adapter_names_its_base(hub: Serve) -> None:
    adapter = {"peft_type": "LORA", "r": 16, "base_model_name_or_path": "tiny/big", "target_modules": ["q_proj"]}
    hub(
        siblings=siblings("adapter_config.json", "adapter_model.safetensors"),
        files={"adapter_config.json": adapter}, config=None, cardData=None, library_name="peft",
        safetensors={"parameters": {"F32": 1000}, "total": 1000},
    )  # fmt: skip
    found = models.details("tiny/llama")
    assert (found.adapter, found.base) == ("LORA, rank 16", ["tiny/big"])
    assert found.parameters_from.endswith("of the adapter")
    with pytest.raises(RequestError, match=r"adapter.*tiny/big"):
        models.fit("tiny/llama")


def test_gguf_knows_its_parameters_and_context(hub: Serve) -> None:
    hub(
        siblings=siblings("a-Q4_K_M.gguf", "a-Q8_0.gguf"), safetensors=None, config=None,
        gguf={"total": 8_030_261_312, "architecture": "llama", "context_length": 131072},
    )  # fmt: skip
    found = models.details("tiny/llama")
    assert (found.parameters, found.parameters_from, found.context) == (
        8_030_261_312,
        "counted in the GGUF files",
        131072,
    )
    assert found.gguf == ["a-Q4_K_M.gguf", "a-Q8_0.gguf"]


def test_a_stretched_context_and_code_of_its_own_are_told(hub: Serve) -> None:
    hub(files={"config.json": configs.LLAMA_31_8B | {"auto_map": {"AutoModel": "modeling_x.X"}}})
    found = models.details("tiny/llama")
    assert (found.context, found.rope_scaling, found.remote_code) == (131072, "llama3 x8 from 8192", True)


def test_a_gated_model_is_described_as_far_as_it_is_open(hub: Serve) -> None:
    server = hub(gated="manual")
    server.fault("/*/resolve/*", "status:403", times=None)
    found = models.details("tiny/llama")
    assert (found.gated, found.parameters, found.model_type) == ("manual", 6_738_415_616, "llama")
    assert (found.layers, found.hidden) == (None, None)
    assert any("config.json could not be read" in note and "accept its terms" in note for note in found.notes)
    assert found.chat_template is not None
    assert found.chat_template.excerpt == "{{ short }}"


@pytest.mark.parametrize(
    "config", [[1, 2], "text", b"{", b"\xff\xfe\x00", {"hidden_size": -1}, {"model_type": ["x"]}, {}]
)
def test_a_config_that_is_none_is_survived(hub: Serve, config: Any) -> None:
    hub(files={"config.json": config})
    found = models.details("tiny/llama")
    assert found.id == "tiny/llama"
    assert found.layers is None


MAD: dict[str, Any] = {
    "tags": None, "cardData": None, "config": None, "safetensors": None, "siblings": None, "pipeline_tag": None,
    "library_name": None, "lastModified": None, "sha": None, "downloads": None, "likes": None,
}  # fmt: skip


def test_a_record_with_nothing_in_it_is_survived(hub: Serve) -> None:
    hub(**MAD)
    found = models.details("tiny/llama")
    assert (found.id, found.parameters, found.files, found.licence) == ("tiny/llama", None, 0, "")


@pytest.mark.parametrize("key", list(MAD))
@pytest.mark.parametrize("bad", ["x", 7, ["y"], {"z": 1}, True])
def test_a_value_of_the_wrong_kind_is_missing_or_a_told_error(hub: Serve, key: str, bad: Any) -> None:
    hub(**{key: bad})
    try:
        found = models.details("tiny/llama")
    except RemoteError as error:
        assert "tiny/llama" in str(error)  # noqa: PT017 - either is right
    else:
        assert found.id == "tiny/llama"


@pytest.mark.parametrize(
    "card", [{"license": ["mit", "x"]}, {"language": {"a": 1}}, {"base_model": 7}, {"datasets": [None]}]
)
def test_a_card_of_any_form_is_survived(hub: Serve, card: dict[str, Any]) -> None:
    hub(cardData=card)
    found = models.details("tiny/llama")
    assert all(isinstance(text, str) for text in [*found.base, *found.languages, *found.datasets])


def test_signs_that_steer_a_terminal_are_taken_out(hub: Serve) -> None:
    hub(
        library_name="x\x1b[2Jy", pipeline_tag="a\nb", files={"tokenizer_config.json": {"chat_template": "\x1b[31mred"}}
    )
    found = models.details("tiny/llama")
    assert "\x1b" not in found.markdown() + found.model_dump_json() + repr(found)
    assert found.task == "a b"


def test_a_revision_is_asked_for_and_files_are_read_at_its_commit(hub: Serve) -> None:
    server = hub()
    models.details("tiny/llama", revision="v1.0")
    assert server.requests[0].path == "/api/models/tiny/llama/revision/v1.0"
    assert all(SHA in one.path for one in server.requests[1:])


@pytest.mark.parametrize("bad", ["../etc", "a/b/c", "a b", "owner/..", "http://x/y"])
def test_what_is_no_name_is_never_asked_for(hub: Serve, bad: str) -> None:
    server = hub()
    with pytest.raises(ValueError, match=r"owner/name|pattern"):
        models.details(bad)
    assert server.requests == []


def test_a_model_that_is_not_there_is_said_to_be_so(standin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", standin.url)
    with pytest.raises(NotFound, match="tiny/none"):
        models.details("tiny/none")


@pytest.mark.parametrize("fault", ["down", "status:503", "status:429"])
def test_a_hub_that_is_down_is_said_to_be_down(hub: Serve, fault: str) -> None:
    server = hub()
    server.fault("/api/*", fault, times=None)
    with pytest.raises(RemoteUnavailable):
        models.details("tiny/llama")


def test_an_answer_that_is_no_json_is_told(hub: Serve) -> None:
    server = hub()
    server.fault("/api/*", "malformed", times=None)
    with pytest.raises(RemoteError, match="malformed"):
        models.details("tiny/llama")


def test_the_second_time_comes_from_the_disk_and_offline_too(hub: Serve) -> None:
    server = hub()
    first = models.details("tiny/llama")
    before = len(server.requests)
    with lookups(offline=True):
        again = models.details("tiny/llama")
    assert len(server.requests) == before
    assert again.model_dump(exclude={"sources"}) == first.model_dump(exclude={"sources"})
    assert again.sources[0].cached
    with lookups(offline=True), pytest.raises(NotCached):
        models.details("tiny/other")
