"""Where a paper comes from: arXiv, an address, a file, or text. It is copied into the run's folder once.

A run keeps the copy that it began with: `source.json` beside it remembers what was asked for, and the same question
gets the same file, also after the original has changed or gone. Nothing is read here but the first bytes, which tell
a PDF from text, and both from what is neither.
"""

from __future__ import annotations

import re
from pathlib import Path
from threading import Lock

from pydantic import ValidationError

from trainwright.graph.errors import PaperError

from .arxiv_source import arxiv_id_of, fetch_arxiv
from .download import SIZE_LIMIT, download
from .records import PaperSource, SourceKind

__all__ = ["TEXT_LIMIT", "fetch_paper", "kind_of_bytes", "read_file_bytes"]

TEXT_LIMIT = 4 * 2**20
"""Bytes of a Markdown or text file."""

_ONE_AT_A_TIME = Lock()
"""Two calls of one run for the same paper fetch it once."""

_WORDY = 25
"""Blanks in a line that is a text and no path."""

_BINARY = (
    (b"\x89PNG", "a PNG picture"), (b"\xff\xd8\xff", "a JPEG picture"), (b"GIF8", "a GIF picture"),
    (b"II*\x00", "a TIFF picture"), (b"MM\x00*", "a TIFF picture"), (b"BM", "a bitmap picture"),
    (b"PK\x03\x04", "a zip archive or an Office document"), (b"PK\x05\x06", "an empty zip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office document"), (b"\x1f\x8b", "a gzip archive"), (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"), (b"7z\xbc\xaf", "a 7z archive"), (b"\x7fELF", "a program"), (b"MZ", "a program"),
    (b"%!PS", "a PostScript file"), (b"{\\rtf", "an RTF document"), (b"RIFF", "a sound or film file"),
    (b"ID3", "a sound file"), (b"OggS", "a sound file"), (b"\x93NUMPY", "an array of numbers"),
    (b"PAR1", "a Parquet table"), (b"SQLite format 3", "a database"),
)  # fmt: skip
_MARKDOWN_NAME = (".md", ".markdown", ".mdown", ".mkd")


def fetch_paper(spec: str, folder: Path) -> PaperSource:
    """The paper's file in `folder`, fetched if it is not there yet.

    Args:
        spec: an arXiv id or URL, a URL, a path, or the text itself (anything with a line break or very many blanks).
        folder: the run's folder for its paper; it is made if need be.

    Raises:
        PaperError: there is no such paper, or the file is none: the message names it.
        RemoteUnavailable: the network or the server fails: trying later may help.
        RemoteError: the server refuses.
    """
    with _ONE_AT_A_TIME:
        folder.mkdir(parents=True, exist_ok=True)
        note = folder / "source.json"
        known = _known(note, spec)
        if known is not None:
            return known
        source = _fetch(spec, folder)
        temporary = note.with_suffix(".part")
        temporary.write_text(source.model_dump_json(), encoding="utf-8")
        temporary.replace(note)
        return source


def _known(note: Path, spec: str) -> PaperSource | None:
    try:
        source = PaperSource.model_validate_json(note.read_bytes())
    except (OSError, ValidationError):
        return None
    same = source.origin == (_short(spec) if _is_text(spec) else spec)
    path = note.parent / source.path.name  # the run's folder may have been moved, or copied, since
    return source.model_copy(update={"path": path}) if same and path.is_file() else None


def _is_text(spec: str) -> bool:
    """Whether the paper itself was given: it has a line break, or is far too wordy for a name."""
    return "\n" in spec or spec.count(" ") >= _WORDY


def _short(text: str) -> str:
    """What stands for a text in the note: its digest, since a text may be long."""
    from hashlib import sha256

    return f"text:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _fetch(spec: str, folder: Path) -> PaperSource:
    if _is_text(spec):
        return _from_text(spec, folder)
    if not spec.strip():
        raise PaperError("There is no paper: its name is empty.", hint="Give an arXiv id, a URL, a file or a text.")
    path = Path(spec).expanduser()
    local = _is_there(path)
    if not local and (arxiv_id := arxiv_id_of(spec)):
        target = folder / "source.pdf"
        entry = fetch_arxiv(arxiv_id, target)
        _check_pdf(target, f"arXiv {entry.arxiv_id}")
        return PaperSource(path=target, kind="pdf", origin=spec, arxiv_id=entry.arxiv_id, title=entry.title)
    if not local and re.match(r"https?://", spec, re.IGNORECASE):
        return _from_address(spec, folder)
    return _from_file(spec, path, folder)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # too long for a path
        return False


def _check_pdf(path: Path, name: str) -> None:
    if kind_of_bytes(path.read_bytes(), name, path.suffix) != "pdf":
        path.unlink()
        raise PaperError(f"What came for {name} is no PDF.", hint="Download the paper in a browser, and give the file.")


def _from_text(text: str, folder: Path) -> PaperSource:
    markdown = bool(re.search(r"(?m)^#{1,4} \S|^\|.*\|\s*$", text))
    target = folder / ("source.md" if markdown else "source.txt")
    target.write_text(text, encoding="utf-8", errors="replace")
    return PaperSource(path=target, kind="markdown" if markdown else "text", origin=_short(text))


def _from_address(address: str, folder: Path) -> PaperSource:
    target = folder / "source.part"
    download(address, target)
    try:
        kind = kind_of_bytes(target.read_bytes(), address, Path(address.split("?")[0]).suffix)
        final = folder / _name(kind)
        target.replace(final)
    finally:
        target.unlink(missing_ok=True)
    return PaperSource(path=final, kind=kind, origin=address)


def _from_file(spec: str, path: Path, folder: Path) -> PaperSource:
    raw, kind, _ = _file_bytes(spec, path)
    target = folder / _name(kind)
    target.write_bytes(raw)
    return PaperSource(path=target, kind=kind, origin=spec)


def read_file_bytes(spec: str) -> tuple[bytes, SourceKind, str]:
    """A paper's file where it lies: its bytes, what it is, and its name.

    Raises:
        PaperError: there is none, or it is no PDF and no text.
    """
    return _file_bytes(spec, Path(spec).expanduser())


def _file_bytes(spec: str, path: Path) -> tuple[bytes, SourceKind, str]:
    name = path.name[:200]
    if not _is_there(path):
        raise PaperError(
            f"There is no paper at {spec[:300]}.",
            hint="Give the path of a PDF, Markdown or text file, an arXiv id such as 1408.5882, or a URL.",
        )
    if path.is_dir():
        raise PaperError(f"{name} is a folder, not a paper.", hint="Give the PDF, Markdown or text file itself.")
    if not path.is_file():
        raise PaperError(f"{name} is no ordinary file.", hint="Give a PDF, Markdown or text file.")
    try:
        size = path.stat().st_size
        if size > SIZE_LIMIT:
            raise PaperError(
                f"{name} has {size / 2**20:.0f} MiB; a paper's file may have {SIZE_LIMIT // 2**20}.",
                hint="Give the paper alone, or make the PDF smaller (for example with gs -dPDFSETTINGS=/ebook).",
            )
        raw = path.read_bytes()
    except OSError as error:
        raise PaperError(f"{name} cannot be read: {error.strerror}.", hint="Make it readable, or copy it.") from error
    return raw, kind_of_bytes(raw, name, path.suffix), name


def _name(kind: SourceKind) -> str:
    return {"pdf": "source.pdf", "markdown": "source.md", "text": "source.txt"}[kind]


def kind_of_bytes(raw: bytes, name: str, suffix: str) -> SourceKind:
    """What a file holds, by its first bytes; its ending only tells Markdown from text.

    Raises:
        PaperError: it is empty, or neither a PDF nor text.
    """
    if not raw.strip(b"\x00 \t\r\n\xef\xbb\xbf"):
        raise PaperError(f"{name} is empty.", hint="Download it again, or give another file.")
    if b"%PDF-" in raw[:1024]:
        return "pdf"
    head = raw[:2048].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<?xml")) or b"<html" in head:
        raise PaperError(
            f"{name} is a web page, not a paper: perhaps an error page or a log-in page saved as a file.",
            hint="Open the address in a browser, save the PDF itself, and give that.",
        )
    for start, what in _BINARY:
        if raw.startswith(start):
            raise PaperError(f"{name} is {what}, not a paper.", hint="Give a PDF, Markdown or text file.")
    if suffix.lower() == ".pdf" and _looks_like_pdf_body(raw):
        return "pdf"  # the first bytes are lost: the reader mends what it can, or says that it cannot
    return _text_kind(raw, name, suffix)


def _looks_like_pdf_body(raw: bytes) -> bool:
    return b"endobj" in raw and b"stream" in raw


def _text_kind(raw: bytes, name: str, suffix: str) -> SourceKind:
    text = decode(raw, name)
    if suffix.lower() == ".pdf":
        raise PaperError(
            f"{name} is called .pdf but holds plain text.", hint="Download it again, or rename it if it is a text."
        )
    if len(raw) > TEXT_LIMIT:
        raise PaperError(
            f"{name} has {len(raw) / 2**20:.0f} MiB of text; a paper has less than {TEXT_LIMIT // 2**20}.",
            hint="Give the paper alone.",
        )
    markdown = suffix.lower() in _MARKDOWN_NAME or bool(re.search(r"(?m)^#{1,4} \S", text))
    return "markdown" if markdown else "text"


def decode(raw: bytes, name: str) -> str:
    """The text of a file.

    Raises:
        PaperError: it is no text.
    """
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    for choice in (encoding, "cp1252"):
        try:
            text = raw.decode(choice)
        except UnicodeDecodeError:
            continue
        odd = sum(c < " " and c not in "\t\n\r\f\v" for c in text)
        if odd <= len(text) * 0.005 and "\x00" not in text:
            return text
    raise PaperError(f"{name} is neither a PDF nor a text.", hint="Give a PDF, Markdown or text file.")
