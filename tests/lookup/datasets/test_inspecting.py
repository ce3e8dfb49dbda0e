"""Inspection of data sets on the Hub: by the viewer, from the files, and by the card; and what fails."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.standin import Canned, StandIn, pretend_public
from trainwright.cli.lookup import lookup_app
from trainwright.engineers.schemas import schema_of
from trainwright.graph.errors import NotCached, NotFound, RemoteUnavailable, RequestError
from trainwright.tools.http import lookups
from trainwright.tools.lookup import datasets
from trainwright.tools.lookup.operations import flat_arguments

from .services import TEXT, WHOLE, Repository, Services, Viewer, jsonl, parquet, ranged

FEATURES = {"text": TEXT, "label": {"names": ["bad", "good"], "_type": "ClassLabel"}}
ROWS = [{"text": "a fine film " * 20, "label": 1}, {"text": "dull", "label": 0}, {"text": "so so", "label": 0}]
STATISTICS = [
    {"column_name": "text", "column_type": "string_text",
     "column_statistics": {"nan_count": 0, "nan_proportion": 0.0, "min": 4, "max": 240, "mean": 83.0, "median": 5.0}},
    {"column_name": "label", "column_type": "class_label",
     "column_statistics": {"nan_count": 0, "no_label_count": 0, "n_unique": 2, "frequencies": {"bad": 2, "good": 1}}},
]  # fmt: skip


def reviews(**more: Any) -> Repository:
    viewer = Viewer(
        {"plain": {"train": ROWS, "test": ROWS[:1]}, "other": {"dev": ROWS}}, FEATURES, {"plain/train": STATISTICS}
    )
    card = b"---\nlicense: mit\n---\n# Reviews\n\n![x](y.png)\n<!-- hidden -->\nOf films.\n"
    given = {
        "viewer": viewer,
        "card": {"license": "mit"},
        "tags": ["license:mit", "task_categories:text-classification"],
    }
    return Repository("someone/reviews", {"README.md": card, "plain/train.parquet": parquet(ROWS)}, **{**given, **more})


def test_what_the_viewer_knows(services: Services) -> None:
    services.add(reviews())
    found = datasets.inspect("someone/reviews", samples=1)
    assert (found.config, found.split, found.licence, found.rows) == ("plain", "train", "mit", 7)
    assert [(s.config, s.split, s.rows) for s in found.splits] == [
        ("plain", "train", 3),
        ("plain", "test", 1),
        ("other", "dev", 3),
    ]
    text, label = found.columns
    assert (text.type, text.min, text.max, text.of, text.missing) == ("string", 4, 240, "characters", 0)
    assert (label.type, label.labels) == ("class(bad, good)", {"bad": 2, "good": 1})
    assert found.samples == [{"text": ("a fine film " * 20)[:150] + "…", "label": "good"}]
    assert found.card == "# Reviews\nOf films."
    assert {fit.method: fit.verdict for fit in found.fitness}["classification"] == "ready"
    assert not found.notes
    assert "| label | class(bad, good) | 0 | 2 | bad: 2, good: 1 |" in found.markdown()


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("someone/reviews", ("plain", "train")),
        ("someone/reviews:other", ("other", "dev")),
        ("someone/reviews::test", ("plain", "test")),
        ("someone/reviews::dev", ("other", "dev")),
    ],
)
def test_the_default_is_the_first_configuration_and_its_first_split(
    services: Services, spec: str, expected: Any
) -> None:
    services.add(reviews())
    found = datasets.inspect(spec)
    assert (found.config, found.split) == expected


@pytest.mark.parametrize(
    ("spec", "message"),
    [("someone/reviews:nope", "There are plain, other"), ("someone/reviews:plain:nope", "There are train, test")],
)
def test_a_configuration_or_split_that_is_not_there(services: Services, spec: str, message: str) -> None:
    services.add(reviews())
    with pytest.raises(NotFound, match=message):
        datasets.inspect(spec)


def test_ten_of_twelve_splits_are_shown(services: Services) -> None:
    viewer = Viewer({f"c{i}": {"train": ROWS, "test": ROWS} for i in range(6)}, FEATURES)
    services.add(reviews(viewer=viewer))
    found = datasets.inspect("someone/reviews")
    assert (len(found.splits), found.split_count) == (10, "10 of 12")
    assert "(10 of 12)" in found.markdown()


def test_the_label_that_the_card_or_the_asker_names(services: Services) -> None:
    rows = [{"text": f"a film of some kind, number {i}", "mood": i % 3, "size": i % 2} for i in range(60)]
    card = {"train-eval-index": [{"config": "default", "col_mapping": {"text": "text", "mood": "target"}}]}
    services.add(Repository("a/own", {"train.jsonl": jsonl(rows)}, card=card))
    assert "'mood': 'label'" in datasets.inspect("a/own").fitness[-1].mapping
    assert "'size': 'label'" in datasets.inspect("a/own", target="size").fitness[-1].mapping


def test_a_test_set_without_labels_is_told(services: Services) -> None:
    bare = [
        {**STATISTICS[1], "column_statistics": {"nan_count": 0, "no_label_count": 3, "n_unique": 0, "frequencies": {}}}
    ]
    rows = [{**row, "label": -1} for row in ROWS]
    services.add(Repository("a/own", viewer=Viewer({"d": {"test": rows}}, FEATURES, {"d/test": bare})))
    assert "-1, which stands for none" in datasets.inspect("a/own").fitness[-1].why


def test_a_data_set_that_is_not_there_is_a_failure(services: Services) -> None:
    with pytest.raises(NotFound, match="no data set nobody/nothing, or it is private"):
        datasets.inspect("nobody/nothing")


@pytest.mark.parametrize("spec", ["../etc", "a/b/c", "a/..b", "a b/c", "a/b:c:d:e", "https://x.org/a"])
def test_what_is_no_name_is_never_asked_for(services: Services, spec: str) -> None:
    with pytest.raises(RequestError):
        datasets.inspect(spec)
    assert not services.standin.requests


@pytest.mark.parametrize(
    ("why", "said"),
    [
        ((404, "DisabledViewerError", "x"), "switched off"),
        ((501, "DatasetWithScriptNotSupportedError", "x"), "made by a script"),
        ((500, "ResponseNotReady", "x"), "not finished computing"),
        ((500, "SomethingNew", "the stars are wrong"), "the stars are wrong"),
    ],
)
def test_without_the_viewer_the_files_are_read(services: Services, why: tuple[int, str, str], said: str) -> None:
    files = {
        "data/train-00000-of-00001.parquet": parquet(ROWS, FEATURES),
        "data/test-00000-of-00001.parquet": parquet(ROWS[:1], FEATURES),
    }
    services.add(reviews(viewer=None, why_not=why))
    services.repositories["someone/reviews"].files |= files
    del services.repositories["someone/reviews"].files["plain/train.parquet"]
    found = datasets.inspect("someone/reviews")
    assert any(said in note for note in found.notes)
    assert any("read from the files themselves (data/train-00000-of-00001.parquet)" in note for note in found.notes)
    assert [(s.split, s.rows) for s in found.splits] == [("train", 3), ("test", None)]
    assert found.columns[1].labels == {"bad": 2, "good": 1}
    assert len(found.samples) == 3
    assert all("range" in one.headers for one in services.asked(".parquet"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("train.jsonl", jsonl([{"question": "q" * 30, "answer": "a"}, {"question": "r", "answer": None}])),
        ("train.csv", b"question,answer\n" + b"q" * 30 + b",a\nr,\n"),
        ("train.json", json.dumps([{"question": "q" * 30, "answer": "a"}, {"question": "r", "answer": None}]).encode()),
    ],
)
def test_text_files_are_read_too(services: Services, name: str, content: bytes) -> None:
    services.add(Repository("a/qa", {name: content}))
    found = datasets.inspect("a/qa")
    assert [(c.name, c.missing) for c in found.columns] == [("question", 0), ("answer", 1)]
    assert found.samples[0] == {"question": "q" * 30, "answer": "a"}
    assert {fit.method: fit.verdict for fit in found.fitness}["SFT"] == "mapping"


def test_a_large_file_is_read_in_part(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.datasets.stored.BLOCK", 2**16)
    rows = [{"text": f"{i} " + "word " * 50, "other": "x" * 100 + str(i * 7919)} for i in range(20_000)]
    content = parquet(rows, compression="none", use_dictionary=False, row_group_size=20_000)
    services.add(Repository("a/large", {"train.parquet": content}))
    found = datasets.inspect("a/large")
    assert found.figures_of == "the first 1,000 rows"
    assert found.splits[0].rows == 20_000
    with lookups(offline=True):
        assert datasets.inspect("a/large").columns == found.columns
        before = len(services.standin.requests)
        monkeypatch.setattr("trainwright.tools.lookup.datasets.stored.BLOCK", 2**15)  # no such block is on the disk
        assert any("is not on the disk" in note for note in datasets.inspect("a/large").notes)
    assert len(services.standin.requests) == before
    fetched = len(services.asked("train.parquet")) * 2**16
    assert 0 < fetched < len(content) / 3


def test_large_text_is_cut_behind_a_line(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainwright.tools.lookup.datasets.reading.REMOTE_TEXT", 5_000)
    content = b"a,b\n" + b"".join(b'%d,"one\ntwo %d"\n' % (i, i) for i in range(2_000))
    services.add(Repository("a/csv", {"train.csv": content}))
    found = datasets.inspect("a/csv")
    assert found.figures_of.startswith("the first ")
    assert found.columns[1].missing == 0
    assert found.splits[0].rows is None


def test_a_script_s_data_are_found_in_the_conversion(services: Services) -> None:
    converted = {"default/train/0000.parquet": parquet(ROWS, FEATURES)}
    services.add(Repository("a/scripted", {"scripted.py": b"x"}, revisions={"refs/convert/parquet": converted}))
    found = datasets.inspect("a/scripted")
    assert found.columns[0].name == "text"
    assert any("conversion to Parquet" in note for note in found.notes)


def test_another_revision_is_read_from_its_files(services: Services) -> None:
    old = {"train.jsonl": jsonl([{"old": "one"}])}
    services.add(reviews(revisions={"v1": old}))
    found = datasets.inspect("someone/reviews", revision="v1")
    assert [column.name for column in found.columns] == ["old"]
    assert any("newest revision alone" in note for note in found.notes)
    assert not services.asked("/viewer/")
    with pytest.raises(NotFound, match="no such revision"):
        datasets.inspect("someone/reviews", revision="v2")


def test_a_gated_one_says_what_to_do_and_gives_what_the_card_states(services: Services) -> None:
    info = {"features": [{"name": "x", "dtype": "string"}, {"name": "label", "dtype": {"class_label": {"names": {"0": "n", "1": "y"}}}},
                         {"name": "messages", "list": [{"name": "role", "dtype": "string"}, {"name": "content", "dtype": "string"}]}],
            "splits": [{"name": "train", "num_examples": 77, "num_bytes": 5000}]}  # fmt: skip
    services.add(Repository("a/closed", {"README.md": b"Closed.", "train.parquet": b"?" * 10}, {"dataset_info": info}, gated="manual",
                            why_not=(401, "ExternalUnauthenticatedError", "x")))  # fmt: skip
    found = datasets.inspect("a/closed")
    assert found.gated == "manual"
    assert "terms must be accepted at" in found.access
    assert "/datasets/a/closed" in found.access
    assert any("gated or private, and there is no token" in note for note in found.notes)
    assert found.splits[0].rows == 77
    assert [column.type for column in found.columns] == [
        "string",
        "class(n, y)",
        "list<{role: string, content: string}>",
    ]
    assert any("the card states" in note for note in found.notes)
    assert not found.samples


def test_cells_that_the_viewer_cut_and_figures_of_a_part(services: Services) -> None:
    viewer = Viewer(
        {"d": {"train": ROWS}},
        FEATURES,
        {"d/train": STATISTICS},
        {"d/train": 900},
        partial=True,
        cut_cells={0: ["text"]},
    )
    viewer.revision = "f" * 40
    services.add(reviews(viewer=viewer))
    found = datasets.inspect("someone/reviews")
    assert found.figures_of == "the first 900 rows"
    notes = " ".join(found.notes)
    for said in ("cut 1 cells", "only a part of the rows", "commit ffffffffffff"):
        assert said in notes


def test_a_viewer_that_is_down_or_sends_nonsense(services: Services) -> None:
    services.add(reviews())
    for kind in ("down", "malformed", "status:503", "huge"):
        services.standin.fault("/viewer/*", kind, None)
        found = datasets.inspect("someone/reviews")
        assert any("viewer cannot serve these data" in note for note in found.notes), kind
        assert [column.name for column in found.columns] == ["text", "label"], kind
        services.standin.mend()


def test_statistics_that_fail_are_told_and_counted_from_the_rows_of_the_files(services: Services) -> None:
    services.add(reviews())
    services.standin.fault("/viewer/statistics", "status:500")
    found = datasets.inspect("someone/reviews")
    assert any("statistics are missing" in note for note in found.notes)
    assert len(found.samples) == 3


def test_the_hub_is_down_and_its_viewer_is_not(services: Services) -> None:
    services.add(reviews())
    services.standin.fault("/api/datasets/*", "status:503", None)
    found = datasets.inspect("someone/reviews")
    assert [column.name for column in found.columns] == ["text", "label"]
    assert any("The Hub could not be asked" in note for note in found.notes)
    services.standin.fault("/viewer/*", "status:503", None)
    with pytest.raises(RemoteUnavailable):
        datasets.inspect("someone/other")


def test_offline_it_comes_from_the_disk_alone(services: Services) -> None:
    services.add(reviews())
    services.add(Repository("a/files", {"train.parquet": parquet(ROWS, FEATURES)}))
    online = datasets.inspect("someone/reviews"), datasets.inspect("a/files")
    asked = len(services.standin.requests)
    with lookups(offline=True):
        offline = datasets.inspect("someone/reviews"), datasets.inspect("a/files")
        with pytest.raises(NotCached):
            datasets.inspect("someone/unknown")
    assert len(services.standin.requests) == asked
    assert [one.columns for one in offline] == [one.columns for one in online]
    assert any(source.cached for source in offline[0].sources)


def test_an_id_that_the_hub_makes_up_is_not_used(services: Services) -> None:
    services.add(reviews())
    services.standin.route("GET", "/api/datasets/someone/reviews", {"id": "../../x", "sha": "a" * 40, "siblings": []})
    found = datasets.inspect("someone/reviews")
    assert found.id == "someone/reviews"
    assert any("malformed" in note for note in found.notes)
    assert not [path for path in services.standin.paths if "x" in path.rpartition("/")[2] and ".." in path]


def test_paths_of_the_world_cannot_leave_their_place(services: Services) -> None:
    services.add(
        Repository(
            "a/b",
            {"../up/train.parquet": b"", "/abs/train.csv": b"", "c\nd.csv": b"", "ok/train.jsonl": jsonl([{"a": "b"}])},
        )
    )
    found = datasets.inspect("a/b")
    assert [column.name for column in found.columns] == ["a"]


def test_conversations_in_a_report(services: Services) -> None:
    calls = [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]
    rows = [
        {"messages": [{"role": "user", "content": "u" * 120, "tool_calls": None}, {"role": "assistant", "content": "b", "tool_calls": None}]},
        {"messages": [{"role": "user", "content": "do", "tool_calls": None}, {"role": "assistant", "content": None, "tool_calls": calls},
                      {"role": "tool", "content": "done", "tool_calls": None}]},
    ]  # fmt: skip
    message = {"role": TEXT, "content": TEXT, "tool_calls": {"feature": {"id": TEXT}, "_type": "List"}}
    features = {"messages": {"feature": message, "_type": "List"}, "n": WHOLE}
    services.add(reviews(viewer=Viewer({"d": {"train": rows}}, features)))
    (talk,) = datasets.inspect("someone/reviews").conversations
    assert talk.roles == {"assistant": 2, "tool": 1, "user": 2}
    assert talk.keys == {"role": 5, "content": 4, "tool_calls": 1}
    assert talk.tool_calls == "list"
    assert [one["role"] for one in talk.example] == ["user", "assistant", "tool"]
    for row in rows:
        for one in row["messages"]:
            one["tool_calls"] = json.dumps(one["tool_calls"]) if one["tool_calls"] else ""
    rows.pop(1)
    services.add(Repository("a/strings", viewer=Viewer({"d": {"train": rows}}, features)))
    (talk,) = datasets.inspect("a/strings").conversations
    assert (talk.tool_calls, talk.example[0]["content"]) == ("", "u" * 100 + "…")
    rows[0]["messages"][1]["tool_calls"] = json.dumps(calls)
    services.add(Repository("a/strings2", viewer=Viewer({"d": {"train": rows}}, features)))
    (talk,) = datasets.inspect("a/strings2").conversations
    assert talk.tool_calls == "JSON string"


TOKEN = "hf_" + "x" * 34


def test_the_token_goes_to_the_hub_and_not_to_where_it_redirects(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: TOKEN)
    content = parquet(ROWS, FEATURES)
    services.add(Repository("a/cdn", {"train.parquet": content}))
    services.standin.route(
        "GET", "/datasets/a/cdn/resolve/*", Canned(b"", 302, headers={"Location": "http://cdn.example.org/blob"})
    )
    with StandIn() as cdn:
        cdn.route("GET", "/blob", lambda asked: ranged(content, asked.headers.get("range", "")))
        pretend_public(monkeypatch, {"cdn.example.org": cdn, "127.0.0.1": "127.0.0.1"})
        found = datasets.inspect("a/cdn")
        assert [column.name for column in found.columns] == ["text", "label"]
        assert all("authorization" not in one.headers for one in cdn.requests)
        assert all(one.headers["range"].startswith("bytes=") for one in cdn.requests)
    assert cdn.requests
    for path in ("/viewer/splits", "/datasets/a/cdn/resolve"):
        assert services.asked(path)[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in found.model_dump_json()


def test_a_redirect_into_a_private_network_is_not_followed(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    services.add(Repository("a/cdn", {"train.parquet": parquet(ROWS)}))
    services.standin.route(
        "GET", "/datasets/a/cdn/resolve/*", Canned(b"", 302, headers={"Location": "http://10.0.0.7/x"})
    )
    found = datasets.inspect("a/cdn")
    assert not found.samples
    assert any("could not be read" in note and "10.0.0.7" in note for note in found.notes)


def terminal(*words: str) -> int:
    command = typer.main.get_command(lookup_app([datasets.AREA]))
    code = command.main(args=list(words), prog_name="lookup", standalone_mode=False)
    return code if isinstance(code, int) else 0


def test_in_the_terminal(services: Services, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    services.add(reviews())
    (tmp_path / "own.jsonl").write_bytes(jsonl(ROWS))
    assert terminal("datasets", "inspect", "someone/reviews", "--samples", "1") == 0
    assert "bad: 2, good: 1" in capfd.readouterr().out
    for words in (("file", str(tmp_path / "own.jsonl")), ("search", "reviews"), ("compare", "someone/reviews", "someone/reviews"),
                  ("compare-files", "someone/reviews", str(tmp_path / "own.jsonl")),
                  ("overlap-files", str(tmp_path / "own.jsonl"), str(tmp_path / "own.jsonl"))):  # fmt: skip
        assert terminal("datasets", *words) == 0, words
        assert "text" in capfd.readouterr().out, words


def test_what_an_engineer_is_shown_of_it_is_small() -> None:
    schema = json.dumps(schema_of(flat_arguments(datasets.AREA)), separators=(",", ":"))
    assert len(schema) + len(datasets.AREA.for_engineers()) < 930
    assert "anyOf" not in schema


def test_importing_it_loads_no_library() -> None:
    code = "import sys, trainwright.tools.lookup.datasets as d; d.AREA; print(sorted({'pandas','pyarrow','datasets','httpx','huggingface_hub','numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"
