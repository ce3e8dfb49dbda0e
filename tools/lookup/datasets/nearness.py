"""Texts that are nearly equal: MinHash over character sequences, found by bands of the signature.

A text is reduced to letters and digits (`plain_text` of the data audit), cut into all sequences of eight characters, and
of these the smallest value under each of 128 hash functions is kept; the share of equal values estimates the Jaccard
similarity of the two sets (Broder 1997), with a standard error of 0.035 at 0.8. Texts that agree in one of 32 bands of
four values are compared: of pairs at 0.8 that misses fewer than one in ten million, at 0.5 one in eight.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from trainwright.tools.datasets.copies import plain_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["NEAR", "NearTexts", "signature"]

NEAR = 0.8
"""Estimated similarity from which two texts count as nearly equal."""

SEQUENCE = 8
HASHES = 128
BANDS = 32
LONGEST = 20_000
"""Characters of a text that are looked at."""

SHORTEST = 24
"""Characters from which a text can be nearly equal to another: shorter ones are so by chance."""

MOST_SEQUENCES = 4096
MOST_IN_BAND = 50


def signature(text: str) -> NDArray[np.uint32] | None:
    """The signature of a text, uint32 of shape (128,); None where it is too short."""
    import numpy as np

    plain = plain_text(text[:LONGEST])
    if len(plain) < SHORTEST:
        return None
    codes = np.frombuffer(plain.encode("utf-32-le", "replace"), dtype=np.uint32).astype(np.uint64)
    count = len(codes) - SEQUENCE + 1
    hashed = np.zeros(count, dtype=np.uint64)
    for place in range(SEQUENCE):
        hashed = hashed * np.uint64(0x100000001B3) + codes[place : place + count]
    # Multiply and shift: the high bits of a product depend on all bits below them.
    hashed = np.unique((hashed * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)).astype(np.uint32)
    if len(hashed) > MOST_SEQUENCES:
        hashed = hashed[:MOST_SEQUENCES]  # the smallest of them: the same choice in every text
    factors, offsets = _functions()
    smallest: NDArray[np.uint32] = _mixed(hashed[None, :] * factors[:, None] + offsets[:, None]).min(axis=1)
    return smallest


def _mixed(values: NDArray[np.uint32]) -> NDArray[np.uint32]:
    import numpy as np

    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x85EBCA6B)
    mixed: NDArray[np.uint32] = values ^ (values >> np.uint32(13))
    return mixed


_made: list[Any] = []


def _functions() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    import numpy as np

    if not _made:
        numbers = (
            np.random.default_rng(20_240_229).integers(1, 2**32, size=(2, HASHES), dtype=np.uint64).astype(np.uint32)
        )
        _made.append((numbers[0] | np.uint32(1), numbers[1]))
    made: tuple[NDArray[np.uint32], NDArray[np.uint32]] = _made[0]
    return made


class NearTexts:
    """Texts among which those near to another are found.

    Memory: 0.5 kB a text for its signature, and as much again for the bands.
    """

    def __init__(self, texts: Iterable[tuple[int, str]]) -> None:
        self.numbers: list[int] = []
        self.signatures: list[NDArray[np.uint32]] = []
        self.bands: dict[tuple[int, bytes], list[int]] = {}
        for number, text in texts:
            self.add(number, text)

    def add(self, number: int, text: str) -> None:
        """Take in a text under its number."""
        own = signature(text)
        if own is None:
            return
        place = len(self.numbers)
        self.numbers.append(number)
        self.signatures.append(own)
        for key in _bands(own):
            members = self.bands.setdefault(key, [])
            if len(members) < MOST_IN_BAND:
                members.append(place)

    def near(self, text: str) -> list[tuple[int, float]]:
        """Number and estimated similarity of all texts that are near."""
        import numpy as np

        own = signature(text)
        if own is None:
            return []
        candidates = {place for key in _bands(own) for place in self.bands.get(key, ())}
        likeness = {place: float(np.mean(self.signatures[place] == own)) for place in candidates}
        return sorted((self.numbers[place], share) for place, share in likeness.items() if share >= NEAR)


def _bands(own: NDArray[np.uint32]) -> list[tuple[int, bytes]]:
    width = HASHES // BANDS
    content = own.tobytes()
    return [(band, content[4 * width * band : 4 * width * (band + 1)]) for band in range(BANDS)]
