"""Hostile and honest predictions files: a score only where one is due, and the same for the same answers."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trainwright.graph.errors import ContractError
from trainwright.tools.evaluation import check_scores, read_predictions

IDS = [0, 1, 2, 3]
CLASSES = ["cat", "dog"]
HONEST = "id,prediction\n0,cat\n1,dog\n2,cat\n3,dog\n"
ANSWERS = {0: "cat", 1: "dog", 2: "cat", 3: "dog"}
SCORED = "id,prediction,score_cat,score_dog\n0,cat,.9,.1\n1,dog,.2,.8\n2,cat,.7,.3\n3,dog,.4,.6\n"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def _write(content: str | bytes) -> Path:
        path = tmp_path / "predictions.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return _write


def read(path: Path) -> dict[int, str]:
    return read_predictions(path, IDS, task="classification", classes=CLASSES).values


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("", "columns"),
        ("\n\n\n", "columns"),
        ("id,prediction\n", "ids_missing"),
        ("id,prediction\n0,cat\n1,dog\n2,cat\n", "ids_missing"),
        (HONEST + "4,cat\n", "ids_extra"),
        (HONEST + "-1,cat\n", "ids_extra"),
        (HONEST + "3,cat\n", "ids_repeated"),
        (HONEST + "3.0,dog\n", "ids_repeated"),
        (HONEST.replace("3,dog", "3,mouse"), "unknown_class"),
        (HONEST.replace("3,dog", "3,"), "unknown_class"),
        (HONEST.replace("3,dog", "3,nan"), "unknown_class"),
        (HONEST.replace("3,dog", "3,DOG"), "unknown_class"),
        (HONEST.replace("3,dog", "three,dog"), "id_format"),
        (HONEST.replace("3,dog", "3.5,dog"), "id_format"),
        (HONEST.replace("3,dog", ",dog"), "id_format"),
        (HONEST.replace("3,dog", "٣,dog"), "id_format"),
        (HONEST.replace("3,dog", "9" * 30 + ",dog"), "id_format"),
        (HONEST.replace("3,dog", "3,dog,extra"), "row_format"),
        (HONEST.replace("3,dog", "3"), "row_format"),
        (HONEST.replace("3,dog", '3,"dog'), "row_format"),
        (HONEST.replace("id,prediction\n", ""), "columns"),
        (HONEST.replace("id,", "row,"), "columns"),
        (HONEST.replace("prediction", "label"), "columns"),
        ("id,prediction,prediction\n0,cat,dog\n", "columns"),
        (HONEST.replace(",", ";"), "columns"),
        (bytes(range(256)) * 4, "not_text"),
        (b"\x00" * 500, "not_text"),
        (HONEST.encode("utf-16"), "not_text"),
        (b"id,prediction\n0,\xff\n", "not_text"),
        ("id,prediction\n0," + "x" * 200_000 + "\n", "too_large"),
        ("id,prediction\n0," + "x" * 4_000 + "\n", "unknown_class"),
    ],
)
def test_hostile_files(write: Callable[[str | bytes], Path], content: str | bytes, kind: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(write(content))
    assert caught.value.kind == kind
    assert len(caught.value.message) < 600


@pytest.mark.parametrize("text", ["nan", "NaN", "inf", "-inf", "1e999", "", "ten", "1_000", "0x10", "None", "1,5"])
def test_what_is_no_number(write: Callable[[str | bytes], Path], text: str) -> None:
    path = write(f'id,prediction\n0,"{text}"\n')
    with pytest.raises(ContractError) as caught:
        read_predictions(path, [0], task="regression", classes=[])
    assert caught.value.kind == "not_finite"


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        read(tmp_path / "predictions.csv")
    assert caught.value.kind == "no_file"


@pytest.mark.timeout(20)
@pytest.mark.parametrize("what", ["link", "dangling", "pipe", "folder", "socket", "device"])
def test_what_is_no_plain_file_is_not_opened(tmp_path: Path, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(HONEST)
    path = tmp_path / "out" / "predictions.csv"
    path.parent.mkdir()
    if what in ("link", "dangling", "device"):
        path.symlink_to({"link": labels, "dangling": tmp_path / "none", "device": Path("/dev/zero")}[what])
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    else:
        monkeypatch.chdir(path.parent)  # the path of a socket is short
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("predictions.csv")
    with pytest.raises(ContractError) as caught:
        read(path)
    assert caught.value.kind in ("not_a_file", "no_file")


def test_ten_gigabytes_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "predictions.csv"
    with path.open("wb") as stream:
        stream.truncate(10 * 2**30)
    with pytest.raises(ContractError, match="10737418240 bytes") as caught:
        read(path)
    assert caught.value.kind == "too_large"


def test_many_short_lines_end_at_the_first_that_was_not_asked_for(write: Callable[[str | bytes], Path]) -> None:
    with pytest.raises(ContractError) as caught:
        read(write("id,prediction\n0,cat\n" + "0,cat\n" * 3_000))
    assert caught.value.kind == "ids_repeated"


@pytest.mark.parametrize(
    "content",
    [
        HONEST,
        HONEST.replace("\n", "\r\n"),
        HONEST.replace("\n", "\r"),
        "\ufeff" + HONEST,
        HONEST.rstrip("\n"),
        HONEST.replace("\n", "\n\n") + "\n  \n",
        HONEST.replace(",", " , "),
        "id,prediction\n3,dog\n2,cat\n0,cat\n1,dog\n",
        "prediction,id\ncat,0\ndog,1\ncat,2\ndog,3\n",
        "id,prediction\n" + "".join(f"{i}.0,{a}\n" for i, a in ANSWERS.items()),
        '"id","prediction"\n' + "".join(f'"{i}","{a}"\n' for i, a in ANSWERS.items()),
        "note,id,prediction\n" + "".join(f"x,{i},{a}\n" for i, a in ANSWERS.items()),
    ],
)
def test_an_honest_file_in_any_form_has_the_same_answers(write: Callable[[str | bytes], Path], content: str) -> None:
    assert read(write(content)) == ANSWERS


@pytest.mark.parametrize(
    ("classes", "written", "label"),
    [
        (["0", "1"], "1.0", "1"),
        (["0", "1"], "1", "1"),
        (["0", "1"], "1e0", "1"),
        (["0.5", "1.0"], "1", "1.0"),
        (["0.5", "1.0"], "0.50", "0.5"),
        (["False", "True"], "true", "True"),
        (["False", "True"], "TRUE", "True"),
        (["a", " b"], " b", " b"),
        (["a,b", 'say "c"'], '"say ""c"""', 'say "c"'),
        (["grün", "日本"], "日本", "日本"),
    ],
)
def test_classes_in_another_form(
    write: Callable[[str | bytes], Path], classes: list[str], written: str, label: str
) -> None:
    path = write(f"id,prediction\n0,{written}\n")
    assert read_predictions(path, [0], task="classification", classes=classes).values == {0: label}


