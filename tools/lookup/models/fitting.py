"""Does a model fit: its memory by method, against each machine, cheapest first, with time and cost.

Memory comes from `memory`, speed from `machines`, prices from `tools/jobs/hardware.py`. A model fits a machine when it
fits one accelerator, or when it is divided and each accelerator holds its share: the sum of their memory alone says
nothing. Nothing is rented and nothing is measured here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import cast

from trainwright.graph.errors import RequestError
from trainwright.tools.jobs.hardware import FLAVOURS, Flavour
from trainwright.tools.lookup.found import Source

from .arguments import FitArgs, count_of
from .describing import read_model
from .machines import ACCELERATORS, speed
from .memory import CONTEXT_BYTES, MARGIN, METHODS, Dtype, Method, Optimizer, Parts, Work, parts
from .report import Fit, Machine, Need, gb
from .shapes import Shape, typical_shape

__all__ = ["fit"]

GB = 10**9
MILLION = 10**6
TOKENS = {True: 10 * MILLION, False: MILLION}
"""Of a work of which no more is known: to train on, and to write."""

BATCH_LIMIT = 4096
SYSTEM_BYTES = 2 * GB
"""Of a CPU machine's memory, what the system and the libraries take."""

START_SECONDS = 300.0
BYTES_PER_SECOND = 2e8
"""Of a download. A job installs its packages and fetches the weights before anything else; both are assumptions."""

SENSIBLE_HOURS = 24.0
"""A CPU that would need longer is marked as not sensible."""

HOURS_LIMIT = 10 * 365 * 24.0
SHOWN_EACH = 3
SHOWN_ONE = 10

FORMULAS = {
    "full": "mixed-precision Adam 16 bytes a parameter: ZeRO, arXiv:1910.02054, 3.1",
    "lora": "adapters: LoRA, arXiv:2106.09685, 4",
    "qlora": "NF4 with double quantisation 4.127 bits: QLoRA, arXiv:2305.14314, 3",
    "inference": "KV cache 2·layers·kv_heads·head_dim·tokens elements",
}
FORMULAS_ALL = (
    "activations: arXiv:2205.05198, 4.1, scores not stored (arXiv:2205.14135)",
    "logits 14 bytes: arXiv:2411.09009, table 1",
    "operations 6N a token, 4N where frozen: arXiv:2001.08361; utilisation 0.35 (0.2 to 0.5) is an assumption",
)


@dataclass(frozen=True)
class _Subject:
    """The model in question."""

    id: str
    shape: Shape
    parameters: int
    origin: str
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()

    @property
    def active(self) -> int:
        """Parameters that a token meets; the share of the shape's where files count otherwise than the shape does."""
        if not self.shape.experts:
            return self.parameters
        return min(self.parameters, round(self.parameters * self.shape.active / max(1, self.shape.parameters)))


@dataclass(frozen=True)
class _Place:
    """How a work lies on a machine."""

    how: str
    parts: Parts
    have: int
    divided: bool


def fit(wanted: FitArgs) -> Fit:
    """See `trainwright.tools.lookup.models.fit`."""
    subject = _subject(wanted)
    flavours = _flavours(wanted.flavour)
    works = [_work(wanted, subject, method) for method in ([wanted.method] if wanted.method else METHODS)]
    notes = [*subject.notes, *_remarks(wanted, subject, works)]
    machines, too_small = [], []
    for work in works:
        fitting, small = _placed(subject, work, flavours, _tokens(wanted, work)[0])
        most = SHOWN_ONE if wanted.method else SHOWN_EACH
        if len(fitting) > most:
            notes.append(f"{len(fitting) - most} dearer machines for {work.method} are not shown.")
        machines += fitting[:most]
        too_small += small if wanted.method else small[:0]
    absent = [work for work in works if not any(machine.method == work.method for machine in machines)]
    return Fit(
        id=subject.id,
        parameters=subject.parameters,
        parameters_from=subject.origin,
        active=subject.active if subject.shape.experts else None,
        assumed=_assumed(works, wanted),
        memory=[_need(subject, work) for work in works],
        machines=machines,
        too_small=too_small,
        advice=[text for work in absent for text in _advice(subject, work, flavours)],
        formulas=[*(FORMULAS[work.method] for work in works), *FORMULAS_ALL],
        sources=list(subject.sources),
        notes=notes,
    )


