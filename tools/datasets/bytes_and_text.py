"""From the bytes of a file to its text: compression, encodings, and what is no text at all.

This module knows nothing of rows and columns.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

from trainwright.graph.errors import DataError

from .messages import shown

__all__ = ["Decoded", "decode", "read_bytes"]

MOST_BYTES = 4 * 2**30
SIGNATURES = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"%PDF": "a PDF",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "a SQLite database",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"7z\xbc\xaf": "a 7z archive",
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\x7fELF": "a program",
    b"RIFF": "a sound file",
    b"\x93NUMPY": "a NumPy array",
}


@dataclass(frozen=True)
class Decoded:
    """Text and the encoding it was in."""

    text: str
    encoding: str


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, unpacked if it is gzip (whatever it is called).

    Raises:
        DataError: it cannot be read, is damaged, or unpacks to more than 4 GiB.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise DataError(f"{shown(path.name)} is larger than 4 GiB.", hint="Give a sample, or a Parquet file.")
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{shown(str(path), 200)} cannot be read: {error.strerror}.") from error
    return _gunzip(path, content) if content.startswith(b"\x1f\x8b") else content


def _gunzip(path: Path, content: bytes) -> bytes:
    pieces: list[bytes] = []
    total = 0
    try:
        while content:
            stream = zlib.decompressobj(wbits=31)
            pieces.append(stream.decompress(content, MOST_BYTES - total))
            total += len(pieces[-1])
            if total >= MOST_BYTES:
                raise DataError(f"{shown(path.name)} unpacks to more than 4 GiB.", hint="Give a sample of it.")
            if not stream.eof:
                raise zlib.error("the end is missing")
            content = stream.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise DataError(
            f"{shown(path.name)} is a damaged gzip file: {error}.", hint="Download or pack it again."
        ) from error
    return b"".join(pieces)


def decode(path: Path, content: bytes) -> Decoded:
    """The text of a file: UTF-8, UTF-16, else Windows-1252 or Latin-1.

    Raises:
        DataError: it is empty, or no text.
    """
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise DataError(f"{shown(path.name)} is empty.", hint="Give a file with a header line and rows.")
    for start, what in SIGNATURES.items():
        if content.startswith(start):
            raise DataError(
                f"{shown(path.name)} is {what}, not text.",
                hint="Save the table as csv or Parquet, and give that file.",
            )
    decoded = _utf16(content) or _utf8(content) or _single_byte(content)
    _refuse_garbage(path, decoded.text)
    return decoded


def _utf16(content: bytes) -> Decoded | None:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return _tried(content, "utf-16")
    sample = content[:4_096]
    if b"\0" in sample:
        even, odd = sample[0::2].count(0), sample[1::2].count(0)
        half = len(sample) / 2
        if odd > 0.4 * half and even < 0.1 * half:
            return _tried(content, "utf-16-le")
        if even > 0.4 * half and odd < 0.1 * half:
            return _tried(content, "utf-16-be")
    return None


def _utf8(content: bytes) -> Decoded | None:
    return _tried(content, "utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8")


def _single_byte(content: bytes) -> Decoded:
    # Windows-1252 leaves five bytes undefined; Latin-1 takes every byte, so one of the two always succeeds.
    return _tried(content, "cp1252") or Decoded(content.decode("latin-1"), "latin-1")


def _tried(content: bytes, encoding: str) -> Decoded | None:
    try:
        return Decoded(content.decode(encoding), encoding)
    except UnicodeDecodeError:
        return None


def _refuse_garbage(path: Path, text: str) -> None:
    sample = text[:200_000]
    odd = sum(1 for c in sample if c < " " and c not in "\t\r\n\f\x0b\x1c\x1d\x1e\x1f\x1a")
    if "\0" in sample or odd > 0.01 * len(sample):
        raise DataError(
            f"{shown(path.name)} is not a text file: it holds binary bytes.",
            hint="Give csv, tsv, jsonl, parquet or npz; if the file was damaged, download it again.",
        )
