"""What research helpers report: typed findings, whose evidence was really read, ranked recipes. It looks nothing up."""

from __future__ import annotations

from .evidence import Read, held_to
from .finding import Evidence, Finding, Findings, Recipe, Report, Statement
from .ranking import ranked

__all__ = ["Evidence", "Finding", "Findings", "Read", "Recipe", "Report", "Statement", "held_to", "ranked"]
