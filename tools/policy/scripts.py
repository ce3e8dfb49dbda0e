"""Programs whose arguments are a small language or have a form of their own: awk, sed, tar, dd, ln, make, launchers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from .calls import Call, Parsed
from .inline import awk_only_reads, sed_only_prints
from .places import Place
from .syntax import NotUnderstood
from .words import Word, names_of

__all__ = ["READERS"]


def _awk(call: Call) -> None:
    parsed = call.parse(("-F", "-v", "--field-separator", "--assign"), stop=True)
    for given in parsed.options:
        if given.name not in ("-F", "-v", "--field-separator", "--assign", "--posix", "--csv", "-n"):
            raise NotUnderstood(f"what awk does with {given.name} is not known here")
    if not parsed.operands or not parsed.operands[0].known:
        raise NotUnderstood("what awk does is known only when it runs")
    program, files = parsed.operands[0], parsed.operands[1:]
    if any(word.code and not word.known for word in parsed.values("-v", "--assign")) or not awk_only_reads(
        program.text
    ):
        call.unknown("its program may start or write something, or cannot be read")
    for word in files:
        if not re.match(r"[A-Za-z_]\w*=", word.text):
            call.read(word)
    call.harmless()


SED_TAKES = ("-e", "--expression", "-l", "--line-length")
SED_MAYBE = ("-i", "--in-place")
SED_PLAIN = names_of(
    "-n -E -r -s -z -u --quiet --silent --regexp-extended --separate --null-data --unbuffered --posix --debug"
)


def _sed(call: Call) -> None:
    parsed = call.parse(SED_TAKES, maybe=SED_MAYBE)
    if parsed.doubtful or any(
        given.name not in (*SED_TAKES, *SED_MAYBE, *SED_PLAIN) or (given.value is not None and given.name in SED_PLAIN)
        for given in parsed.options
    ):
        raise NotUnderstood("what sed does with its options is not known here")
    kept = parsed.values(*SED_MAYBE)
    if any(not word.known or re.search(r"[/*]", word.text) for word in kept):
        raise NotUnderstood("where sed keeps the old file is not known here")
    operands = list(parsed.operands)
    scripts = parsed.values("-e", "--expression") or operands[:1]
    files = operands if parsed.has("-e", "--expression") else operands[1:]
    for script in scripts:
        shown = script.text.replace(Word.HOLE, "X") if script.kind == "name" else script.text
        if script.kind not in ("literal", "name") or not sed_only_prints(shown):
            call.unknown("its script may start or write something, or cannot be read")
    for word in files:
        if not parsed.has(*SED_MAYBE):
            call.read(word)
            continue
        call.write(word)
        for suffix in kept:
            call.write(replace(word, text=word.text + suffix.text))
    call.harmless()


TAR_TAKES = (
    "-f",
    "--file",
    "-C",
    "--directory",
    "--exclude",
    "-X",
    "--strip-components",
    "-T",
    "--files-from",
    "--owner",
    "--group",
    "--mtime",
    "-b",
    "--sort",
    "--mode",
)
TAR_PLAIN = names_of(
    """
    -c -x -t -z -j -J -v -p -k -m -O -a -r -u -h --create --extract --list --gzip --bzip2 --xz --zstd
    --verbose --get --keep-old-files --no-same-owner --no-same-permissions --wildcards --overwrite --append
    --auto-compress --to-stdout --skip-old-files --exclude-vcs --numeric-owner --totals
    """
)


def _tar(call: Call) -> None:
    words = list(call.args)
    if words and words[0].known and re.fullmatch(r"[A-Za-z]+", words[0].text):
        words = _old_style(words)
    inner = Call(call.walker, call.name, words, call.scope, call.stdin)
    parsed = inner.parse(TAR_TAKES)
    for given in parsed.options:
        if given.name not in TAR_TAKES and given.name not in TAR_PLAIN:
            raise NotUnderstood(f"what tar does with {given.name} is not known here")
    if parsed.doubtful or parsed.has("-T", "--files-from", "-X"):
        raise NotUnderstood("what tar takes or makes is known only when it runs")
    archives = [word for word in parsed.values("-f", "--file") if word.text != "-"]
    if any(":" in word.text or not (word.known or word.kind == "name") for word in archives):
        raise NotUnderstood("where tar's archive lies is known only when it runs, or on another machine")
    folders = parsed.values("-C", "--directory")
    if len(folders) > 1:
        raise NotUnderstood("tar goes into several folders, and which files it takes from where is not followed")
    if any(given.value is not None and given.name in TAR_PLAIN for given in parsed.options):
        raise NotUnderstood("what tar does with its options is not known here")
    extracts, lists = parsed.has("-x", "--extract", "--get"), parsed.has("-t", "--list")
    for word in archives:
        if extracts or lists:
            call.read(word)
        else:
            call.write(word)
    if extracts and not parsed.has("-O", "--to-stdout"):
        for word in folders or [Word(".")]:
            call.write(word)
    elif not lists and not extracts:
        if folders and not folders[0].known:
            raise NotUnderstood("what tar takes is known only when it runs")
        for word in parsed.operands:
            call.read(word)  # it may stand before the folder's option
            if folders and not word.text.startswith("/"):
                call.read(replace(word, text=f"{folders[0].text}/{word.text}"))
    call.harmless()


def _old_style(words: list[Word]) -> list[Word]:
    """`tar xzf a.tar.gz`: the letters take their values in order."""
    found, rest = list[Word](), words[1:]
    for letter in words[0].text:
        found.append(Word(f"-{letter}"))
        if f"-{letter}" in TAR_TAKES and rest:
            found.append(rest.pop(0))
    return [*found, *rest]


def _dd(call: Call) -> None:
    for word in call.args:
        name, _, value = word.text.partition("=")
        target = Word(value, word.kind)
        if name == "if":
            call.read(target)
        elif name == "of":
            if value.startswith("/dev/") and not call.walker.place(target, call.scope).device:
                call.act("system", f"writes over the disk {value}")
            call.write(target)
        elif name not in ("bs", "ibs", "obs", "count", "skip", "seek", "conv", "status", "iflag", "oflag", "cbs"):
            raise NotUnderstood("an operand of dd is not known here")


LN_TAKES = ("-t", "--target-directory", "-S", "--suffix")
LN_PLAIN = names_of(
    "-s -f -n -v -r -T -L -P -b -i --symbolic --force --no-dereference --verbose --relative --no-target-directory"
)


def _ln(call: Call) -> None:
    parsed = call.parse(LN_TAKES)
    if parsed.doubtful or any(given.name not in (*LN_TAKES, *LN_PLAIN) for given in parsed.options):
        raise NotUnderstood("what ln does with its options is not known here")
    into = parsed.values("-t", "--target-directory")
    sources = parsed.operands if into else parsed.operands[:-1] or parsed.operands
    for word in sources:
        for place in _led_to(call, word, into or parsed.operands[1:][-1:], parsed):
            if place.outside is not False or place.secret or place.protected or place.target:
                call.act(
                    "write",
                    f"makes a name in the workspace for {word.shown}, outside it",
                    path=place.path,
                    outside=True,
                    protected=False,
                    secret=place.secret,
                )
    for word in into or parsed.operands[-1:]:
        call.write(word)


def _led_to(call: Call, word: Word, targets: list[Word], parsed: Parsed) -> list[Place]:
    """Where a link would lead: one by its text, as seen from the folder in which it lies."""
    found = [call.walker.place(word, call.scope)]
    if parsed.has("-s", "--symbolic") and not parsed.has("-r", "--relative") and not word.text.startswith("/"):
        for target in targets:
            place = call.walker.place(target, call.scope)
            folder = place.path if Path(place.path).is_dir() else place.path.rpartition("/")[0]
            found.append(call.walker.place(word, call.scope.at(folder)))
    return found


MAKE_TARGETS = re.compile(
    r"(all|test|tests|check|checks|lint|format|fmt|build|clean|train|data|smoke|quick|help|docs|typecheck|mypy|eval|evaluate|preprocess|plots?|figures?|unit|coverage)([-_]\w+)?"
)


def _make(call: Call) -> None:
    """The workspace's own Makefile, as far as its targets say that they stay in the workspace."""
    parsed = call.parse(("-C", "--directory"), maybe=("-j", "--jobs"))
    for given in parsed.options:
        if given.name not in (
            "-j",
            "-k",
            "-s",
            "-n",
            "-B",
            "-i",
            "--jobs",
            "--keep-going",
            "--silent",
            "--dry-run",
            "-q",
            "-C",
            "--directory",
        ):
            raise NotUnderstood(f"what make does with {given.name} is not known here")
    for word in parsed.operands:
        if not word.known or not MAKE_TARGETS.fullmatch(word.text):
            raise NotUnderstood(f"what make does for {word.shown} is not known here")
    folder = parsed.values("-C", "--directory")
    if len(folder) > 1:
        raise NotUnderstood("make goes into several folders")
    call.run(Word(f"{folder[0].text}/Makefile", folder[0].kind) if folder else Word("Makefile"))


