"""The package itself: what it exports, and that importing it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trainwright.tools import datasets


def test_every_export_is_there() -> None:
    for name in datasets.__all__:
        assert callable(getattr(datasets, name))
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = datasets.nothing_of_the_kind


def test_importing_loads_no_data_library() -> None:
    program = (
        "import sys; import trainwright.tools.datasets; from trainwright.tools.datasets import DataChoice, inspect_data\n"
        "print([name for name in ('pandas', 'numpy', 'pyarrow', 'sklearn', 'datasets', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
