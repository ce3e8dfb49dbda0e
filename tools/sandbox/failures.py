"""Why a script failed, in one word: from how it ended and from the exception that ended it.

The class comes from the type of the exception behind the last traceback (and, for errors of the operating system, its
number), never from words somewhere in the output.
"""

from __future__ import annotations

import builtins
import errno
import re

from trainwright.graph.redaction import redact

from .limits import SandboxResult

__all__ = ["classify_failure", "classify_text"]

TRACEBACK = re.compile(
    r"(?m)^(?:Traceback \(most recent call last\):|  File \".*\", line \d+.*)\n(?:[ \t].*\n|\n)*(?P<line>\S.*)"
)
"""A traceback, or the place of a syntax error, which has no such heading; then the line with the exception."""

TYPE = re.compile(r"(?:[A-Za-z_]\w*\.)*_*(?P<type>[A-Za-z]\w*)(?::|$)")
NUMBER = re.compile(r"\[Errno (-?\d+)\]")
NUMBERS = {
    errno.ENOSPC: "disk",
    errno.EFBIG: "disk",
    errno.EDQUOT: "disk",
    errno.ENOMEM: "out_of_memory",
    errno.EAGAIN: "processes",
    errno.EMFILE: "processes",
    errno.EROFS: "permission",
    errno.EPERM: "permission",
    errno.EACCES: "permission",
    errno.ENETUNREACH: "network",
    errno.EHOSTUNREACH: "network",
    errno.ECONNREFUSED: "network",
    errno.EAFNOSUPPORT: "network",
    errno.EADDRNOTAVAIL: "network",
}
CLASSES = {
    "MemoryError": "out_of_memory",
    "ArrayMemoryError": "out_of_memory",
    "OutOfMemoryError": "out_of_memory",
    "ModuleNotFoundError": "missing_module",
    "ImportError": "missing_module",
    "KeyError": "missing_key",
    "ArrowKeyError": "missing_key",
    "SyntaxError": "syntax",
    "IndentationError": "syntax",
    "NameError": "name",
    "TypeError": "type",
    "AttributeError": "attribute",
    "ValueError": "value",
    "FileNotFoundError": "missing_file",
    "PermissionError": "permission",
    "BlockingIOError": "processes",
    "BrokenProcessPool": "killed",
    "TerminatedWorkerError": "killed",
    "ConnectionError": "network",
    "ConnectionRefusedError": "network",
    "gaierror": "network",
    "herror": "network",
    "URLError": "network",
    "HTTPError": "network",
    "ConnectError": "network",
    "ConnectTimeout": "network",
    "ReadTimeout": "network",
    "ProxyError": "network",
    "SSLError": "network",
    "MaxRetryError": "network",
    "NameResolutionError": "network",
    "ClientConnectorError": "network",
    "LocalEntryNotFoundError": "network",
    "OfflineModeIsEnabled": "network",
    "TimeoutError": "timeout",
}
ENDED = {
    "timeout": "timeout",
    "cpu": "timeout",
    "memory": "out_of_memory",
    "disk": "disk",
    "processes": "processes",
    "output": "output",
    "cancelled": "cancelled",
}
SIGNALS = {-9: "killed", -24: "timeout", -25: "disk", -11: "crash", -6: "crash", -7: "crash", -4: "crash", -8: "crash"}


def classify_text(text: str) -> str:
    """The class of the exception behind the last traceback in a log; `other` when there is none that is known."""
    found = [match["line"] for match in TRACEBACK.finditer(text)]
    match = TYPE.match(found[-1]) if found else None
    if match is None:
        return "other"
    name, number = match["type"], NUMBER.match(found[-1][match.end() :].strip())
    if number is not None and (known := NUMBERS.get(int(number[1]))):
        return known
    # "urlopen error [Errno -3]" and the like carry no number of their own; a subclass counts as its built-in parent.
    kind = getattr(builtins, name, None)
    family = [parent.__name__ for parent in kind.__mro__] if isinstance(kind, type) else [name]
    return next((CLASSES[parent] for parent in family if parent in CLASSES), "other")


def classify_failure(result: SandboxResult) -> tuple[str, str]:
    """The class of a failure, and the last lines of the output (at most 4,000 characters)."""
    # Before it is cut: half a secret would not be known any more.
    tail = (redact(result.stdout)[-1_500:] + "\n" + redact(result.stderr)[-3_000:]).strip()
    if result.message:
        tail = f"{tail}\n{redact(result.message)}"
    if result.ended in ENDED:
        return ENDED[result.ended], tail[-4_000:]
    if result.ended == "signal" and result.exit_code in SIGNALS:
        return SIGNALS[result.exit_code], tail[-4_000:]
    return classify_text(result.stderr[-20_000:]), tail[-4_000:]
