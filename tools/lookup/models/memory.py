"""How much memory a model needs: full fine-tuning, LoRA, QLoRA and inference, by formula. All amounts are bytes.

Model states, full fine-tuning in mixed precision with Adam: 2 (weights) + 2 (gradients) + 4 + 4 + 4 (weights, mean and
variance in 32 bits) = 16 bytes a parameter: ZeRO, arXiv:1910.02054, section 3.1. With weights in 16 bits alone, PyTorch
keeps Adam's two states in 16 bits too: 8 bytes. An 8-bit Adam keeps two states of one byte: arXiv:2110.02861.

LoRA, arXiv:2106.09685, section 4: the base is frozen and has neither gradients nor states; adapters of rank r add
r x (inputs + outputs) parameters a matrix, here on every linear layer, and PEFT keeps them in 32 bits (16 bytes each
with Adam). QLoRA, arXiv:2305.14314, section 3: linear layers in 4 bits, with double quantisation 0.127 bits more.

Activations: Korthikanti et al., arXiv:2205.05198, section 4.1: s·b·h·(34 + 5·a·s/h) bytes a layer in 16 bits, counted
here by its parts, so that grouped queries, gated feed-forwards, experts and layers without dropout come out too. Kernels
that never store the scores (FlashAttention, arXiv:2205.14135; PyTorch's own) leave out 5·a·s²·b. With checkpointing,
2·s·b·h a layer stay, and one layer at a time is computed again (section 5 there). Adapters do not shrink this: the
gradient has to pass all layers.

Logits: 14 bytes for each token and word: they stand in 16 bits, in 32 bits, as log-probabilities and as gradient, as
measured for Gemma 2 in arXiv:2411.09009, table 1. Cache of keys and values: 2·L·kv_heads·head_dim·s·b elements.

What is not counted: communication buffers of several machines, an evaluation that keeps all logits, images and sound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from .shapes import Shape

__all__ = [
    "DTYPES",
    "METHODS",
    "OPTIMIZERS",
    "Dtype",
    "Method",
    "Optimizer",
    "Parts",
    "Work",
    "layer_activations",
    "parts",
    "state_bytes",
]

Method = Literal["full", "lora", "qlora", "inference"]
Dtype = Literal["mixed", "bf16", "fp32", "int8", "nf4"]
Optimizer = Literal["adamw", "adamw_8bit", "adafactor", "sgd"]
METHODS: tuple[Method, ...] = get_args(Method)
DTYPES: tuple[Dtype, ...] = get_args(Dtype)
OPTIMIZERS: tuple[Optimizer, ...] = get_args(Optimizer)

NF4_BITS = 4 + 8 / 64 + 32 / (64 * 256)
"""Bits of a parameter in NF4 with double quantisation: blocks of 64, their constants in blocks of 256; 4.127."""

LOGIT_BYTES = 14
"""For each token and word of the vocabulary in training; see the module."""

CONTEXT_BYTES = 10**9
"""Of the driver's context and its libraries' work space on each accelerator; measured values lie from 0.3 to 1.2 GB."""

MARGIN = 0.10
"""Of everything, for fragmentation and buffers that nobody counts."""


@dataclass(frozen=True)
class Work:
    """What is done with a model.

    Attributes:
        method: full, lora, qlora or inference.
        batch: sequences at once on one accelerator.
        sequence: tokens in each.
        dtype: `mixed` (16 bits, with a 32-bit copy where all is trained), `bf16` (16 bits alone; fp16 is the same),
            `fp32`; for frozen weights also `int8` and `nf4`.
        optimizer: see `state_bytes`.
        checkpointing: whether activations are computed again instead of kept.
        rank: of the adapters.
        eager: whether attention stores its scores; kernels of today do not.
        dropout: whether dropout keeps masks; models of today have none.
    """

    method: Method = "full"
    batch: int = 1
    sequence: int = 1024
    dtype: Dtype = "mixed"
    optimizer: Optimizer = "adamw"
    checkpointing: bool = False
    rank: int = 16
    eager: bool = False
    dropout: bool = False

    @property
    def trains(self) -> bool:
        """Whether there are gradients at all."""
        return self.method != "inference"

    @property
    def element(self) -> int:
        """Bytes of an activation."""
        return 4 if self.dtype == "fp32" else 2


@dataclass(frozen=True)
class Parts:
    """Bytes on one accelerator, by what they are for.

    Attributes:
        weights, gradients, optimizer: of the model; `optimizer` has the 32-bit copy of the weights in it.
        activations, logits: what the backward pass needs; at inference, what one layer needs.
        cache: keys and values.
        overhead: context and margin.
    """

    weights: int
    gradients: int
    optimizer: int
    activations: int
    logits: int
    cache: int
    context: int = CONTEXT_BYTES

    @property
    def counted(self) -> int:
        """All that the formulas give."""
        return self.weights + self.gradients + self.optimizer + self.activations + self.logits + self.cache

    @property
    def overhead(self) -> int:
        """What is added to it."""
        return self.context + round(MARGIN * self.counted)

    @property
    def total(self) -> int:
        """The estimate."""
        return self.counted + self.overhead

    def divided(self, accelerators: int, shape: Shape, work: Work) -> Parts:
        """What one of several accelerators holds when the model is divided among them.

        Training: ZeRO stage 3 or FSDP (arXiv:1910.02054, section 5): weights, gradients and states are divided, each
        works on a batch of its own, and two layers' weights are whole at a time. Inference: tensors are divided.
        """
        if not work.trains:
            return replace(
                self,
                weights=-(-self.weights // accelerators),
                cache=-(-self.cache // accelerators),
                activations=-(-self.activations // accelerators),
            )
        whole = 2 * self.weights // max(1, shape.layers)
        return replace(
            self,
            weights=-(-self.weights // accelerators) + whole,
            gradients=-(-self.gradients // accelerators),
            optimizer=-(-self.optimizer // accelerators),
        )


def parts(shape: Shape, parameters: int, work: Work, context: int = CONTEXT_BYTES) -> Parts:
    """The memory of a model on one accelerator.

    Args:
        shape: its layers.
        parameters: how many it has; the shape's own count is not used, since files know better.
        work: what is done with it.
        context: bytes that are gone before anything is loaded.
    """
    states = _states(shape, parameters, work)
    return Parts(
        *states,
        activations=_activations(shape, work),
        logits=_logits(shape, work),
        cache=0 if work.trains else shape.layers * shape.cache_width * work.sequence * work.batch * work.element,
        context=context,
    )


def _states(shape: Shape, parameters: int, work: Work) -> tuple[int, int, int]:
    """Bytes of weights, gradients and optimizer."""
    if work.method == "full":
        element = 4 if work.dtype == "fp32" else 2
        master = 4 if work.dtype == "mixed" else 0
        states = state_bytes(work.optimizer, 4 if master else element, shape.hidden)
        return element * parameters, element * parameters, round((master + states) * parameters)
    weights = _frozen(shape, parameters, "nf4" if work.method == "qlora" else work.dtype)
    if not work.trains:
        return weights, 0, 0
    adapter = shape.adapter(work.rank)
    return weights + 4 * adapter, 4 * adapter, round(state_bytes(work.optimizer, 4, shape.hidden) * adapter)


def state_bytes(optimizer: Optimizer, element: int, width: int) -> float:
    """Bytes of an optimizer's states for one parameter.

    AdamW: two states like the weights. 8-bit AdamW: two bytes, and two 32-bit constants for each block of 2,048
    (arXiv:2110.02861, section 2). Adafactor: a row and a column of 32 bits a matrix (arXiv:1804.04235). SGD: none.
    """
    if optimizer == "adamw":
        return 2.0 * element
    if optimizer == "adamw_8bit":
        return 2 + 8 / 2048
    return 8 / width if optimizer == "adafactor" else 0.0


def _frozen(shape: Shape, parameters: int, dtype: Dtype) -> int:
    """Bytes of weights that are not trained; where linear layers are quantised, the embedding stays in 16 bits."""
    if dtype not in ("nf4", "int8"):
        return parameters * (4 if dtype == "fp32" else 2)
    embedding = min(parameters, shape.embedding)
    bits = NF4_BITS if dtype == "nf4" else 8
    return round((parameters - embedding) * bits / 8) + 2 * embedding


def layer_activations(shape: Shape, work: Work) -> int:
    """Bytes that the backward pass needs of one layer.

    By parts, for each token: two norms' inputs (2h); attention's input, queries, keys, values, and what goes into its
    output matrix (h + q + k + v + o); scores where they are stored (5·a·s for softmax, dropout and its mask); the
    feed-forward's input and what lies between its matrices (h + 2f, or h + 4f where it is gated); dropout masks of one
    byte (2h). For f = 4h and as many keys as queries this is h·(34 + 5·a·s/h), the formula of the paper.
    """
    h, tokens = shape.hidden, work.sequence * work.batch
    elements = 2 * h + h + shape.query_width + shape.key_width + shape.value_width + shape.output_width
    elements += h + (4 if shape.gated else 2) * shape.active_inner
    masks = 2 * h if work.dropout else 0
    scores = shape.heads * work.sequence * (2 * work.element + (1 if work.dropout else 0)) if work.eager else 0
    return tokens * (elements * work.element + masks + scores)


def _activations(shape: Shape, work: Work) -> int:
    one = layer_activations(shape, work)
    if not work.trains:
        return one
    layers = shape.layers
    if work.checkpointing:
        return shape.hidden * work.element * work.sequence * work.batch * layers + one
    return one * layers


def _logits(shape: Shape, work: Work) -> int:
    """At inference, only the last token's are needed, in 32 bits."""
    if not shape.language_head:
        return 0
    if not work.trains:
        return 4 * shape.vocabulary * work.batch
    each = LOGIT_BYTES - 2 if work.dtype == "fp32" else LOGIT_BYTES  # no copy in 16 bits
    return each * shape.vocabulary * work.sequence * work.batch
