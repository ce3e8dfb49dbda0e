"""The formulas of memory against figures that were published."""

from __future__ import annotations

from typing import Any

import pytest

from trainwright.tools.lookup.models.memory import NF4_BITS, Parts, Work, layer_activations, parts, state_bytes
from trainwright.tools.lookup.models.shapes import Shape, read_shape, typical_shape

from . import configs

GB = 1e9


def shape_of(config: dict[str, Any]) -> Shape:
    shape = read_shape(config)
    assert shape is not None
    return shape


def need(config: dict[str, Any], **work: Any) -> Parts:
    shape = shape_of(config)
    return parts(shape, shape.parameters, Work(**work))


def test_mixed_precision_adam_takes_sixteen_bytes_a_parameter() -> None:
    """ZeRO, arXiv:1910.02054, section 3.1: GPT-2 of 1.5 billion parameters needs at least 24 GB."""
    found = parts(typical_shape(1_500_000_000), 1_500_000_000, Work())
    assert found.weights + found.gradients + found.optimizer == 24 * GB
    assert (found.weights, found.gradients, found.optimizer) == (3 * GB, 3 * GB, 18 * GB)


def test_divided_states_are_those_of_zero() -> None:
    """ZeRO, figure 1: 7.5 billion parameters, 120 GB of states, 1.9 GB on each of 64 with everything divided."""
    shape = typical_shape(7_500_000_000)
    alone = parts(shape, 7_500_000_000, Work())
    share = alone.divided(64, shape, Work())
    assert alone.weights + alone.gradients + alone.optimizer == 120 * GB
    whole_layers = 2 * alone.weights // shape.layers
    assert share.weights + share.gradients + share.optimizer - whole_layers == pytest.approx(1.9 * GB, rel=0.02)
    assert share.activations == alone.activations


def test_full_fine_tuning_of_llama_2_7b_needs_more_than_one_large_accelerator_has() -> None:
    """Often told as 110 to 112 GB without activations: 16 bytes x 6.74 billion = 108 GB."""
    found = need(configs.LLAMA_2_7B)
    assert found.weights + found.gradients + found.optimizer == pytest.approx(110 * GB, rel=0.03)
    assert found.total > 110 * GB


@pytest.mark.parametrize(
    ("heads", "hidden", "layers"), [(64, 6144, 48), (96, 12288, 96), (128, 20480, 105), (160, 25600, 128)]
)
def test_activations_of_a_layer_are_the_formula_of_korthikanti(heads: int, hidden: int, layers: int) -> None:
    """arXiv:2205.05198, equation 1, for the four models of table 3: s·b·h·(34 + 5·a·s/h)."""
    s, b = 2048, 4
    shape = shape_of(configs.gpt_3(heads, hidden, layers))
    found = layer_activations(shape, Work(batch=b, sequence=s, eager=True, dropout=True))
    assert found == s * b * hidden * 34 + 5 * heads * s * s * b


@pytest.mark.parametrize(("heads", "hidden", "layers", "saved"), [(96, 12288, 96, 0.70), (128, 20480, 105, 0.65)])
def test_not_storing_scores_saves_what_was_published(heads: int, hidden: int, layers: int, saved: float) -> None:
    """arXiv:2205.05198, section 5: 70 % for GPT-3 of 175 billion, 65 % for MT-NLG of 530 billion."""
    shape = shape_of(configs.gpt_3(heads, hidden, layers))
    kept = layer_activations(shape, Work(sequence=2048, eager=True, dropout=True))
    without = layer_activations(shape, Work(sequence=2048, dropout=True))
    assert 1 - without / kept == pytest.approx(saved, abs=0.01)


def test_checkpointing_keeps_the_inputs_of_layers_and_one_layer() -> None:
    """arXiv:2205.05198, section 5: 2·s·b·h·L. ZeRO, section 3.2, tells about 8 GB for GPT-2 of 1.5 billion, 32 x 1K."""
    shape = shape_of(configs.gpt_3(25, 1600, 48))
    work = Work(batch=32, sequence=1024, checkpointing=True)
    found = parts(shape, 1_500_000_000, work).activations
    assert found == 2 * 1024 * 32 * 1600 * 48 + layer_activations(shape, work)
    assert found == pytest.approx(8 * GB, rel=0.25)


def test_logits_of_gemma_2_take_what_was_measured() -> None:
    """arXiv:2411.09009, table 1: 28 GB (GiB) for 8,192 tokens and 256,000 words, loss and gradient."""
    shape = shape_of(configs.QWEN_05B | {"vocab_size": 256_000})
    assert parts(shape, 2_600_000_000, Work(batch=1, sequence=8192)).logits == pytest.approx(28 * 2**30, rel=0.05)


def test_lora_of_gpt_3_has_as_many_parameters_as_published() -> None:
    """arXiv:2106.09685, table 4: 37.7 million with rank 8 on queries and values; here on every matrix, so more."""
    shape = shape_of(configs.gpt_3(96, 12288, 96))
    published = 96 * 2 * 8 * (12288 + 12288)
    assert published == pytest.approx(37.7e6, rel=0.002)
    assert shape.adapter(8) == published * 2 + 96 * 8 * 2 * (12288 + 4 * 12288)
    assert shape.adapter(16) == 2 * shape.adapter(8)


