"""Claims in tables: what columns and rows mean, whose results they are, and which numbers are none."""

from __future__ import annotations

import pytest

from trainwright.graph.state import Claim
from trainwright.tools.papers import PaperFacts, extract, quote_in
from trainwright.tools.papers.markdown import parse_markdown

START = (
    "# Margin Forests\n\n## Abstract\n\nWe propose Margin Forests (MF), a method of classification.\n\n## 1 Results\n\n"
)


def facts_of(table: str, caption: str = "Table 1: Results.", text: str = "") -> PaperFacts:
    """The facts of a paper with this table."""
    paper = parse_markdown(f"{START}{text}\n\n{caption}\n\n{table}\n")
    facts = extract(paper)
    assert all(quote_in(paper, claim.quote) for claim in facts.claims)
    return facts


def shown(claims: list[Claim]) -> list[tuple[str, str, str, float]]:
    """What a claim says."""
    return [(c.metric, c.dataset, c.method, c.value) for c in claims]


def test_data_sets_across_with_the_metric_in_the_caption() -> None:
    facts = facts_of(
        "| Method | MNIST | CIFAR-10 |\n|---|---|---|\n| CNN [3] | 99.0 | 88.1 |\n| SVM | 98.6 | − |\n| MF (ours) | 99.2 | 89.0 |",
        "Table 1: Test accuracy in percent.",
    )
    assert shown(facts.claims) == [
        ("accuracy", "MNIST", "MF", 0.992),
        ("accuracy", "CIFAR-10", "MF", 0.89),
        ("accuracy", "MNIST", "SVM", 0.986),
        ("accuracy", "MNIST", "CNN", 0.99),
        ("accuracy", "CIFAR-10", "CNN", 0.881),
    ]
    assert {c.split for c in facts.claims} == {"test"}
    assert facts.method == "MF"
    assert facts.claims[0].quote == "MF (ours) | 99.2 | 89.0"


def test_metrics_across_with_the_data_set_in_the_caption() -> None:
    facts = facts_of(
        "| Model | Acc. (%) | F1 | Time (s) | Params |\n|---|---|---|---|---|\n| SVM | 91.0 | 0.89 | 3.1 | 120 |",
        "Table 1: Results on TREC.",
    )
    assert shown(facts.claims) == [("accuracy", "TREC", "SVM", 0.91), ("f1", "TREC", "SVM", 0.89)]


def test_data_sets_down_and_methods_across() -> None:
    facts = facts_of(
        "| Dataset | SVM | Random forest |\n|---|---|---|\n| Boston housing | 3.01 ± 0.18 | 2.97 ± 0.85 |\n| Yacht | 1.02 | 1.11 |",
        "Table 1: Average test RMSE.",
    )
    assert ("rmse", "Boston housing", "Random forest", 2.97) in shown(facts.claims)
    assert ("rmse", "Yacht", "SVM", 1.02) in shown(facts.claims)


def test_methods_across_under_the_name_of_a_metric() -> None:
    facts = facts_of(
        "| Dataset | N | Avg. Test RMSE and Std. Errors PBP | Avg. Test RMSE and Std. Errors Dropout | Avg. Test LL and Std. Errors PBP |\n"
        "|---|---|---|---|---|\n"
        "| Boston Housing | 506 | 3.01 ± 0.18 | 2.97 ± 0.85 | -2.57 ± 0.09 |\n| Concrete | 1,030 | 5.67 ± 0.09 | 5.23 ± 0.53 | -3.16 ± 0.02 |"
    )
    assert ("rmse", "Boston Housing", "Dropout", 2.97) in shown(facts.claims)
    assert ("rmse", "Concrete", "PBP", 5.67) in shown(facts.claims)
    assert len(facts.claims) == 4


def test_unknown_data_sets_down_and_methods_across() -> None:
    facts = facts_of(
        "| Err Rate | DTW | MLP | FCN (ours) |\n|---|---|---|---|\n| Adiac | 0.396 | 0.248 | 0.143 |\n| Beef | 0.367 | 0.167 | 0.25 |",
        "Table 1: Testing error on time series.",
    )
    assert ("error_rate", "Beef", "MLP", 0.167) in shown(facts.claims)
    assert shown(facts.claims)[0] == ("error_rate", "Adiac", "FCN", 0.143)


def test_a_column_of_data_sets_beside_the_methods() -> None:
    facts = facts_of(
        "| Dataset | Method | Accuracy |\n|---|---|---|\n| Iris | kNN | 0.953 |\n| Iris | SVM | 0.973 |\n| Wine | kNN | 0.721 |"
    )
    assert ("accuracy", "Iris", "SVM", 0.973) in shown(facts.claims)
    assert ("accuracy", "Wine", "kNN", 0.721) in shown(facts.claims)


