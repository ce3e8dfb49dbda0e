"""Where a path leads: inside the workspace or not, to a secret, to the history, or to everything at once.

Links are followed on the disk as far as it has them. What the shell would not know before it runs is not guessed:
such a place is `unknown`, and no rule that names a path allows it. Nothing is read but names.
"""

from __future__ import annotations

import fnmatch
import glob
import itertools
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .actions import Fact
from .words import Word, names_of

__all__ = ["Place", "Places", "is_secret", "secret_name"]

OWN_PROCESS = re.compile(r"/+proc/+(self|thread-self|\d+)/+(cwd|root|fd|task|map_files)(/|$)")
DEVICES = re.compile(r"/dev/(null|stdin|stdout|stderr|tty|zero|u?random|full|fd/\d+)")
"""Files that are no files: to write there changes nothing, and to read there tells nothing."""

SECRET = re.compile(
    r"(^|/)(\.ssh|\.gnupg|\.aws|\.azure|\.kube|\.password-store|\.oci|\.modal\.toml|\.vault-token|\.netrc|_netrc|\.pypirc"
    r"|\.npmrc|\.pgpass|\.my\.cnf|\.git-credentials|\.boto|\.s3cfg|\.env|\.envrc|\.env\.(?!example$|sample$|template$)[^/]*"
    r"|\.(bash|zsh|python|psql|mysql|node_repl)_history|\.(bash|zsh)rc|\.(bash_|z)?profile|\.zshenv|\.viminfo|\.lesshst"
    r"|id_(rsa|dsa|ecdsa|ed25519)[^/]*|authorized_keys|known_hosts|kaggle\.json|stored_tokens|\.htpasswd|\.Xauthority"
    r"|credentials(\.(json|toml|ya?ml|ini|db|csv))?|secrets?(\.(json|toml|ya?ml|ini|env))?"
    r"|[^/]+\.(env|pem|key|p12|pfx|kdbx|keystore|jks|asc|gpg|ovpn|agekey)"
    r"|service[-_]account[^/]*\.json|withheld)(/|$)"
    r"|(^|/)(huggingface|\.huggingface)/token$|(^|/)\.docker/config\.json$|(^|/)\.config/[^/]"
    r"|(^|/)\.git/config$|(^|/)(Keychains|keyrings)(/|$)|(^|/)\.(mozilla|thunderbird)(/|$)|(^|/)(chrome|chromium|google-chrome)(/|$)"
    r"|^/proc/[^/]+/(environ|mem|maps|fd|cmdline|task|cwd|root)(/|$)|^/proc/kcore|^/dev/(mem|kmem|sd|nvme|vd|mapper)"
    r"|^/etc/(g?shadow|sudoers|passwd|group|ssl/private|ssh)|^/var/(log|lib|spool|mail|run/secrets)(/|$)|^/run/(secrets|user)(/|$)",
    re.IGNORECASE,
)
"""Places that hold keys, tokens, passwords, what somebody typed, or the withheld labels of a run."""

HOOK = re.compile(r"/\.git(/|$)|/(sitecustomize|usercustomize)\.py$|\.pth$|/\.envrc$")
"""Files of the workspace that other programs run or obey without being told to."""

MAX_PATTERN_DEPTH = 4
"""Folders below the first pattern of a path that are looked into."""

MAX_LOOKED_AT = 20_000
"""Files and folders that are looked at for one path."""

HOLDERS = names_of("/ /home /root /etc /proc /run /var /Users /mnt /media /tmp /srv /opt /dev")
"""Folders that hold secrets somewhere below them, whatever is on this disk."""

SYSTEM_READ = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/sys", "/opt")
"""Folders of the system that hold no secret at any depth."""

SECRET_VARIABLE = re.compile(
    r"(TOKEN|SECRET|PASSW|PASSPHRASE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIAL|_KEY$|_PAT$|_AUTH$|COOKIE|SESSION_ID|WEBHOOK|_DSN$|DATABASE_URL)",
    re.IGNORECASE,
)
NO_SECRET_VARIABLE = re.compile(
    r"TOKENIZERS?_|^(MAX|NUM|N|PAD|EOS|BOS|UNK|SEP|CLS)_.*TOKENS?|_TOKENS$|TOKENS_PER", re.IGNORECASE
)


def is_secret(path: str) -> bool:
    """Whether a path names a place that holds keys, tokens, passwords or withheld labels."""
    return SECRET.search(path) is not None