def test_lora_of_gpt_3_needs_a_third_of_all() -> None:
    """arXiv:2106.09685, section 4.2: from 1.2 TB to 350 GB; the frozen weights alone are 350 GB."""
    config = configs.gpt_3(96, 12288, 96)
    lora, full = need(config, method="lora", rank=4, checkpointing=True), need(config, optimizer="adamw_8bit")
    assert lora.weights + lora.gradients + lora.optimizer == pytest.approx(350 * GB, rel=0.02)
    assert full.weights + full.gradients + full.optimizer > 3 * lora.weights


def test_double_quantisation_leaves_an_eighth_of_a_bit() -> None:
    """arXiv:2305.14314, section 3: 0.127 bits a parameter instead of 0.5."""
    constants = NF4_BITS - 4
    assert constants == pytest.approx(0.127, abs=0.0005)


@pytest.mark.parametrize(
    ("config", "published"),
    [
        (configs.LLAMA_2_7B, 6), (configs.LLAMA_13B, 10), (configs.LLAMA_33B, 21), (configs.LLAMA_65B, 41),
    ],
)  # fmt: skip
def test_models_in_four_bits_are_as_large_as_guanaco(config: dict[str, Any], published: float) -> None:
    """arXiv:2305.14314, table 1: 6, 10, 21 and 41 GB; what serving adds is not told there."""
    found = need(config, method="inference", dtype="nf4", sequence=512)
    assert found.total == pytest.approx(published * GB, rel=0.15)


def test_the_base_of_llama_7b_in_four_bits() -> None:
    """arXiv:2305.14314, section 2: 5,048 MB, which has the embeddings in 32 bits; here they have 16."""
    shape = shape_of(configs.LLAMA_2_7B)
    base = parts(shape, shape.parameters, Work(method="inference", dtype="nf4")).weights
    assert base + 2 * shape.embedding == pytest.approx(5.048e9, rel=0.15)


def test_qlora_of_65b_fits_48_gb() -> None:
    """arXiv:2305.14314, abstract: a model of 65 billion parameters is fine-tuned on one GPU of 48 GB."""
    found = need(configs.LLAMA_65B, method="qlora", sequence=512, checkpointing=True)
    assert 38 * GB < found.total < 48 * GB


@pytest.mark.parametrize(("sequence", "low", "high"), [(256, 5, 8), (512, 5, 9), (1024, 6, 10)])
def test_qlora_of_7b_needs_six_to_ten_gb(sequence: int, low: float, high: float) -> None:
    found = need(configs.LLAMA_2_7B, method="qlora", sequence=sequence, checkpointing=True)
    assert low * GB < found.total < high * GB


def test_the_cache_of_llama_2_7b_is_half_a_megabyte_a_token() -> None:
    """arXiv:2309.06180 tells 800 KB for OPT of 13 billion: 2 x 40 layers x 5,120 x 2 bytes; here 2 x 32 x 4,096 x 2."""
    found = need(configs.LLAMA_2_7B, method="inference", sequence=4096, batch=2)
    assert found.cache == 524_288 * 4096 * 2
    grouped = need(configs.LLAMA_31_8B, method="inference", sequence=4096, batch=2)
    assert grouped.cache == found.cache // 4


def test_latent_attention_keeps_little() -> None:
    """DeepSeek-V3: 512 + 64 elements a layer."""
    assert need(configs.DEEPSEEK_V3, method="inference", sequence=1000).cache == 61 * 576 * 1000 * 2


def test_an_encoder_has_no_cache_and_a_classifier_no_logits() -> None:
    assert need(configs.BERT, method="inference", sequence=512).cache == 0
    assert need(configs.BERT | {"architectures": ["BertForSequenceClassification"]}, sequence=512).logits == 0
    assert need(configs.BERT, sequence=512).logits > 0


@pytest.mark.parametrize(
    ("optimizer", "dtype", "each"),
    [
        ("adamw", "mixed", 16),
        ("adamw", "bf16", 8),
        ("adamw", "fp32", 16),
        ("sgd", "bf16", 4),
        ("adamw_8bit", "mixed", 10),
    ],
)
def test_bytes_a_parameter(optimizer: Any, dtype: Any, each: float) -> None:
    found = need(configs.LLAMA_2_7B, optimizer=optimizer, dtype=dtype)
    count = shape_of(configs.LLAMA_2_7B).parameters
    assert (found.weights + found.gradients + found.optimizer) / count == pytest.approx(each, abs=0.01)


def test_adafactor_keeps_next_to_nothing() -> None:
    assert 0 < state_bytes("adafactor", 4, 4096) < 0.01


def test_activations_and_logits_grow_with_the_batch_and_with_nothing_else() -> None:
    one, four = need(configs.LLAMA_2_7B, sequence=512), need(configs.LLAMA_2_7B, sequence=512, batch=4)
    assert (four.activations, four.logits) == (4 * one.activations, 4 * one.logits)
    assert (four.weights, four.gradients, four.optimizer) == (one.weights, one.gradients, one.optimizer)
