"""A system-call filter for the sandbox, as the kernel's own small program (`man 2 seccomp`).

Namespaces decide what a program sees; the filter takes away calls that reach past them or past the watcher: new user
namespaces, kernel keyrings (they follow a process through a change of user), sockets to the hypervisor, memory that
belongs to no process (`memfd`, System V), and parts of the kernel that a training script has no use for. What is
refused gets an error number, so a library falls back or the script fails with a plain exception.

Known for x86-64 and 64-bit ARM; elsewhere there is no filter, and everything else still holds.
"""

from __future__ import annotations

import errno
import os
import platform
import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["filter_fd", "filter_program"]

LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16
"""Offsets in `struct seccomp_data`."""

NEW_NAMESPACES = 0x10000000 | 0x00020000 | 0x40000000 | 0x20000000 | 0x08000000 | 0x04000000 | 0x02000000
"""CLONE_NEWUSER, NEWNS, NEWNET, NEWPID, NEWIPC, NEWUTS, NEWCGROUP."""

FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: the network namespace bounds these."""


@dataclass(frozen=True)
class Numbers:
    """Numbers of one architecture.

    Attributes:
        audit: how the kernel names it (AUDIT_ARCH_…).
        clone, socket: calls whose first argument decides.
        refused: calls that get EPERM.
        absent: calls that get ENOSYS, for which libraries have another way.
    """

    audit: int
    clone: int
    socket: int
    refused: tuple[int, ...]
    absent: tuple[int, ...]


KNOWN = {
    # refused: unshare, setns, add_key, request_key, keyctl, bpf, perf_event_open, userfaultfd, shmget, msgget,
    # io_uring_setup, io_uring_enter, io_uring_register; absent: clone3, memfd_create, memfd_secret
    "x86_64": Numbers(
        0xC000003E, 56, 41, (272, 308, 248, 249, 250, 321, 298, 323, 29, 68, 425, 426, 427), (435, 319, 447)
    ),
    "aarch64": Numbers(
        0xC00000B7, 220, 198, (97, 268, 217, 218, 219, 280, 241, 282, 194, 186, 425, 426, 427), (435, 279, 447)
    ),
}


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("=HBBI", code, yes, no, value)


def _refuse(number: int) -> bytes:
    return _step(RETURN, ERRNO | number)


@cache
def filter_program(machine: str) -> bytes:
    """The filter of an architecture as `platform.machine()` names it; empty where none is known."""
    numbers = KNOWN.get(machine)
    if numbers is None:
        return b""
    foreign = _refuse(errno.ENOSYS)
    parts = [_step(LOAD, ARCHITECTURE), _step(JUMP_EQUAL, numbers.audit, 1, 0), foreign, _step(LOAD, NUMBER)]
    # Numbers from 2**30 on are the x32 interface of x86-64, by which every other test could be passed.
    parts += [_step(JUMP_AT_LEAST, 0x40000000, 0, 1), foreign]
    for call in numbers.refused:
        parts += [_step(JUMP_EQUAL, call, 0, 1), _refuse(errno.EPERM)]
    for call in numbers.absent:
        parts += [_step(JUMP_EQUAL, call, 0, 1), _refuse(errno.ENOSYS)]
    parts += [_step(JUMP_EQUAL, numbers.clone, 0, 4), _step(LOAD, FIRST_ARGUMENT)]
    parts += [_step(JUMP_ANY_BIT, NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM), _step(RETURN, ALLOW)]
    parts += [_step(JUMP_EQUAL, numbers.socket, 0, 2 * len(FAMILIES) + 2), _step(LOAD, FIRST_ARGUMENT)]
    for family in FAMILIES:
        parts += [_step(JUMP_EQUAL, family, 0, 1), _step(RETURN, ALLOW)]
    return b"".join([*parts, _refuse(errno.EAFNOSUPPORT), _step(RETURN, ALLOW)])


@cache
def _kernel_filters() -> bool:
    status = Path("/proc/self/status")
    return status.is_file() and "Seccomp:" in status.read_text(errors="replace")


def filter_fd() -> int | None:
    """A descriptor from which bubblewrap reads the filter, for the caller to close; None where there is none."""
    program = filter_program(platform.machine())
    if not program or not _kernel_filters():
        return None
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as stream:
        stream.write(program)
    return reading
