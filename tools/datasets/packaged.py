"""Data sets that scikit-learn ships or fetches: `sklearn:NAME`.

Those that it ships need no network; those that it fetches go into the cache folder and need it once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from trainwright.graph.errors import DataError

from .arrays import ARRAY_COLUMN, Arrays, arrays_to_raw
from .loaded import RawData
from .messages import finding, shown

__all__ = ["load_sklearn", "sklearn_folder"]

SHIPPED = ("iris", "digits", "wine", "breast_cancer", "diabetes")
FETCHED = ("20newsgroups", "california_housing", "covtype", "kddcup99", "lfw_people", "olivetti_faces")
REFUSED = {
    "linnerud": "has three target columns at once; only one output is supported",
    "rcv1": "has several labels a document and a sparse matrix; only one label a row is supported",
    "lfw_pairs": "asks whether two pictures show one person; pairs are not supported",
    "species_distributions": "is a map, no table of samples",
}
LICENCES = {"iris": "cc-by-4.0", "digits": "cc-by-4.0", "wine": "cc-by-4.0", "breast_cancer": "cc-by-4.0"}
"""As the UCI repository states them, where these four come from."""


def sklearn_folder() -> Path:
    """The folder in which scikit-learn ships its data, labels included."""
    import importlib.util

    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError("scikit-learn is not installed.", hint="Install trainwright with its dependencies.")
    return Path(spec.origin).parent / "datasets"


def load_sklearn(name: str, cache: Path) -> tuple[RawData, str, str]:
    """The data, the version of scikit-learn that they come with, and the licence.

    Raises:
        DataError: no such data set, not usable here, or not fetched and no network.
    """
    import sklearn

    if name in REFUSED:
        raise DataError(f"sklearn:{name} {REFUSED[name]}.", hint=f"Usable: {', '.join(SHIPPED + FETCHED)}.")
    if name not in SHIPPED + FETCHED:
        raise DataError(
            f"scikit-learn has no data set {shown(name)} that can be used here.",
            hint=f"There are: {', '.join(SHIPPED)}; with a network also {', '.join(FETCHED)}.",
        )
    raw = _shipped(name) if name in SHIPPED else _fetched(name, cache)
    return raw, f"scikit-learn {sklearn.__version__}", LICENCES.get(name, "unknown")


def _shipped(name: str) -> RawData:
    import sklearn.datasets as source

    bunch = getattr(source, f"load_{name}")()
    if name == "digits":
        return _arrays(name, bunch.images, bunch.target, "digit")
    return _table(name, bunch)


def _table(name: str, bunch: Any) -> RawData:
    import numpy as np

    target = np.asarray(bunch.target)
    names = getattr(bunch, "target_names", None)
    classes = [str(word) for word in names] if names is not None and len(names) > 1 else []
    if classes and target.dtype.kind in "iu" and target.max() < len(classes):
        target = np.asarray(classes)[target]
    found = Arrays(x={"all": np.asarray(bunch.data)}, y={"all": target}, y_name="target")
    found.names = [str(word) for word in getattr(bunch, "feature_names", [])]
    return arrays_to_raw(f"sklearn:{name}", found)


def _arrays(name: str, images: Any, target: Any, target_name: str) -> RawData:
    found = Arrays(x={"all": images}, y={"all": target}, y_name=target_name)
    raw = arrays_to_raw(f"sklearn:{name}", found)
    size = "×".join(map(str, raw.shape))
    text = f"Each row is an image of {size} pixels, flattened into the column {ARRAY_COLUMN}."
    raw.notes.append(finding("images_as_arrays", "info", text, [ARRAY_COLUMN]))
    return raw


def _fetched(name: str, cache: Path) -> RawData:
    import sklearn.datasets as source

    home = cache / "sklearn"
    home.mkdir(parents=True, exist_ok=True)
    fetch = getattr(source, f"fetch_{name}")
    try:
        if name == "20newsgroups":
            return _newsgroups(fetch, home)
        bunch = fetch(data_home=str(home))
    except OSError as error:  # URLError and time-outs are OSErrors
        raise DataError(
            f"sklearn:{name} is not on this machine and could not be fetched: {shown(error, 160)}.",
            hint=f"Connect once, or use one that scikit-learn ships: {', '.join(SHIPPED)}.",
        ) from error
    if "images" in bunch and bunch.images.ndim >= 3:
        return _arrays(name, bunch.images, bunch.target, "person")
    return _table(name, bunch)


def _newsgroups(fetch: Any, home: Path) -> RawData:
    """The official split by date, with headers, footers and quotes as they are."""
    import pyarrow as pa

    raw = RawData({}, target="group", modality="text")
    for part in ("train", "test"):
        bunch = fetch(data_home=str(home), subset=part)
        labels = [bunch.target_names[i] for i in bunch.target]
        raw.parts[part] = {
            "text": pa.chunked_array([pa.array(bunch.data)]),
            "group": pa.chunked_array([pa.array(labels)]),
        }
    text = "The posts keep their headers and quotes, which name senders and hosts: scores are higher than without."
    raw.notes.append(finding("headers_kept", "warning", text, ["text"]))
    return raw
