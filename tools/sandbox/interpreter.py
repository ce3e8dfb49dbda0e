"""Which Python runs a script: the running interpreter if it satisfies the script's PEP 723 header, else one from `uv`.

An environment that `uv` builds is cached by the header's hash; it is built before the sandbox starts, outside it,
and needs the package index once.
"""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError
from trainwright.graph.settings import home
from trainwright.tools.code import parse_header

__all__ = ["header_of", "interpreter_for", "interpreter_roots", "satisfied"]

BUILD_SECONDS = 1_800.0
"""How long each step of building an environment may take: large wheels over a slow line are waited for."""


def header_of(script: Path) -> dict[str, Any]:
    """The PEP 723 header: `requires-python` and `dependencies`; empty if the script has none.

    Raises:
        ContractError: there is no such script, or its header cannot be read.
    """
    if not script.is_file():
        raise ContractError("missing", f"There is no {script.name} in the code.")
    return parse_header(script.read_bytes(), script.name)


def satisfied(header: dict[str, Any]) -> bool:
    """Whether the running interpreter has what a header asks for.

    Raises:
        ContractError: a requirement cannot be understood, or is an address instead of a package.
    """
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    try:
        wanted = SpecifierSet(str(header.get("requires-python", "")))
        needs = [Requirement(str(item)) for item in header.get("dependencies", [])]
    except (InvalidRequirement, InvalidSpecifier) as error:
        raise ContractError("header", f"The PEP 723 header cannot be understood: {error}.") from error
    if any(need.url is not None for need in needs):
        raise ContractError(
            "header", "A dependency in the PEP 723 header is an address.", hint="Name packages of the package index."
        )
    version = ".".join(map(str, sys.version_info[:3]))
    if not wanted.contains(version, prereleases=True):
        return False
    for need in needs:
        if need.marker is not None and not need.marker.evaluate():
            continue
        try:
            installed = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            return False
        if not need.specifier.contains(installed, prereleases=True):
            return False
    return True


def interpreter_for(script: Path) -> list[str]:
    """The command that runs `script`, without the script itself.

    Raises:
        ContractError: the header cannot be read, or its environment cannot be built here.
    """
    header = header_of(script)
    if satisfied(header):
        return [sys.executable]
    return [str(_environment(header, script.name))]


def _environment(header: dict[str, Any], name: str) -> Path:
    """Python of the environment of a header, built by `uv` unless it is there.

    Wheels only: building a package would run its code here, outside the sandbox.
    """
    import uv

    needs = header.get("dependencies", [])
    wanted = header.get("requires-python", "")
    digest = hashlib.sha256("\n".join([wanted, *sorted(needs)]).encode()).hexdigest()[:24]
    folder = home() / "environments" / digest
    python = folder / "bin" / "python"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "complete").exists():
            return python
        tool = uv.find_uv_bin()
        version = ["--python", wanted] if wanted else []
        commands = (
            [tool, "venv", "--clear", *version, str(folder)],
            [tool, "pip", "install", "--no-build", "--python", str(python), *needs],
        )
        for command in commands[: 2 if needs else 1]:
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_SECONDS, check=False)
            except subprocess.TimeoutExpired as error:
                raise ContractError(
                    "environment",
                    f"The environment of {name} was not built within {BUILD_SECONDS / 60:g} minutes; uv was ended.",
                    hint="Check the connection to the package index and resume, or let its header name less.",
                ) from error
            if done.returncode:
                raise ContractError(
                    "environment",
                    f"The environment of {name} cannot be built: {done.stderr.strip()[-600:]}",
                    hint="Install what its header names into the present environment, or connect to the package index.",
                )
        (folder / "complete").touch()
    return python


INSTALLATION = ("bin", "lib", "lib64", "include", "share", "pyvenv.cfg")
"""What belongs to an interpreter, where its folder holds other things too."""


def interpreter_roots(python: str) -> list[Path]:
    """The folders that an interpreter needs to run: its environment and the installation behind it.

    An installation in a folder that holds more than itself (a home, a checkout) is named by its own parts, so that
    the rest stays out of sight.
    """
    path = Path(python)
    roots = []
    environment = path.parent.parent
    if (environment / "pyvenv.cfg").is_file():
        roots.append(environment)
    real = path.resolve()
    roots.append(real.parent.parent)
    known = [root for root in dict.fromkeys(roots) if str(root) not in ("/", "/usr", "/usr/local")]
    return [part for root in known for part in (_parts(root) if _holds_more(root) else [root])]


def _holds_more(root: Path) -> bool:
    inner = (Path.home(), home())
    return (root / ".git").exists() or any(place.is_relative_to(root) for place in inner)


def _parts(root: Path) -> list[Path]:
    return [root / name for name in INSTALLATION if (root / name).exists()]