LAUNCH_TAKES = names_of(
    """
    --nproc_per_node --nproc-per-node --nnodes --node_rank --node-rank --master_port --master-port
    --num_processes --num_machines --mixed_precision --gpu_ids --num_cpu_threads_per_process --config_file
    --main_process_port --dynamo_backend --gradient_accumulation_steps
    """
)
LAUNCH_PLAIN = frozenset(
    ["--standalone", "--multi_gpu", "--cpu", "--fp16", "--bf16", "--use_deepspeed", "--use_fsdp", "--quiet", "-q"]
)


def _launch(call: Call) -> None:
    """`torchrun` and `accelerate launch`: a script of the workspace on several processes of this machine."""
    words = list(call.args)
    if call.name == "accelerate":
        if not words or words[0].text not in ("launch", "env"):
            raise NotUnderstood("what accelerate does is not known here")
        if words.pop(0).text == "env":
            call.harmless()
            return
    inner = Call(call.walker, call.name, words, call.scope, call.stdin)
    parsed = inner.parse(LAUNCH_TAKES, stop=True)
    for given in parsed.options:
        if given.name not in LAUNCH_TAKES and given.name not in LAUNCH_PLAIN:
            raise NotUnderstood(f"what {call.name} does with {given.name} is not known here")
        if given.name in ("--nnodes", "--num_machines") and (given.value is None or given.value.text != "1"):
            raise NotUnderstood("it would use several machines")
        if given.name == "--config_file" and given.value is not None:
            call.read(given.value)
    if not parsed.operands:
        raise NotUnderstood("it names no script")
    call.run(parsed.operands[0], parsed.operands[1:])


