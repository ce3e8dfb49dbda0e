"""Does it fit: which machines, cheapest first, with time and cost; and what helps where it does not."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainwright.engineers.schemas import schema_of
from trainwright.graph.errors import Refusal, RequestError
from trainwright.tools.jobs.hardware import FLAVOURS
from trainwright.tools.lookup import models
from trainwright.tools.lookup.models.arguments import count_of
from trainwright.tools.lookup.models.machines import ACCELERATORS, operations_per_token
from trainwright.tools.lookup.models.memory import Work, parts
from trainwright.tools.lookup.models.shapes import read_shape
from trainwright.tools.lookup.operations import call, flat_arguments

from . import configs
from .conftest import Serve

WORK = {"examples": 10_000, "sequence": 1024}


def test_all_four_methods_are_compared_when_none_is_named() -> None:
    found = models.fit(parameters="7B")
    assert [need.method for need in found.memory] == ["full", "lora", "qlora", "inference"]
    full, lora, qlora, inference = found.memory
    assert full.total > lora.total > inference.total > qlora.total
    assert all(need.low < need.total < need.high for need in found.memory)
    assert all(sum(machine.method == need.method for machine in found.machines) == 3 for need in found.memory)
    assert len(found.model_dump_json(exclude_defaults=True)) < 6_000


def test_parts_and_overhead_are_the_total() -> None:
    for need in models.fit(parameters="1B", batch=3, sequence=700).memory:
        counted = need.weights + need.gradients + need.optimizer + need.activations + need.logits + need.kv_cache
        assert need.total == counted + need.overhead


def test_machines_come_cheapest_first_and_each_has_room() -> None:
    found = models.fit(parameters="7B", method="qlora", **WORK)
    prices = [machine.usd for machine in found.machines]
    assert prices == sorted(price for price in prices if price is not None)
    assert all(
        machine.need <= machine.have and machine.headroom == machine.have - machine.need for machine in found.machines
    )
    assert all(isinstance(price, Decimal) and price > 0 for price in prices)


def test_four_small_accelerators_are_not_one_large() -> None:
    """24 + 24 + 24 + 24 GB hold no model of 40 GB that is not divided, and each keeps activations of its own."""
    found = models.fit(parameters="13B", method="lora", flavour="a10g-largex4", checkpointing=True)
    (machine,) = found.machines
    assert machine.how == "divided among 4 (FSDP or ZeRO-3)"
    assert machine.have == 24 * 10**9
    alone = found.memory[0].total
    assert alone > machine.have > machine.need > alone / 4
    whole = models.fit(parameters="1B", method="lora", flavour="a10g-largex4").machines[0]
    assert whole.how == "a copy on each of 4"


def test_the_largest_batch_fits_and_one_more_does_not() -> None:
    for flavour in ("a10g-small", "a100x4"):
        (machine,) = models.fit(parameters="7B", method="qlora", flavour=flavour, sequence=512).machines
        most = machine.largest_batch
        assert most > 1
        (full,) = models.fit(parameters="7B", method="qlora", flavour=flavour, sequence=512, batch=most).machines
        assert full.how == machine.how
        assert full.headroom >= 0
        over = models.fit(parameters="7B", method="qlora", flavour=flavour, sequence=512, batch=most + 1).machines
        assert not over or over[0].how != machine.how


def test_hours_follow_from_operations_and_dollars_from_the_terms() -> None:
    found = models.fit(parameters="7B", method="full", flavour="h200", tokens=100_000_000)
    (machine,) = found.machines
    by_hand = 6 * 7e9 * 1e8 / (989e12 * 0.35) / 3_600
    assert machine.hours is not None
    assert machine.hours == pytest.approx(by_hand, rel=0.25)
    assert machine.hours_low is not None
    assert machine.hours_high is not None
    assert machine.hours_low < machine.hours < machine.hours_high
    assert machine.usd is not None
    assert float(machine.usd) == pytest.approx(machine.hours * 10, rel=0.02)
    assert machine.usd_high is not None
    assert machine.usd_high > machine.usd


def test_operations_of_a_token_are_six_or_four_for_each_parameter() -> None:
    """arXiv:2001.08361, table 1; GPT-3: 3.14e23 for 300 billion tokens (arXiv:2005.14165, appendix D)."""
    shape = read_shape(configs.gpt_3(96, 12288, 96))
    assert shape is not None
    full = operations_per_token(shape, shape.parameters, Work(sequence=2048))
    assert full * 300e9 == pytest.approx(3.14e23, rel=0.05)
    lora = operations_per_token(shape, shape.parameters, Work(method="lora", sequence=2048))
    assert lora / full == pytest.approx(4 / 6, abs=0.02)
    again = operations_per_token(shape, shape.parameters, Work(sequence=2048, checkpointing=True))
    assert again / full == pytest.approx(8 / 6, abs=0.01)
    assert operations_per_token(shape, shape.parameters, Work(method="inference")) == pytest.approx(full / 3, rel=0.05)


def test_twice_the_epochs_take_longer_and_cost_more() -> None:
    one, three = (
        models.fit(parameters="7B", method="qlora", flavour="l4x1", epochs=n, **WORK).machines[0] for n in (1, 3)
    )
    assert one.hours is not None
    assert three.hours is not None
    assert one.usd is not None
    assert three.usd is not None
    assert 2 < three.hours / one.hours < 3
    assert three.usd > 2 * one.usd


def test_words_one_by_one_are_bound_by_memory() -> None:
    """14 GB of weights read at 2,039 GB a second give at most 146 words a second for one sequence."""
    (machine,) = models.fit(parameters="7B", method="inference", flavour="a100-large", tokens=1_000_000).machines
    assert machine.tokens_per_second == pytest.approx(0.6 * 2039 / 14.6, rel=0.05)
    (eight,) = models.fit(parameters="7B", method="inference", flavour="a100-large", tokens=1_000_000, batch=8).machines
    assert eight.tokens_per_second is not None
    assert 5 < eight.tokens_per_second / machine.tokens_per_second < 8


def test_a_small_model_goes_to_a_cheap_machine_and_a_cpu_is_among_them() -> None:
    found = models.fit(parameters="100K", method="full", tokens=1_000_000)
    assert found.machines[0].flavour == "cpu-basic"
    assert found.machines[0].how == "CPU"
    assert found.memory[0].weights == 200_000
    assert found.machines[0].remark == ""


def test_a_cpu_that_would_take_for_ever_is_not_sensible_and_comes_last() -> None:
    found = models.fit(parameters="1B", method="full", tokens=1_000_000_000, flavour="cpu-xl")
    assert found.machines[0].remark.startswith("not sensible")
    every = models.fit(parameters="100M", method="full", tokens=10_000_000_000)
    assert every.machines[0].how != "CPU"


def test_a_t4_has_no_bfloat16_and_says_so() -> None:
    (machine,) = models.fit(parameters="1B", method="qlora", flavour="t4-small", checkpointing=True).machines
    assert "fp16" in machine.remark


def test_memory_that_nobody_knows_is_no_zero_and_no_fit() -> None:
    found = models.fit(parameters="1M", method="full", flavour="inf2x6")
    assert found.machines == []
    assert "not known" in found.too_small[0]


def test_a_price_that_nobody_knows_stays_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    from trainwright.tools.jobs.hardware import Flavour
    from trainwright.tools.lookup.models import fitting

    unknown = Flavour("z9", None, 1, 80, 8, 64, accelerator="A100")
    monkeypatch.setattr(fitting, "FLAVOURS", {"z9": unknown, "a100-large": FLAVOURS["a100-large"]})
    found = models.fit(parameters="1B", method="lora")
    assert [machine.flavour for machine in found.machines] == ["a100-large", "z9"]
    assert found.machines[1].usd is None
    assert "nobody knows its price" in found.machines[1].remark
    assert "not known" in found.markdown()


def test_too_small_machines_are_named_with_what_they_lack() -> None:
    found = models.fit(parameters="7B", method="full")
    said = dict(text.split(": ", 1) for text in found.too_small)
    assert said["t4-small"].startswith("needs 1")
    assert "on each of 4 even when divided" in said["l4x4"]
    assert set(said) | {machine.flavour for machine in found.machines} == set(FLAVOURS)


def test_where_it_does_not_fit_there_is_advice_step_by_step() -> None:
    found = models.fit(parameters="13B", method="full", flavour="a100-large")
    assert found.machines == []
    assert found.advice[0].startswith("full does not fit on a100-large")
    assert found.advice[1].startswith("With LoRA it needs")
    tight = models.fit(parameters="70B", method="lora", flavour="a100-large", sequence=4096)
    assert "QLoRA" in tight.advice[1]
    assert "checkpointing" in tight.advice[1]
    both = models.fit(parameters="70B", method="full", flavour="a100-large")
    assert both.advice[1].startswith("With QLoRA it needs")
    none = models.fit(parameters="20T", method="full")
    assert "take a model of at most about" in none.advice[-1]
    assert "It fits on none" in none.markdown()


def test_the_formulas_are_cited() -> None:
    said = " ".join(models.fit(parameters="7B").formulas)
    assert all(
        paper in said for paper in ("1910.02054", "2106.09685", "2305.14314", "2205.05198", "2001.08361", "2411.09009")
    )


def test_what_was_taken_for_granted_is_told() -> None:
    found = models.fit(parameters="7B", method="full")
    assert any("Layers are not known" in note for note in found.notes)
    assert any("Nothing is known of your work" in note for note in found.notes)
    assert found.assumed["sequence"] == "1,024 tokens"
    known = models.fit(parameters="7B", method="full", examples=10, sequence=100, epochs=2)
    assert "2,000 (10 examples" in known.assumed["tokens"]
    assert len(known.notes) == 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "Neither"), ({"parameters": "7B", "flavour": "h900"}, "no machine 'h900'"),
        ({"parameters": "7B", "method": "full", "dtype": "nf4"}, "cannot all be trained"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError, match=said):
        models.fit(**given)


def test_a_model_of_the_hub_is_taken_with_its_own_shape(hub: Serve) -> None:
    hub(files={"config.json": configs.LLAMA_31_8B}, safetensors={"parameters": {"BF16": 8_030_261_248}, "total": 1})
    found = models.fit("tiny/llama", method="inference", sequence=8192, dtype="bf16")
    assert (found.parameters, found.parameters_from) == (8_030_261_248, "counted in the safetensors files")
    assert found.memory[0].kv_cache == 131_072 * 8192
    assert found.sources[0].name == "the Hugging Face Hub"
    assert any("131,072" in note for note in models.fit("tiny/llama", sequence=200_000).notes)


def test_a_model_of_which_nothing_is_known_needs_a_number(hub: Serve) -> None:
    hub(config=None, safetensors=None, siblings=[])
    with pytest.raises(RequestError, match="Nobody knows how many parameters tiny/llama has"):
        models.fit("tiny/llama")
    found = models.fit("tiny/llama", parameters="350M")
    assert (found.parameters, found.parameters_from) == (350_000_000, "as given")
    assert any("no transformer" in note for note in found.notes)


def test_of_experts_all_weigh_and_the_active_ones_compute(hub: Serve) -> None:
    hub(files={"config.json": configs.MIXTRAL}, safetensors={"parameters": {"BF16": 46_702_792_704}, "total": 1})
    found = models.fit("tiny/llama", method="lora", tokens=10**8)
    assert found.active == pytest.approx(12.9e9, rel=0.01)
    assert found.memory[0].weights > 93 * 10**9
    assert any("every expert" in note for note in found.notes)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 10**14), st.sampled_from(["full", "lora", "qlora", "inference"]), st.integers(1, 4096),
    st.integers(0, 10**7), st.integers(1, 4096),
)  # fmt: skip
def test_whatever_is_asked_there_is_an_answer(count: int, method: str, batch: int, sequence: int, rank: int) -> None:
    found = models.fit(
        parameters=str(count), method=method, batch=batch, sequence=sequence, rank=rank, tokens=10**15, epochs=10_000
    )
    assert found.memory[0].total > 0
    assert bool(found.machines) != bool(found.advice)
    assert found.markdown()


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("7B", 7 * 10**9),
        ("350m", 350 * 10**6),
        ("1.5 B", 15 * 10**8),
        ("124439808", 124439808),
        ("1_000", 1000),
        ("2T", 2 * 10**12),
    ],
)
def test_counts_that_can_be_read(text: str, count: int) -> None:
    assert count_of(text) == count


@pytest.mark.parametrize("text", ["", "0", "-7B", "B", "7X", "1e9", "9" * 40, "nan", "7B parameters", "٧B"])
def test_counts_that_are_none(text: str) -> None:
    with pytest.raises(ValueError):
        count_of(text)


def test_every_accelerator_of_the_table_that_has_memory_has_a_speed() -> None:
    for flavour in FLAVOURS.values():
        assert (flavour.gpus == 0) == (flavour.accelerator == "")
        assert not flavour.vram_gb or flavour.accelerator in ACCELERATORS
        assert flavour.gb_per_accelerator * flavour.gpus == flavour.vram_gb


def test_an_engineer_calls_one_flat_function() -> None:
    flat = flat_arguments(models.AREA)
    found = call(models.AREA, flat.model_validate({"operation": "fit", "parameters": "1B", "method": "lora"}))
    assert json.loads(found.model_dump_json(exclude_defaults=True))["parameters"] == 10**9
    with pytest.raises(Refusal, match="adamw, adamw_8bit"):
        call(models.AREA, flat.model_validate({"operation": "fit", "parameters": "1B", "optimizer": "best"}))
    assert len(json.dumps(schema_of(flat), separators=(",", ":")) + models.AREA.for_engineers()) < 1_200


def test_importing_the_area_is_light() -> None:
    code = "import sys, trainwright.tools.lookup.models; print([m for m in ('httpx', 'huggingface_hub') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_need_of_a_cpu_is_in_32_bits() -> None:
    shape = read_shape(configs.GPT_2)
    assert shape is not None
    (machine,) = models.fit(parameters="124M", method="full", flavour="cpu-upgrade", sequence=128).machines
    assert machine.need > 16 * 124_000_000
    assert parts(shape, 10**8, Work(dtype="fp32"), context=0).context == 0
