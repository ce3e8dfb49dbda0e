"""Under which circumstances the tools of a run look things up: offline or not, what is hidden, where scripts run.

Whoever runs a tool for an engineer, in a stage or in a research helper, does it inside `surroundings`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from trainwright.graph.stopping import stop_requested
from trainwright.tools.contract import masked_paths
from trainwright.tools.http import lookups
from trainwright.tools.lookup.datasets.withheld import names_of, withheld
from trainwright.tools.lookup.docs.installation import running_code
from trainwright.tools.toolbox import Workbench

__all__ = ["surroundings"]


@contextmanager
def surroundings(bench: Workbench) -> Iterator[None]:
    """Offline where the run is, stopped when it is to stop, and without the rows on which this run is scored."""
    kept = withheld.set(names_of(bench.request.data))
    try:
        with (
            lookups(offline=bench.settings.offline, cancelled=stop_requested),
            running_code(bench.folder / "code" / "train.py", lambda: masked_paths(bench.request.data)),
        ):
            yield
    finally:
        withheld.reset(kept)
