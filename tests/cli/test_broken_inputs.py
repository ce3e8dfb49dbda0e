"""Broken papers, broken data and wrong flags, as people really have them: one table.

Each row makes a file, runs the command on it, and says what a person must be told: the words (the file's own name is
one of them), the exit code, and that nothing half-done lies about. More wrong flags are in `test_request.py`.
"""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from trainwright.cli.main import main
from trainwright.graph.runs import open_runs
from trainwright.graph.settings import home, hub_path, run_path

Make = Callable[[Path], Any]
WRONG, FAILED, ASKED = 2, 1, 3


@dataclass(frozen=True)
class Case:
    """One broken input.

    Attributes:
        file: its name; part of what must be said, unless `unnamed`.
        make: writes it.
        words: what must be said, in any order; lower case.
        code: the exit code.
        flags: more of the command line.
        unnamed: the message cannot name the file.
    """

    file: str
    make: Make
    words: tuple[str, ...]
    code: int = FAILED
    flags: tuple[str, ...] = ()
    unnamed: bool = False


def content(raw: bytes | str) -> Make:
    """Write these bytes, or this text as UTF-8."""
    data = raw.encode() if isinstance(raw, str) else raw
    return lambda path: path.write_bytes(data)


def nothing(path: Path) -> None:
    """Make no file."""


def rows(count: int, line: str = "{i},{x},{y}\n", head: str = "a,b,label\n") -> str:
    """A small table whose label follows from its columns only roughly."""
    return head + "".join(
        line.format(i=i % 17, x=(i * 7) % 11, y="yes" if (i * 7) % 11 > 4 else "no") for i in range(count)
    )


def example() -> bytes:
    """The example paper."""
    import trainwright.examples

    assert trainwright.examples.__file__ is not None
    return Path(trainwright.examples.__file__).with_name("digits_svm.pdf").read_bytes()


def half_a_pdf(path: Path) -> None:
    path.write_bytes(example()[:9_000])


def a_pdf_with_a_hole(path: Path) -> None:
    raw = bytearray(example())
    raw[2_000:-600] = b"\x00" * (len(raw) - 2_600)
    path.write_bytes(bytes(raw))


def locked_pdf(path: Path) -> None:
    import pymupdf

    with pymupdf.open(stream=example()) as document:
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw="secret", owner_pw="secret")


def scanned_pdf(path: Path) -> None:
    """Pages that are pictures of the example's pages."""
    import pymupdf

    with pymupdf.open(stream=example()) as source, pymupdf.open() as scan:
        for page in source:
            picture = page.get_pixmap(dpi=40)
            scan.new_page(width=page.rect.width, height=page.rect.height).insert_image(page.rect, pixmap=picture)
        scan.save(path)


def text_pdf(*lines: str) -> Make:
    """A PDF of one page with these lines."""

    def make(path: Path) -> None:
        import pymupdf

        with pymupdf.open() as document:
            page = document.new_page()
            for number, line in enumerate(lines):
                page.insert_text((72, 72 + 18 * number), line)
            document.save(path)

    return make


INVOICE = (
    "INVOICE No. 20931",
    "Muster GmbH, Hauptstrasse 1",
    "4 chairs     396.00 EUR",
    "Total due   396.00 EUR",
    "Pay by 1 May.",
)


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")


def truncated_parquet(path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({"a": list(range(500)), "label": [i % 2 for i in range(500)]}), out)
    path.write_bytes(out.getvalue()[:-200])


def nameless_npz(path: Path) -> None:
    import numpy as np

    np.savez(path, weights=np.zeros((3, 4)), step=np.array(7))


def pickled_npz(path: Path) -> None:
    import numpy as np

    np.savez(path, x=np.array([{"a": 1}, {"b": 2}], dtype=object), y=np.array([0, 1]))


def uneven_npz(path: Path) -> None:
    import numpy as np

    np.savez(path, x=np.zeros((30, 4)), y=np.zeros(29))


