"""Where the cache is, and folders that only this person can read."""

from __future__ import annotations

from pathlib import Path

from trainwright.graph.settings import home

__all__ = ["cache_folder", "private_folder"]


def cache_folder() -> Path:
    """The folder of the cache, whether or not it is there."""
    return home() / "cache" / "http"


def private_folder(path: Path) -> Path:
    """Make a folder, and those above it that are not there, for this person alone; returns it.

    Raises:
        OSError: it cannot be made.
    """
    if not path.is_dir():
        if path.parent != path:
            private_folder(path.parent)
        path.mkdir(mode=0o700, exist_ok=True)
    return path
