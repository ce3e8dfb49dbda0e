"""A small typesetter for the PDFs of these tests: columns, headings, tables without lines, pictures, hidden words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pymupdf

WIDTH, HEIGHT, MARGIN = 612.0, 792.0, 72.0
PLAIN, BOLD = "tiro", "tibo"
LOREM = (
    "The evaluation follows a fixed protocol that leaves the held-out part of the data untouched until the end. "
    "Each configuration is trained on the same division, and what differs between them is only the method itself. "
    "Preprocessing is limited to scaling, since anything more would blur the comparison between the methods. "
)


class Typesetter:
    """Lines of text into one or two columns, page after page; lengths in points."""

    def __init__(self, columns: int = 1, size: float = 10.0) -> None:
        self.document = pymupdf.open()
        self.columns, self.size = columns, size
        gap = 22.0
        self.width = (WIDTH - 2 * MARGIN - gap * (columns - 1)) / columns
        self.lefts = [MARGIN + i * (self.width + gap) for i in range(columns)]
        self.new_page()

    def new_page(self) -> None:
        """Begin a page."""
        self.page = self.document.new_page(width=WIDTH, height=HEIGHT)
        self.column, self.y, self.top = 0, MARGIN, MARGIN

    def across(self, text: str, size: float, font: str = PLAIN, gap: float = 6.0) -> None:
        """Centred lines over the whole width, before any column has begun."""
        for line in wrap(text, font, size, WIDTH - 2 * MARGIN):
            x = (WIDTH - pymupdf.get_text_length(line, font, size)) / 2
            self.page.insert_text((x, self.y + size), line, fontname=font, fontsize=size)
            self.y += size * 1.25
        self.y += gap
        self.top = self.y

    def line(self, text: str, font: str = PLAIN, size: float = 0.0, indent: float = 0.0) -> None:
        """One line of the column."""
        size = size or self.size
        if self.y + size * 1.2 > HEIGHT - MARGIN:
            self._next_column()
        x = self.lefts[self.column] + indent
        self.page.insert_text((x, self.y + size), text, fontname=font, fontsize=size)
        self.y += size * 1.2

    def _next_column(self) -> None:
        if self.column + 1 < self.columns:
            self.column += 1
            self.y = self.top
        else:
            self.new_page()

    def heading(self, text: str) -> None:
        """A bold line with room around it."""
        self.y += 9
        self.line(text, BOLD, self.size + 2)
        self.y += 3

    def paragraph(self, text: str, size: float = 0.0) -> None:
        """Wrapped text; words are hyphenated nowhere."""
        size = size or self.size
        for line in wrap(text, PLAIN, size, self.width):
            self.line(line, size=size)
        self.y += 5

    def table(
        self, rows: Sequence[Sequence[str]], widths: Sequence[float], strong: Sequence[int] = (), rules: bool = False
    ) -> None:
        """Cells side by side, without lines between them; with `rules`, lines above and below as in books."""
        self.y += 4
        right = self.lefts[self.column] + sum(widths)
        for index, row in enumerate(rows):
            if rules and index < 2:
                self._rule(right)
            x = self.lefts[self.column]
            for cell, width in zip(row, widths, strict=True):
                font = BOLD if index in strong else PLAIN
                self.page.insert_text((x, self.y + self.size), cell, fontname=font, fontsize=self.size)
                x += width
            self.y += self.size * 1.3
        if rules:
            self._rule(right)
        self.y += 10

    def _rule(self, right: float) -> None:
        self.page.draw_line((self.lefts[self.column], self.y), (right, self.y), width=0.6)
        self.y += 2

    def save(self, path: Path, **options: object) -> Path:
        """Write the file."""
        self.document.save(path, **options)
        self.document.close()
        return path


def wrap(text: str, font: str, size: float, width: float) -> list[str]:
    """Lines that fit the width."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and pymupdf.get_text_length(longer, font, size) > width:
            lines.append(line)
            line = word
        else:
            line = longer
    return [*lines, line] if line else lines


TITLE = "Margin Forests for the Classification of Small Tables"
ABSTRACT = (
    "We propose Margin Forests (MF), a method for the classification of small tables. On the Letter data set our "
    "method achieves an accuracy of 97.4% and needs no tuning. Experiments on three public data sets show that it is "
    "a strong baseline."
)
RESULTS = [
    ["Method", "Letter", "Adult", "Digits"],
    ["Logistic regression", "77.2", "85.3", "97.0"],
    ["Random forest (500 trees)", "96.5", "85.5", "98.1"],
    ["Deep forest (Zhou and Feng, 2017)", "97.1", "86.4", "98.3"],
    ["MF (ours)", "97.4", "86.9", "98.9"],
]
REFERENCES = [
    "[1] L. Breiman. Random forests. Machine Learning, 45(1):5-32, 2001.",
    "[2] C. Cortes and V. Vapnik. Support-vector networks. Machine Learning, 20(3):273-297, 1995.",
    "[3] Z.-H. Zhou and J. Feng. Deep forest. In Proceedings of IJCAI, pages 3553-3559, 2017.",
]


def example_paper(columns: int = 1, rules: bool = False, caption_below: bool = False) -> Typesetter:
    """A whole small paper with a table, settings and references."""
    sheet = Typesetter(columns)
    sheet.across(TITLE, 16, BOLD)
    sheet.across("Ada Example and Carl Sample", 11)
    sheet.across("University of Somewhere", 10, gap=14)
    sheet.heading("Abstract")
    sheet.paragraph(ABSTRACT)
    sheet.heading("1 Introduction")
    sheet.paragraph(LOREM * 3)
    sheet.paragraph("Random forests [1] and support vector machines [2] are the usual baselines. " + LOREM)
    sheet.heading("2 Method")
    sheet.paragraph(LOREM * 2)
    sheet.heading("2.1 Margin splits")
    sheet.paragraph(LOREM * 2)
    sheet.heading("3 Experiments")
    sheet.heading("3.1 Setup")
    sheet.paragraph(
        "We set C = 10 and gamma = 0.01 for the SVM with RBF kernel, and use 500 trees in the random forest."
    )
    sheet.paragraph("The k-nearest neighbour classifier uses k = 3. " + LOREM)
    if columns == 2 and sheet.column == 0 and sheet.y > 560:
        sheet._next_column()
    widths = [150.0, 24.0, 24.0, 24.0] if columns == 2 else [190.0, 60.0, 60.0, 60.0]
    caption = "Table 1: Test accuracy (%) of all methods."
    rows = [
        [c.split(" (")[0] if columns == 2 and i == 0 and "ours" not in c else c for i, c in enumerate(r)]
        for r in RESULTS
    ]
    if columns == 2:
        widths = [92.0, 42.0, 42.0, 42.0]
    if not caption_below:
        sheet.paragraph(caption)
    sheet.table(rows if columns == 2 else RESULTS, widths, strong=[4], rules=rules)
    if caption_below:
        sheet.paragraph(caption)
    sheet.paragraph("Table 1 shows that Margin Forests win on all three data sets. " + LOREM * 2)
    sheet.heading("4 Conclusion")
    sheet.paragraph(LOREM)
    sheet.heading("References")
    for reference in REFERENCES:
        sheet.paragraph(reference)
    return sheet
