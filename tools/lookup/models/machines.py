"""How fast a machine is for a model: floating-point operations, what an accelerator can do at best, and what it will do.

Operations for a token: 2·N forward and 4·N backward (Kaplan et al., arXiv:2001.08361, section 2.1), N being what the token
meets without the embedding's look-up, and 12·L·a·d·s for attention in both passes (PaLM, arXiv:2204.02311, appendix B).
Frozen weights need no gradient of their own: 4·N instead of 6·N. Checkpointing computes the forward pass twice.

Peaks are those of NVIDIA's data sheets (T4, L4, A10G, L40S, A100 80 GB SXM, H200 SXM): 16-bit tensor cores without
sparsity, and plain 32 bits. What is really reached is an assumption, and so is given as a range: `UTILISATION`; PaLM reached
0.46, GPT-3 0.21 (PaLM, table 3). Nothing is measured here.
"""

from __future__ import annotations

from typing import NamedTuple

from trainwright.tools.jobs.hardware import Flavour

from .memory import Work
from .shapes import Shape

__all__ = ["ACCELERATORS", "Accelerator", "Speed", "operations_per_token", "speed"]


class Accelerator(NamedTuple):
    """What one can do at best.

    Attributes:
        tflops: 10^12 operations a second in 16 bits.
        tflops_32: the same in 32 bits.
        gb_per_second: of its memory.
        bf16: whether it has bfloat16.
    """

    tflops: float
    tflops_32: float
    gb_per_second: float
    bf16: bool = True


ACCELERATORS = {
    "T4": Accelerator(65, 8.1, 320, bf16=False),
    "L4": Accelerator(121, 30.3, 300),
    "A10G": Accelerator(70, 31.5, 600),
    "L40S": Accelerator(362, 91.6, 864),
    "A100": Accelerator(312, 19.5, 2_039),
    "H200": Accelerator(989, 67, 4_800),
}
"""By the name that a flavour gives its accelerators."""

CPU_TFLOPS = 0.04
"""Of one virtual core in 32 bits: half a core with 32 operations a cycle at 2.5 GHz. An assumption."""

CPU_GB_PER_SECOND = 5.0
"""Memory of one virtual core: a server's memory divided by its cores. An assumption."""


class Range(NamedTuple):
    """What share of the peak is reached: expected, at worst, at best."""

    expected: float
    worst: float
    best: float


UTILISATION = Range(0.35, 0.20, 0.50)
UNPACKING = Range(0.25, 0.12, 0.40)
"""With weights in 4 or 8 bits, which are unpacked for each use."""

DIVIDED = 0.8
"""Of either is left where a model is divided among accelerators that wait for each other."""

BANDWIDTH = Range(0.60, 0.30, 0.80)
"""What share of the memory's bandwidth is reached when words are written one by one."""


class Speed(NamedTuple):
    """Tokens a second of the whole machine: expected, at worst, at best."""

    expected: float
    worst: float
    best: float


def operations_per_token(shape: Shape, active: int, work: Work) -> float:
    """Floating-point operations for one token.

    Args:
        shape: its layers.
        active: parameters that a token meets, the embedding that is only looked up included.
        work: what is done.
    """
    looked_up = shape.vocabulary * shape.hidden * (0 if shape.tied else 1) + shape.positions * shape.hidden
    met = max(active - looked_up, 0)
    forward = 2 * met + 4 * shape.layers * shape.output_width * work.sequence
    if not work.trains:
        return forward
    backward = 4 * met if work.method == "full" else 2 * met + 6 * shape.adapter(work.rank)
    again = forward if work.checkpointing else 0
    return forward + backward + 8 * shape.layers * shape.output_width * work.sequence + again


def speed(flavour: Flavour, shape: Shape, active: int, work: Work, *, read: int, divided: bool) -> Speed | None:
    """Tokens a second on a machine; None where its accelerators are not known.

    Training is bound by operations. At inference words come one by one: each step reads all weights and the cache once,
    and the slower of reading and computing counts.

    Args:
        flavour: the machine.
        shape, active, work: see `operations_per_token`.
        read: bytes of weights and cache that one step of inference reads on one accelerator.
        divided: whether the model is divided among the accelerators.
    """
    units = flavour.gpus or flavour.cpus
    peak, bandwidth = _peaks(flavour, work)
    if not peak or not units:
        return None
    share = UNPACKING if work.method == "qlora" or work.dtype in ("int8", "nf4") else UTILISATION
    loss = DIVIDED if divided else 1.0
    operations = max(operations_per_token(shape, active, work), 1.0)
    computed = [units * peak * 1e12 * part * loss / operations for part in share]
    if work.trains:
        return Speed(*computed)
    copies = units if flavour.gpus and not divided else 1
    wide = bandwidth if flavour.gpus else bandwidth * units
    steps = [wide * 1e9 * part * loss / max(read, 1) for part in BANDWIDTH]
    return Speed(*(min(c, step * work.batch * copies) for c, step in zip(computed, steps, strict=True)))


def _peaks(flavour: Flavour, work: Work) -> tuple[float, float]:
    """TFLOPS and GB a second of one accelerator, or of one virtual core; 0 where they are not known."""
    if not flavour.gpus:
        return CPU_TFLOPS, CPU_GB_PER_SECOND
    kind = ACCELERATORS.get(flavour.accelerator)
    if kind is None:
        return 0.0, 0.0
    return (kind.tflops_32 if work.dtype == "fp32" else kind.tflops), kind.gb_per_second
