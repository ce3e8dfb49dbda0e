"""What every sandbox must do, as tests to inherit: `class TestMine(SandboxConformance)` with a fixture `sandbox`.

The fixture gives a `Sandbox`: something that runs Python source in isolation. Each test is one thing that a program
must be able to do, or one that it tries and must not get. Nothing here knows how the isolation is made.
"""

from __future__ import annotations

import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pytest

from trainwright.tools.sandbox import Limits, SandboxResult, classify_failure

SECRET = "s3cr3t-5d1f0c"
MB = 2**20


class Sandbox(Protocol):
    """Something that runs Python source in isolation, in a place of its own."""

    place: Place

    def run(self, source: str, limits: Limits = ..., **options: object) -> SandboxResult:
        """Run it; `options` are those of `run_sandboxed`."""
        ...


@dataclass
class Place:
    """A run's folder and its surroundings on this machine, each with a secret in it."""

    root: Path
    code: Path = field(init=False)
    data: Path = field(init=False)
    out: Path = field(init=False)
    secrets: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        run = self.root / "home" / "runs" / "mine"
        self.code, self.data, self.out = run / "code", run / "data", run / "attempts" / "1" / "out"
        for folder in (self.code, self.data, self.out):
            folder.mkdir(parents=True)
        (self.code / "train.py").write_text("print('the code')\n")
        (self.data / "train.txt").write_text("the data\n")
        self.secrets = {
            "withheld labels": run / "withheld" / "labels.txt",
            "another run": self.root / "home" / "runs" / "other" / "data" / "train.txt",
            "source data": self.root / "elsewhere" / "source.csv",
            "token in the home folder": self.root / "person" / ".cache" / "token",
            "run database": self.root / "home" / "runs.db",
        }
        for path in self.secrets.values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"{SECRET}\n")


def quick(**changes: object) -> Limits:
    """Limits that a hostile program meets soon; everything honest here ends in a second."""
    base = {"wall_seconds": 20.0, "cpu_seconds": 20.0, "memory_bytes": 400 * MB, "processes": 40}
    return Limits(**{**base, **changes})  # type: ignore[arg-type]


def is_gone(marker: str) -> bool:
    """Whether no process of this machine has the marker in its command line."""
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "cmdline").read_bytes():
                return False
        except OSError:
            continue
    return True


SEARCH = """
import os, sys
secret, found = SECRET.encode(), []
for top, folders, files in os.walk("/"):
    folders[:] = [f for f in folders if os.path.join(top, f) not in ("/proc", "/usr", "/lib", "/lib64", "/dev")]
    if "site-packages" in top or "/lib/python" in top or "/lib/lib" in top:
        folders[:] = []
        continue
    for name in files:
        path = os.path.join(top, name)
        try:
            if os.path.isfile(path) and os.path.getsize(path) < 100_000 and secret in open(path, "rb").read():
                found.append(path)
        except OSError:
            pass
print("found", found)
"""


