"""The verdicts on columns, and their mappings, which are run on real `datasets` and judged again."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from trainwright.graph.errors import DataError
from trainwright.tools.lookup.datasets.fitness import fitness_of
from trainwright.tools.lookup.datasets.kinds import from_arrow, from_card, from_features
from trainwright.tools.lookup.datasets.measuring import measured
from trainwright.tools.lookup.datasets.report import Fitness

USER, BOT = {"role": "user", "content": "a?"}, {"role": "assistant", "content": "b."}
TURNS = [{"from": "human", "value": "a?"}, {"from": "gpt", "value": "b."}]

READY: list[tuple[str, dict[str, Any], str]] = [
    ("SFT", {"messages": [USER, BOT]}, "language modelling, conversational"),
    ("SFT", {"prompt": "a", "completion": "b"}, "prompt-completion, standard"),
    ("SFT", {"prompt": [USER], "completion": [BOT]}, "prompt-completion, conversational"),
    ("SFT", {"text": "a"}, "language modelling, standard"),
    ("DPO", {"prompt": "a", "chosen": "b", "rejected": "c"}, "preference, standard"),
    ("DPO", {"prompt": [USER], "chosen": [BOT], "rejected": [BOT]}, "preference, conversational"),
    ("DPO", {"chosen": [USER, BOT], "rejected": [USER, BOT]}, "preference with implicit prompt, conversational"),
    ("reward", {"chosen": "ab", "rejected": "ac"}, "preference with implicit prompt, standard"),
    ("reward", {"prompt": "a", "chosen": "b", "rejected": "c"}, "preference, standard"),
    ("GRPO", {"prompt": "a"}, "prompt-only, standard"),
    ("GRPO", {"prompt": [USER], "answer": "4"}, "prompt-only, conversational"),
    ("classification", {"text": "a", "label": 1}, "text and label"),
    ("classification", {"x": 0.5, "y2": 0.1, "label": 1}, "a table of 2 columns and the label label"),
]
MAPPED: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("SFT", {"instruction": "a", "input": "x", "output": "b"}, "alpaca", {"prompt": "a\n\nx", "completion": "b"}),
    ("SFT", {"instruction": "a", "input": "", "output": "b"}, "alpaca, no input", {"prompt": "a", "completion": "b"}),
    ("SFT", {"question": "a", "answer": "b", "id": 3}, "question", {"prompt": "a", "completion": "b"}),
    ("SFT", {"conversations": TURNS}, "sharegpt", {"messages": [USER, BOT]}),
    ("SFT", {"conversation": [USER, BOT], "messages": "x"}, "renamed", {"messages": [USER, BOT]}),
    ("SFT", {"dialog": '[{"role": "user", "content": "a?"}]'}, "JSON", {"messages": [USER]}),
    ("SFT", {"prompt": "a", "chosen": [USER, BOT], "rejected": [USER, BOT]}, "chosen", {"messages": [USER, BOT]}),
    ("SFT", {"prompt": "a", "chosen": "b", "rejected": "c"}, "chosen text", {"prompt": "a", "completion": "b"}),
    ("SFT", {"prompt": "a", "completion": [BOT]}, "mixed", {"prompt": [{"role": "user", "content": "a"}], "completion": [BOT]}),
    ("SFT", {"prompt": [USER], "completion": "b."}, "mixed too", {"prompt": [USER], "completion": [BOT]}),
    ("SFT", {"it's \"odd\"\\": "a"}, "single text", {"text": "a"}),
    ("DPO", {"question": "q", "preferred": "b", "dispreferred": "c"}, "names", {"prompt": "q", "chosen": "b", "rejected": "c"}),
    ("DPO", {"prompt": "a?", "chosen": [USER, BOT], "rejected": [USER, BOT]}, "mixed", {"chosen": [USER, BOT], "rejected": [USER, BOT]}),
    ("reward", {"prompt": "a", "chosen": "b", "rejected": "c"}, "implicit", {"chosen": "ab", "rejected": "ac"}),
    ("GRPO", {"messages": [USER, BOT]}, "messages", {"prompt": [USER], "messages": [USER, BOT]}),
    ("GRPO", {"conversations": TURNS}, "turns", {"prompt": [USER], "conversations": TURNS}),
    ("GRPO", {"question": "q", "answer": "4"}, "renamed", {"prompt": "q", "answer": "4"}),
    ("GRPO", {"problem": "q", "prompt": 3}, "taken", {"prompt": "q"}),
    ("GRPO", {"instruction": "a", "input": "x", "output": "b"}, "alpaca", {"prompt": "a\n\nx", "instruction": "a", "input": "x", "output": "b"}),
    ("classification", {"sentence": "a", "label": 1}, "renamed", {"text": "a", "label": 1}),
    ("classification", {"review": "a", "sentiment": "good"}, "encoded", {"text": "a", "label": 0}),
    ("classification", {"premise": "a", "hypothesis": "b", "label": 1}, "pair", {"text": "a\nb", "label": 1}),
]  # fmt: skip


# As data sets of the world are: without a column that is named like what it is for.
SHAPES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("SFT", "squad", {"question": "q", "context": "c", "answers": {"text": ["a", "b"], "answer_start": [1, 2]}}, {"prompt": "q\n\nc", "completion": "a"}),
    ("SFT", "several answers", {"question": "q", "answer": ["a", "b"]}, {"prompt": "q", "completion": "a"}),
    ("SFT", "an answer with aliases", {"question": "q", "answer": {"value": "a", "aliases": ["b"]}}, {"prompt": "q", "completion": "a"}),
    ("SFT", "choices by number", {"question": "q", "choices": ["x", "y"], "answer": 0}, {"prompt": "q\nA. x\nB. y", "completion": "x"}),
    ("SFT", "choices by letter", {"question": "q", "options": ["x", "y"], "answer": "B"}, {"prompt": "q\nA. x\nB. y", "completion": "y"}),
    ("SFT", "choices by name", {"question": "q", "choices": {"text": ["x", "y"], "label": ["1", "2"]}, "answerKey": "2"}, {"prompt": "q\nA. x\nB. y", "completion": "y"}),
    ("SFT", "endings", {"ctx": "q", "endings": ["x", "y"], "label": "0"}, {"prompt": "q\nA. x\nB. y", "completion": "x"}),
    ("SFT", "two languages", {"translation": {"de": "ja", "en": "yes"}}, {"prompt": "ja", "completion": "yes"}),
    ("SFT", "a summary", {"document": "d", "summary": "s", "id": "1"}, {"prompt": "d", "completion": "s"}),
    ("SFT", "true or false", {"question": "q", "passage": "p", "answer": False}, {"prompt": "q\n\np", "completion": "no"}),
    ("DPO", "two and a number", {"prompt": "p", "response_0": "x", "response_1": "y", "better_response_id": 1}, {"prompt": "p", "chosen": "y", "rejected": "x"}),
    ("DPO", "two and a winner", {"conversation_a": [USER, BOT], "conversation_b": [USER], "winner": "model_a"}, {"chosen": [USER, BOT], "rejected": [USER]}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "name", "row", "expected"), SHAPES, ids=[f"{one[0]} {one[1]}" for one in SHAPES])
def test_a_mapping_of_a_shape_of_the_world(
    method: str, name: str, row: dict[str, Any], expected: dict[str, Any]
) -> None:
    import datasets

    rows = [row, row]
    if name == "two and a winner":  # who won is named both ways, and nobody wins a tie
        rows = [row, {**row, "winner": "model_b"}, {**row, "winner": "tie"}]
    if name == "two and a number":
        rows = [row, {**row, "better_response_id": 0}]
    table = pa.Table.from_pylist(rows)
    kinds = from_arrow(table.schema)
    (found,) = [one for one in fitness_of(kinds, rows, measured(kinds, table)) if one.method == method]
    assert found.verdict == "mapping", found
    names: dict[str, Any] = {"dataset": datasets.Dataset.from_list(rows)}
    exec(found.mapping, names)
    assert len(names["dataset"]) == 2
    assert names["dataset"][0] == expected


def classified(rows: list[dict[str, Any]], **named: str) -> tuple[Fitness, Any]:
    """The verdict on classification, and the data after its mapping."""
    import datasets

    table = pa.Table.from_pylist(rows)
    kinds = from_arrow(table.schema)
    found = fitness_of(kinds, rows[:100], measured(kinds, table), **named)[-1]
    names: dict[str, Any] = {"dataset": datasets.Dataset.from_list(rows)}
    exec(found.mapping, names)
    return found, names["dataset"]


def long(i: int) -> str:
    return f"a text of several words which is number {i} of them"


def test_a_label_is_found_without_its_name() -> None:
    tables: list[tuple[list[dict[str, Any]], str, str]] = [
        ([{"a": i / 7, "b": i % 50, "letter": "XYZ"[i % 3]} for i in range(60)], "letter", "a table of 2 columns and the label letter"),
        ([{"c0": i, "c1": "uv"[i % 2], "c2": i / 7, "c3": "<>"[i % 2]} for i in range(60)], "c3", "a table of 3 columns and the label c3"),
        ([{"claim": long(i), "truth": ["no", "yes"][i % 2]} for i in range(60)], "truth", "text and label"),
        ([{"v1": ["ham", "spam"][i % 2], "v2": long(i)} for i in range(60)], "v1", "text and label"),
        ([{"one": long(i), "two": long(-i), "same": i % 2 == 0} for i in range(60)], "same", "two texts and a label"),
        ([{"file": f"{i}.wav", "spoken": "ab"[i % 2]} for i in range(60)], "spoken", "audio and label"),
        ([{"text": long(i), "label": i % 40} for i in range(160)], "label", "text and label"),
        ([{"text": long(i), "label": float(i % 3)} for i in range(60)], "label", "text and label"),
    ]  # fmt: skip
    for rows, column, form in tables:
        found, after = classified(rows)
        as_it_is = column == "label" and isinstance(rows[0]["label"], int)
        assert (found.verdict, found.format) == ("ready" if as_it_is else "mapping", form)
        labels = after.select_columns("label")["label"]
        assert len(set(labels)) == len({row[column] for row in rows})
        assert type(labels[0]) in (int, bool)


def test_a_number_makes_a_regression_and_says_so() -> None:
    for rows, form in (
        ([{"sentence1": long(i), "sentence2": long(-i), "score": i / 7} for i in range(60)], "two texts and a number: regression"),
        ([{"x": i / 3, "y": i, "price": i * 1.5} for i in range(60)], "a table of 2 columns and the number price: regression"),
    ):  # fmt: skip
        found, after = classified(rows)
        assert (found.verdict, found.format) == ("mapping", form)
        assert "regression" in found.why
        assert str(after.features["label"].dtype) == "float32"


def test_a_guess_names_what_it_could_be_besides() -> None:
    rows = [{"file": f"{i}.wav", "digit": i % 10, "speaker": "abcdef"[i % 6], "n": i * 3} for i in range(120)]
    found, _ = classified(rows)
    assert "guess" in found.why
    assert "digit" in found.why
    named, after = classified(rows, asked="digit")
    assert "guess" not in named.why
    assert set(after.select_columns("label")["label"]) == set(range(10))
    assert "he card names it" in classified(rows, declared="digit")[0].why
    with pytest.raises(DataError, match="no column 'digits'"):
        classified(rows, asked="digits")


def test_what_is_no_label_is_taken_for_none() -> None:
    for rows in (
        [{"text": long(i), "url": f"http://x/{i}", "source": "ab"[i % 2], "id": i} for i in range(60)],
        [{"text": long(i), "length": i} for i in range(60)],
        [{"question": long(i), "answer": long(-i), "level": i % 3} for i in range(60)],
        [{"text": long(i), "same": "x"} for i in range(60)],
        [{"question": long(i), "choices": ["a", "b"], "answer": i % 2} for i in range(60)],
    ):
        found, _ = classified(rows)
        assert found.verdict == "no", found


def test_the_share_of_a_class_is_of_all_rows() -> None:
    rows = [{"text": long(i), "label": f"class {i % 40}"} for i in range(400)]
    assert "40 classes, the commonest 2%" in classified(rows)[0].why


def test_a_category_is_no_text_to_learn() -> None:
    rows = [{"width": i / 7, "species": "ab"[i % 2]} for i in range(60)]
    table = pa.Table.from_pylist(rows)
    kinds = from_arrow(table.schema)
    assert fitness_of(kinds, rows, measured(kinds, table))[0].verdict == "no"


def test_several_labels_a_row_and_labels_of_words() -> None:
    several = {"text": {"dtype": "string", "_type": "Value"},
               "labels": {"_type": "List", "feature": {"_type": "ClassLabel", "names": ["a", "b", "c"]}}}  # fmt: skip
    found = fitness_of(from_features(several))[-1]
    assert (found.verdict, found.format) == ("mapping", "text and a number for each label")
    words = {"tokens": {"_type": "List", "feature": {"dtype": "string", "_type": "Value"}}, "tags": several["labels"]}
    assert "token classification" in fitness_of(from_features(words))[-1].why


def test_a_sequence_of_fields_is_loaded_as_fields_of_lists() -> None:
    inner = {"text": {"dtype": "string", "_type": "Value"}, "start": {"dtype": "int32", "_type": "Value"}}
    kinds = from_features({"answers": {"feature": inner, "_type": "Sequence"}})
    stated = from_card([{"name": "answers", "sequence": [{"name": "text", "dtype": "string"}, {"name": "start", "dtype": "int32"}]}])  # fmt: skip
    assert kinds["answers"].text() == stated["answers"].text() == "{text: list<string>, start: list<int32>}"


def verdict(method: str, row: dict[str, Any]) -> Fitness:
    table = pa.Table.from_pylist([row, row])
    kinds = from_arrow(table.schema)
    (found,) = [one for one in fitness_of(kinds, table.to_pylist(), measured(kinds, table)) if one.method == method]
    return found


@pytest.mark.parametrize(("method", "row", "form"), READY)
def test_what_fits_as_it_is(method: str, row: dict[str, Any], form: str) -> None:
    found = verdict(method, row)
    assert (found.verdict, found.format) == ("ready", form)


@pytest.mark.parametrize(("method", "row", "name", "expected"), MAPPED, ids=[f"{m[0]} {m[2]}" for m in MAPPED])
def test_a_mapping_runs_and_makes_it_fit(method: str, row: dict[str, Any], name: str, expected: dict[str, Any]) -> None:
    import datasets

    found = verdict(method, row)
    assert found.verdict == ("ready" if name == "implicit" else "mapping")
    names: dict[str, Any] = {"dataset": datasets.Dataset.from_list([row, row])}
    exec(found.mapping, names)
    (after, _) = names["dataset"].to_list()
    assert after == expected
    assert verdict(method, after).verdict == "ready"


@pytest.mark.parametrize(
    ("method", "row", "why"),
    [
        ("SFT", {"x": 1.5}, "no text"),
        ("DPO", {"prompt": "a", "completion": "b", "label": True}, "KTO"),
        ("DPO", {"text": "a"}, "no column of preferred answers"),
        ("DPO", {"prompt": [USER], "chosen": "a", "rejected": "b"}, "prompt is a conversation"),
        ("GRPO", {"text": "a"}, "No column holds prompts"),
        ("reward", {"text": "a"}, "no column of preferred"),
        ("SFT", {"question": "a", "id": 3}, "no question with an answer"),
        ("classification", {"text": "a"}, "No column is of classes"),
    ],
)
def test_what_does_not_fit_says_why(method: str, row: dict[str, Any], why: str) -> None:
    found = verdict(method, row)
    assert found.verdict == "no"
    assert why in found.why
    assert not found.mapping


def test_content_that_spoils_a_fit_is_told() -> None:
    assert "2 of the 2 rows looked at both answers are the same" in verdict("DPO", {"chosen": "b", "rejected": "b"}).why
    assert "2 of the 2 rows looked at lack a value" in verdict("SFT", {"prompt": "a", "completion": ""}).why
    called = {"role": "assistant", "content": "", "tool_calls": [{"name": "f"}]}
    assert "no column `tools`" in verdict("SFT", {"messages": [called]}).why
    assert "2 classes" not in verdict("classification", {"text": "a", "label": 1}).why
    assert "same label" in verdict("classification", {"text": "a", "label": 1}).why


def test_types_are_the_same_however_they_are_written() -> None:
    import datasets

    features = datasets.Features({
        "t": datasets.Value("string"), "l": datasets.ClassLabel(names=["a", "b"]), "s": datasets.List(datasets.Value("int32")),
        "m": [{"role": datasets.Value("string"), "content": datasets.Value("string")}], "i": datasets.Image(),
        "q": {"a": datasets.Value("bool")},
    })  # fmt: skip
    expected = {"t": "string", "l": "class(a, b)", "s": "list<int32>", "m": "list<{role: string, content: string}>",
                "i": "image", "q": "{a: bool}"}  # fmt: skip
    for kinds in (
        from_features(features.to_dict()),
        from_card(features._to_yaml_list()),
        from_arrow(features.arrow_schema),
    ):
        assert {name: kind.text() for name, kind in kinds.items()} == expected


def test_nonsense_for_types_is_no_failure() -> None:
    deep: Any = "x"
    for _ in range(500):
        deep = [deep]
    for given in (
        None,
        3,
        "x",
        [],
        [3, {"name": "a", "type": 7}],
        {"a": deep},
        {"a": {"_type": "ClassLabel", "names": 3}},
    ):
        assert isinstance(from_features(given), dict)
        assert isinstance(from_card(given), dict)
    assert "nested" in from_features({"a": deep})["a"].text()
