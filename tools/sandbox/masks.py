"""Hiding what a sandbox would show otherwise: places where labels lie among the system's and the interpreter's files.

The source data, the run's own folder and the data sets that come inside Python packages are covered, wherever they
happen to lie below a place that is shown. A copy of the data elsewhere in a system folder is not found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

__all__ = ["masks"]

PACKAGES = ("lib/python3*/site-packages", "lib/python3*/dist-packages", "lib/python3/dist-packages")
FOLDERS = ("sklearn/datasets/data", "sklearn/datasets/tests/data", "vega_datasets/_data", "pydataset/resources.tar.gz")
"""Folders and files of packages that hold data and no code."""

TABLES = (
    "statsmodels/datasets/*/*.csv",
    "plotly/package_data/datasets/*",
    "seaborn/data/*.csv",
    "bokeh/sampledata/_data/*",
)
"""Files of data between files of code, which must stay."""

SYSTEM_DATA = ("share/nltk_data", "lib/R/library/datasets/data", "share/scikit_learn_data")


def masks(hide: Sequence[Path], shown: Sequence[Path]) -> list[str]:
    """The arguments for bubblewrap that put nothing in the place of everything that could hold labels.

    Args:
        hide: places of this machine that must not be seen.
        shown: places that the sandbox shows besides its mounts.
    """
    places = [*shown, *(root.resolve() for root in shown)]
    wanted = [form for path in hide for form in (path.absolute(), path.resolve())]
    hidden = [path for path in wanted if any(path.is_relative_to(root) for root in places)]
    parts: list[str] = []
    for path in dict.fromkeys([*hidden, *(path for root in shown for path in _data_below(root))]):
        if path.is_dir():
            parts += ["--size", "4096", "--tmpfs", str(path), "--remount-ro", str(path)]
        elif path.exists():
            parts += ["--ro-bind", "/dev/null", str(path)]
    return parts


@cache
def _data_below(root: Path) -> tuple[Path, ...]:
    """Data sets inside the packages of an installation, or of the system."""
    bases = [root, root / "local"] if root.name == "usr" else [root]
    return tuple(found for base in bases for found in _of_installation(base))


def _of_installation(base: Path) -> Iterator[Path]:
    for pattern in PACKAGES:
        for packages in base.glob(pattern):
            yield from (packages / name for name in FOLDERS if (packages / name).exists())
            for tables in TABLES:
                yield from packages.glob(tables)
    yield from (base / name for name in SYSTEM_DATA if (base / name).exists())
