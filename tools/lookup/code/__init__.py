"""Code: search on GitHub, repositories, example scripts, trees, and files by lines; of Hub repositories, trees and files.

    from trainwright.tools.lookup import code

    code.examples("huggingface/trl", keyword="dpo")
    code.read("https://github.com/huggingface/trl/blob/main/examples/scripts/dpo.py#L20-L60").text

Everything only reads, and nothing that was read is run. The functions load what they need when they are called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainwright.tools.lookup.lazily import Functions
from trainwright.tools.lookup.operations import Area

from . import arguments

if TYPE_CHECKING:
    from .ranking import examples
    from .reading import read
    from .searching import repos, search
    from .trees import tree

__all__ = ["AREA", "examples", "read", "repos", "search", "tree"]

_functions = Functions(__name__, {
    "search": "searching", "repos": "searching", "examples": "ranking", "tree": "trees", "read": "reading",
})  # fmt: skip
__getattr__ = _functions
_operation = _functions.operation


AREA = Area(
    "code",
    "Code. repo: owner/name, hf:owner/name, hf:datasets/owner/name, or a URL.",
    (
        _operation("search", arguments.Search, "Files that hold some words, with the passages."),
        _operation("repos", arguments.Repos, "Repositories for some words, or those of an owner.", places=("query",)),
        _operation("examples", arguments.Examples, "Example scripts and notebooks of a repository."),
        _operation("tree", arguments.Tree, "The files of a repository, or of a folder in it.", places=("path",)),
        _operation("read", arguments.Read, "A file by lines; a notebook as Markdown.", places=("path",)),
    ),
)
"""The operations on code."""
