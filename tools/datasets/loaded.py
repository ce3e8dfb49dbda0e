"""What a loader hands over: the parts as frames, with what the source itself says about them.

A loader reads and types; it does not decide what is predicted, nor how rows are divided.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from trainwright.graph.state import Finding, Modality

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["LoadedData", "RawData"]

PART_ORDER = ("all", "train", "validation", "test")


@dataclass
class RawData:
    """Parts as Arrow columns, before types are settled over all parts together.

    Attributes:
        parts: part name to columns; a part name is `all`, `train`, `validation` or `test`.
        notes: what the reader noticed.
        target: the column that the source itself declares to be the target; empty if it does not.
        unclear_header: cells of the first line, where it may be a header or a row.
        comma_decimal: the text is likely to have decimal commas (its delimiter is not a comma).
    """

    parts: dict[str, dict[str, pa.ChunkedArray]]
    notes: list[Finding] = field(default_factory=list)
    target: str = ""
    modality: Modality = "unknown"
    shape: tuple[int, ...] = ()
    refusal: str = ""
    unclear_header: tuple[str, ...] = ()
    comma_decimal: bool = False


@dataclass(frozen=True, eq=False)
class LoadedData:
    """Data as they came, typed. The frames are shared by a cache: never change them in place.

    Attributes:
        name: of the data set, derived from the source.
        source: the spec as it was given.
        revision: sha256 (hex) of a local file's bytes, of the sorted `name sha256` lines of several files, the
            commit of a Hub data set, or the version of the library that ships the data.
        licence: as the source states it, else `unknown`.
        parts: `all`, or `train`, `validation`, `test`: frames with float64, int64, bool or boolean, string,
            datetime64[us] columns, and object columns of bytes (encoded images) or float32 arrays (flattened).
        modality: what the source's form says; `unknown` where only the columns can tell.
        shape: of an image or array in one row; empty for plain columns.
        notes: findings of the loader.
        withheld_paths: every local path at which labels could lie, absolute.
        target: the column that the source declares to be the target; empty if it does not.
        refusal: why these data cannot be used; empty if they can.
        unclear_header: cells of the first line, where it may be a header or a row.
    """

    name: str
    source: str
    revision: str
    licence: str
    parts: dict[str, pd.DataFrame]
    modality: Modality = "unknown"
    shape: tuple[int, ...] = ()
    notes: tuple[Finding, ...] = ()
    withheld_paths: tuple[Path, ...] = ()
    target: str = ""
    refusal: str = ""
    unclear_header: tuple[str, ...] = ()