def test_metrics_down_and_methods_across() -> None:
    facts = facts_of(
        "| Metric | SVM | MF |\n|---|---|---|\n| Accuracy | 0.91 | 0.93 |\n| AUC | 0.95 | 0.97 |",
        "Table 1: Results on Adult.",
    )
    assert ("accuracy", "Adult", "MF", 0.93) in shown(facts.claims)
    assert ("roc_auc", "Adult", "SVM", 0.95) in shown(facts.claims)


def test_error_rates_below_one_percent() -> None:
    facts = facts_of("| Method | Error % |\n|---|---|\n| DBM | 0.79 |\n| SVM | 1.40 |", "Table 1: Comparison on MNIST.")
    assert shown(facts.claims) == [("error_rate", "MNIST", "DBM", 0.0079), ("error_rate", "MNIST", "SVM", 0.014)]


def test_a_bold_row_is_the_papers_own() -> None:
    facts = facts_of(
        "| Method | Accuracy |\n|---|---|\n| Alpha | 0.91 |\n| **Beta** | 0.93 |", "Table 1: Results on TREC."
    )
    assert facts.claims[0].method == "Beta"


def test_groups_of_rows_name_the_data_set() -> None:
    facts = facts_of(
        "| Method | Accuracy |\n|---|---|\n| MNIST | |\n| SVM | 98.6 |\n| CIFAR-10 | |\n| SVM | 55.0 |",
        "Table 1: Results (%).",
    )
    assert shown(facts.claims) == [("accuracy", "MNIST", "SVM", 0.986), ("accuracy", "CIFAR-10", "SVM", 0.55)]


@pytest.mark.parametrize(
    ("table", "caption"),
    [
        ("| Dataset | Nodes | Classes |\n|---|---|---|\n| Cora | 2,708 | 7 |", "Table 1: Dataset statistics."),
        (
            "| Data | c | l | N | Test |\n|---|---|---|---|---|\n| MR | 2 | 20 | 10662 | CV |",
            "Table 1: Summary statistics for the datasets.",
        ),
        ("| Model | Parameters | Time |\n|---|---|---|\n| SVM | 120 | 3.5 |", "Table 1: Cost of the models."),
        ("| Model | x | y |\n|---|---|---|\n| SVM | 0.3 | 0.5 |", "Table 1: Coordinates."),
        ("| Name | Value |\n|---|---|\n| learning rate | 0.01 |", "Table 1: Hyperparameters."),
        ("| Method | Top-1 |\n|---|---|\n| CNN | 37.5 |", "Table 1: Results on ImageNet."),
    ],
)
def test_numbers_without_a_clear_meaning_are_left_out(table: str, caption: str) -> None:
    assert facts_of(table, caption).claims == []


def test_top_1_takes_its_meaning_from_the_caption() -> None:
    facts = facts_of(
        "| Method | Top-1 | Top-5 |\n|---|---|---|\n| CNN | 37.5 | 17.0 |", "Table 1: Error rates on ImageNet (%)."
    )
    assert shown(facts.claims) == [("error_rate", "ImageNet", "CNN", 0.375), ("top5_error", "ImageNet", "CNN", 0.17)]


def test_impossible_shares_are_no_claims() -> None:
    facts = facts_of("| Method | Accuracy |\n|---|---|\n| SVM | 250.0 |\n| CNN | 97.0 |", "Table 1: Results on MNIST.")
    assert [c.value for c in facts.claims] == [0.97]


def test_how_a_data_set_is_scored_comes_from_its_description() -> None:
    paper = parse_markdown(
        START
        + "We use 10-fold CV where there is no split.\n\nTable 1: Summary statistics for the datasets.\n\n"
        + "| Data | N | Test |\n|---|---|---|\n| MR | 10662 | CV |\n| TREC | 5952 | 500 |\n\n"
        + "Table 2: Accuracy (%).\n\n| Model | MR | TREC |\n|---|---|---|\n| SVM | 79.0 | 91.2 |\n"
    )
    assert {c.dataset: c.split for c in extract(paper).claims} == {"MR": "10-fold cross-validation", "TREC": "test"}


def test_a_classification_paper_that_names_no_metric() -> None:
    facts = facts_of("| Model | MR | TREC |\n|---|---|---|\n| CNN-rand | 76.1 | 91.2 |\n| CNN-static | 81.0 | 92.8 |")
    assert ("accuracy", "TREC", "CNN-rand", 0.912) in shown(facts.claims)
    assert any("names no metric" in warning for warning in facts.warnings)


def test_many_claims_fit_into_an_answer() -> None:
    rows = "\n".join(f"| Method{i} with a rather long name | " + " | ".join(["91.2"] * 30) + " |" for i in range(60))
    header = "| Method | " + " | ".join(f"D{i}" for i in range(30)) + " |\n|" + "---|" * 31 + "\n"
    facts = facts_of(header + rows, "Table 1: Accuracy (%).")
    assert 20 < len(facts.claims) <= 110
    assert len(facts.model_dump_json()) < 60_000
    assert any("kept as claims" in warning for warning in facts.warnings)