def _subject(wanted: FitArgs) -> _Subject:
    if not wanted.id:
        if not wanted.parameters:
            raise RequestError(
                "Neither a model nor a number of parameters is given.", hint="Give an id, or parameters such as 7B."
            )
        count = count_of(wanted.parameters)
        shape = typical_shape(count)
        note = (
            f"Layers are not known: taken as those of a usual decoder of that size ({shape.layers} layers of "
            f"{shape.hidden}, {shape.vocabulary:,} words)."
        )
        return _Subject("", shape, count, "as given", (note,))
    model = read_model(wanted.id, tokenizer=False)
    if model.adapter and not wanted.parameters:
        base = str(model.adapter.get("base_model_name_or_path") or "")[:120]
        raise RequestError(
            f"{wanted.id} is an adapter, not a whole model.", hint=f"Ask for its base: {base or 'see its card'}."
        )
    parameters = count_of(wanted.parameters) if wanted.parameters else model.parameters
    if parameters is None:
        raise RequestError(
            f"Nobody knows how many parameters {wanted.id} has.", hint="Give them: parameters such as 350M."
        )
    origin = "as given" if wanted.parameters else model.parameters_from
    notes = list(model.notes)
    if model.shape is None:
        notes.append(
            "Its config describes no transformer that is understood: layers are those of a usual one of its size."
        )
    return _Subject(
        str(model.info.id), model.shape or typical_shape(parameters), parameters, origin, tuple(notes), (model.source,)
    )


def _flavours(name: str) -> list[Flavour]:
    if not name:
        return list(FLAVOURS.values())
    if name not in FLAVOURS:
        raise RequestError(f"There is no machine {name[:60]!r}.", hint=f"Choose one of {', '.join(FLAVOURS)}.")
    return [FLAVOURS[name]]


def _work(wanted: FitArgs, subject: _Subject, method: Method) -> Work:
    """What is asked for, as far as it makes sense for a method.

    Raises:
        RequestError: all parameters are to be trained in a type in which they cannot be.
    """
    dtype = cast(Dtype, wanted.dtype or "mixed")
    if dtype in ("int8", "nf4") and method == "full":
        if wanted.method:
            raise RequestError(
                f"Weights in {dtype} cannot all be trained.", hint="Choose lora or qlora, or another dtype."
            )
        dtype = "mixed"
    if dtype == "mixed" and method != "full":
        dtype = "bf16"
    context = subject.shape.context
    sequence = wanted.sequence or min(1024, context or 1024)
    return Work(
        method=method,
        batch=wanted.batch,
        sequence=sequence,
        dtype=dtype,
        optimizer=cast(Optimizer, wanted.optimizer or "adamw"),
        checkpointing=wanted.checkpointing,
        rank=wanted.rank,
    )


def _tokens(wanted: FitArgs, work: Work) -> tuple[float, str]:
    """Tokens of the whole work, and how they were found."""
    if wanted.tokens:
        return wanted.tokens * wanted.epochs, f"{wanted.tokens:,} x {wanted.epochs:g} epochs"
    if wanted.examples:
        full = wanted.examples * work.sequence * wanted.epochs
        return (
            full,
            f"{wanted.examples:,} examples x {work.sequence:,} tokens x {wanted.epochs:g} epochs, every example full",
        )
    return TOKENS[work.trains] * wanted.epochs, "taken for granted"


def _assumed(works: list[Work], wanted: FitArgs) -> dict[str, str]:
    work = works[0]
    amounts = [(each.method, *_tokens(wanted, each)) for each in works]
    told = dict.fromkeys(f"{tokens:,.0f} ({said})" for _, tokens, said in amounts)
    return {
        "batch": f"{work.batch} sequences on each accelerator",
        "sequence": f"{work.sequence:,} tokens",
        "dtype": wanted.dtype or "mixed for full (16 bits with a 32-bit copy), 16 bits otherwise",
        "optimizer": work.optimizer,
        "checkpointing": "yes" if work.checkpointing else "no",
        "rank": f"{work.rank}, adapters on all linear layers",
        "tokens": "; for inference ".join(told),
    }


def _remarks(wanted: FitArgs, subject: _Subject, works: list[Work]) -> Iterator[str]:
    context = subject.shape.context
    if context and wanted.sequence > context:
        yield f"The model was made for {context:,} tokens; {wanted.sequence:,} were asked for."
    if not (wanted.tokens or wanted.examples):
        yield "Nothing is known of your work, so hours and dollars are for tokens taken for granted: give tokens or examples."
    if subject.shape.experts and any(work.method in ("lora", "qlora") for work in works):
        yield "Adapters are counted on every expert; those on attention alone are far smaller."
    if wanted.dtype in ("int8", "nf4") and not wanted.method:
        yield f"Full fine-tuning is shown in mixed precision, since {wanted.dtype} cannot be trained."


