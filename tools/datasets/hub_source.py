"""Data sets of the Hugging Face Hub, through `datasets`: `owner/name[:config][@revision]`.

The revision is pinned to a commit before anything is loaded. Code of a data set is never run.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trainwright.graph.errors import DataError
from trainwright.tools.http.situation import why_offline

from .loaded import RawData
from .messages import finding, shown, shown_list
from .tables import SOUND

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["HubSpec", "hub_folders", "load_hub", "parse_hub"]

SPEC = re.compile(
    r"(?P<repo>[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95})(?::(?P<config>[\w.+-]{1,100}))?(?:@(?P<revision>[\w./-]{1,200}))?"
)
PARTS = {
    "train": "train", "training": "train", "validation": "validation", "valid": "validation", "val": "validation",
    "dev": "validation", "test": "test", "testing": "test",
}  # fmt: skip


@dataclass(frozen=True)
class HubSpec:
    """A data set on the Hub; empty strings stand for the default."""

    repo: str
    config: str = ""
    revision: str = ""


def parse_hub(spec: str) -> HubSpec | None:
    """The parts of a Hub spec, or None where `spec` is none."""
    match = SPEC.fullmatch(spec)
    return HubSpec(match["repo"], match["config"] or "", match["revision"] or "") if match else None


def hub_folders() -> tuple[Path, ...]:
    """Where `datasets` and `huggingface_hub` keep what they fetched, labels included."""
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    hub = Path(os.environ.get("HF_HUB_CACHE", home / "hub"))
    return hub, Path(os.environ.get("HF_DATASETS_CACHE", home / "datasets"))


def load_hub(spec: HubSpec, cache: Path) -> tuple[RawData, str, str]:
    """The data, the commit, and the licence that the card states.

    Raises:
        DataError: not found, gated, no network, several configurations, or a form that cannot be used.
    """
    commit, licence = _resolved(spec)
    raw = RawData({})
    for name, part in _splits(spec, commit, cache, raw).items():
        raw.parts[name] = _columns(part, raw)
    return raw, commit, licence


def _resolved(spec: HubSpec) -> tuple[str, str]:
    import httpx
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    if why := why_offline():
        raise DataError(
            f"The Hub data set {shown(spec.repo)} was not loaded, and nothing was sent, since {why} was given.",
            hint="Leave that out, or give a local file. A local path needs to exist.",
        )
    try:
        info = HfApi().dataset_info(spec.repo, revision=spec.revision or None, timeout=30)
    except HfHubHTTPError as error:
        raise _refused(spec, error) from error
    except (OSError, OfflineModeIsEnabled, httpx.HTTPError, RuntimeError) as error:
        raise DataError(
            f"The Hub data set {shown(spec.repo)} could not be reached: {shown(error, 160)}.",
            hint="Check the network (HF_ENDPOINT, HF_HUB_OFFLINE), or give a local file. A local path needs to exist.",
        ) from error
    card: Any = info.card_data or {}
    licence = card.get("license") or "unknown"
    return str(info.sha), ", ".join(licence) if isinstance(licence, list) else str(licence)


def _refused(spec: HubSpec, error: Any) -> DataError:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        text = f"The Hub does not give out {shown(spec.repo)}: it is private, gated, or does not exist."
        return DataError(text, hint="Accept its terms on the Hub and log in with `hf auth login`; check the spelling.")
    if status == 404:
        where = f" at revision {shown(spec.revision)}" if spec.revision else ""
        return DataError(f"The Hub has no data set {shown(spec.repo)}{where}.", hint="Check owner, name and revision.")
    return DataError(
        f"The Hub answered {status} for {shown(spec.repo)}.", hint="Try again later, or give a local file."
    )


def _splits(spec: HubSpec, commit: str, cache: Path, raw: RawData) -> dict[str, Any]:
    import datasets

    datasets.disable_progress_bars()  # the workflow shows its own progress
    # HF_DATASETS_CACHE wins where a person has set it; otherwise everything fetched lies in our own cache.
    folder = None if os.environ.get("HF_DATASETS_CACHE") else str(cache / "hub")
    try:
        found = datasets.load_dataset(spec.repo, spec.config or None, revision=commit, cache_dir=folder)
    except Exception as error:  # `datasets` raises errors of many libraries; all mean the same here
        raise DataError(
            f"The Hub data set {shown(spec.repo)} could not be loaded: {shown(error, 300)}.",
            hint="Where it has several configurations, name one: owner/name:config.",
        ) from error
    named = {PARTS[name.lower()]: part for name, part in found.items() if name.lower() in PARTS}
    others = [name for name in found if name.lower() not in PARTS]
    if "train" in named:
        if others:
            text = f"Parts that are neither training, validation nor test were left out: {shown_list(others)}."
            raw.notes.append(finding("ignored_parts", "warning", text))
        return named
    if len(found) == 1:
        return {"all": next(iter(found.values()))}
    raise DataError(
        f"{shown(spec.repo)} has no training part, but: {shown_list(found)}.",
        hint="Give a data set with a part called train.",
    )


def _columns(part: Any, raw: RawData) -> dict[str, pa.ChunkedArray]:
    import datasets
    import pyarrow as pa

    labelled = [name for name, kind in part.features.items() if isinstance(kind, datasets.ClassLabel)]
    for name, kind in part.features.items():
        if isinstance(kind, datasets.Image):
            part = part.cast_column(name, datasets.Image(decode=False))
            raw.modality = "images"
        elif isinstance(kind, datasets.Audio):
            raw.modality, raw.refusal = "audio", SOUND
            return {}
    table = part.with_format("arrow")[:]
    columns = {str(name): column for name, column in zip(table.column_names, table.columns, strict=True)}
    for name in labelled:
        words = part.features[name].names
        values = [words[i] if i is not None and i >= 0 else None for i in columns[name].to_pylist()]
        columns[name] = pa.chunked_array([pa.array(values, pa.string())])
    if len(labelled) == 1:
        raw.target = labelled[0]
    for name, column in columns.items():
        if pa.types.is_struct(column.type) and "bytes" in [field.name for field in column.type]:
            import pyarrow.compute as pc

            columns[name] = pc.struct_field(column, "bytes")
    return columns
