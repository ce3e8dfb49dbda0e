"""The report of a run: one file, complete, that obeys nothing in it."""

from __future__ import annotations

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from trainwright.graph.state import (
    Approval,
    Attempt,
    Baseline,
    ClaimVerdict,
    Finding,
    Hyperparameter,
    Request,
    SandboxReport,
    State,
    Status,
)
from trainwright.tools.report import build_report

from .states import SPENT, brief, dataset, evaluation, plan, published

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """What a browser would make of a page: its elements, its words, and whether all that was opened was closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)

    @property
    def text(self) -> str:
        """All words, white space made single."""
        return " ".join(" ".join(self.words).split())


def report(state: State, folder: Path) -> Page:
    """The report of a state, read back."""
    location = state.publication.location if state.publication else ""
    path = build_report(state, folder, spent=SPENT, model_location=location)
    assert path == folder / "report.html"
    assert [item.name for item in folder.iterdir()] == ["report.html"], "nothing half-written stays"
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    return page


def test_a_published_run_is_told_whole(tmp_path: Path) -> None:
    text = report(published(), tmp_path).text
    for part in (
        "run digits-1a2b",
        "Ten Digits",
        "Published",
        "accuracy 0.9889 [0.9750, 1.0000] on 360 withheld rows, better than a model that ignores its input",
        "The paper's claim is reproduced",
        "It lies within the interval.",
        "The wanted score accuracy >= 0.9700 is reached",
        "f1_macro 0.9887",
        "gamma left open",
        "training and validation differ",
        "C = 10.0",
        "0.9500",
        "target unmet",
        "We set C = 10 (page 1)",
        "pixel_0 is constant.",
        "1150 train, 287 validation, 360 test",
        "watch job",
        "3.5 s",
        "approve_plan approve rule",
        "A note of what was dropped.",
        "The paper also states n_neighbors = 3 for k-NN (page 1); this was not used.",
        "1 other claim found in the paper was not compared with anything.",
        "/hub/digits-1a2b/reproduce.sh sklearn:digits",
        "trainwright run '/papers/ten digits.pdf' --data sklearn:digits --goal 'read digits'",
        "--seed 7",
        "f" * 64,
        "2" * 40,
    ):
        assert part in text
    assert "trainwright resume" not in text


def test_nothing_is_loaded_from_anywhere(tmp_path: Path) -> None:
    page = report(published(), tmp_path)
    assert set(page.tags) & {"script", "link", "img", "iframe", "object", "embed", "base", "form", "a"} == set()
    names = {name for name, _ in page.attributes}
    assert names & {"src", "href", "srcset", "xlink:href", "action", "style"} == set()
    assert not any(name.startswith("on") for name in names)
    style = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in style


EVIL = (
    '</code></pre></td><script>alert(1)</script><img src=x onerror="alert(2)">{{ 7 * 7 }}{% raw %}'
    "\x00\x1b[2J\u202egpj.exe\udcff&lt;b&gt;"
)


def hostile() -> State:
    """A run in which every text from outside tries to be more than text."""
    attempt = Attempt(number=1, method=EVIL, change=EVIL, why=EVIL, hyperparameters={EVIL: EVIL}, verdict=EVIL)
    verdict = ClaimVerdict(value=0.9, metric=EVIL, verdict="better", why=EVIL, quote=EVIL)
    return published(
        request=Request(goal=EVIL, data=EVIL, paper=EVIL + "\n", target_column=EVIL),
        reason=EVIL,
        brief=brief(title=EVIL, warnings=[EVIL], hyperparameters=[Hyperparameter(name=EVIL, value=EVIL)]),
        plan=plan(approach=EVIL, reasons=[EVIL], method=EVIL),
        dataset=dataset(
            name=EVIL,
            source=EVIL,
            licence=EVIL,
            target=EVIL,
            findings=[Finding(code=EVIL, severity="error", message=EVIL)],
        ),
        sandbox=SandboxReport(passed=False, code_sha256="", isolation="bubblewrap", error_tail=EVIL),
        evaluation=evaluation(metric=EVIL, claim=verdict, others={EVIL: 0.5}, baseline=Baseline(name=EVIL, value=0.1)),
        attempts=[attempt],
        approvals=[Approval(gate="approve_job", decision="reject", by="person", shown_sha256="", message=EVIL)],
        notes=[EVIL],
    )


def test_outside_text_stays_text(tmp_path: Path) -> None:
    page = report(hostile(), tmp_path)
    assert {"script", "img"} & set(page.tags) == set()
    assert "alert(1)" in page.text, "it is shown"
    assert "{{ 7 * 7 }}" in page.text
    raw = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", raw)


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_a_report_even_of_an_empty_run(status: Status, tmp_path: Path) -> None:
    text = report(State(run="early", status=status, reason="Because."), tmp_path).text
    assert "Because." in text
    assert "trainwright run" in text
    for_good = status in (Status.PUBLISHED, Status.REJECTED, Status.WAITING)
    assert ("trainwright resume early" in text) is not for_good


def test_a_limit_says_how_to_go_on(tmp_path: Path) -> None:
    text = report(published(status=Status.STEP_LIMIT, publication=None, evaluation=None, steps=300), tmp_path).text
    assert "trainwright resume digits-1a2b --step-cap 600" in text
    assert "There is no score: the withheld labels were not used." in text


def test_a_missed_score_and_a_rejection_are_said(tmp_path: Path) -> None:
    refused = Approval(gate="approve_publish", decision="reject", by="rule", shown_sha256="", message="It misses.")
    state = published(
        status=Status.GAVE_UP,
        publication=None,
        evaluation=evaluation(target_met=False, value=0.08, low=0.05, high=0.11),
        approvals=[refused],
    )
    text = report(state, tmp_path).text
    assert "NO better than a model that ignores its input" in text
    assert "The wanted score was not reached." in text
    assert "The model was not published." in text
    assert "approve publish: rejected by a rule: It misses." in text


def test_nothing_left_undone_is_said_too(tmp_path: Path) -> None:
    state = published(notes=[], brief=brief(claims=[], hyperparameters=[]))
    assert "Refused or left undone Nothing." in report(state, tmp_path).text


def test_a_wanted_score_without_its_plan_does_not_break_the_report(tmp_path: Path) -> None:
    assert "The wanted score is reached" in report(published(plan=None), tmp_path).text


def test_a_claim_of_another_metric_is_not_drawn_on_this_axis(tmp_path: Path) -> None:
    other = ClaimVerdict(value=0.5, metric="f1_macro", verdict="not_comparable", why="Another metric.")
    page = report(published(evaluation=evaluation(claim=other)), tmp_path)
    drawn = [value for name, value in page.attributes if name == "aria-label"]
    assert drawn[0] == "accuracy 0.9889, baseline 0.1028, wanted 0.9700"
    assert "Not comparable with the paper's claim (f1_macro 0.5000)" in page.text


def test_the_paper_on_standard_input_is_not_repeated_as_a_path(tmp_path: Path) -> None:
    state = published(request=Request(paper="We train.\nAn SVM.\n", data="sklearn:digits"))
    assert "trainwright run - --data sklearn:digits --seed 7 --attempts 3 < ABSTRACT" in report(state, tmp_path).text


def test_values_that_are_no_numbers_do_not_break_the_report(tmp_path: Path) -> None:
    broken = evaluation(value=math.nan, low=-math.inf, high=math.inf, claim=None)
    assert "nan" in report(published(evaluation=broken), tmp_path).text


def test_the_old_report_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("old", encoding="utf-8")
    with pytest.raises(TypeError):
        build_report(published(), tmp_path, spent={"usd": "no number"}, model_location="")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == "old"