def _need(subject: _Subject, work: Work) -> Need:
    found = parts(subject.shape, subject.parameters, work)
    trained = {"full": subject.parameters, "inference": 0}.get(work.method, subject.shape.adapter(work.rank))
    return Need(
        method=work.method,
        weights=found.weights,
        gradients=found.gradients,
        optimizer=found.optimizer,
        activations=found.activations,
        logits=found.logits,
        kv_cache=found.cache,
        overhead=found.overhead,
        total=found.total,
        low=found.counted + found.context,
        high=round(found.total * 1.2),
        trained=trained,
    )


def _placed(subject: _Subject, work: Work, flavours: list[Flavour], tokens: float) -> tuple[list[Machine], list[str]]:
    """Where a work fits, cheapest first, and where it does not."""
    fitting, small = [], []
    for flavour in flavours:
        place, reason = _place(subject, _on(flavour, work), flavour)
        if place is None:
            small.append(f"{flavour.name}: {reason}")
        else:
            fitting.append(_machine(subject, _on(flavour, work), flavour, place, tokens))
    return sorted(fitting, key=_order), small


def _order(machine: Machine) -> tuple[bool, bool, Decimal, float]:
    """Cheapest for the whole work first; what is not sensible, or of an unknown price, last."""
    hours = HOURS_LIMIT if machine.hours is None else machine.hours
    return bool(machine.remark.startswith("not sensible")), machine.usd is None, machine.usd or Decimal(0), hours


def _on(flavour: Flavour, work: Work) -> Work:
    """A CPU works in 32 bits."""
    return work if flavour.gpus else replace(work, dtype="fp32")


def _place(subject: _Subject, work: Work, flavour: Flavour) -> tuple[_Place | None, str]:
    """How a work lies on a machine, or None and why it does not."""
    if not flavour.gpus:
        return _on_cpu(subject, work, flavour)
    if not flavour.vram_gb:
        return (
            None,
            f"the memory of its {flavour.accelerator or 'accelerators'} is not known here, and PyTorch's usual training does not run on it",
        )
    have = flavour.gb_per_accelerator * GB
    alone = parts(subject.shape, subject.parameters, work)
    if alone.total <= have:
        how = "one accelerator" if flavour.gpus == 1 else f"a copy on each of {flavour.gpus}"
        return _Place(how, alone, have, divided=False), ""
    if flavour.gpus == 1:
        return None, f"needs {gb(alone.total)} GB, has {gb(have)}"
    share = alone.divided(flavour.gpus, subject.shape, work)
    if share.total > have:
        return None, f"needs {gb(share.total)} GB on each of {flavour.gpus} even when divided, each has {gb(have)}"
    by = "FSDP or ZeRO-3" if work.trains else "tensor parallel"
    return _Place(f"divided among {flavour.gpus} ({by})", share, have, divided=True), ""


def _on_cpu(subject: _Subject, work: Work, flavour: Flavour) -> tuple[_Place | None, str]:
    if work.method == "qlora":
        return None, "QLoRA's kernels are made for accelerators"
    have = flavour.ram_gb * GB - SYSTEM_BYTES
    found = parts(subject.shape, subject.parameters, work, context=0)
    if found.total > have:
        return None, f"needs {gb(found.total)} GB in 32 bits, has {gb(max(have, 0))}"
    return _Place("CPU", found, have, divided=False), ""


def _machine(subject: _Subject, work: Work, flavour: Flavour, place: _Place, tokens: float) -> Machine:
    read = place.parts.weights + place.parts.cache
    found = speed(flavour, subject.shape, subject.active, work, read=read, divided=place.divided)
    start = START_SECONDS + parts(subject.shape, subject.parameters, work).weights / BYTES_PER_SECOND
    hours = [(start + tokens / rate) / 3_600 for rate in found] if found else None
    if hours and hours[1] > HOURS_LIMIT:
        hours = None
    return Machine(
        method=work.method,
        flavour=flavour.name,
        how=place.how,
        need=place.parts.total,
        have=place.have,
        headroom=place.have - place.parts.total,
        largest_batch=_largest_batch(subject, work, flavour, place),
        tokens_per_second=_digits(found.expected) if found else None,
        hours=_digits(hours[0]) if hours else None,
        hours_low=_digits(hours[2]) if hours else None,
        hours_high=_digits(hours[1]) if hours else None,
        usd=_cost(flavour, hours[0]) if hours else None,
        usd_high=_cost(flavour, hours[1]) if hours else None,
        remark=_remark(work, flavour, hours[0] if hours else None),
    )