def secret_name(variable: str) -> bool:
    """Whether an environment variable of this name holds a secret, as far as names tell."""
    return bool(SECRET_VARIABLE.search(variable)) and not NO_SECRET_VARIABLE.search(variable)


@dataclass(frozen=True)
class Place:
    """Where a path leads.

    Attributes:
        path: absolute, links followed; empty if it is not known.
        outside: whether it lies outside the workspace; None if that is not known.
        protected: it is the history of the workspace, or something in it.
        secret: it holds keys, tokens, passwords or withheld labels, or a pattern may hit such a place.
        target: what it is the whole of: `root`, `home`, `above` (a folder around the workspace), `workspace`; else empty.
        below: whether secrets may lie somewhere below it.
        device: it is no real file.
    """

    path: str = ""
    outside: bool | None = None
    protected: bool = False
    secret: bool = False
    target: str = ""
    below: bool = False
    device: bool = False

    def facts(self) -> dict[str, Fact]:
        """What rules can match; what is not known is an empty text."""
        outside: Fact = "" if self.outside is None else self.outside
        whole: Fact = "" if self.outside is None else bool(self.target)
        found: dict[str, Fact] = {"path": self.path, "outside": outside, "protected": self.protected, "whole": whole}
        return {**found, "target": self.target} if self.target else found


UNKNOWN = Place()


