"""Data: load, audit, freeze. See `sources`, `inspection` and `freezing`.

Importing this package loads no data library; each name is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .choice import DataChoice
    from .freezing import freeze, rebuild
    from .frozen import check_frozen, inputs_path, read_test_labels, verify_frozen
    from .inspection import Inspection, inspect_data
    from .sources import load_data, withheld_paths

__all__ = [
    "DataChoice",
    "Inspection",
    "check_frozen",
    "freeze",
    "inputs_path",
    "inspect_data",
    "load_data",
    "read_test_labels",
    "rebuild",
    "verify_frozen",
    "withheld_paths",
]

_MODULES = {
    "DataChoice": "choice",
    "Inspection": "inspection",
    "freeze": "freezing",
    "inputs_path": "frozen",
    "inspect_data": "inspection",
    "load_data": "sources",
    "read_test_labels": "frozen",
    "rebuild": "freezing",
    "check_frozen": "frozen",
    "verify_frozen": "frozen",
    "withheld_paths": "sources",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)
