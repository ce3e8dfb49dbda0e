"""The example paper says what was measured, all of it, and is what its program writes."""

from __future__ import annotations

import re
from pathlib import Path

import pymupdf
import pytest

from trainwright.examples.make_paper import make_paper
from trainwright.examples.measure import measure


def words(path: Path) -> str:
    """The text of a PDF, white space made single."""
    with pymupdf.open(path) as document:
        return " ".join(" ".join(page.get_text() for page in document).split())


@pytest.fixture(scope="module")
def paper() -> str:
    import trainwright.examples

    assert trainwright.examples.__file__ is not None
    return words(Path(trainwright.examples.__file__).with_name("digits_svm.pdf"))


def test_the_file_is_what_the_program_writes(paper: str, tmp_path: Path) -> None:
    assert words(make_paper(tmp_path / "paper.pdf")) == paper


def test_the_text_is_whole(paper: str) -> None:
    """A table that does not fit a page once swallowed everything behind it."""
    for part in ("Abstract", "3 Method", "C = 10 and gamma = 0.001", "Table 1", "5 Limitations", "Kybernetika"):
        assert part in paper


def test_its_figures_are_the_measured_ones(paper: str) -> None:
    measured = measure()
    for method, accuracy in measured.items():
        row = re.search(rf"{re.escape(method)} (\d+\.\d)", paper)
        assert row is not None, method
        assert row.group(1) == f"{100 * accuracy:.1f}"
    best = measured["SVM with RBF kernel"]
    assert f"a test accuracy of {100 * best:.1f}%" in paper
    mistakes = (1 - best) / (1 - measured["k-nearest neighbours (k = 3)"])
    assert mistakes == pytest.approx(2 / 3, abs=0.06), "about a third fewer mistakes"


def test_what_it_says_of_the_data_is_so(paper: str) -> None:
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    counts = [int((digits == digit).sum()) for digit in range(10)]
    assert f"the {len(images):,} images" in paper
    assert f"between {min(counts)} and {max(counts)} images of each digit" in paper
    assert f"values from {images.min():.0f} to {images.max():.0f}" in paper
