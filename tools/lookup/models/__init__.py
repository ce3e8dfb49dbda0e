"""Models: search the Hub, read what one is, and tell whether it fits, where, how long it takes and what it costs.

    found = models.search("llama", task="text-generation", parameters="9B", limit=5)
    facts = models.details("Qwen/Qwen2.5-0.5B")
    answer = models.fit("meta-llama/Llama-3.1-8B", method="qlora", sequence=2048, examples=10_000, epochs=3)
    answer = models.fit(parameters="7B")

Everything only reads; no weights are fetched. Importing this imports no client of the Hub.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.tools.lookup.operations import Area, Operation

from .arguments import DetailsArgs, FitArgs, SearchArgs

if TYPE_CHECKING:
    from .report import Details, Fit, Listing

__all__ = ["AREA", "details", "fit", "search"]


def search(
    query: str,
    *,
    task: str = "",
    library: str = "",
    author: str = "",
    licence: str = "",
    sort: str = "",
    limit: int = 10,
    parameters: str = "",
) -> Listing:
    """Models of the Hub.

    Args:
        query: words in their names.
        task: as the Hub calls it, such as `text-classification`.
        library: such as `transformers` or `peft`.
        author: user or organisation.
        licence: as the Hub calls it, such as `apache-2.0`.
        sort: trending, downloads, likes, created or modified; the Hub's own order when empty.
        limit: 1 to 50.
        parameters: at most so many, such as `7B`.

    Raises:
        RemoteError: the Hub cannot be asked, or refuses.
    """
    given = {"task": task, "library": library, "author": author, "licence": licence, "sort": sort}
    return _search(SearchArgs.model_validate({"query": query, "limit": limit, "parameters": parameters, **given}))


def details(id: str, *, revision: str = "") -> Details:  # noqa: A002 - the name of the argument for all areas
    """What a model is: architecture, parameters, licence, context, chat template, files and which of them are unsafe.

    Args:
        id: `owner/name`.
        revision: branch, tag or commit.

    Raises:
        NotFound: there is no such model or revision.
        RemoteError: the Hub cannot be asked, or refuses.
    """
    return _details(DetailsArgs.model_validate({"id": id, "revision": revision}))


def fit(
    id: str = "",  # noqa: A002 - as above
    *,
    parameters: str = "",
    method: str = "",
    batch: int = 1,
    sequence: int = 0,
    dtype: str = "",
    optimizer: str = "",
    checkpointing: bool = False,
    rank: int = 16,
    tokens: int = 0,
    examples: int = 0,
    epochs: float = 1.0,
    flavour: str = "",
) -> Fit:
    """Whether a model fits, on which machines, cheapest first, and how long its work takes there. An estimate.

    Args:
        id: `owner/name`; may be empty where `parameters` is given.
        parameters: such as `7B`; beats what the model's files say.
        method: full, lora, qlora or inference; all four when empty.
        batch: sequences at once on one accelerator.
        sequence: tokens in each; 1024, or the model's context where that is less, when 0.
        dtype: mixed (16 bits and a 32-bit copy), bf16 (16 bits alone), fp32; int8 and nf4 for frozen weights.
        optimizer: adamw, adamw_8bit, adafactor or sgd; adamw when empty.
        checkpointing: activations are computed again instead of kept.
        rank: of LoRA's adapters.
        tokens: of one epoch, or to be written by inference.
        examples: instead of `tokens`; each counts as full.
        epochs: how often all is read.
        flavour: one machine of `trainwright.tools.jobs.hardware.FLAVOURS`; all when empty.

    Raises:
        RequestError: there is no such machine, or what is asked for makes no sense.
        NotFound: there is no such model.
        RemoteError: the Hub cannot be asked, or refuses.
    """
    given = {"method": method, "dtype": dtype, "optimizer": optimizer, "flavour": flavour, "parameters": parameters}
    numbers = {"batch": batch, "sequence": sequence, "rank": rank, "tokens": tokens, "examples": examples}
    return _fit(
        FitArgs.model_validate({"id": id, "checkpointing": checkpointing, "epochs": epochs, **given, **numbers})
    )


def _search(wanted: SearchArgs) -> Listing:
    from .searching import search as run

    return run(wanted)


def _details(wanted: DetailsArgs) -> Details:
    from .describing import details as run

    return run(wanted)


def _fit(wanted: FitArgs) -> Fit:
    from .fitting import fit as run

    return run(wanted)


AREA = Area(
    "models",
    "Models of the Hub; fit: memory, machines, cost.",
    (
        Operation("search", SearchArgs, _search, "Find models on the Hub."),
        Operation(
            "details", DetailsArgs, _details, "Architecture, parameters, licence, context, chat template, files."
        ),
        Operation(
            "fit", FitArgs, _fit, "Memory by method, and the machines that have it, cheapest first.", places=("id",)
        ),
    ),
)
