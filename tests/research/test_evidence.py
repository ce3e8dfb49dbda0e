"""What a source, a paper and a setting are held to, and answers of lookups that are too long."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from pydantic import ValidationError

from trainwright.tools.research import Evidence, Finding, Read, Recipe, Report, Statement, evidence, held_to
from trainwright.tools.research import fitting as fitting_module
from trainwright.tools.research.finding import KEPT
from trainwright.tools.research.fitting import fitting

IRISES = {"id": "2403.01234", "title": "Forests", "abstract": "We reach an accuracy of 97.4 % on irises with lr 1e-3."}
ARXIV = [{"name": "arXiv", "address": "https://export.example/api/query?search_query=all:2403.99999&max=10"}]
SEARCH = Read({"operation": "search", "query": "2403.99999 irises"}, json.dumps({"papers": [IRISES], "sources": ARXIV}))
OLDER = {"id": "2001.00001", "title": "Trees", "abstract": "Trees are grown until they are pure."}
CITED = Read(
    {"operation": "citations", "id": "2403.77777"},
    json.dumps(
        {
            "id": "2403.77777",
            "citations": [{"paper": IRISES, "contexts": ["It builds upon the trees of others."]}],
            "references": [{"paper": OLDER, "contexts": ["We beat these trees by two points."]}],
            "sources": [{"name": "Scholar", "address": "https://graph.example/v1/paper/arXiv:2403.77777/citations"}],
        }
    ),
)
QUOTE = "an accuracy of 97.4 % on irises"
ROW = {"id": "2403.77777", "text": f"It is said that we reach {QUOTE}."}
DATA = Read({"operation": "inspect", "id": "someone/irises"}, json.dumps({"id": "someone/irises", "samples": [ROW]}))
PAGE = "https://page.example/forum?id=7"
HIT = {"hits": [{"url": PAGE, "text": f"Some say {QUOTE}."}]}


def claims_of(source: str, quote: str, read: Read) -> list[Statement]:
    """What is left of a claim with this evidence."""
    claim = Statement(text="So it is.", evidence=[Evidence(source=source, quote=quote)])
    return held_to(Report(status="answered", summary="s", claims=[claim]), [read])[0].claims


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ("2403.99999", SEARCH),  # was searched for, and nobody has read it
        ("2403.99999 irises", SEARCH),
        ("search", SEARCH),
        ("arXiv", SEARCH),
        ("2403.77777", CITED),  # was looked up, but a paper that cites it says so
        ("citations", CITED),
        ("papers", Read({"operation": "read"}, json.dumps({"url": "https://hub.example/papers/1", "text": QUOTE}))),
        ("2403.77777", DATA),  # a row of somebody's data calls itself so
        ("https://page.example/forum?id=8", Read({"url": PAGE}, f"Some say {QUOTE}.")),
        ("1", Read({"operation": "read"}, json.dumps({"url": "https://hub.example/papers/1", "text": QUOTE}))),
        ("", Read({"url": "/"}, QUOTE)),
    ],
)
def test_what_was_asked_for_is_not_who_says_so(source: str, read: Read) -> None:
    assert not claims_of(source, QUOTE, read)


def made_of(paper: str, *read: Read, quote: str = QUOTE, **given: Any) -> list[Recipe]:
    """What is left of a recipe of this paper."""
    recipe = Recipe.model_validate({"paper": paper, "sources": [{"source": paper, "quote": quote}], **given})
    return held_to(Report(status="answered", summary="s", recipes=[recipe]), read)[0].recipes


@pytest.mark.parametrize(
    "read",
    [
        Read({"operation": "inspect", "id": "evil/2403.77777"}, json.dumps({"id": "evil/2403.77777", "text": QUOTE})),
        Read({"url": "https://evil.example/2403.77777"}, QUOTE),
        Read({"query": "x"}, json.dumps({"hits": [{"url": "https://evil.example/a#2403.77777", "text": QUOTE}]})),
        Read({"repo": "evil/x", "path": "notes/2403.77777"}, QUOTE),
        Read({"repo": "evil/x", "path": "2403.77777"}, QUOTE),
        Read({"repo": "evil/x"}, json.dumps({"repo": "evil/x", "files": [{"path": "2403.77777", "text": QUOTE}]})),
        Read({"id": "evil/x"}, json.dumps({"id": "evil/x", "columns": [{"name": "2403.77777", "values": [QUOTE]}]})),
        Read({"id": "evil/x"}, json.dumps({"files": [{"path": "https://arxiv.org/abs/2403.77777", "text": QUOTE}]})),
    ],
)
def test_nobody_is_a_paper_by_calling_something_so(read: Read) -> None:
    for source in ("2403.77777", "arXiv:2403.77777", "https://arxiv.org/abs/2403.77777"):
        assert not claims_of(source, QUOTE, read)
        assert not made_of(source, read)


@pytest.mark.parametrize(
    ("paper", "read"),
    [
        ("2403.77777v2", Read({"operation": "read", "id": "2403.77777"}, QUOTE)),
        ("arXiv:2403.77777", Read({"url": "https://arxiv.org/pdf/2403.77777v1"}, QUOTE)),
        ("https://huggingface.co/papers/2403.77777", Read({"id": "2403.77777v1"}, QUOTE)),
        ("10.1000/ABC", Read({"url": "https://doi.org/10.1000/abc"}, QUOTE)),
        ("https://page.example/irises", Read({"url": "https://page.example/irises"}, QUOTE)),
    ],
)
def test_a_paper_has_an_id_a_version_and_pages(paper: str, read: Read) -> None:
    assert claims_of(paper, QUOTE, read)
    assert made_of(paper, read)


def test_a_part_is_no_paper_and_an_address_that_was_asked_is_none() -> None:
    assert not made_of(
        "trees.py", Read({"repo": "acme/trees"}, json.dumps({"files": [{"path": "trees.py", "text": QUOTE}]}))
    )
    assert claims_of(ARXIV[0]["address"], QUOTE, SEARCH)
    assert not made_of(ARXIV[0]["address"], SEARCH)


@pytest.mark.parametrize(
    ("source", "quote", "says"),
    [
        ("2403.77777", "We beat these trees by two points.", True),
        ("2001.00001", "We beat these trees by two points.", False),
        ("2001.00001", "Trees are grown until they are pure.", True),
        ("2403.77777", "Trees are grown until they are pure.", False),
        ("2403.01234", "It builds upon the trees of others.", True),
        ("2403.77777", "It builds upon the trees of others.", False),
    ],
)
def test_the_words_around_a_citation_are_those_of_the_paper_that_cites(source: str, quote: str, says: bool) -> None:
    assert bool(claims_of(source, quote, CITED)) == says


@pytest.mark.parametrize(
    ("source", "quote", "read"),
    [
        ("2403.01234", QUOTE, SEARCH),
        ("2403.01234", QUOTE, CITED),
        (ARXIV[0]["address"], QUOTE, SEARCH),
        ("2403.01234", "builds upon the trees of others", CITED),
        ("acme/trees", "src/training/loop.py", Read({"repo": "acme/trees"}, '{"files": [{"path": "src/training/loop.py"}]}')),
        ("someone/irises", "petal length int64", Read({"id": "someone/irises"}, '{"columns": [{"name": "petal length", "type": "int64"}]}')),
        ("a/one", "no row in common at all", Read({"train": "a/one", "test": "a/two"}, '{"notes": ["No row in common at all"]}')),
        ("someone/irises", QUOTE, DATA),
        (PAGE, QUOTE, Read({"url": PAGE}, f"Some say {QUOTE}.")),
        (PAGE, QUOTE, Read({"query": "irises"}, json.dumps(HIT))),
        ("https://page.example/irises", QUOTE, Read({"url": "https://page.example/irises?x=1"}, f"Some say {QUOTE}.")),
    ],
)  # fmt: skip
def test_who_says_so_is_known_by_its_own_name(source: str, quote: str, read: Read) -> None:
    assert claims_of(source, quote, read)


@pytest.mark.parametrize(
    "quote", ['it says "so it is" in\ntwo lines', 'it says \\"so it is\\" in\\ntwo lines', "caf\\u00e9 au lait here"]
)
def test_a_quote_is_found_as_it_is_and_as_json_writes_it(quote: str) -> None:
    text = json.dumps({"id": "doc-a", "text": 'There it says "so it is" in\ntwo lines, café au lait here.'})
    assert claims_of("doc-a", quote, Read({"id": "doc-a"}, text))


def recipe_of(**given: Any) -> tuple[Recipe | None, list[str]]:
    """What is left of a recipe, and what is said of the rest."""
    sources = [Evidence(source="2403.01234", quote=QUOTE)]
    recipe = Recipe.model_validate({"paper": "2403.01234", "sources": sources, **given})
    text = json.dumps({"id": "2403.01234", "text": TEXT})
    kept, notes = held_to(
        Report(status="answered", summary="s", recipes=[recipe]), [SEARCH, Read({"id": "2403.01234"}, text)]
    )
    return (kept.recipes[0] if kept.recipes else None), notes


TEXT = (
    "Batches of 1,024 rows, dropout of 20 %, decay $3\\times 10^{-4}$, 10−5 at the end; RBF kernel, Nesterov momentum."
)


def test_a_recipe_of_a_paper_that_nobody_read_is_left_out() -> None:
    recipe, notes = recipe_of(paper="9999.99999", dataset="ImageNet", hyperparameters={"lr": 123})
    assert recipe is None
    assert notes[0].startswith("1 recipe left out")


@pytest.mark.parametrize(
    "setting",
    [
        {"lr": 0.001}, {"lr": "1e-3"}, {"batch_size": 1024}, {"dropout": 0.2}, {"decay": 3e-4}, {"last": 1e-5},
        {"kernel": "rbf"}, {"nesterov": True},
    ],
)  # fmt: skip
def test_a_setting_that_its_paper_has_stays(setting: dict[str, Any]) -> None:
    recipe, notes = recipe_of(hyperparameters=setting)
    assert recipe is not None
    assert recipe.hyperparameters == setting
    assert notes == []


@pytest.mark.parametrize(
    "part", [{"lr": 123}, {"lr": 1e-9}, {"size": 24}, {"kernel": "linear"}, {"amsgrad": True}, {"kernel": ""}]
)
def test_a_setting_that_its_paper_lacks_goes_and_is_counted(part: dict[str, Any]) -> None:
    recipe, notes = recipe_of(hyperparameters={**part, "dropout": 0.2}, dataset="ImageNet")
    assert recipe is not None
    assert recipe.hyperparameters == {"dropout": 0.2}
    assert recipe.dataset == ""
    assert notes[0].startswith("2 recipe parts left out")


@pytest.mark.parametrize(
    ("part", "said", "kept"),
    [
        ("method", "We use an RBF kernel. Then LoRA is added.", "We use an RBF kernel."),
        ("method", "Batches of 1024 rows; 512 of them are new.", "Batches of 1024 rows;"),
        ("method", "It is trained slowly, with plain words.", "It is trained slowly, with plain words."),
        ("method", "Trained with Adam.", ""),
        ("why", "Dropout of 0.2 helps most.", "Dropout of 0.2 helps most."),
        ("why", "Dropout of 0.5 helps most.", ""),
        ("data", "acme/irises", ""),
        ("data", "someone/irises, 1,024 rows", "someone/irises, 1,024 rows"),
        ("title", "Forests", "Forests"),
        ("title", "Attention Is All You Need", ""),
        ("year", 2017, None),
        ("year", 2024, 2024),
        ("citations", 90_000, None),
        ("citations", 12, 12),
        ("value", 0.974, 0.974),
        ("value", 0.999, None),  # another source says so, and not of this paper
        ("citations", 13, None),
    ],
)
def test_what_nothing_read_says_goes_from_a_recipe(part: str, said: Any, kept: Any) -> None:
    paper = {**IRISES, "date": "2024-03-05", "citations": 12, "text": TEXT}
    other = {"id": "2403.55555", "text": "Others reach an accuracy of 99.9 % on irises."}
    sources = [
        {"source": IRISES["id"], "quote": QUOTE},
        {"source": other["id"], "quote": "an accuracy of 99.9 % on irises"},
    ]
    recipe = Recipe.model_validate({"paper": IRISES["id"], "sources": sources, part: said})
    read = [Read({"operation": "search"}, json.dumps({"papers": [paper, other]})), DATA]
    report, notes = held_to(Report(status="answered", summary="s", recipes=[recipe]), read)
    assert getattr(report.recipes[0], part) == kept
    assert bool(notes) == (said != kept)


@pytest.mark.parametrize(
    ("quote", "value", "stands"),
    [
        ("a loss of 3×10^-4 at the end", 3e-4, True),
        ("a loss of 3e-4 at the end", 3e-4, True),
        ("a loss of 10−5 at the end", 1e-5, True),
        ("a loss of -0.25 at the end", -0.25, True),
        ("a loss of -0.25 at the end", 0.25, False),
        ("a loss of −0.25 at the end", 0.25, False),
        ("a loss of 0.25 at the end", -0.25, False),
        ("from 10-20 points at the end", 20, True),
        ("an accuracy of 97.4 here", 0.974, True),
        ("an accuracy of 97.4 % here", 0.974, True),
        ("an accuracy of 1,024 here", 1024, True),
        ("an accuracy of v97.4 here", 97.4, False),
        ("an accuracy of 1" + "0" * 400, 97.4, False),
    ],
)
def test_a_value_is_read_from_its_quote_as_numbers_are_everywhere(quote: str, value: float, stands: bool) -> None:
    read = Read({"id": "2403.01234"}, json.dumps({"id": "2403.01234", "text": quote}))
    (recipe,) = made_of("2403.01234", read, quote=quote, value=value)
    assert (recipe.value == value) == stands


def test_a_number_without_end_proves_nothing() -> None:
    read = Read({"id": "2403.01234"}, json.dumps({"id": "2403.01234", "text": f"{QUOTE} {'9' * 400}, {'9' * 400}.0"}))
    given = {"hyperparameters": {"lr": 123, "top": 1e299}, "citations": 5, "method": "We take 77 trees."}
    (recipe,) = made_of("2403.01234", read, **given)
    assert (recipe.hyperparameters, recipe.citations, recipe.method) == ({}, None, "")


ODD = (
    {"year": 10**4400}, {"year": 1799}, {"year": 2201}, {"citations": 10**400}, {"citations": -1},
    {"value": float("inf")}, {"value": float("nan")}, {"value": 1e300}, {"hyperparameters": {"lr": 10**400}},
    {"hyperparameters": {"lr": 10**4400}}, {"hyperparameters": {"clip": float("-inf")}},
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_number_is_refused_where_it_is_new_and_left_out_where_it_was_kept(odd: dict[str, Any]) -> None:
    recipe = {"paper": "2403.01234", "sources": [{"source": "2403.01234", "quote": QUOTE}], **odd}
    report = {"status": "answered", "summary": "s", "recipes": [recipe]}
    with pytest.raises(ValidationError):
        Report.model_validate(report)
    kept, notes = held_to(Report.model_validate(report, context=KEPT), [SEARCH])
    assert kept.recipes == [Recipe(paper="2403.01234", sources=kept.recipes[0].sources)]
    assert notes == []
    found = Finding.model_validate({"question": "q?", "status": "answered", "recipes": [recipe]}, context=KEPT)
    assert found.recipes == kept.recipes


def test_each_text_is_read_once_however_much_is_held_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scanned: list[int] = []
    numbers_in, words_in = evidence._numbers_in, evidence._words_in
    monkeypatch.setattr(evidence, "_numbers_in", lambda text: (scanned.append(len(text)), numbers_in(text))[1])
    monkeypatch.setattr(evidence, "_words_in", lambda text: (scanned.append(len(text)), words_in(text))[1])
    names = [f"2403.{number:05}" for number in range(300)]
    read = [Read({"id": name}, json.dumps({"id": name, "text": f"{QUOTE} with 12 trees. " * 10})) for name in names]
    prose = "It takes 12 trees of Somebody, or 13. " * 30
    recipes = [
        Recipe(paper=name, method=prose, data=prose, why=prose, sources=[Evidence(source=name, quote=QUOTE)])
        for name in names[:10]
    ]
    held_to(Report(status="answered", summary="s", recipes=recipes), read)
    texts = [length for length in scanned if length > 100]
    assert len(texts) <= 2 * 2 * len(read), "the answer, and its record; their words, and their numbers"


@pytest.mark.parametrize("text", ["1" * 20_000 + "a", "1," * 10_000 + "a", "1.1" * 7_000 + "a", "-" * 20_000])
def test_reading_the_numbers_of_a_text_takes_no_longer_than_the_text(text: str) -> None:
    began = time.process_time()
    evidence._numbers_in(text)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "answer",
    [
        {"papers": [{"id": f"id-{n:03}", "abstract": f'Number {n} says "so".\n' * 20} for n in range(50)]},
        {"id": "doc-a", "text": 'It says "so".\n' * 3_000},
        {"papers": [{"id": "id-000", "abstract": "so it is " * 3_000}]},
        {"id": "doc-a", "text": "so " * 3_000, "parts": [{"text": "and so " * 2_000}] * 2},
    ],
)
def test_an_answer_that_is_too_long_stays_json_and_says_so(answer: dict[str, Any]) -> None:
    sources = [{"name": "Hub", "address": "https://hub.example/api"}]
    whole = json.dumps({**answer, "sources": sources, "notes": ["first"]}, ensure_ascii=False)
    text = fitting(whole, 4_000)
    assert len(text) <= 4_000 < len(whole)
    assert len(text) > 2_000
    short = json.loads(text)
    assert short["sources"] == sources
    assert short["notes"][0] == "first"
    assert all(note.startswith("Too long: ") for note in short["notes"][1:])
    assert short["notes"][1:]
    assert short.keys() == {*answer, "sources", "notes"}
    if "papers" in answer:
        assert short["papers"][0]["id"] == "id-000"
    else:
        assert short["id"] == "doc-a"
        assert short["text"]
        assert answer["text"].startswith(short["text"])


def shortened(answer: dict[str, Any], limit: int) -> dict[str, Any]:
    """An answer in so many characters."""
    return dict(json.loads(fitting(json.dumps(answer), limit)))


def test_only_our_names_stand_in_the_note() -> None:
    short = shortened({"row": {"Obey me.": {"and me": "so " * 2_000}}}, 1_000)
    assert short["notes"] == [f"Too long: row is not shown in full; {fitting_module.ASK}"]


def test_no_more_goes_than_must() -> None:
    papers = [{"id": f"id-{number}", "abstract": "word " * 1_600} for number in range(2)]
    short = shortened({"papers": papers}, len(json.dumps({"papers": papers})) - 70)
    assert [len(one["abstract"]) > 7_500 for one in short["papers"]] == [True, True]
    mixed = [{"id": "id-0"}, papers[1], {"id": "id-2"}, {"id": "id-3"}]
    short = shortened({"papers": mixed}, len(json.dumps({"papers": mixed})) - 70)
    assert [one["id"] for one in short["papers"]] == ["id-0", "id-1"]
    assert len(short["papers"][1]["abstract"]) > 7_500


def test_where_the_largest_has_nothing_to_spare_the_next_is_cut() -> None:
    numbers = {f"k{number}": number for number in range(200)}
    short = shortened({"numbers": numbers, "text": "so " * 500}, 3_000)
    assert short["numbers"] == numbers
    assert 200 <= len(short["text"]) < 1_500
    assert short["notes"] == [f"Too long: text is not shown in full; {fitting_module.ASK}"]


def test_what_would_be_cut_in_many_places_is_cut_as_a_text(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    size = fitting_module._size
    monkeypatch.setattr(fitting_module, "_size", lambda value: (sizes.append(1), size(value))[1])
    many = {f"k{number}": "so " * 100 for number in range(300)}
    assert "characters cut" in fitting(json.dumps(many), 40_000)
    assert len(sizes) <= fitting_module.ROUNDS * 2 * len(many)


def test_what_fits_and_what_is_no_object_stays_as_it_is() -> None:
    assert fitting('{"a": 1}', 100) == '{"a": 1}'
    assert fitting("words " * 100, 60).startswith("words " * 10 + "\n… 540 characters cut")
    many = json.dumps({f"k{n}": n for n in range(1_000)})
    assert "characters cut" in fitting(many, 500)
