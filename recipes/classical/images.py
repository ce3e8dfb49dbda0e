"""Encoded images (PNG, JPEG and what else Pillow reads) to rows of pixels of one small size.

Pixels keep the range 0 to 255; scaling is `features.py`. An image that cannot be decoded is a row of missing values.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from statistics import median

import numpy as np
import numpy.typing as npt
from PIL import Image

__all__ = ["decode_images", "image_shape"]

LARGEST_SIDE = 32
"""Pixels; beyond this, classifiers on raw pixels gain little and cost much."""

LARGEST_IMAGE = 50_000_000
"""Pixels; a larger image is taken for damaged or hostile."""


def image_shape(sample: Sequence[bytes | None], stated: Sequence[int] = ()) -> tuple[int, int, int]:
    """Height, width and channels (1 if all are grey, else 3) that the images are brought to.

    The median size of the sample, or the stated one, shrunk so that no side passes `LARGEST_SIDE`.
    """
    opened = [image for image in map(_open, sample) if image is not None]
    sizes = [(image.height, image.width) for image in opened]
    if len(stated) >= 2:
        sizes = [(int(stated[0]), int(stated[1]))]
    if not sizes:
        return (LARGEST_SIDE, LARGEST_SIDE, 1)
    height, width = (max(1, round(median(side))) for side in zip(*sizes, strict=True))
    shrink = min(1.0, LARGEST_SIDE / max(height, width))
    channels = 1 if all(_is_grey(image) for image in opened) else 3
    return (max(1, round(height * shrink)), max(1, round(width * shrink)), channels)


def decode_images(encoded: Sequence[bytes | None], shape: Sequence[int]) -> npt.NDArray[np.float32]:
    """[n, height * width * channels], float32, 0 to 255; NaN where an image is missing or damaged."""
    height, width, channels = shape
    found = np.full((len(encoded), height * width * channels), np.nan, dtype=np.float32)
    for i, content in enumerate(encoded):
        image = _open(content)
        if image is None:
            continue
        plain = image.convert("L" if channels == 1 else "RGB")
        if plain.size != (width, height):
            plain = plain.resize((width, height), Image.Resampling.BILINEAR)
        found[i] = np.asarray(plain, dtype=np.float32).reshape(-1)
    return found


def _open(content: bytes | None) -> Image.Image | None:
    if not content:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image: Image.Image = Image.open(io.BytesIO(content))
            if image.width * image.height > LARGEST_IMAGE:
                return None
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    if image.mode in ("RGBA", "LA", "P", "PA"):
        # Transparent pixels hide arbitrary colours: they are shown on white.
        layered = image.convert("RGBA")
        white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, layered).convert("RGB")
    elif image.mode.startswith(("I", "F")):
        image = _sixteen_bit(image)
    return image


def _sixteen_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image, dtype=np.float64)
    top = 65535.0 if values.max(initial=0.0) > 255 else 255.0
    return Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8))


def _is_grey(image: Image.Image) -> bool:
    if image.mode in ("1", "L"):
        return True
    red, green, blue = (np.asarray(band, dtype=np.int16) for band in image.convert("RGB").split())
    return bool(np.abs(red - green).max(initial=0) <= 2 and np.abs(green - blue).max(initial=0) <= 2)
