"""The three gates of the process, in order, and what the nodes behind them need of them.

Each shows what a person needs to decide, says to the policy what would be done, and knows what a rejection or an edit
leads to. What an approval binds to is the card; what changes by itself is shown beside it. This module asks nobody:
`nodes/gate.py` does.
"""

from __future__ import annotations

from . import approve_job, approve_plan, approve_publish
from .approve_job import preflight
from .approve_publish import publication_name, publication_payload

__all__ = ["GATES", "preflight", "publication_name", "publication_payload"]

GATES = (approve_plan.GATE, approve_job.GATE, approve_publish.GATE)
