"""What a reader can see of a page's text, and what was put there for machines only.

Left out: text painted with no ink, in the colour of its ground, under an area of one colour, too small to read,
transparent, or off the page. Two exceptions are honest and kept: light letters on a dark ground, and the invisible
text that character recognition lays over the picture of a scanned page. Text under a picture is not found out.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

__all__ = ["Sight"]

Box = tuple[float, float, float, float]

READABLE = 3.0
"""Points; smaller letters are not read by anybody."""

_FILLED, _STROKED = 16, 32
_PALE = 225
_CONTRAST = 24
_SCAN = 0.5
_AREA = (40.0, 5.0)
"""Width and height, in points, from which a painted area can hide a word."""

_MOST_PAINTED = 6_000
"""Operations on a page beyond which it is too slow to draw it for a look."""


class Sight:
    """What can be seen on one page.

    Attributes:
        painted: what the page paints, in order: kind of operation and box.
        pictured: share of the page that pictures cover, in [0, 1], at most.
        recognised: the text is an invisible layer over a picture of the page.
        dropped: characters left out so far.
    """

    def __init__(self, page: Any, blocks: Iterable[dict[str, Any]]) -> None:
        self._page = page
        self._box: Box = tuple(page.rect)
        self.painted: list[tuple[str, Box]] = [(entry[0], tuple(entry[1])) for entry in page.get_bboxlog()]
        self.pictured = self._pictured()
        self.dropped = 0
        self._hidden: list[Box] = []
        self._areas = [] if len(self.painted) > _MOST_PAINTED else [b for kind, b in self.painted if _is_area(kind, b)]
        self._ground: Any = None
        spans = [span for block in blocks for line in block.get("lines", ()) for span in line["spans"]]
        letters = sum(len(span["text"]) for span in spans)
        inked = sum(len(span["text"]) for span in spans if _inked(span))
        self.recognised = self.pictured > _SCAN and inked < 0.2 * letters

    def _pictured(self) -> float:
        x0, y0, x1, y1 = self._box
        area = max(1.0, (x1 - x0) * (y1 - y0))
        shares = [
            max(0.0, min(b[2], x1) - max(b[0], x0)) * max(0.0, min(b[3], y1) - max(b[1], y0)) / area
            for kind, b in self.painted
            if kind in ("fill-image", "fill-imgmask")
        ]
        return min(1.0, sum(shares))

    def visible(self, span: dict[str, Any]) -> bool:
        """Whether a span can be read; what cannot is counted and remembered."""
        seen = self._seen(span)
        if not seen:
            self.dropped += len(span["text"].strip())
            self._hidden.append(tuple(span["bbox"]))
        return seen

    def _seen(self, span: dict[str, Any]) -> bool:
        if not span["text"].strip():
            return True
        x0, y0, x1, y1 = span["bbox"]
        left, top, right, bottom = self._box
        if (x0 + x1) / 2 < left or (x0 + x1) / 2 > right or (y0 + y1) / 2 < top or (y0 + y1) / 2 > bottom:
            return False
        if span["size"] < READABLE and len(span["text"].strip()) > 1:
            return False
        if not _inked(span):
            return self.recognised
        if span.get("alpha", 255) < 40:
            return False
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        on_area = any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in self._areas)
        if min(_channels(span["color"])) < _PALE and not on_area:
            return True
        return self._stands_out((x0, y0, x1, y1))

    def _stands_out(self, box: Box) -> bool:
        """Whether letters differ from their ground: the page is drawn once, and looked at there."""
        if self._ground is None:
            self._ground = self._page.get_pixmap(dpi=72, colorspace="gray", alpha=False, annots=False)
        picture = self._ground
        x0, x1 = max(0, int(box[0])), min(picture.width, int(box[2]) + 1)
        y0, y1 = max(0, int(box[1])), min(picture.height, int(box[3]) + 1)
        if x0 >= x1 or y0 >= y1:
            return False
        samples = picture.samples
        seen = b"".join(samples[y * picture.stride + x0 : y * picture.stride + x1] for y in range(y0, y1))
        return max(seen) - min(seen) >= _CONTRAST

    def visible_at(self, x0: float, y0: float, x1: float, y1: float) -> bool:
        """Whether the word in this box is none of the spans that were left out."""
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        return not any(b[0] <= x <= b[2] and b[1] <= y <= b[3] for b in self._hidden)


def _is_area(kind: str, box: Box) -> bool:
    return kind in ("fill-path", "fill-shade") and box[2] - box[0] >= _AREA[0] and box[3] - box[1] >= _AREA[1]


def _inked(span: dict[str, Any]) -> bool:
    flags = span.get("char_flags")
    return flags is None or bool(flags & (_FILLED | _STROKED))


def _channels(color: int) -> tuple[int, int, int]:
    return color >> 16 & 255, color >> 8 & 255, color & 255
