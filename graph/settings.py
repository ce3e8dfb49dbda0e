"""Where things lie and what a status means outside: paths, exit codes, the environment that Trainwright reads.

The settings of a single run are `trainwright.graph.state.Settings`; this module holds what all runs on a machine
share. It imports nothing heavy, since every command of the terminal loads it.
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["EXIT_CODES", "config_folder", "database_path", "home", "hub_path", "run_path"]

EXIT_CODES: dict[str, int] = {
    "published": 0,
    "dry_run": 0,
    "failed": 1,
    "gave_up": 1,
    "waiting": 3,
    "step_limit": 4,
    "budget_limit": 4,
    "deadline": 4,
    "rejected": 5,
    "interrupted": 130,
}
"""Exit code of each final status; 2 is wrong usage."""


def home() -> Path:
    """The folder of all runs: `$TRAINWRIGHT_HOME`, else the platform's user data folder. Not created here."""
    given = os.environ.get("TRAINWRIGHT_HOME")
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("trainwright", appauthor=False)


def config_folder() -> Path:
    """The folder of `config.toml` and `policy.toml`: `$TRAINWRIGHT_CONFIG`, else the platform's. Not created here."""
    given = os.environ.get("TRAINWRIGHT_CONFIG")
    if given:
        return Path(given).expanduser().absolute()
    from platformdirs import user_config_path

    return user_config_path("trainwright", appauthor=False)


def database_path() -> Path:
    """The SQLite file with checkpoints, runs, journal and ledger."""
    return home() / "runs.db"


def run_path(run: str) -> Path:
    """The folder of one run."""
    return home() / "runs" / run


def hub_path() -> Path:
    """The folder of the local hub: one git repository a published model."""
    return home() / "hub"
