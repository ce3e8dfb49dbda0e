"""Programs that ask other machines for something: what is only asked for, what would be sent, and what would be changed.

A request is one for something public if nothing goes out with it but a plain address that is known beforehand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from urllib.parse import urlsplit

from .actions import Fact
from .calls import Call, Parsed
from .hosts import is_public, plain_host
from .recording import Effect
from .streams import Stream
from .syntax import NotUnderstood
from .words import Word, names_of

__all__ = ["READERS", "fetched"]

DATA_NAME = re.compile(
    r".+\.(csv|tsv|txt|json|jsonl|ndjson|parquet|arrow|feather|npz|npy|h5|hdf5|zip|tar|tgz|tar\.(gz|bz2|xz|zst)|gz|bz2|xz|zst|pdf|png|jpe?g|xml|ya?ml|md|rst|bib|arff|libsvm|svm|data|xlsx?|safetensors|gguf|onnx|wav|flac|mp3|mp4)",
    re.IGNORECASE,
)


def fetched(call: Call, word: Word, *, saves: bool) -> None:
    """Note a request for an address."""
    if not word.known:
        call.act(
            "send", f"asks for an address that is known only when it runs, and may hold anything: {word.shown}", host=""
        )
        return
    text = word.text if re.match(r"\w+://", word.text) else f"http://{word.text}"
    try:
        parts = urlsplit(text)
        host, password = parts.hostname or "", bool(parts.username or parts.password)
    except ValueError:
        host, password, parts = "", True, urlsplit("")
    if (
        parts.scheme not in ("http", "https")
        or password
        or not host
        or re.search(r"[{}\[\]]", text.replace(f"[{host}]", ""))
    ):
        call.unknown(f"what it does with the address {word.shown} is not known here")
        return
    name = parts.path.rpartition("/")[2]
    call.act(
        "fetch",
        f"asks {host} for {parts.path or '/'}",
        url=text,
        host=plain_host(host),
        public=is_public(host),
        query=bool(parts.query),
        saves=saves,
        data=DATA_NAME.fullmatch(name) is not None,
    )


def _network(call: Call) -> None:
    call.walker.printed = Stream(network=True)


CURL_TAKES = (
    "-o", "--output", "-H", "--header", "-A", "--user-agent", "-m", "--max-time", "--connect-timeout", "--retry", "--retry-delay", "--retry-max-time", "-r", "--range",
    "-w", "--write-out", "--output-dir", "-X", "--request", "--limit-rate", "-C", "--continue-at", "-e", "--referer", "--max-filesize", "--max-redirs", "--url", "-D", "--dump-header",
    "-y", "-Y", "--speed-time", "--speed-limit", "-z", "--time-cond",
)  # fmt: skip
CURL_PLAIN = names_of(
    """
    -s -S -L -f -I -i -g -v -4 -6 -# -N -O -J -R -h -V --silent --show-error --location --fail --head --include
    --globoff --verbose --ipv4 --ipv6 --progress-bar --no-buffer --remote-name --compressed --create-dirs
    --http1.1 --http2 --tlsv1.2 --no-progress-meter --fail-with-body --remote-time --help --version -k
    --insecure -G --get --retry-all-errors --retry-connrefused --no-location -q --disable --fail-early
    --parallel -Z
    """
)
AGENT = re.compile(r"(mozilla|curl|python|wget)[\w./ ();:+-]{0,100}", re.IGNORECASE)
"""What a program calls itself; anything else may hold data."""

SAFE_HEADERS = re.compile(
    r"(accept|accept-encoding)\s*:\s*[\w*/+.;= -]+(,\s*[\w*/+.;= -]*[/*=][\w*/+.;= -]*)*|user-agent\s*:\s*(mozilla|curl|python)[\w./ ();:+-]{0,100}|"
    r"accept-language\s*:\s*[a-z-]{2,5}|range\s*:\s*bytes=[\d-]+|cache-control\s*:\s*no-cache",
    re.IGNORECASE,
)


def _asked(call: Call, takes: tuple[str, ...], plain: Collection[str]) -> Parsed | None:
    """The options of a program that loads; None, and noted as sending, if one of them is not known to be harmless."""
    parsed = call.parse(takes)
    _network(call)
    if parsed.doubtful or any(word.many for word in call.args):
        call.act("send", f"{call.name} gets arguments that are known only when it runs", host="")
        return None
    for given in parsed.options:
        if given.name not in takes and given.name not in plain:
            call.act("send", f"{call.shown}: what {call.name} does with {given.name} may send something", host="")
            return None
    for word in parsed.values("-H", "--header"):
        if not word.known or not SAFE_HEADERS.fullmatch(word.text):
            call.act("send", f"sends the header {word.shown.partition(':')[0]}", host="")
    for word in parsed.values("-e", "--referer", "-A", "-U", "--user-agent"):
        if not word.known or not AGENT.fullmatch(word.text):
            call.act("send", "sends a text beside the address", host="")
    return parsed


def _curl(call: Call) -> None:
    if (parsed := _asked(call, CURL_TAKES, CURL_PLAIN)) is None:
        return
    if parsed.has("-k", "--insecure"):
        call.act("send", "curl would trust any machine that answers", host="")
    for word in parsed.values("-X", "--request"):
        if word.text not in ("GET", "HEAD"):
            call.act("send", f"{call.shown}: sends a {word.shown} request", host="")
    for word in parsed.values("-w", "--write-out"):
        if not word.known or "%output" in word.text or word.text.startswith("@"):
            call.unknown("what it writes or sends cannot be read")
    folder = parsed.values("--output-dir")
    if len(folder) > 1 or parsed.has("-J", "--remote-header-name"):
        call.unknown("where the file lies that it makes, or its name, is not followed")
    targets = [word for word in parsed.values("-o", "--output", "-D", "--dump-header") if word.text != "-"]
    for word in targets:
        call.write(
            Word(f"{folder[0].text}/{word.text}", "literal" if word.known and folder[0].known else "text")
            if folder
            else word
        )
    urls = [*parsed.operands, *parsed.values("--url")]
    if parsed.has("-O", "--remote-name"):
        for word in urls:
            _remote_name(call, word, folder[0] if folder else None)
    for word in urls:
        fetched(call, word, saves=bool(targets) or parsed.has("-O", "--remote-name"))
    if not urls:
        call.harmless()


def _remote_name(call: Call, url: Word, folder: Word | None) -> None:
    """The file that a download makes is named by its address."""
    name = urlsplit(url.text).path.rpartition("/")[2] if url.known else ""
    if not name or (folder is not None and not folder.known):
        call.unknown("the name of the file that it makes is not known")
        return
    call.write(Word(f"{folder.text}/{name}" if folder is not None else name))


WGET_TAKES = (
    "-O",
    "--output-document",
    "-P",
    "--directory-prefix",
    "-t",
    "--tries",
    "-T",
    "--timeout",
    "-w",
    "--wait",
    "--limit-rate",
    "-U",
    "--user-agent",
    "--header",
    "-o",
    "--output-file",
    "-a",
)
WGET_PLAIN = names_of(
    """
    -q -c -N -v -S -4 -6 --quiet --continue --no-verbose --show-progress --progress --timestamping --spider
    --no-clobber -nv -nc --server-response --help --version -n --no-cache --retry-connrefused
    """
)


def _wget(call: Call) -> None:
    if (parsed := _asked(call, WGET_TAKES, WGET_PLAIN)) is None:
        return
    for word in parsed.values("-o", "--output-file", "-a"):
        call.write(word)
    targets = parsed.values("-O", "--output-document")
    saves = not parsed.has("--spider") and not any(word.text == "-" for word in targets)
    for word in targets:
        if word.text != "-":
            call.write(word)
    folder = parsed.values("-P", "--directory-prefix")
    if len(folder) > 1:
        call.unknown("into which of several folders it loads is not followed")
    for word in parsed.operands:
        if saves and not targets:
            _remote_name(call, word, folder[0] if folder else None)
        fetched(call, word, saves=saves)
    if not parsed.operands:
        call.harmless()


# -- command lines of services ---------------------------------------------------------------------------------------

HF_READS = re.compile(
    r"(auth (whoami|list)|whoami|version|models? (ls|list|info)|datasets? (ls|list|info)|spaces? (ls|list|info)|papers (ls|list|info|search|read)|repos? (ls|list|info)|repo-files (ls|list)"
    r"|cache (ls|list|scan|verify)|scan-cache|jobs (ps|ls|logs|inspect|stats|hardware)|collections (ls|list|info)|discussions (ls|list|info|diff))"
)
HF_SPENDS = re.compile(r"(jobs|endpoints?|inference-endpoints|sandbox|spaces? (hardware|dev))\b")
HF_SECRET = re.compile(r"auth token|auth-token")
HF_OPTIONS = names_of(
    """
    -h --help -q --quiet --format --json --limit --search --author --sort --filter --repo-type --type --revision --tree
    --recursive -R --status -a --all --expand --no-truncate --namespace --follow -f --tail -n --dir --cache-dir
    """
)


def _only(call: Call, known: Collection[str]) -> bool:
    """Whether all options are known ones; short ones stand alone."""
    return all(
        word.known and (not word.text.startswith("-") or word.text.partition("=")[0] in known) for word in call.args
    )


def _hf(call: Call) -> None:
    """`hf` and `huggingface-cli`."""
    words = [word for word in call.args if not word.text.startswith("-")]
    spoken = " ".join(word.shown for word in words[:2])
    first = words[0].text if words and words[0].known else ""
    if not call.args or (len(call.args) == 1 and call.args[0].text in ("--help", "-h", "--version", "version")):
        call.harmless()
    elif first == "download":
        _hf_download(call)
    elif HF_SECRET.match(spoken):
        call.act("secret", f"{call.shown} shows a token", path="token")
    elif (
        (HF_READS.fullmatch(spoken) or HF_READS.fullmatch(first))
        and all(word.known for word in call.args[:2])
        and _only(call, HF_OPTIONS)
    ):
        call.act("read", f"asks huggingface.co: {call.shown}", reads=True)
    elif HF_SPENDS.match(spoken):
        call.act("spend", f"{call.shown}: starts or changes paid machines", host="huggingface.co")
    elif first in ("auth", "login", "logout", "lfs-enable-largefiles", "skills", "extensions", "update"):
        call.act("privilege", f"{call.shown}: changes who acts, or how")
    else:
        call.act("publish", f"{call.shown}: publishes something, or changes what is published", host="huggingface.co")


def _hf_download(call: Call) -> None:
    takes = (
        "--local-dir",
        "--revision",
        "--repo-type",
        "--include",
        "--exclude",
        "--cache-dir",
        "--max-workers",
        "--token",
        "--format",
    )
    parsed = call.parse(takes)
    for given in parsed.options:
        if given.name not in (*takes, "--quiet", "--force-download", "--dry-run", "-q") or given.name == "--token":
            raise NotUnderstood(f"what hf download does with {given.name} is not known here")
    for word in parsed.values("--local-dir", "--cache-dir"):
        call.write(word)
    if len(parsed.operands) < 2 or not all(word.known for word in parsed.operands):
        raise NotUnderstood("what it downloads is known only when it runs")
    host: dict[str, Fact] = {"host": "huggingface.co", "public": True, "query": False, "saves": True, "data": False}
    call.act("fetch", f"loads {parsed.operands[1].shown} from huggingface.co", host)
    _network(call)


GH_OPTIONS = names_of(
    """
    -L --limit -s --state -R --repo -a --assignee -A --author -l --label -B --base -H --head -S --search --json
    -c --comments --log --log-failed -b --branch -e --event --workflow --language --topic --owner --stars --sort --order
    --created --match --name-only --patch --color --required --exit-status --help --verbose -v
    """
)


def _gh(call: Call) -> None:
    words = [word for word in call.args if not word.text.startswith("-")]
    spoken = " ".join(word.shown for word in words[:2])
    if re.fullmatch(r"auth token", spoken) or any("--show-token" in word.text for word in call.args):
        call.act("secret", f"{call.shown} shows a token", path="token")
    elif (
        re.fullmatch(
            r"(auth status|(pr|issue|repo|run|release|workflow|gist|label) (list|view|diff|checks|status)|search \w+|status)",
            spoken,
        )
        and all(word.known for word in call.args)
        and _only(call, GH_OPTIONS)
    ):
        call.act("read", f"asks github.com: {call.shown}", reads=True)
    elif call.args and call.args[0].text == "--version":
        call.harmless()
    else:
        call.act("publish", f"{call.shown}: changes something on github.com, or may", host="github.com")


def _listing(reads: str, what: str, effect: Effect, options: str = "") -> Callable[[Call], None]:
    """A service of which some commands only read, with the options that they may have."""
    pattern, known = re.compile(reads), names_of(options) | {"--version", "--help"}

    def judge(call: Call) -> None:
        words = [word for word in call.args if not word.text.startswith("-")]
        spoken = " ".join(word.shown for word in words[:2])
        if (
            call.args
            and _only(call, known)
            and (pattern.fullmatch(spoken) or call.args[0].text in ("--version", "--help"))
        ):
            call.act("read", f"asks: {call.shown}", reads=True)
        else:
            call.act(effect, f"{call.shown}: {what}", {"host": ""} if effect == "send" else {})

    return judge


CONTAINER_OPTIONS = "-a --all -q --quiet --format --no-trunc -n --last -l --latest -s --size --filter --digests"
OPENSSL_OPTIONS = names_of("-md5 -sha1 -sha224 -sha256 -sha384 -sha512 -r -hex -base64 -a -v --version")


def _openssl(call: Call) -> None:
    """Check sums, numbers by chance, and its version; anything else handles keys or talks to another machine."""
    first = call.args[0].text if call.args else ""
    words = [word for word in call.args[1:] if not word.text.startswith("-")]
    if first not in ("dgst", "rand", "version", "sha256", "md5") or not _only(call, OPENSSL_OPTIONS):
        call.act("send", f"{call.shown}: handles keys or talks to another machine", host="")
        return
    for word in words if first != "rand" else []:
        call.read(word)
    call.harmless()


MACHINES = "starts or changes machines or jobs, which may cost money"
READERS: Mapping[str, Callable[[Call], None]] = {
    "curl": _curl,
    "wget": _wget,
    "hf": _hf,
    "huggingface-cli": _hf,
    "gh": _gh,
    "docker": _listing(
        r"(ps|images|version|info|container ls|image ls)( .*)?",
        "starts or changes containers, which may see all of the machine",
        "privilege",
        CONTAINER_OPTIONS,
    ),
    "podman": _listing(
        r"(ps|images|version|info)( .*)?",
        "starts or changes containers, which may see all of the machine",
        "privilege",
        CONTAINER_OPTIONS,
    ),
    "kubectl": _listing(r"version|api-resources", MACHINES, "spend", "--client"),
    "ssh": _listing(r"(?!)", "acts on another machine", "send"),
    "openssl": _openssl,
    "wandb": _listing(r"status", "sends something out", "send"),
    "kaggle": _listing(
        r"(competitions|datasets|kernels|models) (list|files)",
        "loads or publishes something",
        "publish",
        "-s --search -p --page -v --csv --sort-by -m --mine --user --tags --file-type --page-size",
    ),
    "modal": _listing(r"(?!)", MACHINES, "spend"),
    "ray": _listing(r"status|list .*", MACHINES, "spend"),
    "sky": _listing(r"status|check", MACHINES, "spend"),
    "sbatch": _listing(r"(?!)", MACHINES, "spend"),
    "srun": _listing(r"(?!)", MACHINES, "spend"),
    "gcloud": _listing(r"(?!)", MACHINES, "spend"),
    "aws": _listing(r"(?!)", MACHINES, "spend"),
}
"""By name."""