@dataclass(frozen=True)
class Places:
    """The folders that paths are compared with.

    Attributes:
        workspace: of the run, absolute, links followed.
        home: of the person, likewise.
        disk: where the files of the workspace are looked up, if commands see them under another name; else empty.
    """

    workspace: str
    home: str
    disk: str = ""

    @classmethod
    def of(cls, workspace: Path, disk: Path | None = None) -> Places:
        """For a workspace, which need not be there yet, and the folder that lies there in a sandbox."""
        if disk is not None:
            return cls(os.path.normpath(workspace), os.path.realpath(Path.home()), os.path.realpath(disk))
        return cls(os.path.realpath(workspace), os.path.realpath(Path.home()))

    def on_disk(self, path: str) -> str:
        """Where a path of the workspace lies on this disk."""
        if self.disk and (path == self.workspace or path.startswith(self.workspace + "/")):
            return self.disk + path[len(self.workspace) :]
        return path

    def named(self, path: str) -> str:
        """What commands call a path of this disk."""
        if self.disk and (path == self.disk or path.startswith(self.disk + "/")):
            return self.workspace + path[len(self.disk) :]
        return path

    def _real(self, path: str) -> str:
        """A path with its links followed, as commands see it; empty if that cannot be known."""
        named = path if path.startswith(self.workspace + "/") else os.path.normpath("/" + path.lstrip("/"))
        if self.on_disk(named) == named or self.on_disk(os.path.normpath(path)) == os.path.normpath(path):
            return os.path.realpath(path)
        real = os.path.realpath(self.on_disk(named))
        beside = real.startswith(os.path.dirname(self.disk)) and self.named(real) == real  # noqa: PTH120 - a text
        return "" if beside else self.named(real)

    def place(self, word: Word, cwd: str) -> Place:
        """Where a word leads if it is taken as a path in the folder `cwd` (empty: in a folder that is not known)."""
        if word.text == "~" or word.text.startswith("~/"):
            # A tilde that no shell expands, which is where somebody still meant to go.
            word = Word(self.home + word.text[1:], word.kind)
        if word.kind == "inside" and word.text.count(Word.HOLE) == 1:
            return self._listed(word, cwd)
        if word.kind not in ("literal", "glob", "name") or "\0" in word.text:
            return UNKNOWN
        if word.kind == "name" and word.text.startswith(Word.HOLE + "/"):
            return UNKNOWN  # an empty piece would leave the root
        if not word.text.startswith("/") and not cwd:
            return UNKNOWN
        if word.kind == "literal":
            return self.at(os.path.join(cwd, word.text))  # noqa: PTH118 - a text, not yet a path
        if word.kind == "glob":
            return self._glob(os.path.join(cwd, word.text))  # noqa: PTH118
        return self._partly(os.path.join(cwd, word.text))  # noqa: PTH118

    def at(self, path: str) -> Place:
        """A path that is known."""
        if DEVICES.fullmatch(path):
            return Place(path=path, outside=False, device=True)
        if OWN_PROCESS.match(path) or _through_process(self.on_disk(path)):
            return UNKNOWN  # the shell's own folder and files, which are not those of whoever judges
        try:
            real = self._real(path)
        except (OSError, ValueError):
            return UNKNOWN
        if not real:
            return UNKNOWN
        secret = is_secret(self.relative(real)) or is_secret(self.relative(os.path.normpath(path)))
        inside = real == self.workspace or real.startswith(self.workspace.rstrip("/") + "/")
        return Place(
            path=real,
            outside=not inside,
            protected=inside and HOOK.search(real[len(self.workspace) :]) is not None,
            secret=secret,
            target=self._target(real),
            below=self._holds(real) and not inside,
        )

    def relative(self, path: str) -> str:
        """A path below the workspace without the workspace, whose own name says nothing about its files."""
        return path[len(self.workspace) :] if path.startswith(self.workspace + "/") else path

    def _target(self, real: str) -> str:
        if real == "/":
            return "root"
        if real == self.home or self.home.startswith(real + "/"):
            return "home"
        if real == self.workspace:
            return "workspace"
        return "above" if self.workspace.startswith(real + "/") else ""

    def _holds(self, real: str) -> bool:
        homes = (
            self.home == real,
            self.home.startswith(real.rstrip("/") + "/"),
            re.fullmatch(r"/(home|Users)/[^/]+", real),
        )
        hidden = real.startswith(self.home + "/.") and "/" not in real[len(self.home) + 2 :]
        return (
            real in HOLDERS
            or any(homes)
            or hidden
            or real == self.home + "/.cache/huggingface"
            or self.workspace.startswith(real.rstrip("/") + "/")
        )

    def _glob(self, path: str) -> Place:
        """A pattern: a place with the worst of all that it may hit."""
        fixed, rest = _fixed(path)
        base = self.at(fixed)
        if ".." in rest.split("/") or rest.count("/") > MAX_PATTERN_DEPTH:
            return UNKNOWN
        whole = set(rest.split("/")) <= {"*", "**", "", ".*", "?*", "*?", ".[!.]*", "??*"}
        hits = [self.at(hit) for hit in self._hits(path)] if base.outside is False else []
        risky = is_secret("/" + rest) or any(_may_hit_secret(part) for part in rest.split("/"))
        outside = next((hit for hit in hits if hit.outside), base)
        return Place(
            path=outside.path if outside.outside else os.path.join(base.path, rest),  # noqa: PTH118
            outside=outside.outside,
            protected=base.protected or any(hit.protected for hit in hits),
            secret=base.secret or risky or _any_secret(hits) or (base.below and not self._harmless(base.path)),
            target=base.target if whole else "",
            below=base.below,
        )

    def _hits(self, path: str) -> Iterator[str]:
        """What a pattern hits on the disk, in the workspace alone: elsewhere that could take minutes."""
        try:
            for hit in itertools.islice(glob.iglob(self.on_disk(path)), 500):  # noqa: PTH207 - a shell's pattern
                yield self.named(hit)
        except (OSError, ValueError, RecursionError, re.error):
            return

    def _harmless(self, path: str) -> bool:
        return any(path == place or path.startswith(place + "/") for place in SYSTEM_READ)

    def _partly(self, path: str) -> Place:
        """A path with pieces that are not known but hold no slash, and are not `..`."""
        fixed, piece, rest = path.partition(Word.HOLE)
        folder, _, begun = fixed.rpartition("/")
        if not piece or ".." in (begun + piece + rest).split("/"):
            return UNKNOWN
        base = self.at(folder or "/")
        lone = not begun and not rest.partition("/")[0]  # what is empty leaves the folder itself
        return Place(
            path=os.path.join(base.path, (begun + piece + rest).replace(Word.HOLE, "*")),  # noqa: PTH118
            outside=base.outside,
            protected=base.protected,
            secret=base.secret or base.below,
            target=base.target if lone else "",
            below=base.below,
        )

    def _listed(self, word: Word, cwd: str) -> Place:
        """A path that a command listed below the workspace, with what stands before and behind it."""
        before, _, rest = word.text.partition(Word.HOLE)
        if ".." in (*before.split("/"), *rest.split("/")) or not cwd or self.at(os.path.join(cwd, before)).outside:  # noqa: PTH118
            return UNKNOWN
        base = self.at(os.path.join(cwd, before))  # noqa: PTH118
        name = rest.rpartition("/")[2] if "/" in rest else "*" + glob.escape(rest)
        worst = Place(outside=False) if word.checked and not before + rest else self.below(self.workspace, (name,))
        if worst.outside:
            return UNKNOWN
        path = os.path.join(self.workspace, before, "*") + rest  # noqa: PTH118
        protected = worst.protected or base.protected or HOOK.search("/x" + rest) is not None
        return Place(path=path, outside=False, protected=protected, secret=is_secret("/x" + rest))

    def names(self, word: Word, cwd: str) -> list[str]:
        """The names of what a pattern hits on the disk, or of what lies in a folder whose path ends with a slash."""
        path = os.path.join(cwd, word.text)  # noqa: PTH118
        if not path.startswith("/"):
            return []
        pattern = path if word.kind == "glob" else glob.escape(path) + "*"
        hidden = [] if word.kind == "glob" else self._hits(glob.escape(path) + ".*")
        return [os.path.basename(hit.rstrip("/")) for hit in [*self._hits(pattern), *hidden]]  # noqa: PTH119

    # -- what lies on the disk ---------------------------------------------------------------------------------------

    def there(self, path: str) -> bool:
        """Whether a path is on the disk."""
        return os.path.lexists(self.on_disk(path))

    def below(
        self,
        folder: str,
        names: Sequence[str] = (),
        *,
        hidden: bool = True,
        deep: bool = True,
        without: str = "",
    ) -> Place:
        """The worst of what lies below a folder of the workspace: a link that leads out, the history, a secret.

        Args:
            folder: absolute, links followed.
            names: patterns, all of which a file's name must match.
            hidden: whether names with a dot in front count.
            deep: whether folders in it are looked into.
            without: a folder's name that is left out.

        A folder with more than can be looked at in a moment may hold anything.
        """
        worst, left = Place(path=folder, outside=False), MAX_LOOKED_AT
        for there, name, link in _walked(self.on_disk(folder), deep=deep, hidden=hidden, without=without):
            path, left = self.named(there), left - 1
            if left < 0:
                return replace(worst, outside=True, protected=True, secret=True)
            hit = all(fnmatch.fnmatchcase(name, pattern) for pattern in names)
            if link and (hit or os.path.isdir(there)):  # noqa: PTH112 - what lies in a folder may be hit
                found = self.at(path)
                worst = replace(worst, outside=worst.outside or found.outside, secret=worst.secret or found.secret)
            elif hit:
                protected = HOOK.search(path[len(self.workspace) :]) is not None
                secret = not protected and is_secret(self.relative(path))
                worst = replace(worst, protected=worst.protected or protected, secret=worst.secret or secret)
        return worst