COVERAGE_TAKES = ("--source", "--omit", "--include", "--fail-under", "--precision", "--sort")
COVERAGE_PLAIN = names_of(
    "-a --append --branch -p --parallel-mode -m --show-missing -i --ignore-errors --skip-covered --skip-empty -q --keep"
)


def _coverage(call: Call) -> None:
    first, words = (call.args[0].text if call.args else ""), call.args[1:]
    inner = Call(call.walker, call.name, words, call.scope, call.stdin)
    parsed = inner.parse((*COVERAGE_TAKES, "-d", "-o"), stop=first == "run")
    if any(given.name not in (*COVERAGE_TAKES, *COVERAGE_PLAIN, "-d", "-o") for given in parsed.options):
        raise NotUnderstood("what coverage does with its options is not known here")
    for word in parsed.values("-d", "-o"):
        call.write(word)
    if first in ("report", "html", "xml", "json", "erase", "combine"):
        call.write(Word("."))
        for word in parsed.operands:
            call.read(word)
    elif first == "run" and parsed.operands:
        module = [Word("-m")] if parsed.has("-m") else []
        call.again([Word("python"), *module, *parsed.operands])
    else:
        raise NotUnderstood("what coverage does is not known here")


def _mktemp(call: Call) -> None:
    """A new file or folder, in the machine's place for such unless it is told another: nothing is written over."""
    parsed = call.parse(("-p", "--suffix"), maybe=("--tmpdir",))
    known = ("-p", "--suffix", "--tmpdir", "-d", "-q", "-u", "-t", "--directory", "--quiet", "--dry-run")
    if any(given.name not in known for given in parsed.options):
        raise NotUnderstood("what mktemp does with its options is not known here")
    folders = parsed.values("-p", "--tmpdir")
    if not folders and not (parsed.operands and not parsed.has("-t", "--tmpdir")):
        call.act(
            "write",
            "makes a new file or folder in the machine's place for such",
            path="/tmp",  # noqa: S108 - named, not used
            outside=True,
            protected=False,
            secret=False,
        )
    for word in [*folders, *parsed.operands]:
        call.write(word)