def _digits(value: float) -> float:
    """Three digits; more would say too much."""
    return float(f"{value:.3g}")


def _cost(flavour: Flavour, hours: float) -> Decimal | None:
    micros = flavour.terms().usd_micros(round(hours * 3_600, 3))
    return None if micros is None else (Decimal(micros) / MILLION).quantize(Decimal("0.01"), rounding="ROUND_UP")


def _remark(work: Work, flavour: Flavour, hours: float | None) -> str:
    if not flavour.gpus and (hours is None or hours > SENSIBLE_HOURS):
        return "not sensible: a CPU is too slow for this"
    kind = ACCELERATORS.get(flavour.accelerator)
    said = ["no bfloat16: use fp16"] if kind and not kind.bf16 and work.dtype != "fp32" else []
    if flavour.usd_per_hour is None:
        said.append("nobody knows its price")
    if hours is None:
        said.append("longer than ten years, or the speed is not known")
    return "; ".join(said)


def _largest_batch(subject: _Subject, work: Work, flavour: Flavour, place: _Place) -> int:
    """The most sequences at once for which it still lies as it does."""

    def fits(batch: int) -> bool:
        tried = replace(work, batch=batch)
        found = parts(subject.shape, subject.parameters, tried, context=place.parts.context)
        share = found.divided(flavour.gpus, subject.shape, tried) if place.divided else found
        return share.total <= place.have

    return _largest(fits, work.batch, BATCH_LIMIT)


def _largest(fits: Callable[[int], bool], low: int, high: int) -> int:
    """The largest number within the range for which it holds; it holds for `low`, and never again once it does not."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low


def _advice(subject: _Subject, work: Work, flavours: list[Flavour]) -> Iterator[str]:
    """What would help, one step after the other, until it fits."""
    shown = "any machine" if len(flavours) > 1 else flavours[0].name
    last = "all of that"
    yield f"{work.method} does not fit on {shown} ({gb(parts(subject.shape, subject.parameters, work).total)} GB)."
    for said, tried in _ladder(work):
        machines, _ = _placed(subject, tried, flavours, MILLION)
        if machines:
            best = machines[0]
            yield f"With {said} it needs {gb(best.need)} GB and fits {best.flavour} ({best.how})."
            return
        last = said
    yield f"Even with {last} it fits nowhere: take a model of at most about {_largest_model(flavours):.2g} parameters."


def _ladder(work: Work) -> Iterator[tuple[str, Work]]:
    """Ways to need less, each on top of those before; of one kind the last is told."""
    said: dict[str, str] = {}
    for kind, name, less in _steps(work):
        said[kind] = name
        yield " and ".join(said.values()), less


def _steps(work: Work) -> Iterator[tuple[str, str, Work]]:
    if work.batch > 1:
        yield "batch", "a batch of 1", (work := replace(work, batch=1))
    if not work.trains:
        yield "weights", "weights in int8", (work := replace(work, dtype="int8"))
        yield "weights", "weights in nf4", (work := replace(work, dtype="nf4"))
    if work.method == "full":
        yield "method", "LoRA", (work := replace(work, method="lora", dtype="bf16"))
    if work.method == "lora":
        yield "method", "QLoRA", (work := replace(work, method="qlora", dtype="bf16"))
    if work.trains and not work.checkpointing:
        yield "activations", "checkpointing", (work := replace(work, checkpointing=True))
    while work.sequence > 256:
        yield "sequence", f"sequences of {work.sequence // 2}", (work := replace(work, sequence=work.sequence // 2))


def _largest_model(flavours: list[Flavour]) -> float:
    """Parameters in 4 bits that fill the largest machine, a quarter of it left for everything else."""
    room = max(max(flavour.vram_gb, flavour.ram_gb if not flavour.gpus else 0) for flavour in flavours) * GB
    usable = room / (1 + MARGIN) - CONTEXT_BYTES * max(flavour.gpus for flavour in flavours)
    return math.floor(max(usable, GB) * 0.75 / (4.127 / 8))
