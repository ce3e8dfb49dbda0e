"""Hyperparameters in sentences, in tables of settings and in labels; and what only looks like one."""

from __future__ import annotations

import pytest

from trainwright.graph.state import Hyperparameter
from trainwright.tools.papers import extract, quote_in
from trainwright.tools.papers.markdown import parse_markdown

START = "# A Study of Methods\n\n## Abstract\n\nWe study random forests and other methods for classification on public data sets.\n\n## 1 Setup\n\n"


def settings_in(text: str) -> list[Hyperparameter]:
    """The settings of a paper with this text."""
    paper = parse_markdown(START + text + "\n")
    found = extract(paper).hyperparameters
    assert all(quote_in(paper, item.quote) for item in found)
    return found


@pytest.mark.parametrize(
    ("sentence", "name", "value"),
    [
        ("We set C = 10 for the SVM.", "C", 10),
        ("The penalty parameter C of the SVM was set to 0.5.", "C", 0.5),
        ("The SVM uses γ = 0.001.", "gamma", 0.001),
        ("We train the SVM with gamma of 2^-3.", "gamma", 0.125),
        ("The forest has 500 trees.", "n_estimators", 500),
        ("The number of trees in the random forest is 1,000.", "n_estimators", 1000),
        ("We limit the maximum depth of the trees to 8.", "max_depth", 8),
        ("The kNN classifier uses k = 5.", "n_neighbors", 5),
        ("We use the 3 nearest neighbours for kNN.", "n_neighbors", 3),
        ("We use a learning rate of 0.01.", "learning_rate", 0.01),
        ("The initial learning rate is set to 1e-3.", "learning_rate", 0.001),
        ("Training uses a step size of 3 × 10−4.", "learning_rate", 0.0003),
        ("Mini-batches of size 128 are used.", "batch_size", 128),
        ("The batch size is 32.", "batch_size", 32),
        ("We train for 20 epochs.", "epochs", 20),
        ("The dropout rate is 0.5.", "dropout", 0.5),
        ("Dropout of 20% is applied.", "dropout", 0.2),
        ("Momentum was fixed at 0.9.", "momentum", 0.9),
        ("A weight decay of 5e-4 is used.", "weight_decay", 0.0005),
        ("The network has two hidden layers of 800 units each.", "hidden_layer_sizes", "800-800"),
        ("It is an MLP with one hidden layer of 100 units.", "hidden_layer_sizes", 100),
        ("There are three hidden layers with 512, 256 and 128 units.", "hidden_layer_sizes", "512-256-128"),
        ("Multinomial naive Bayes uses a smoothing parameter of 0.1.", "alpha", 0.1),
        ("Ridge regression with α = 1.0 is used.", "alpha", 1.0),
        ("We run at most 1000 iterations: max_iter = 1000.", "max_iter", 1000),
        ("The model is trained with the Adam optimizer.", "optimizer", "adam"),
        ("Multinomial naive Bayes is trained on unigrams and bigrams.", "ngram_max", 2),
        ("The SVM has a polynomial kernel.", "kernel", "poly"),
        ("The minimum number of samples per leaf of the random forest is 5.", "min_samples_leaf", 5),
        ("Elastic net uses an l1_ratio of 0.5.", "l1_ratio", 0.5),
    ],
)
def test_settings(sentence: str, name: str, value: object) -> None:
    found = [(item.name, item.value) for item in settings_in(sentence)]
    assert (name, value) in found


@pytest.mark.parametrize(
    ("sentence", "name"),
    [
        ("We search C in {0.1, 1, 10} for the SVM.", "C"),
        ("The learning rate is chosen from 0.1, 0.01 and 0.001.", "learning_rate"),
        ("Learning rates of 0.1, 0.01 and 0.001 were tried.", "learning_rate"),
        ("The number of trees was varied from 10 to 500.", "n_estimators"),
        ("The dropout rate lies between 0.2 and 0.5.", "dropout"),
        ("The learning rate is halved after every 10 epochs.", "epochs"),
        ("Section C is 10 pages long.", "n_neighbors"),
        ("We draw k = 5 samples of each class.", "n_neighbors"),
        ("Batch normalisation with a momentum from [5] is used.", "momentum"),
        ("The dropout rate of 1.5 is impossible.", "dropout"),
        ("We stop after 2.5 epochs.", "epochs"),
        ("Vitamin C = 10 mg was given.", "C"),
        ("We use windows with a step size of 10 ms.", "learning_rate"),
    ],
)
def test_what_is_no_setting(sentence: str, name: str) -> None:
    assert name not in [item.name for item in settings_in(sentence)]


def test_settings_belong_to_their_methods() -> None:
    found = settings_in("We set C = 10 and gamma = 0.001 for the SVM with RBF kernel; the random forest has 500 trees.")
    assert {(i.name, i.method) for i in found} >= {
        ("C", "SVM with RBF kernel"),
        ("gamma", "SVM with RBF kernel"),
        ("n_estimators", "random forest"),
    }
    found = settings_in("The k-nearest neighbour classifier uses k = 3, and logistic regression uses C = 0.1.")
    assert {(i.name, i.method) for i in found} >= {
        ("n_neighbors", "k-nearest neighbour classifier"),
        ("C", "logistic regression"),
    }


def test_names_of_methods_that_the_paper_does_not_have_mean_something_else() -> None:
    text = "# On Parks\n\n## Abstract\n\nWe propose a method for data sets of parks. There are 500 trees. We set C = 10 there."
    assert extract(parse_markdown(text)).hyperparameters == []


def test_a_table_of_settings() -> None:
    found = settings_in(
        "Table 1: Hyperparameters.\n\n| Hyperparameter | Search range | Value |\n|---|---|---|\n| Learning rate | 0.1 to 0.001 | 0.01 |\n"
        "| Batch size | 16, 32 | 32 |\n| Dropout | 0-0.5 | 0.3 |\n| Colour | | blue |"
    )
    assert {(i.name, i.value) for i in found} == {("learning_rate", 0.01), ("batch_size", 32), ("dropout", 0.3)}
    assert found[0].quote == "Learning rate | 0.1 to 0.001 | 0.01"


def test_a_table_of_search_ranges_states_no_settings() -> None:
    found = settings_in(
        "Table 1: Hyperparameter search space.\n\n| Parameter | Range |\n|---|---|\n| Learning rate | 0.01 |\n| Batch size | 32 |"
    )
    assert found == []


def test_settings_in_the_labels_of_results() -> None:
    found = settings_in(
        "Table 1: Accuracy (%).\n\n| Method | Letter |\n|---|---|\n| Random forest (500 trees) | 96.5 |\n| kNN (k = 3) | 95.2 |"
    )
    assert {(i.name, i.value, i.method) for i in found} == {
        ("n_estimators", 500, "Random forest (500 trees)"),
        ("n_neighbors", 3, "kNN (k = 3)"),
    }


def test_what_others_used_comes_last() -> None:
    found = settings_in("Smith et al. (2019) use a learning rate of 0.5. We use a learning rate of 0.01.")
    assert [i.value for i in found] == [0.01, 0.5]