@pytest.mark.parametrize("classes", [["1", "1.0"], ["01", "1"]])
def test_classes_that_are_the_same_number_are_told_apart(
    write: Callable[[str | bytes], Path], classes: list[str]
) -> None:
    for label in classes:
        path = write(f"id,prediction\n0,{label}\n")
        assert read_predictions(path, [0], task="classification", classes=classes).values == {0: label}


@pytest.mark.parametrize("text", ["2.5", " 2.5 ", "2.50", "25e-1", "+2.5"])
def test_numbers_in_another_form(write: Callable[[str | bytes], Path], text: str) -> None:
    path = write(f"id,prediction\n0,{text}\n")
    assert read_predictions(path, [0], task="regression", classes=[]).values == {0: 2.5}


def test_scores_are_read_in_the_order_of_the_classes(write: Callable[[str | bytes], Path]) -> None:
    swapped = "id,score_dog,prediction,score_cat\n0,.1,cat,.9\n1,.8,dog,.2\n2,.3,cat,.7\n3,.6,dog,.4\n"
    for content in (SCORED, swapped):
        found = read_predictions(write(content), IDS, task="classification", classes=CLASSES)
        assert found.scores == {0: [0.9, 0.1], 1: [0.2, 0.8], 2: [0.7, 0.3], 3: [0.4, 0.6]}
        check_scores("roc_auc", found)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (HONEST, ""),
        (SCORED.replace("score_dog", "score_mouse"), "some classes are missing"),
        (SCORED.replace(".8", "nan"), "line 3"),
        (SCORED.replace(".8", ""), "line 3"),
        (SCORED.replace(".8", "inf"), "line 3"),
    ],
)
def test_scores_that_cannot_be_used_cost_no_labels_and_give_no_ranking(
    write: Callable[[str | bytes], Path], content: str, problem: str
) -> None:
    found = read_predictions(write(content), IDS, task="classification", classes=CLASSES)
    assert found.values == ANSWERS
    assert found.scores == {}
    assert problem in found.score_problem
    check_scores("accuracy", found)
    with pytest.raises(ContractError, match="class scores") as caught:
        check_scores("roc_auc", found)
    assert caught.value.kind == "no_scores"


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_answers_or_a_named_breach(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.csv"
    path.write_bytes(content)
    with pytest.raises(ContractError):
        read(path)


@given(st.permutations(IDS), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.integers(0, 3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_order_and_form_never_move_an_answer(tmp_path: Path, order: list[int], end: str, bom: bool, pad: int) -> None:
    lines = ["id,prediction", *(f"{' ' * pad}{i},{ANSWERS[i]}{' ' * pad}" for i in order)]
    path = tmp_path / "any.csv"
    path.write_bytes((("\ufeff" if bom else "") + end.join(lines)).encode())
    assert read(path) == ANSWERS


def test_a_large_honest_file(tmp_path: Path) -> None:
    ids = list(range(30_000))
    random.Random(0).shuffle(ids)
    path = tmp_path / "predictions.csv"
    path.write_text("id,prediction\n" + "".join(f"{i},{CLASSES[i % 2]}\n" for i in ids))
    found = read_predictions(path, sorted(ids), task="classification", classes=CLASSES)
    assert len(found.values) == 30_000
    assert found.values[29_999] == "dog"
