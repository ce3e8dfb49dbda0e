"""The shape of a model out of its config.json: counts as published, and nothing that a config holds breaks the reading."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainwright.tools.lookup.models.memory import Work, parts
from trainwright.tools.lookup.models.shapes import read_shape, typical_shape

from . import configs


@pytest.mark.parametrize(
    ("config", "published", "off"),
    [
        (configs.LLAMA_2_7B, 6_738_415_616, 0.0),
        (configs.LLAMA_31_8B, 8_030_261_248, 0.0),
        (configs.MIXTRAL, 46_702_792_704, 0.0),
        (configs.LLAMA_65B, 65_285_660_672, 0.0),
        (configs.QWEN_05B, 494_032_768, 0.0001),  # its three biases a layer are not counted
        (configs.GPT_2, 124_439_808, 0.001),  # nor are these biases
        (configs.BERT, 109_482_240, 0.01),
        (configs.T5_SMALL, 60_506_624, 0.001),
        (configs.DEEPSEEK_V3, 671e9, 0.01),
        (configs.FALCON_40B, 41.3e9, 0.001),
        (configs.MODERNBERT, 149e6, 0.001),
        (configs.gpt_3(96, 12288, 96), 175e9, 0.01),
        (configs.gpt_3(64, 6144, 48), 22e9, 0.02),
    ],
)
def test_parameters_are_those_that_were_published(config: dict[str, Any], published: float, off: float) -> None:
    shape = read_shape(config)
    assert shape is not None
    assert shape.parameters == pytest.approx(published, rel=off or 1e-12)
    assert shape.active == shape.parameters or shape.experts


@pytest.mark.parametrize(("config", "active"), [(configs.MIXTRAL, 12.9e9), (configs.DEEPSEEK_V3, 37e9)])
def test_of_experts_only_those_that_a_token_meets_are_active(config: dict[str, Any], active: float) -> None:
    """Mixtral: arXiv:2401.04088, section 2; DeepSeek-V3: arXiv:2412.19437, abstract."""
    shape = read_shape(config)
    assert shape is not None
    assert shape.active == pytest.approx(active, rel=0.03)


@pytest.mark.parametrize("key", ["text_config", "llm_config", "language_config"])
def test_the_text_model_inside_of_another_is_found(key: str) -> None:
    shape = read_shape({"model_type": "seer", "vision_config": {"hidden_size": 7}, key: configs.LLAMA_2_7B})
    assert shape is not None
    assert (shape.hidden, shape.layers, shape.context) == (4096, 32, 4096)


def test_numbers_may_be_texts_or_floats() -> None:
    config = configs.LLAMA_2_7B | {"hidden_size": "4096", "num_hidden_layers": 32.0}
    assert read_shape(config) == read_shape(configs.LLAMA_2_7B)


@pytest.mark.parametrize(
    "bad", [-1, 0, 10**30, "many", True, None, [], {}, 0.5, float("nan"), float("inf"), "9" * 5000]
)
@pytest.mark.parametrize("key", ["hidden_size", "num_hidden_layers", "num_attention_heads"])
def test_a_width_that_is_none_makes_no_shape(key: str, bad: Any) -> None:
    assert read_shape(configs.LLAMA_2_7B | {key: bad}) is None


JSON = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.just([]) | st.just({})


@given(st.dictionaries(st.sampled_from([*configs.DEEPSEEK_V3, *configs.T5_SMALL, "text_config", "rope_scaling"]), JSON))
def test_whatever_a_config_holds_memory_is_positive_or_there_is_no_shape(changes: dict[str, Any]) -> None:
    shape = read_shape(configs.DEEPSEEK_V3 | changes)
    if shape is not None:
        assert 0 < shape.active <= shape.parameters
        found = parts(shape, shape.parameters, Work(sequence=128))
        assert min(found.weights, found.gradients, found.optimizer, found.activations) > 0
        assert found.logits >= 0


def test_a_vision_model_reads_as_many_tokens_as_it_has_patches() -> None:
    shape = read_shape(
        {"model_type": "vit", "architectures": ["ViTForImageClassification"], "hidden_size": 768,
         "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072, "image_size": 224,
         "patch_size": 16}
    )  # fmt: skip
    assert shape is not None
    assert (shape.context, shape.vocabulary, shape.language_head, shape.cache_width) == (197, 0, False, 0)
    assert shape.parameters == pytest.approx(86e6, rel=0.02)


@pytest.mark.parametrize(("count", "hidden", "layers"), [(6_738_415_616, 4096, 32), (175_000_000_000, 12288, 96)])
def test_a_usual_shape_is_near_to_a_real_one_of_its_size(count: int, hidden: int, layers: int) -> None:
    shape = typical_shape(count)
    assert shape.hidden == pytest.approx(hidden, rel=0.05)
    assert shape.layers == pytest.approx(layers, rel=0.05)


@given(st.integers(1, 10**14))
def test_there_is_a_usual_shape_for_every_size(count: int) -> None:
    shape = typical_shape(count)
    assert shape.layers >= 1
    assert shape.embedding <= count / 2


def test_a_small_model_has_words_too_whose_matrix_it_uses_twice() -> None:
    """Without them the logits, which are the most of what a small decoder needs, would count as nothing."""
    shape = typical_shape(100_000_000)
    assert (shape.vocabulary, shape.tied) == (32_000, True)
    assert typical_shape(7 * 10**9).tied is False
