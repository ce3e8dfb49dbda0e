"""Claims in sentences: what is a result, of what, and what only looks like one."""

from __future__ import annotations

import pytest

from trainwright.graph.state import Claim
from trainwright.tools.papers import extract, quote_in
from trainwright.tools.papers.markdown import parse_markdown

START = "# A Study of Methods\n\n## Abstract\n\nWe study methods for classification on public data sets.\n\n## 1 Results\n\n"


def claims_of(sentence: str) -> list[Claim]:
    """The claims of a paper whose results are this sentence."""
    paper = parse_markdown(START + sentence + "\n")
    claims = extract(paper).claims
    assert all(quote_in(paper, claim.quote) for claim in claims)
    return claims


@pytest.mark.parametrize(
    ("sentence", "metric", "value", "dataset"),
    [
        ("It achieves an accuracy of 97.4 % on MNIST.", "accuracy", 0.974, "MNIST"),
        ("On CIFAR-10 we obtain 93.5% accuracy.", "accuracy", 0.935, "CIFAR-10"),
        ("Our model reaches a test error of 1.25% on the MNIST data set.", "error_rate", 0.0125, "MNIST"),
        ("The classification error rate on SVHN was 2.55%.", "error_rate", 0.0255, "SVHN"),
        ("We report a macro-F1 of 64.7 on TweetEval.", "f1_macro", 0.647, "TweetEval"),
        ("The random forest gets an RMSE of 2.97 on Boston housing.", "rmse", 2.97, "Boston housing"),
        ("The model yields an AUC of 0.916 on this task.", "roc_auc", 0.916, ""),
        ("We measured a Spearman correlation of 0.82 on the STS benchmark.", "spearman", 0.82, "STS benchmark"),
        ("Accuracy: 88.5% on TREC.", "accuracy", 0.885, "TREC"),
        ("The best system has 28.4 BLEU on newstest2014.", "bleu", 28.4, "newstest2014"),
        ("On TIMIT, the network has a phone error rate of 19.7%.", "per", 0.197, "TIMIT"),
        ("It has an accuracy of 0.974 ± 0.003 on Letter recognition.", "accuracy", 0.974, "Letter recognition"),
        ("The mean absolute error is 3.4 on the concrete data set.", "mae", 3.4, "concrete"),
        ("We reach a balanced accuracy of 71.2% on Adult.", "balanced_accuracy", 0.712, "Adult"),
        ("Our classifier achieves 0.91 precision on Spambase.", "precision", 0.91, "Spambase"),
    ],
)
def test_results(sentence: str, metric: str, value: float, dataset: str) -> None:
    claims = claims_of(sentence)
    assert [(c.metric, c.value, c.dataset) for c in claims] == [(metric, value, dataset)]
    assert claims[0].quote == sentence


@pytest.mark.parametrize(
    "sentence",
    [
        "This improves the accuracy by 2.3% on MNIST.",
        "It is 1.5% more accurate than the baseline.",
        "The accuracy is at least 90% in all runs.",
        "Accuracy drops from 97% to 91% on MNIST without it.",
        "More than 95% accuracy would be needed in practice.",
        "Chance accuracy is 10% on MNIST.",
        "There is a 4.4% relative improvement in test accuracy overall.",
        "We use 80% of the data for training and measure accuracy on the rest.",
        "The accuracy of approximately 97% is not exact.",
        "Accuracy of 92-95% was reported for all of them.",
        "An accuracy of 250 % makes no sense.",
        "Accuracy was measured on 10 data sets.",
        "The threshold should give a recall of 95%.",
        "The difference in accuracy is 3.1%.",
        "One variant is 0.9 BLEU worse than the other.",
    ],
)
def test_what_is_no_result(sentence: str) -> None:
    assert claims_of(sentence) == []


def test_methods_and_splits_of_sentences() -> None:
    (claim,) = claims_of("A linear SVM achieves a test accuracy of 89.4% on Banking77.")
    assert (claim.method, claim.split, claim.dataset) == ("linear SVM", "test", "Banking77")
    (claim,) = claims_of("With 10-fold cross-validation, logistic regression has an accuracy of 85.3% on Adult.")
    assert (claim.method, claim.split) == ("logistic regression", "10-fold cross-validation")
    (claim,) = claims_of("The validation accuracy is 88.0% on TREC for the random forest.")
    assert (claim.method, claim.split) == ("random forest", "validation")


def test_two_results_of_one_sentence() -> None:
    claims = claims_of(
        "The SVM has an accuracy of 97.0% and the random forest has an accuracy of 96.5% on Letter recognition."
    )
    assert {(c.method, c.value) for c in claims} == {("SVM", 0.97), ("random forest", 0.965)}


def test_cited_results_come_last() -> None:
    claims = claims_of(
        "Smith et al. (2019) report an accuracy of 99.0% on MNIST. Our method achieves an accuracy of 98.5% on MNIST."
    )
    assert [c.value for c in claims] == [0.985, 0.99]


def test_a_long_sentence_is_quoted_around_its_number() -> None:
    filler = "which holds for a great many of the settings that were looked at in the course of the work, " * 6
    (claim,) = claims_of(
        f"As we show here, {filler}the final accuracy of 91.5% on MNIST is what we report, {filler}as said."
    )
    assert "accuracy of 91.5% on MNIST" in claim.quote
    assert len(claim.quote) <= 400


def test_pages_of_claims_are_those_of_their_sentences() -> None:
    from trainwright.tools.papers.records import Paragraph, ParsedPaper

    text = "We study methods. " * 30
    paper = ParsedPaper(
        title="A Paper",
        pages=2,
        paragraphs=[Paragraph(text=text + "We obtain an accuracy of 91.5% on MNIST.", page=1, breaks=[(len(text), 2)])],
    )
    (claim,) = extract(paper).claims
    assert claim.page == 2
