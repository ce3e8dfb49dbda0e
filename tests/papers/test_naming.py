"""The methods and data sets of a paper, its own method first; and what kind of input it is about."""

from __future__ import annotations

import pytest

from trainwright.tools.papers import PaperFacts, extract
from trainwright.tools.papers.markdown import parse_markdown


def facts_of(title: str, abstract: str, text: str = "") -> PaperFacts:
    """The facts of a small paper."""
    return extract(parse_markdown(f"# {title}\n\n## Abstract\n\n{abstract}\n\n## 1 Introduction\n\n{text}\n"))


@pytest.mark.parametrize(
    ("title", "abstract", "method"),
    [
        ("TPOT: A Tool for Pipelines", "We present TPOT, which optimises pipelines.", "TPOT"),
        ("Random Forests for Letters", "We train random forests on a data set of letters.", "Random Forests"),
        ("Deep Learning of Letters", "We propose a new method called LetterNet for classification.", "LetterNet"),
        ("Classification of Small Tables", "We propose Margin Forests (MAFO) and evaluate MAFO in experiments.", "MAFO"),
        ("A Look at Letters", "We use logistic regression to classify letters and compare the results.", "logistic regression"),
        ("A Baseline for Digits", "Our method is a support vector machine with an RBF kernel, evaluated on digits.",
         "support vector machine with an RBF kernel"),
        ("Support Vector Machines for Digits", "We train SVMs. A support vector machine with a linear kernel is best here.",
         "support vector machine with a linear kernel"),
    ],
)  # fmt: skip
def test_the_papers_own_method(title: str, abstract: str, method: str) -> None:
    facts = facts_of(title, abstract)
    assert facts.method == method
    assert facts.methods[0] == method


def test_every_method_is_named_once() -> None:
    facts = facts_of(
        "A Comparison of Classifiers",
        "We compare random forests, logistic regression and naive Bayes.",
        "Random forests win. Random forests are robust. A k-nearest neighbour classifier and an MLP are also trained.",
    )
    lower = [m.lower() for m in facts.methods]
    assert len(lower) == len(set(lower))
    for name in ("random forests", "logistic regression", "naive bayes", "k-nearest neighbour classifier", "mlp"):
        assert name in lower


def test_data_sets_most_used_first() -> None:
    facts = facts_of(
        "A Comparison of Classifiers",
        "We evaluate on the Iris data set.",
        "The Iris data set has 150 rows. Iris is small. We also use the Wine recognition data and the Foobar dataset. "
        "Iris is also used for the final test.",
    )
    assert facts.datasets[0] == "Iris"
    assert "Foobar" in facts.datasets


@pytest.mark.parametrize(
    ("title", "abstract", "modality"),
    [
        ("Recognising Handwritten Digits", "We classify images of digits from pixels on MNIST.", "images"),
        ("Sentiment of Sentences", "We classify sentences of movie reviews by their words.", "text"),
        ("Node Classification", "We classify nodes of a citation network, a graph, on Cora.", "graph"),
        ("Keyword Spotting", "We classify audio recordings of speech by spectrograms.", "audio"),
        ("Tabular Data", "Gradient boosting and random forests on tabular data of the UCI repository.", "table"),
        ("Time Series", "We classify univariate time series of the UCR archive with DTW.", "time_series"),
        ("Characters", "A character-level language model with low perplexity on Penn Treebank.", "language_model"),
        (
            "Similarity",
            "We predict the semantic textual similarity of sentence pairs on the STS benchmark.",
            "text_pairs",
        ),
        ("Nothing", "We propose something and evaluate it.", "unknown"),
    ],
)
def test_what_kind_of_input(title: str, abstract: str, modality: str) -> None:
    assert facts_of(title, abstract).modality == modality


def test_metrics_by_use() -> None:
    facts = facts_of(
        "A Comparison",
        "We report the macro-F1 of 64.7% and the accuracy of 70.1% on TREC.",
        "The macro-F1 score is measured. Macro-F1 is reported for 3 runs.",
    )
    assert facts.metrics[0] == "f1_macro"
    assert "accuracy" in facts.metrics
