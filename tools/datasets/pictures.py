"""Folders of class folders: images, and texts; sound folders are recognised to be refused plainly.

An image is kept as the encoded bytes of its file (PNG or JPEG; other formats are encoded anew as PNG without loss).
Every image is decoded once here, so that a damaged one is named before anything trains on it.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from trainwright.graph.errors import DataError

from .bytes_and_text import decode
from .loaded import RawData
from .messages import finding, shown, shown_list
from .tables import SOUND

__all__ = ["IMAGE_SUFFIXES", "SOUND_SUFFIXES", "class_folders", "encoded_image", "read_class_folders"]

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm", ".pbm")
SOUND_SUFFIXES = (".wav", ".mp3", ".flac", ".ogg", ".m4a", ".aiff", ".aif", ".au")
MOST_BYTES = 3 * 2**30


def visible(folder: Path) -> list[Path]:
    """What a folder holds, sorted, without hidden files and what operating systems leave behind."""
    junk = ("__MACOSX", "Thumbs.db", "desktop.ini")
    return sorted(path for path in folder.iterdir() if not path.name.startswith((".", "_")) and path.name not in junk)


def class_folders(folder: Path, suffixes: tuple[str, ...]) -> dict[str, list[Path]]:
    """Class name to its files, for the folders that hold files of these kinds."""
    found = {}
    for sub in visible(folder):
        if sub.is_dir():
            files = [path for path in visible(sub) if path.suffix.lower() in suffixes and path.is_file()]
            if files:
                found[sub.name] = files
    return found


def read_class_folders(parts: dict[str, dict[str, list[Path]]], kind: str) -> RawData:
    """Images or texts, one row a file, the class being the folder's name.

    Args:
        parts: part name to class to files.
        kind: `images`, `text` or `audio`.

    Raises:
        DataError: a file is damaged or empty, or all images together are larger than 3 GiB.
    """
    import pyarrow as pa

    if kind == "audio":
        return RawData({}, modality="audio", refusal=SOUND)
    raw = RawData({}, target="label", modality="images" if kind == "images" else "text")
    shapes: Counter[tuple[int, ...]] = Counter()
    total = 0
    for part, classes in parts.items():
        values: list[bytes | str] = []
        labels: list[str] = []
        for label, path in _files(classes):
            if kind == "images":
                content, shape = encoded_image(path.read_bytes(), str(path))
                shapes[shape] += 1
                total += len(content)
                if total > MOST_BYTES:
                    raise DataError("The images are larger than 3 GiB together.", hint="Give smaller or fewer images.")
                values.append(content)
            else:
                values.append(decode(path, path.read_bytes()).text.strip())
            labels.append(label)
        first = "image" if kind == "images" else "text"
        column = pa.array(values, pa.large_binary() if kind == "images" else pa.string())
        raw.parts[part] = {first: pa.chunked_array([column]), "label": pa.chunked_array([pa.array(labels)])}
    if shapes:
        _note_shapes(raw, shapes)
    return raw


def _files(classes: dict[str, list[Path]]) -> Iterator[tuple[str, Path]]:
    for label, files in classes.items():
        for path in files:
            yield label, path


def _note_shapes(raw: RawData, shapes: Counter[tuple[int, ...]]) -> None:
    """The one shape that all images have; where they differ the commonest, and a finding."""
    raw.shape = shapes.most_common(1)[0][0]
    if len(shapes) > 1:
        listed = shown_list("×".join(map(str, shape)) for shape, _ in shapes.most_common(5))
        text = f"The images have {len(shapes)} different shapes ({listed}, …); {raw.shape} is the commonest."
        raw.notes.append(finding("image_sizes", "warning", text))


def encoded_image(content: bytes, name: str) -> tuple[bytes, tuple[int, ...]]:
    """PNG or JPEG bytes, and (height, width) or (height, width, 3).

    Raises:
        DataError: the bytes are no image that can be decoded.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            grey = image.mode in ("1", "L", "I;16", "I", "F", "LA")
            shape = (image.height, image.width) if grey else (image.height, image.width, 3)
            if image.format in ("PNG", "JPEG"):
                return content, shape
            out = io.BytesIO()
            image.convert("L" if grey else "RGB").save(out, "PNG")
            return out.getvalue(), shape
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, EOFError) as error:
        # Pillow names the buffer, not the image, where it knows no format.
        reason = "no format that is known" if "BytesIO" in str(error) else str(error)[:120]
        raise DataError(
            f"The image {shown(name, 200)} cannot be decoded: {reason}.", hint="Replace or remove that file."
        ) from error
