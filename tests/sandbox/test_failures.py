"""The class of a failure: from exception types behind tracebacks, never from words in the output."""

from __future__ import annotations

import subprocess
import sys

import pytest

from trainwright.tools.sandbox import SandboxResult, classify_failure, classify_text


def traceback(last: str) -> str:
    return f'Traceback (most recent call last):\n  File "/code/train.py", line 3, in <module>\n    fit()\n    ^^^^^\n{last}\n'


@pytest.mark.parametrize(
    ("last", "word"),
    [
        ("MemoryError", "out_of_memory"),
        ("numpy._core._exceptions._ArrayMemoryError: Unable to allocate 7.28 TiB", "out_of_memory"),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory.", "out_of_memory"),
        ("OSError: [Errno 12] Cannot allocate memory", "out_of_memory"),
        ("ModuleNotFoundError: No module named 'torch'", "missing_module"),
        ("ImportError: cannot import name 'x' from 'y'", "missing_module"),
        ("KeyError: 'label'", "missing_key"),
        ("pyarrow.lib.ArrowKeyError: No such column", "missing_key"),
        ("NameError: name 'x' is not defined", "name"),
        ("UnboundLocalError: local variable", "name"),
        ("TypeError: fit() got an unexpected keyword argument", "type"),
        ("AttributeError: 'NoneType' object", "attribute"),
        ("ValueError: Input contains NaN", "value"),
        ("UnicodeDecodeError: 'utf-8' codec can't decode", "value"),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'x'", "missing_file"),
        ("PermissionError: [Errno 13] Permission denied: '/usr/x'", "permission"),
        ("OSError: [Errno 30] Read-only file system: '/x'", "permission"),
        ("OSError: [Errno 28] No space left on device", "disk"),
        ("OSError: [Errno 27] File too large", "disk"),
        ("OSError: [Errno 101] Network is unreachable", "network"),
        ("OSError: [Errno 97] Address family not supported by protocol", "network"),
        ("ConnectionRefusedError: [Errno 111] Connection refused", "network"),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", "network"),
        ("urllib.error.URLError: <urlopen error [Errno -3] Temporary failure>", "network"),
        ("requests.exceptions.ConnectionError: HTTPSConnectionPool(host='x')", "network"),
        ("httpx.ConnectError: [Errno -3] Temporary failure in name resolution", "network"),
        ("huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the file", "network"),
        ("BlockingIOError: [Errno 11] Resource temporarily unavailable", "processes"),
        ("TimeoutError: timed out", "timeout"),
        ("ZeroDivisionError: division by zero", "other"),
        ("my.own.Failure: sad", "other"),
        ("KeyError", "missing_key"),
        ("ValueError: first line\nKeyError: is only the second line of the message", "value"),
    ],
)
def test_exceptions(last: str, word: str) -> None:
    assert classify_text(traceback(last)) == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MemoryError: printed, not raised",
        "the KeyError: was handled\nMemoryError\nConnectionError: 500 retrying",
        "train.py:3: UserWarning: MemoryError: soon\n  warn()\n",
        "Traceback (most recent call last):",
        "INFO KeyError: 3",
    ],
)
def test_words_in_the_output_are_no_failure(text: str) -> None:
    assert classify_text(text) == "other"


def test_the_last_traceback_counts() -> None:
    handled = traceback("KeyError: 'a'") + "\nDuring handling of the above exception, another exception occurred:\n\n"
    assert classify_text(handled + traceback("ValueError: b")) == "value"
    assert classify_text(traceback("ValueError: b") + "epoch 2\nMemoryError: no\n") == "value"


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("def f(:", "syntax"),
        ("if True:\nx = 1", "syntax"),
        ("{}['a']", "missing_key"),
        ("try: {}['a']\nexcept KeyError as e: raise ValueError('x') from e", "value"),
        ("import threading\nthreading.Thread(target=lambda: {}['a']).start()", "missing_key"),
        ("raise ExceptionGroup('many', [ValueError('x')])", "other"),
        ("class Mine(KeyError): pass\nraise Mine('x')", "other"),
    ],
)
def test_what_python_really_prints(source: str, word: str) -> None:
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=False)
    assert classify_text(done.stderr) == word, done.stderr


@pytest.mark.timeout(20)
def test_a_log_made_to_be_slow_is_not() -> None:
    assert classify_text('  File "x", line 1\n' * 1_000) == "other"


@pytest.mark.parametrize(
    ("ended", "code", "word"),
    [
        ("timeout", None, "timeout"),
        ("cpu", None, "timeout"),
        ("memory", None, "out_of_memory"),
        ("disk", None, "disk"),
        ("processes", None, "processes"),
        ("output", None, "output"),
        ("cancelled", None, "cancelled"),
        ("signal", -9, "killed"),
        ("signal", -11, "crash"),
        ("signal", -25, "disk"),
        ("signal", -15, "missing_key"),
        ("exit", 1, "missing_key"),
    ],
)
def test_how_it_ended_comes_first(ended: str, code: int | None, word: str) -> None:
    result = SandboxResult(ended, code, "out", traceback("KeyError: 1"), 1.0, 1.0, 1, "It was so.")  # type: ignore[arg-type]
    found, tail = classify_failure(result)
    assert found == word
    assert tail.startswith("out\n")
    assert tail.endswith("It was so.")


def test_the_tail_is_bounded() -> None:
    result = SandboxResult("exit", 1, "o" * 9_000, "e" * 9_000, 1.0, 1.0, 1, "The end.")
    assert len(classify_failure(result)[1]) <= 4_000