def database(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE t (a, b)")
    connection.commit()
    connection.close()


def folder(**files: bytes | str) -> Make:
    """A folder with these files; `__` in a name is a folder, the last `_` a dot."""

    def make(path: Path) -> None:
        path.mkdir()
        for name, raw in files.items():
            place = path / ".".join(name.replace("__", "/").rsplit("_", 1))
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(raw.encode() if isinstance(raw, str) else raw)

    return make


def picture(shade: int) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    Image.new("L", (8, 8), shade).save(out, "PNG")
    return out.getvalue()


PAPERS = (
    Case("empty.pdf", content(b""), ("empty",)),
    Case("words.pdf", content("This was never a PDF."), ("plain text",)),
    Case("half.pdf", half_a_pdf, ("damaged",)),
    Case("hole.pdf", a_pdf_with_a_hole, ("damaged",)),
    Case("locked.pdf", locked_pdf, ("password",)),
    Case("scan.pdf", scanned_pdf, ("scan",)),
    Case("blank.pdf", text_pdf(), ("no text",)),
    Case("invoice.pdf", text_pdf(*INVOICE), ("not", "paper")),
    Case("report.docx", zipped, ("pdf",)),
    Case("archive.pdf", zipped, ("zip archive",)),
    Case("page.pdf", content("<!doctype html><html><body>Sign in</body></html>"), ("html",)),
    Case("photo.pdf", lambda path: path.write_bytes(picture(9)), ("png picture", "not a paper")),
    Case("empty.md", content(""), ("empty",)),
    Case("binary.md", content(b"\x00\x01\x02\xff" * 300), ("text",)),
    Case("nosuch.pdf", nothing, ("no paper",), WRONG),
    Case("folder.pdf", lambda path: path.mkdir(), ("folder",), WRONG),
)

DATA = (
    Case("empty.csv", content(b""), ("empty",)),
    Case("header.csv", content("a,b,label\n"), ("rows",)),
    Case("three.csv", content(rows(3)), ("rows",)),
    Case("ragged.csv", content(rows(40) + "1,2\n3,4,5,6,7\n" + rows(40, head="")), ("line",)),
    Case("bytes.csv", content(bytes(range(256)) * 40), ("text",)),
    Case("zeros.csv", content(b"\x00" * 4_000), ("empty",)),
    Case("oneclass.csv", content(rows(60).replace("yes", "no")), ("one",), unnamed=True),
    Case("target.csv", content(rows(60)), ("nosuch",), flags=("--target-column", "nosuch"), unnamed=True),
    Case("notarget.csv", content(rows(60, "{i},{x},\n")), ("label",), flags=("--target-column", "label"), unnamed=True),
    Case("lines.jsonl", content('{"a": 1, "label": "x"}\n' * 30 + '{"a": 1,\n'), ("line 31",)),
    Case("scalars.jsonl", content("1\n2\n3\n" * 20), ("object",)),
    Case("half.parquet", truncated_parquet, ("parquet",)),
    Case("words.parquet", content("no parquet at all"), ("parquet",)),
    Case("nameless.npz", nameless_npz, ("weights",)),
    Case("pickled.npz", pickled_npz, ("object",)),
    Case("uneven.npz", uneven_npz, ("29", "30")),
    Case("words.npz", content("no archive"), ("npz",)),
    Case("half.csv.gz", lambda path: path.write_bytes(gzip.compress(rows(500).encode())[:300]), ("half.csv",)),
    Case("book.xlsx", zipped, ("csv",)),
    Case("base.csv", database, ("text",)),
    Case("hollow", folder(), ("empty",)),
    Case("strange", folder(notes_docx=b"PK", photo_raw=b"II*"), ("csv",)),
    Case("classes", folder(cat__1_png=picture(1), cat__2_png=picture(9)), ("class",)),
    Case("torn", folder(cat__1_png=picture(1), dog__2_png=b"\x89PNG torn"), ("2.png",)),
    Case("parts", folder(train_csv=rows(60), test_csv=rows(20, head="q,w,e\n")), ("test",)),
    Case("nosuch.csv", nothing, ("no data",), WRONG),
)

FLAGS = (
    (["--data", "sklearn:nosuch", "--goal", "g"], FAILED, ("nosuch", "digits")),
    (["--data", "sklearn:digits"], WRONG, ("neither a paper nor a goal",)),
    (["--data", "sklearn:digits", "--goal", "g", "--target", "accuracy>=97"], WRONG, ("97 cannot be reached",)),
    (["--data", "sklearn:digits", "--goal", "g", "--engineer", "wizard"], WRONG, ("no engineer 'wizard'",)),
    (["--data", "sklearn:digits", "--goal", "g", "--step-cap", "0"], WRONG, ("--step-cap 0",)),
    (["--data", "sklearn:digits", "--goal", "g", "--seed", "-1"], WRONG, ("--seed -1",)),
    (["--data", "sklearn:digits", "--goal", "g", "--no-such-flag"], WRONG, ("no-such-flag",)),
)


def test_there_are_forty() -> None:
    assert len(PAPERS) + len(DATA) + len(FLAGS) >= 40


def nothing_half_done(code: int) -> None:
    """Whatever was begun is whole: a run with an end, a result and a report, or none; nothing trained or published."""
    assert not hub_path().exists()
    if code == WRONG:
        assert open_runs().list() == []
        assert list(home().iterdir()) == []
        return
    (row,) = open_runs().list()
    folder = run_path(row.name)
    assert not (folder / "attempts").exists()
    assert not [path for path in folder.rglob("*") if path.name.endswith((".part", ".tmp"))]
    if code == FAILED:
        assert row.status in ("failed", "gave_up")
        assert json.loads((folder / "result.json").read_text(encoding="utf-8"))["status"] == row.status
        assert (folder / "report.html").read_text(encoding="utf-8").endswith("</html>")
    else:
        assert row.status == "waiting"


def told(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Exit code, and all that a person is shown."""
    code = main(["run", "--approvals", "auto", *arguments])
    shown = capfd.readouterr()
    text = shown.out + shown.err
    assert "Traceback" not in text
    assert "unexpected" not in text.lower(), text
    assert "\x1b" not in text
    return code, text


@pytest.mark.parametrize("case", PAPERS, ids=[case.file for case in PAPERS])
def test_a_broken_paper(case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / case.file
    case.make(path)
    code, text = told([str(path), "--data", "sklearn:digits", *case.flags], capfd)
    check(case, code, text)


@pytest.mark.parametrize("case", DATA, ids=[case.file for case in DATA])
def test_broken_data(case: Case, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / case.file
    case.make(path)
    code, text = told(["--goal", "predict the label", "--data", str(path), *case.flags], capfd)
    check(case, code, text)


def check(case: Case, code: int, text: str) -> None:
    """The exit code, the words, and the state of things."""
    assert code == case.code, text
    missing = [word for word in case.words if word not in text.lower()]
    assert not missing, text
    end = text.split("\n\n")[-1] if code != WRONG else text
    assert case.unnamed or case.file in end, end
    nothing_half_done(code)


@pytest.mark.parametrize(("arguments", "code", "words"), FLAGS, ids=[" ".join(row[0])[-40:] for row in FLAGS])
def test_a_wrong_flag(
    arguments: list[str], code: int, words: tuple[str, ...], capfd: pytest.CaptureFixture[str]
) -> None:
    given, text = told(arguments, capfd)
    assert given == code, text
    assert [word for word in words if word not in text] == [], text
    nothing_half_done(code)