def _through_process(path: str) -> bool:
    """Whether a link on the way leads to the folder or the files of whichever process follows it."""
    parts = path.split("/")
    for end in range(2, len(parts) + 1):
        way = "/".join(parts[:end])
        try:
            target = os.readlink(way)  # noqa: PTH115 - a text
        except (OSError, ValueError):
            continue
        if OWN_PROCESS.match(os.path.join(os.path.dirname(way), target)):  # noqa: PTH118, PTH120 - texts
            return True
    return False


def _walked(folder: str, *, deep: bool, hidden: bool, without: str) -> Iterator[tuple[str, str, bool]]:
    """Paths and names below a folder, and whether each is a link; links are not gone into."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if (not hidden and entry.name.startswith(".")) or (without and entry.name == without):
            continue
        yield entry.path, entry.name, entry.is_symlink()
        if deep and entry.is_dir(follow_symlinks=False):
            yield from _walked(entry.path, deep=deep, hidden=hidden, without=without)


def _any_secret(places: Iterable[Place]) -> bool:
    return any(place.secret for place in places)


def _fixed(path: str) -> tuple[str, str]:
    """The folder before the first pattern, and the rest."""
    parts = path.split("/")
    first = next((number for number, part in enumerate(parts) if re.search(r"[*?\[]", part)), len(parts))
    return "/".join(parts[:first]) or "/", "/".join(parts[first:])


SECRET_EXAMPLES = (
    ".ssh",
    ".env",
    ".netrc",
    ".aws",
    ".git-credentials",
    "id_rsa",
    "withheld",
    ".pypirc",
    ".gnupg",
    "stored_tokens",
)


def _may_hit_secret(pattern: str) -> bool:
    """Whether a pattern with a literal hint of it hits the name of a secret; a lone `*` hits no hidden file."""
    if not re.search(r"[*?\[]", pattern) or pattern.strip("*") == "":
        return False
    return any(
        fnmatch.fnmatchcase(name, pattern)
        for name in SECRET_EXAMPLES
        if pattern.startswith(".") or not name.startswith(".")
    )