SHUF_TAKES = ("-n", "-i", "-o", "--head-count", "--input-range", "--output", "--random-source")


def _shuf(call: Call) -> None:
    parsed = call.parse(SHUF_TAKES)
    known = (*SHUF_TAKES, "-e", "--echo", "-r", "--repeat", "-z", "--zero-terminated")
    if parsed.doubtful or any(given.name not in known for given in parsed.options):
        raise NotUnderstood("what shuf does with its options is not known here")
    for word in parsed.values("-o", "--output"):
        call.write(word)
    for word in [*parsed.values("--random-source"), *(parsed.operands if not parsed.has("-e", "--echo") else [])]:
        call.read(word)
    call.harmless()


RSYNC_TAKES = ("--exclude", "--include")
RSYNC_PLAIN = names_of(
    """
    -a -v -r -q -n -h -z -P -u -c -t -l -p -m -W --archive --verbose --recursive --quiet --dry-run --human-readable
    --progress --partial --update --checksum --times --links --perms --stats --ignore-existing --existing --size-only
    """
)


def _rsync(call: Call) -> None:
    """Copies on this machine, that delete nothing."""
    parsed = call.parse(RSYNC_TAKES)
    known = all(given.name in (*RSYNC_TAKES, *RSYNC_PLAIN) for given in parsed.options)
    if not known or parsed.doubtful or len(parsed.operands) < 2 or any(":" in word.text for word in parsed.operands):
        call.act("send", f"{call.shown}: copies files, perhaps to another machine", host="")
        return
    # A source with a slash behind it is what lies in it, for rsync as for `cp` with a dot behind it.
    words = [replace(word, text=word.text + ".") if word.text.endswith("/") else word for word in parsed.operands[:-1]]
    call.again([Word("cp"), Word("-r"), *words, parsed.operands[-1]])


SQL_READS = re.compile(
    r"\s*(select|explain\s+query\s+plan\s+select)\b[^;]*;?\s*|\.(tables|schema|databases|indexes)", re.IGNORECASE
)
SQL_ACTS = re.compile(r"readfile|writefile|load_extension|\bedit\s*\(|fts3_tokenizer|\binto\b", re.IGNORECASE)
SQL_PLAIN = names_of("-header -csv -json -column -line -list -markdown -box -table -readonly -noheader -batch")


def _sqlite(call: Call) -> None:
    """A question to a database of the workspace."""
    parsed = call.parse((), plain=SQL_PLAIN)
    questions = parsed.operands[1:]
    if (
        any(given.name not in SQL_PLAIN for given in parsed.options)
        or not questions
        or not all(
            word.known and SQL_READS.fullmatch(word.text) and not SQL_ACTS.search(word.text) for word in questions
        )
    ):
        call.unknown("what it does to the database is not known here")
        return
    place = call.read(parsed.operands[0])
    if not parsed.has("-readonly") and not call.walker.places.there(place.path):
        call.write(parsed.operands[0])  # it makes what is not there


READERS: Mapping[str, Callable[[Call], None]] = {
    **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _awk),
    **dict.fromkeys(("sed", "gsed"), _sed),
    **dict.fromkeys(("tar", "bsdtar", "gtar"), _tar),
    **dict.fromkeys(("torchrun", "accelerate"), _launch),
    **dict.fromkeys(("make", "gmake"), _make),
    "dd": _dd,
    "ln": _ln,
    "coverage": _coverage,
    "mktemp": _mktemp,
    "shuf": _shuf,
    "rsync": _rsync,
    "sqlite3": _sqlite,
}
"""By name."""
