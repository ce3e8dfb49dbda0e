"""What the lookups of models answer with."""

from __future__ import annotations

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.lookup.found import Found, paragraphs, table

__all__ = ["Details", "Fit", "Listed", "Listing", "Machine", "Need", "Template", "WeightFile", "gb"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Listed(_Part):
    """A model in a list; `parameters` is None where the Hub does not know."""

    id: str
    parameters: int | None = None
    task: str = ""
    library: str = ""
    licence: str = ""
    gated: str = ""
    downloads: int = 0
    likes: int = 0
    modified: str = ""


class Listing(Found):
    """Models, in the order that was asked for."""

    models: list[Listed] = Field(default_factory=list)

    def body(self) -> str:
        """A table."""
        header = ("model", "parameters", "task", "library", "licence", "gated", "downloads", "likes", "modified")
        rows = [
            (m.id, _short(m.parameters), m.task, m.library, m.licence, m.gated, m.downloads, m.likes, m.modified)
            for m in self.models
        ]
        return table(header, rows) or "No model found."


class Template(_Part):
    """A chat template.

    Attributes:
        excerpt: its beginning.
        roles: named in it.
        tools, thinking: whether it deals with tool calls, and with reasoning.
        masks_assistant: it marks what the assistant says, so that a loss on that alone is possible.
    """

    excerpt: str
    roles: list[str] = Field(default_factory=list)
    tools: bool = False
    thinking: bool = False
    masks_assistant: bool = False


class WeightFile(_Part):
    """A file and its size in bytes; None where the Hub does not say."""

    path: str
    size: int | None = None


class Details(Found):
    """A model, as its files and the Hub describe it. What is not known is missing.

    Attributes:
        parameters: all of them; `parameters_from` says how they were found.
        active: what a token meets, of a mixture of experts.
        by_dtype: elements in the files, by their type; packed ones count as they are stored.
        context: tokens at most; `rope_scaling` says how it was stretched.
        safetensors_only: no file of the repository can run code when it is loaded; `unsafe_files` are those that can.
        size: bytes of all files.
        remote_code: loading it runs Python of the repository.
        adapter: the kind of adapter, such as LORA; then `base` has to be loaded too.
        quantised: how.
    """

    id: str = ""
    revision: str = ""
    model_type: str = ""
    architectures: list[str] = Field(default_factory=list)
    task: str = ""
    library: str = ""
    parameters: int | None = None
    parameters_from: str = ""
    active: int | None = None
    by_dtype: dict[str, int] = Field(default_factory=dict)
    quantised: str = ""
    adapter: str = ""
    base: list[str] = Field(default_factory=list)
    licence: str = ""
    gated: str = ""
    private: bool = False
    context: int | None = None
    rope_scaling: str = ""
    vocabulary: int | None = None
    hidden: int | None = None
    layers: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    experts: int | None = None
    experts_active: int | None = None
    tokenizer: str = ""
    special_tokens: dict[str, str] = Field(default_factory=dict)
    chat_template: Template | None = None
    remote_code: bool = False
    safetensors_only: bool | None = None
    unsafe_files: list[str] = Field(default_factory=list)
    weights: list[WeightFile] = Field(default_factory=list)
    gguf: list[str] = Field(default_factory=list)
    files: int = 0
    size: int = 0
    languages: list[str] = Field(default_factory=list)
    datasets: list[str] = Field(default_factory=list)
    papers: list[str] = Field(default_factory=list)
    downloads: int = 0
    likes: int = 0
    modified: str = ""


class Need(_Part):
    """Memory that a method needs on one accelerator, in bytes, the model not divided.

    Attributes:
        optimizer: with the 32-bit copy of the weights, where there is one.
        overhead: driver, libraries, fragmentation.
        total: the estimate; `low` is without the margin, `high` with a fifth more.
        trained: parameters that are trained.
    """

    method: str
    weights: int
    gradients: int = 0
    optimizer: int = 0
    activations: int = 0
    logits: int = 0
    kv_cache: int = 0
    overhead: int = 0
    total: int
    low: int
    high: int
    trained: int = 0


class Machine(_Part):
    """A machine on which it fits.

    Attributes:
        how: `one accelerator`, `a copy on each of N accelerators`, `divided among N (FSDP or ZeRO-3)`, `divided among N
            (tensor parallel)`, `CPU`.
        need, have: bytes of one accelerator, or of the machine's memory.
        largest_batch: sequences at once on one accelerator; the work is counted with the batch that was asked for.
        hours, hours_low, hours_high: of the whole work, start included; None where the speed is not known.
        usd: for `hours`; `usd_high` for `hours_high`; None where no one knows the price or the hours.
        remark: what speaks against it.
    """

    method: str
    flavour: str
    how: str
    need: int
    have: int
    headroom: int
    largest_batch: int = 0
    tokens_per_second: float | None = None
    hours: float | None = None
    hours_low: float | None = None
    hours_high: float | None = None
    usd: Decimal | None = None
    usd_high: Decimal | None = None
    remark: str = ""


class Fit(Found):
    """Whether a model fits, where, how long it takes and what it costs. Everything is an estimate.

    Attributes:
        parameters_from: how they were found.
        assumed: what was done, with what, and what was taken for granted.
        machines: cheapest first.
        too_small: machines on which it does not fit, and why.
        advice: what would help where nothing fits.
        formulas: where the formulas are from.
    """

    id: str = ""
    parameters: int = 0
    parameters_from: str = ""
    active: int | None = None
    assumed: dict[str, str] = Field(default_factory=dict)
    memory: list[Need] = Field(default_factory=list)
    machines: list[Machine] = Field(default_factory=list)
    too_small: list[str] = Field(default_factory=list)
    advice: list[str] = Field(default_factory=list)
    formulas: list[str] = Field(default_factory=list)

    def body(self) -> str:
        """Two tables: what each method needs, and where that is."""
        head = f"{self.id or 'A model'}: {_short(self.parameters)} parameters ({self.parameters_from})"
        assumed = "; ".join(f"{name}: {value}" for name, value in self.assumed.items())
        small = "\n".join(f"- {text}" for text in self.too_small)
        return paragraphs(
            head + (f", {_short(self.active)} of them active" if self.active else ""),
            assumed,
            self._memory_table(),
            self._machine_table() or "It fits on none of the machines.",
            f"Too small:\n{small}" if small else "",
            "\n".join(self.advice),
            "Formulas: " + "; ".join(self.formulas),
        )

    def _memory_table(self) -> str:
        header = (
            "method",
            "weights",
            "gradients",
            "optimizer",
            "activations",
            "logits",
            "KV cache",
            "overhead",
            "total GB",
        )
        rows = [
            (n.method, *map(gb, (n.weights, n.gradients, n.optimizer, n.activations, n.logits, n.kv_cache, n.overhead)),
             f"{gb(n.total)} ({gb(n.low)} to {gb(n.high)})")
            for n in self.memory
        ]  # fmt: skip
        return table(header, rows)

    def _machine_table(self) -> str:
        header = ("method", "machine", "how", "needs GB", "has GB", "largest batch", "hours", "US dollars", "remark")
        rows = [
            (m.method, m.flavour, m.how, gb(m.need), gb(m.have), m.largest_batch,
             _span(m.hours, m.hours_low, m.hours_high), _money(m), m.remark)
            for m in self.machines
        ]  # fmt: skip
        return table(header, rows)


def gb(size: int) -> str:
    """Bytes as GB (10^9 bytes), with as many digits as say something."""
    value = size / 1e9
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def _short(count: int | None) -> str:
    """A count such as 8.03B; empty where it is not known."""
    if count is None:
        return ""
    for unit, size in (("T", 10**12), ("B", 10**9), ("M", 10**6), ("K", 10**3)):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return str(count)


def _span(value: float | None, low: float | None, high: float | None) -> str:
    if value is None or low is None or high is None:
        return "not known"
    return f"{value:.2g} ({low:.2g} to {high:.2g})" if high < 100 else f"{value:,.0f} ({low:,.0f} to {high:,.0f})"


def _money(machine: Machine) -> str:
    if machine.usd is None:
        return "not known"
    return f"{machine.usd:,.2f}" + (f" (at most {machine.usd_high:,.2f})" if machine.usd_high is not None else "")
