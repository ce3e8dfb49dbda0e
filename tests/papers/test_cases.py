"""Real papers: how much of what a person reads in them is read. They lie where `TRAINWRIGHT_CASES` says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from trainwright.graph.errors import PaperError
from trainwright.tools.papers import PaperFacts, ParsedPaper, extract, quote_in
from trainwright.tools.papers.pdf import parse_pdf
from trainwright.tools.papers.reading import parse_paper
from trainwright.tools.papers.sources import fetch_paper

pytestmark = pytest.mark.cases


@cache
def _paper(path: Path) -> ParsedPaper:
    return parse_pdf(path, path.name)


@cache
def _facts(path: Path) -> PaperFacts:
    return extract(_paper(path))


def _truth(cases: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((cases / "papers" / "ground_truth.json").read_text())
    return {name: entry for name, entry in truth.items() if name.endswith(".pdf")}


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.lower())


def test_titles_pages_and_references(cases: Path) -> None:
    for name, entry in _truth(cases).items():
        paper = _paper(cases / "papers" / name)
        assert _letters(paper.title) == _letters(entry["title"]), name
        assert paper.pages == entry["pages"], name
        assert abs(paper.reference_count - entry["refs"]) <= 1, name


def test_headings(cases: Path) -> None:
    wanted, missed, extra = 0, [], []
    for name, entry in _truth(cases).items():
        paper = _paper(cases / "papers" / name)
        found = {_letters(f"{s.number}{s.title}") for s in paper.sections}
        listed = entry.get("headings") or entry.get("top_headings") or []
        letters = {_letters(heading.removeprefix("Appendix ")) for heading in listed}
        wanted += len(letters)
        missed += [f"{name}: {letter}" for letter in letters - found]
        if "headings" in entry:
            extra += [f"{name}: {letter}" for letter in found - letters]
    assert len(missed) <= 0.02 * wanted, missed
    assert len(extra) <= 0.02 * wanted, extra


NAMES = (
    "adam_1412.6980.pdf", "attention_1706.03762.pdf", "audiocnn_1609.09430.pdf", "autonet_mendoza16.pdf",
    "distill_1503.02531.pdf", "dropout_jmlr15.pdf", "gcn_1609.02907.pdf", "kim_1408.5882.pdf", "mpdbm_nips2013.pdf",
    "plosone_0169411.pdf", "shapebias_1706.08606.pdf", "tpot_olson16.pdf",
)  # fmt: skip


def _missed(cases: Path, name: str) -> tuple[int, list[str]]:
    """How many numbers of tables are listed for a paper, and which of them are neither a table's cell nor a claim."""
    entry = _truth(cases)[name]
    paper = _paper(cases / "papers" / name)
    cells = " ".join(cell.replace(",", "") for table in paper.tables for row in table.rows for cell in row)
    numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", cells)}
    claimed = {round(scale * claim.value, 6) for claim in _facts(cases / "papers" / name).claims for scale in (1, 100)}
    values = entry.get("table_values", [])
    missed = [f"{name}: {label} {v}" for _, label, v in values if float(v) not in numbers and float(v) not in claimed]
    return len(values), missed


@pytest.mark.parametrize("name", NAMES)
def test_each_paper(name: str, cases: Path, record_property: Callable[[str, object], None]) -> None:
    """Title, pages and all listed sections are right, and nine tenths of the listed numbers are found, in each paper."""
    entry = _truth(cases)[name]
    paper = _paper(cases / "papers" / name)
    assert _letters(paper.title) == _letters(entry["title"])
    assert paper.pages == entry["pages"]
    found = [_letters(f"{s.number}{s.title}") for s in paper.sections]
    listed = [_letters(h.removeprefix("Appendix ")) for h in entry.get("headings") or entry.get("top_headings") or []]
    assert [heading for heading in listed if heading not in found] == []
    assert [heading for heading in found if heading in listed] == listed, "in the order of the paper"
    count, missed = _missed(cases, name)
    record_property("numbers", f"{count - len(missed)} of {count}")
    assert len(missed) <= 0.1 * count, missed


def test_all_papers_are_judged_and_nine_tenths_of_all_numbers_found(cases: Path) -> None:
    assert sorted(_truth(cases)) == sorted(NAMES)
    counts, missed = zip(*(_missed(cases, name) for name in NAMES), strict=True)
    assert sum(counts) > 20
    assert sum(map(len, missed)) <= 0.1 * sum(counts), missed


def test_a_long_table_of_words_has_one_header_row(cases: Path) -> None:
    """Its first plain number stands far below: what comes before is no header."""
    (table,) = _paper(cases / "papers" / "autonet_mendoza16.pdf").tables
    assert table.header == ["", "Name", "Range", "Default", "log scale", "Type", "Conditional"]
    rows = {row[1]: row[2:] for row in table.rows}
    assert rows["batch size"] == ["[32, 4096]", "32", "✓", "float", "-"]
    assert rows["tanh scale out"] == ["[1.1, 3.0]", "1.7159", "✓", "float", "✓"]
    assert len(rows) >= 24


def test_every_fact_has_its_words(cases: Path) -> None:
    for name in _truth(cases):
        paper = _paper(cases / "papers" / name)
        facts = _facts(cases / "papers" / name)
        for item in [*facts.claims, *facts.hyperparameters]:
            assert quote_in(paper, item.quote), f"{name}: {item.quote}"
            assert item.page is not None, f"{name}: {item.quote}"
            assert 1 <= item.page <= paper.pages, f"{name}: {item.quote}"


