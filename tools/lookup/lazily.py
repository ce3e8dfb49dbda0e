"""The functions of an area's package, each loaded from its module when it is first used.

An area is described at the start of the program (its tool, its commands); what it needs to answer is heavy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from trainwright.tools.http import LOOKUP_SECONDS

from .found import Found
from .operations import Operation

__all__ = ["Functions"]


@dataclass(frozen=True)
class Functions:
    """The functions of a package by name, which serves as the package's `__getattr__`.

    Attributes:
        package: its full name.
        modules: each function to the module of the package that has it.
    """

    package: str
    modules: Mapping[str, str]

    def __call__(self, name: str) -> Any:
        """The function.

        Raises:
            AttributeError: there is none of that name.
        """
        if name not in self.modules:
            raise AttributeError(f"module {self.package!r} has no attribute {name!r}")
        return getattr(import_module(f".{self.modules[name]}", self.package), name)

    def operation(
        self,
        name: str,
        takes: type[BaseModel],
        summary: str,
        *,
        engineers: bool = True,
        places: tuple[str, ...] = (),
        seconds: float = LOOKUP_SECONDS,
        **more: Any,
    ) -> Operation:
        """The operation that calls a function with its arguments by name.

        Args:
            name: of the function, and of the operation.
            takes, summary, engineers, places, seconds: see `Operation`.
            more: further arguments of the function, which no caller gives.
        """

        def run(wanted: BaseModel) -> Found:
            found: Found = self(name)(**wanted.model_dump(), **more)
            return found

        return Operation(name, takes, run, summary, engineers, places, seconds)
