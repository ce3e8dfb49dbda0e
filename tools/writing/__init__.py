"""What an engineer writes code with: files of the code folder, edits, and checks before anything runs."""

from __future__ import annotations

from .checking import check_script
from .editing import Edit, replace_once
from .files import Written, edit_file, forget, list_files, read_file, read_kept, saw, write_file
from .findings import Finding
from .lines import Text

__all__ = [
    "Edit",
    "Finding",
    "Text",
    "Written",
    "check_script",
    "edit_file",
    "forget",
    "list_files",
    "read_file",
    "read_kept",
    "replace_once",
    "saw",
    "write_file",
]
