"""The first program inside a sandbox: sets limits, gives up rights, becomes the real program.

It runs alone (`python -I launcher.py LIMITS ARGV…`) with nothing but the standard library. LIMITS is JSON:
`uid` (a number to become, or null), `cpu`, `data`, `file`, `processes` for the resource limits, and `parent`: the
process whose end ends the program too, or null where a namespace sees to that.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Give up what the program must not have, then become it."""
    limits = json.loads(sys.argv[1])
    for kind, value in (
        (resource.RLIMIT_CPU, int(limits["cpu"]) + 5),
        (resource.RLIMIT_DATA, int(limits["data"])),
        (resource.RLIMIT_FSIZE, int(limits["file"])),
        (resource.RLIMIT_NPROC, int(limits["processes"])),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    os.umask(0o022)
    # Python ignores these, a program is born with them, and a shell pipeline inside depends on it.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    if limits["uid"] is not None:
        os.setgroups([])
        os.setresgid(limits["uid"], limits["uid"], limits["uid"])
        os.setresuid(limits["uid"], limits["uid"], limits["uid"])
    if limits.get("parent") is not None and sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != limits["parent"]:
            os._exit(1)  # it ended while we began
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - becoming the program is the point


if __name__ == "__main__":
    main()