@pytest.mark.parametrize(
    ("name", "metric", "dataset", "method", "value"),
    [
        ("kim_1408.5882.pdf", "accuracy", "TREC", "CNN-rand", 0.912),
        ("kim_1408.5882.pdf", "accuracy", "TREC", "CNN-non-static", 0.936),
        ("kim_1408.5882.pdf", "accuracy", "MR", "NBSVM", 0.794),
        ("kim_1408.5882.pdf", "accuracy", "SST-2", "CNN-multichannel", 0.881),
        ("gcn_1609.02907.pdf", "accuracy", "Cora", "GCN", 0.815),
        ("gcn_1609.02907.pdf", "accuracy", "Citeseer", "GCN", 0.703),
        ("gcn_1609.02907.pdf", "accuracy", "Cora", "Planetoid", 0.757),
        ("dropout_jmlr15.pdf", "error_rate", "MNIST", "DBM + dropout finetuning", 0.0079),
        ("audiocnn_1609.09430.pdf", "roc_auc", "", "Fully Connected", 0.851),
        ("attention_1706.03762.pdf", "bleu", "newstest2014 EN-DE", "Transformer (big)", 28.4),
        ("plosone_0169411.pdf", "f1", "MAPS MIDI", "CHM", 0.526),
    ],
)
def test_claims(name: str, metric: str, dataset: str, method: str, value: float, cases: Path) -> None:
    claims = _facts(cases / "papers" / name).claims
    assert (metric, dataset, method, value) in [(c.metric, c.dataset, c.method, c.value) for c in claims]


def test_own_claims_come_before_cited_ones(cases: Path) -> None:
    methods = [claim.method for claim in _facts(cases / "papers" / "kim_1408.5882.pdf").claims]
    own = [i for i, method in enumerate(methods) if method.startswith("CNN-")]
    cited = [i for i, method in enumerate(methods) if method in ("RAE", "MV-RNN", "NBSVM", "MNB")]
    assert max(own) < min(cited)


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("kim_1408.5882.pdf", "dropout", 0.5),
        ("kim_1408.5882.pdf", "batch_size", 50),
        ("gcn_1609.02907.pdf", "learning_rate", 0.01),
        ("gcn_1609.02907.pdf", "hidden_layer_sizes", 16),
        ("adam_1412.6980.pdf", "beta_1", 0.9),
        ("adam_1412.6980.pdf", "learning_rate", 0.001),
        ("distill_1503.02531.pdf", "hidden_layer_sizes", "1200-1200"),
    ],
)
def test_settings(name: str, setting: str, value: object, cases: Path) -> None:
    found = _facts(cases / "papers" / name).hyperparameters
    assert (setting, value) in [(item.name, item.value) for item in found]


@pytest.mark.parametrize(
    ("name", "method", "modality"),
    [
        ("kim_1408.5882.pdf", "Convolutional Neural Networks", "text"),
        ("gcn_1609.02907.pdf", "GCN", "graph"),
        ("adam_1412.6980.pdf", "Adam", "images"),
        ("dropout_jmlr15.pdf", "Dropout", "images"),
        ("tpot_olson16.pdf", "TPOT", "table"),
        ("autonet_mendoza16.pdf", "Auto-Net", "unknown"),
        ("audiocnn_1609.09430.pdf", "CNN", "audio"),
        ("mpdbm_nips2013.pdf", "MP-DBM", "images"),
        ("plosone_0169411.pdf", "CHM", "audio"),
        ("attention_1706.03762.pdf", "Transformer", "text"),
    ],
)
def test_methods_and_kinds_of_input(name: str, method: str, modality: str, cases: Path) -> None:
    facts = _facts(cases / "papers" / name)
    assert facts.method == method
    if modality != "unknown":
        assert facts.modality == modality


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("2206.01062_pg3.pdf", "password"),
        ("ocr_test.pdf", "scanned"),
        ("bookmark_sample.pdf", "not a research paper"),
        ("picture_classification.pdf", "not a research paper"),
    ],
)
def test_odd_files_are_refused(name: str, what: str, cases: Path, tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=what) as caught:
        parse_paper(fetch_paper(str(cases / "odd-papers" / name), tmp_path), tmp_path)
    assert name in caught.value.message


def test_a_cover_sheet_is_skipped(cases: Path) -> None:
    paper = _paper(cases / "odd-papers" / "lecun_nature_researchgate_cover.pdf")
    assert paper.title == "Deep learning"
    assert any("cover sheet" in warning for warning in paper.warnings)
    assert paper.pages == 10


def test_a_damaged_paper_says_what_is_missing_and_invents_no_title(cases: Path) -> None:
    paper = _paper(cases / "odd-papers" / "adam_1412.6980_damaged.pdf")
    assert paper.title == ""
    assert paper.pages == 15
    assert any("damaged" in warning and "missing" in warning for warning in paper.warnings)


def test_a_scan_with_recognised_text_is_read_with_a_warning(cases: Path) -> None:
    paper = _paper(cases / "odd-papers" / "hmm_technometrics_scan_ocr.pdf")
    assert paper.title == "Hidden Markov Models for Speech Recognition"
    assert any("scans" in warning for warning in paper.warnings)
