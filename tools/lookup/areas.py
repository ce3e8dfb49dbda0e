"""All areas of the lookups, in the order in which a person reads them."""

from __future__ import annotations

from collections.abc import Mapping

from .code import AREA as CODE
from .datasets import AREA as DATASETS
from .docs import AREA as DOCS
from .models import AREA as MODELS
from .operations import Area
from .papers import AREA as PAPERS
from .web import AREA as WEB

__all__ = ["AREAS"]

AREAS: Mapping[str, Area] = {area.name: area for area in (PAPERS, DOCS, DATASETS, MODELS, CODE, WEB)}
"""Each area by its name."""
