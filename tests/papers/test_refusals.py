"""Files that are no readable paper: each is refused by name, with what can be done, and nothing is left behind."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest

from trainwright.graph.errors import PaperError
from trainwright.tools.papers import fetch_paper, parse_paper

from .conftest import Read
from .typesetter import LOREM, Typesetter, example_paper


def _scan(path: Path) -> None:
    """Pages that are pictures of pages."""
    source = example_paper().document
    out = pymupdf.open()
    for page in source:
        picture = page.get_pixmap(dpi=60)
        out.new_page(width=612, height=792).insert_image(pymupdf.Rect(0, 0, 612, 792), pixmap=picture)
    out.save(path)


def _encrypted(path: Path) -> None:
    example_paper().save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="owner")


def _headless(path: Path) -> None:
    """The first 600 bytes of a PDF: nothing can be mended."""
    whole = path.with_suffix(".whole")
    example_paper().save(whole)
    path.write_bytes(whole.read_bytes()[:600])
    whole.unlink()


def _blank(path: Path) -> None:
    document = pymupdf.open()
    document.new_page()
    document.save(path)


def _invoice(path: Path) -> None:
    sheet = Typesetter()
    sheet.across("Invoice 2024-117", 18)
    for number in range(30):
        sheet.paragraph(f"Item {number}: delivery of office chairs, 2 pieces at 149.00 EUR, total 298.00 EUR plus VAT.")
    sheet.save(path)


def _recipe(path: Path) -> None:
    sheet = Typesetter()
    sheet.across("Apple Pie", 18)
    sheet.paragraph(
        "Peel the apples and cut them. Mix flour, sugar and butter. Bake for 45 minutes at 180 degrees. " * 12
    )
    sheet.save(path)


def _drawings(path: Path) -> None:
    document = pymupdf.open()
    document.new_page().draw_rect(pymupdf.Rect(50, 50, 500, 700), fill=(0.2, 0.4, 0.9))
    document.save(path)


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("paper.txt", "text")


def _bytes(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


CASES: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "scan.pdf": (_scan, "scanned", "ocrmypdf"),
    "locked.pdf": (_encrypted, "password", "qpdf"),
    "headless.pdf": (_headless, "damaged|no pages|no text", "ownload"),
    "blank.pdf": (_blank, "empty", "another file"),
    "invoice.pdf": (_invoice, "not a research paper", "paper itself"),
    "recipe.pdf": (_recipe, "not a research paper", "paper itself"),
    "drawings.pdf": (_drawings, "no text", "ocrmypdf"),
    "nothing.pdf": (_bytes(b""), "is empty", "Download"),
    "zeros.pdf": (_bytes(b"\x00" * 4_000), "is empty", "Download"),
    "error.pdf": (_bytes(b"<!DOCTYPE html><html><body>404</body></html>"), "web page", "browser"),
    "login.pdf": (_bytes(b"\n\n  <html><head><title>Log in</title></head></html>"), "web page", "browser"),
    "picture.pdf": (_bytes(b"\x89PNG\r\n\x1a\n" + b"x" * 100), "PNG picture", "PDF"),
    "office.docx": (_zip, "zip archive or an Office document", "PDF"),
    "program.bin": (_bytes(b"\x7fELF" + bytes(range(256)) * 8), "program", "PDF"),
    "noise.txt": (_bytes(bytes(range(256)) * 20), "neither a PDF nor a text", "PDF"),
    "text.pdf": (_bytes(b"We propose a method. " * 30), "plain text", "rename"),
    "short.txt": (_bytes(b"Just a few words.\n"), "only 4 words", "abstract"),
    "shopping.md": (_bytes(b"# Shopping\n\n" + b"- milk, bread, butter and a dozen eggs\n" * 12), "not a research", "paper"),
    "script.ps": (_bytes(b"%!PS-Adobe-3.0\n" + b"showpage\n" * 30), "PostScript", "PDF"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_each_is_refused_with_its_name_and_a_way_out(name: str, tmp_path: Path) -> None:
    make, what, way = CASES[name]
    path = tmp_path / name
    make(path)
    folder = tmp_path / "run" / "paper"
    with pytest.raises(PaperError, match=what) as caught:
        parse_paper(fetch_paper(str(path), folder), folder)
    assert name in caught.value.message
    assert way in caught.value.hint
    assert not (folder / "parsed.json").exists()
    assert not list(folder.glob("*.part"))


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=r"no paper at .*absent\.pdf"):
        fetch_paper(str(tmp_path / "absent.pdf"), tmp_path / "run")
    (tmp_path / "papers.pdf").mkdir()
    with pytest.raises(PaperError, match=r"papers\.pdf is a folder"):
        fetch_paper(str(tmp_path / "papers.pdf"), tmp_path / "run")
    with pytest.raises(PaperError, match="name is empty"):
        fetch_paper("  ", tmp_path / "run")


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.pdf"
    with path.open("wb") as file:
        file.write(b"%PDF-1.7\n")
        file.truncate(200 * 2**20)
    with pytest.raises(PaperError, match=r"huge\.pdf has 200 MiB"):
        fetch_paper(str(path), tmp_path / "run")


def test_a_long_text_file_is_no_paper(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_text("We propose a method for learning. " * 200_000)
    with pytest.raises(PaperError, match=r"log\.txt has 6 MiB of text"):
        fetch_paper(str(path), tmp_path / "run")


def test_a_book_is_no_paper(tmp_path: Path) -> None:
    document = pymupdf.open()
    for _ in range(401):
        document.new_page()
    document.save(tmp_path / "book.pdf")
    folder = tmp_path / "run"
    source = fetch_paper(str(tmp_path / "book.pdf"), folder)
    with pytest.raises(PaperError, match=r"book\.pdf has 401 pages"):
        parse_paper(source, folder)


def test_what_is_left_of_a_cut_file_is_read_and_said(tmp_path: Path, read: Read) -> None:
    whole = example_paper()
    whole.heading("5 More experiments")
    whole.paragraph(LOREM * 60)
    whole.save(tmp_path / "whole.pdf")
    raw = (tmp_path / "whole.pdf").read_bytes()
    (tmp_path / "cut.pdf").write_bytes(raw[: int(len(raw) * 0.8)])
    paper = read(tmp_path / "cut.pdf")
    assert paper.title.startswith("Margin Forests")
    assert any("cut.pdf is damaged" in w and "Download it again" in w for w in paper.warnings)


def test_an_owner_password_alone_locks_nobody_out(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "printable.pdf"
    example_paper().save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, owner_pw="owner")
    assert read(path).title.startswith("Margin Forests")


def test_a_page_that_is_lost_is_named_and_gives_no_title(tmp_path: Path, read: Read) -> None:
    sheet = example_paper()
    for number in range(3):
        sheet.heading(f"{5 + number} Further experiments")
        sheet.paragraph(LOREM * 14)
    document = sheet.document
    document.update_stream(document[0].get_contents()[0], b"\x00\x01 nothing that can be read ( <", compress=False)
    paper = read(sheet.save(tmp_path / "lost.pdf"))
    assert paper.title == ""
    assert any("lost.pdf is damaged" in w and "page 1." in w for w in paper.warnings)
    assert any("no title" in w for w in paper.warnings)
