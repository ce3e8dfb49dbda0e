"""Where models are published, and what a published model consists of."""

from __future__ import annotations

from .clean_run import clean_score
from .contents import check_names, refuse_pickles
from .local import LocalHub, Published, check_model_name
from .package import build_package, files_of_package

__all__ = [
    "LocalHub",
    "Published",
    "build_package",
    "check_model_name",
    "check_names",
    "clean_score",
    "files_of_package",
    "refuse_pickles",
]