class SandboxConformance:
    """The tests."""

    # What a program can do

    def test_an_honest_program_reads_code_and_data_and_leaves_its_files(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import pathlib; print(pathlib.Path('/data/train.txt').read_text() + open('/code/train.py').read())\n"
            "pathlib.Path('/out/model').mkdir(); pathlib.Path('/out/model/weights').write_bytes(b'123')"
        )
        assert (result.ended, result.exit_code, result.message) == ("exit", 0, "")
        assert "the data" in result.stdout
        assert "the code" in result.stdout
        assert (sandbox.place.out / "model" / "weights").read_bytes() == b"123"

    def test_what_it_left_is_ours_and_readable(self, sandbox: Sandbox) -> None:
        sandbox.run(
            "import os; os.umask(0o777); open('/out/a', 'w').close(); os.mkdir('/out/b'); os.chmod('/out/a', 0)"
        )
        for name in ("a", "b"):
            status = (sandbox.place.out / name).stat()
            assert status.st_uid == os.geteuid()
            assert status.st_mode & 0o444 == 0o444

    def test_exit_code(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import sys; sys.exit(7)")
        assert (result.ended, result.exit_code) == ("exit", 7)
        assert result.message == "It ended with exit code 7."

    def test_death_by_a_signal_of_its_own(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import os; os.abort()")
        assert (result.ended, result.exit_code) == ("signal", -6)
        assert classify_failure(result)[0] == "crash"

    def test_output_is_kept_apart_and_any_bytes_are_text(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import sys; sys.stdout.buffer.write('grüß 🦉 '.encode() + bytes([255, 0])); sys.stderr.write('oh')"
        )
        assert result.stdout.startswith("grüß 🦉 ")
        assert result.stderr == "oh"

    def test_long_output_keeps_head_and_tail_and_says_what_is_missing(self, sandbox: Sandbox) -> None:
        result = sandbox.run("print('first'); print('x' * 3_000_000); print('last')")
        assert result.exit_code == 0
        assert result.stdout.startswith("first\n")
        assert result.stdout.endswith("last\n")
        assert "bytes left out" in result.stdout
        assert len(result.stdout) < 200_000

    def test_the_last_words_are_never_lost(self, sandbox: Sandbox) -> None:
        """What is printed right before the end is read after it: a failure's class is in there."""
        for number in range(12):
            result = sandbox.run(f"import os; os.write(2, b'x' * 60_000 + b'last {number}'); os._exit(1)")
            assert result.stderr.endswith(f"last {number}")

    def test_output_comes_while_it_runs(self, sandbox: Sandbox) -> None:
        chunks: list[bytes] = []
        came, stop = threading.Event(), threading.Event()

        def keep(chunk: bytes) -> None:
            chunks.append(chunk)
            came.set()

        def cancelled() -> bool:
            return came.is_set() or stop.is_set()

        result = sandbox.run(
            "import time; print('here', flush=True); time.sleep(60)", on_output=keep, cancelled=cancelled
        )
        assert result.ended == "cancelled"
        assert b"".join(chunks) == b"here\n"

    def test_threads_and_processes_work_within_the_limit(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import subprocess, sys, threading, multiprocessing as m\n"
            "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
            "print(subprocess.run([sys.executable, '-c', 'print(6 * 7)'], capture_output=True, text=True).stdout)\n"
            "with m.get_context('fork').Pool(2) as pool: print(sum(pool.map(abs, [-1, -2])))\n"
        )
        assert result.exit_code == 0, result.stderr
        assert result.stdout.split() == ["thread", "42", "3"]

    def test_scratch_space(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import tempfile, os\n"
            "with tempfile.TemporaryFile() as f: f.write(bytes(1000))\n"
            "open('/dev/shm/x', 'w').write('1'); print(os.environ['HOME'])"
        )
        assert (result.exit_code, result.stdout) == (0, "/tmp\n")

    def test_scratch_space_is_new_each_time(self, sandbox: Sandbox) -> None:
        sandbox.run("open('/tmp/note', 'w').write('remember')")
        # An interpreter that lies below /tmp shows as an empty folder there.
        assert sandbox.run("import os; print(os.path.exists('/tmp/note'))").stdout == "False\n"

    def test_variables_are_given(self, sandbox: Sandbox) -> None:
        assert sandbox.run("import os; print(os.environ['MINE'])", env={"MINE": "yes"}).stdout == "yes\n"

    def test_science_works(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import numpy, pandas, sklearn.linear_model as l; from joblib import Parallel, delayed\n"
            "print(l.LinearRegression().fit(numpy.eye(3), [1, 2, 3]).coef_.shape)\n",
            quick(memory_bytes=2**30, wall_seconds=60.0, cpu_seconds=60.0),
        )
        assert (result.exit_code, result.stdout) == (0, "(3,)\n"), result.stderr

    def test_peak_memory_and_processor_time_are_measured(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import time; x = bytearray(150_000_000); e = time.process_time() + .4\nwhile time.process_time() < e: pass"
        )
        assert result.exit_code == 0
        assert 150e6 < result.peak_memory < 230e6
        assert 0.3 < result.cpu_seconds < 5

    def test_memory_shared_by_forks_is_counted_once(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import os, time; x = bytearray(150_000_000)\nkids = [os.fork() for _ in range(2)]\ntime.sleep(.6)"
        )
        assert result.exit_code == 0
        assert 150e6 < result.peak_memory < 260e6, "four processes hold the same 150 MB"

    # What it must not read

    @pytest.mark.parametrize(
        "name",
        ["withheld labels", "another run", "source data", "token in the home folder", "run database"],
    )
    def test_a_path_of_this_machine_is_not_there(self, sandbox: Sandbox, name: str) -> None:
        path = sandbox.place.secrets[name]
        result = sandbox.run(f"print(open({str(path)!r}).read())")
        assert result.exit_code == 1
        assert classify_failure(result)[0] in ("missing_file", "permission")
        assert SECRET not in result.stdout + result.stderr

    def test_no_file_that_it_can_see_holds_a_secret(self, sandbox: Sandbox) -> None:
        (sandbox.place.out / "control").write_text(SECRET)
        result = sandbox.run(SEARCH.replace("SECRET", repr(SECRET)), quick(wall_seconds=60.0, cpu_seconds=60.0))
        assert result.stdout == "found ['/out/control']\n", result.stderr

    def test_going_up_from_its_folders_leads_nowhere(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import os\n"
            "for start in ('/out', '/data', '/code', '/proc/self/cwd', '/proc/self/root', '/proc/1/root'):\n"
            "    for up in range(1, 8):\n"
            "        for end in ('withheld/labels.txt', 'runs.db', 'runs/other/data/train.txt'):\n"
            "            try: print(open(start + '/..' * up + '/' + end).read())\n"
            "            except OSError: pass\n"
        )
        assert (result.exit_code, result.stdout) == (0, "")

    def test_a_link_out_of_its_folder_is_followed_inside_only(self, sandbox: Sandbox) -> None:
        target = sandbox.place.secrets["withheld labels"]
        result = sandbox.run(f"import os; os.symlink({str(target)!r}, '/out/link'); print(open('/out/link').read())")
        assert classify_failure(result)[0] == "missing_file"
        assert (sandbox.place.out / "link").is_symlink()

    def test_libraries_use_as_many_threads_as_the_person_says(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", "many; rm")
        monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
        result = sandbox.run("import os; print(*[os.environ[f'{n}_NUM_THREADS'] for n in ('OMP', 'OPENBLAS', 'MKL')])")
        cores = len(os.sched_getaffinity(0))
        assert result.stdout.split() == ["3", str(cores), str(cores)], result.stderr

    def test_tokens_in_the_environment(self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "OPENAI_API_KEY", "LD_PRELOAD_NOTE"):
            monkeypatch.setenv(name, SECRET)
        result = sandbox.run(
            "import os, glob\n"
            "text = repr(os.environ)\n"
            "for p in glob.glob('/proc/[0-9]*'):\n"
            "    for n in ('environ', 'cmdline', 'mem', 'stat', 'maps'):\n"
            "        try: text += open(p + '/' + n, errors='replace').read(1_000_000)\n"
            "        except OSError: pass\n"
            "print(len(glob.glob('/proc/[0-9]*')) < 5, len(text) > 500, text)\n"
        )
        assert result.exit_code == 0, result.stderr
        assert result.stdout.startswith("True True ")
        assert SECRET not in result.stdout

    def test_data_sets_inside_packages(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import sklearn.datasets as d\n"
            "for load in (d.load_digits, d.load_iris, d.load_wine, d.load_breast_cancer):\n"
            "    try: print(load().data.shape)\n"
            "    except OSError as error: print(type(error).__name__)\n",
            quick(memory_bytes=2**30, wall_seconds=60.0, cpu_seconds=60.0),
        )
        assert result.stdout.split() == ["FileNotFoundError"] * 4

    def test_kernel_keyrings(self, sandbox: Sandbox) -> None:
        """They follow a process through a change of user, and may hold tokens."""
        keyctl = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
        result = sandbox.run(
            "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            f"print(libc.syscall({keyctl}, 0, -3, 0), ctypes.get_errno())"
        )
        assert result.stdout == "-1 1\n"

    # What it must not write or become

    @pytest.mark.parametrize("place", ["/code/train.py", "/data/train.txt", "/usr/x", "/x", "/etc/passwd", "/dev/x"])
    def test_only_its_folder_is_writable(self, sandbox: Sandbox, place: str) -> None:
        result = sandbox.run(f"open({place!r}, 'w').write('mine')")
        assert result.exit_code == 1
        assert classify_failure(result)[0] == "permission", result
        assert (sandbox.place.code / "train.py").read_text() == "print('the code')\n"
        assert (sandbox.place.data / "train.txt").read_text() == "the data\n"

    def test_the_interpreter_is_not_writable(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import json, os\nfor p in (json.__file__, os.__file__): open(p, 'a')")
        assert classify_failure(result)[0] == "permission", result

    def test_no_rights_and_none_to_get(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import os\n"
            "status = dict(l.split(':\\t') for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)\n"
            "print(int(status['CapEff'], 16), int(status['CapPrm'], 16), status['NoNewPrivs'], os.getuid() == 0)\n"
            "for attempt in (lambda: os.setuid(0), lambda: os.chroot('/tmp'), lambda: os.mknod('/out/d', 0o60666, 2048)):\n"
            "    try: attempt(); print('got it')\n"
            "    except OSError as error: print(type(error).__name__)\n"
        )
        lines = result.stdout.splitlines()
        assert lines[0] == "0 0 1 False"
        assert len(lines) == 4
        assert "got it" not in lines

    def test_no_namespaces_of_its_own(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            "for flag in (0x10000000, 0x20000, 0x40000000): print(libc.unshare(flag))\n"
            "print(libc.mount(b'none', b'/tmp', b'tmpfs', 0, None))"
        )
        assert result.stdout.split() == ["-1"] * 4

    def test_it_cannot_reach_processes_of_this_machine(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            f"import os, signal\nfor pid in ({os.getpid()}, {os.getppid()}):\n"
            "    try: os.kill(pid, signal.SIGKILL); print('hit')\n"
            "    except ProcessLookupError: print('nobody')\n"
        )
        assert result.stdout.split() == ["nobody", "nobody"]

    def test_killing_everything_ends_only_itself(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import os, signal; os.kill(-1, signal.SIGKILL); print('alone')")
        assert result.exit_code == 1
        assert "ProcessLookupError" in result.stderr, "there was nobody but itself"

    # The network

    @pytest.fixture
    def listener(self) -> Iterator[socket.socket]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.05)
            yield server

    def test_loopback(self, sandbox: Sandbox, listener: socket.socket) -> None:
        port = listener.getsockname()[1]
        result = sandbox.run(f"import socket; socket.create_connection(('127.0.0.1', {port}), 3)")
        assert classify_failure(result)[0] == "network", result
        with pytest.raises(TimeoutError):
            listener.accept()

    @pytest.mark.parametrize("address", ["192.0.2.1", "169.254.169.254", "10.0.0.1", "2001:db8::1"])
    def test_other_machines(self, sandbox: Sandbox, address: str) -> None:
        result = sandbox.run(f"import socket; socket.create_connection(({address!r}, 80), 3)")
        assert classify_failure(result)[0] == "network", result

    def test_names(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import urllib.request; urllib.request.urlopen('http://example.com', timeout=3)")
        assert classify_failure(result)[0] == "network", result

    def test_datagrams(self, sandbox: Sandbox) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
            server.bind(("127.0.0.1", 0))
            server.settimeout(0.05)
            port = server.getsockname()[1]
            sandbox.run(f"import socket; socket.socket(2, 2).sendto(b'hello', ('127.0.0.1', {port}))")
            with pytest.raises(TimeoutError):
                server.recv(10)

    def test_unix_sockets_by_path(self, sandbox: Sandbox) -> None:
        path = sandbox.place.root / "elsewhere" / "s"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
            server.listen()
            server.settimeout(0.05)
            result = sandbox.run(f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({str(path)!r})")
            assert classify_failure(result)[0] == "missing_file"
            with pytest.raises(TimeoutError):
                server.accept()

    def test_unix_sockets_by_abstract_name(self, sandbox: Sandbox) -> None:
        name = f"\0trainwright-{os.getpid()}"
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(name)
            server.listen()
            server.settimeout(0.05)
            result = sandbox.run(f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({name!r})")
            assert classify_failure(result)[0] == "network"
            with pytest.raises(TimeoutError):
                server.accept()

    def test_the_hypervisor(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import socket; socket.socket(40, socket.SOCK_STREAM).connect((2, 52))")
        assert classify_failure(result)[0] == "network", result

    # What it may use

    def test_forking_without_end(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass")
        assert result.ended == "processes"
        assert classify_failure(result)[0] == "processes"
        assert "40 processes" in result.message

    def test_threads_without_end(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(60,)).start()"
        )
        assert classify_failure(result)[0] in ("processes", "other")
        assert result.ended == "processes" or "can't start new thread" in result.stderr

    def test_memory_without_end(self, sandbox: Sandbox) -> None:
        result = sandbox.run("x = []\nwhile True: x.append(bytearray(1_000_000))")
        assert classify_failure(result)[0] == "out_of_memory"
        assert result.ended == "memory"

    def test_more_memory_at_once_than_there_may_be(self, sandbox: Sandbox) -> None:
        result = sandbox.run("x = bytearray(10**11)")
        assert classify_failure(result)[0] == "out_of_memory"

    def test_memory_in_many_children(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import os, time\nfor _ in range(12):\n    if os.fork() == 0: x = bytearray(b'1') * 60_000_000; time.sleep(60)\n"
            "time.sleep(60)"
        )
        assert result.ended == "memory"

    def test_memory_that_children_share(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import mmap, os, time\nfor _ in range(12):\n"
            "    if os.fork() == 0: m = mmap.mmap(-1, 60_000_000); m.write(bytes(60_000_000)); time.sleep(60)\n"
            "time.sleep(60)"
        )
        assert result.ended == "memory"

    def test_memory_of_nobody(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import os; os.memfd_create('hidden')")
        assert result.exit_code == 1, "memory that belongs to no process could not be counted"

    @pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
    def test_filling_the_scratch_space(self, sandbox: Sandbox, place: str) -> None:
        result = sandbox.run(f"f = open({place + '/x'!r}, 'wb')\nwhile True: f.write(bytes(1_000_000))")
        assert classify_failure(result)[0] in ("out_of_memory", "disk")
        assert result.exit_code != 0

    def test_filling_the_disk(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "i = 0\nwhile True:\n    i += 1\n    open(f'/out/{i}', 'wb').write(bytes(5_000_000))",
            quick(disk_bytes=50 * MB, wall_seconds=30.0),
        )
        assert classify_failure(result)[0] == "disk"
        assert str(50 * MB) in result.message

    def test_filling_the_disk_and_ending_before_anybody_looks(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "for i in range(6): open(f'/out/{i}', 'wb').write(bytes(2_000_000))", quick(disk_bytes=10 * MB)
        )
        assert result.ended == "disk"

    def test_one_file_larger_than_allowed(self, sandbox: Sandbox) -> None:
        result = sandbox.run("f = open('/out/x', 'wb')\nwhile True: f.write(bytes(100_000))", quick(file_bytes=5 * MB))
        assert classify_failure(result)[0] == "disk"
        assert (sandbox.place.out / "x").stat().st_size <= 5 * MB

    def test_a_sparse_file_of_a_terabyte(self, sandbox: Sandbox) -> None:
        result = sandbox.run("open('/out/x', 'wb').truncate(10**12)")
        assert classify_failure(result)[0] == "disk"

    @pytest.mark.parametrize("place", ["/out", "/tmp"])
    def test_many_tiny_files(self, sandbox: Sandbox, place: str) -> None:
        result = sandbox.run(f"i = 0\nwhile True:\n    i += 1\n    open({place!r} + f'/{{i}}', 'w').close()")
        assert result.ended == "disk"

    @pytest.mark.parametrize("stream", ["stdout", "stderr"])
    def test_printing_without_end(self, sandbox: Sandbox, stream: str) -> None:
        result = sandbox.run(
            f"import sys\nwhile True: print('spam' * 1000, file=sys.{stream})", quick(output_bytes=2 * MB)
        )
        assert classify_failure(result)[0] == "output"
        assert len(result.stdout) + len(result.stderr) < 300_000

    def test_outliving_its_time(self, sandbox: Sandbox) -> None:
        started = time.monotonic()
        result = sandbox.run(
            "import signal, time\nfor s in (1, 2, 3, 15): signal.signal(s, signal.SIG_IGN)\ntime.sleep(60)",
            quick(wall_seconds=0.6),
        )
        assert classify_failure(result)[0] == "timeout"
        assert result.ended == "timeout"
        assert time.monotonic() - started < 5

    def test_processor_time_of_many_short_lives(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import os, time\nwhile True:\n    if os.fork() == 0:\n        e = time.process_time() + .03\n"
            "        while time.process_time() < e: pass\n        os._exit(0)\n    os.wait()",
            quick(cpu_seconds=1.0),
        )
        assert result.ended == "cpu"
        assert classify_failure(result)[0] == "timeout"

    def test_being_cancelled(self, sandbox: Sandbox) -> None:
        started = time.monotonic()
        result = sandbox.run("import time; time.sleep(60)", cancelled=lambda: time.monotonic() - started > 0.5)
        assert classify_failure(result)[0] == "cancelled"
        assert result.exit_code is None

    @pytest.mark.parametrize("last", ["pass", "time.sleep(60)"])
    def test_a_daemon_does_not_outlive_it(self, sandbox: Sandbox, last: str) -> None:
        marker = f"daemon-{time.monotonic_ns()}"
        daemon = "import time\\nwhile True: open('/out/beat', 'w').write(str(time.time())); time.sleep(.001)"
        result = sandbox.run(
            "import os, subprocess, sys, time\n"
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
            "        for fd in (0, 1, 2): os.close(fd)\n"
            f"        os.execv(sys.executable, [sys.executable, '-c', {daemon!r}.replace('\\\\n', chr(10)), {marker!r}])\n"
            "    os._exit(0)\n"
            f"while not os.path.exists('/out/beat'): time.sleep(.01)\n{last}",
            quick(wall_seconds=1.5),
        )
        assert result.ended == ("exit" if last == "pass" else "timeout")
        assert is_gone(marker)
        beat = (sandbox.place.out / "beat").stat().st_mtime_ns
        assert (sandbox.place.out / "beat").stat().st_mtime_ns == beat

    # What it leaves

    def test_a_tree_too_deep_to_look_at(self, sandbox: Sandbox) -> None:
        result = sandbox.run("import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')\nopen('x', 'w').write('1')")
        assert result.ended == "disk"
        assert not list(sandbox.place.out.iterdir()), "what cannot be looked at is removed"

    def test_a_folder_that_hides_what_is_in_it(self, sandbox: Sandbox) -> None:
        sandbox.run("import os; os.mkdir('/out/d'); open('/out/d/x', 'w').write('1'); os.chmod('/out/d', 0)")
        left = list(sandbox.place.out.rglob("*"))
        assert all(path.stat().st_mode & 0o444 for path in left)

    def test_bits_by_which_a_file_would_run_as_us(self, sandbox: Sandbox) -> None:
        sandbox.run("import os; open('/out/x', 'w').close(); os.chmod('/out/x', 0o6777)")
        mode = (sandbox.place.out / "x").stat().st_mode
        assert not mode & (stat.S_ISUID | stat.S_ISGID)
        assert not mode & 0o022, "nobody else may change it"

    def test_odd_things_do_not_matter(self, sandbox: Sandbox) -> None:
        result = sandbox.run(
            "import os, socket\nos.mkfifo('/out/pipe'); s = socket.socket(socket.AF_UNIX); s.bind('/out/socket')\n"
            "open(b'/out/\\xff\\xfe\\n', 'w').close(); open('/out/' + 'n' * 255, 'w').close(); os.symlink('/out', '/out/me')\n"
            "os.symlink('nowhere', '/out/dangling')"
        )
        assert result.exit_code == 0, result.stderr
        assert len(list(sandbox.place.out.iterdir())) == 6
