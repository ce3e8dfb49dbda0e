"""Trees of repositories, and the examples in them."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.standin import Asked, Canned, StandIn
from trainwright.graph.errors import NotFound, RemoteError
from trainwright.tools.lookup import code
from trainwright.tools.lookup.code.names import closeness, near_paths, rank_paths, words_of
from trainwright.tools.lookup.code.ranking import weight

from .conftest import repository, tree


def test_a_small_tree_is_shown_whole(github: StandIn) -> None:
    found = code.tree("acme/trees")
    assert [entry.path for entry in found.entries][:2] == ["README.md", "data/large.csv"]
    assert (found.total, len(found.entries), found.notes) == (11, 11, [])
    assert "| README.md | 8 B |" in found.markdown()


def test_a_large_tree_is_folded(github: StandIn) -> None:
    found = code.tree("acme/trees", limit=9)
    shown = [(entry.path, entry.folder, entry.files) for entry in found.entries]
    assert shown == [
        ("data", True, 2), ("docs", True, 1), ("examples", True, 3), ("scripts", True, 1), ("src", True, 1),
        ("tests", True, 1), ("README.md", False, None), ("setup.py", False, None),
    ]  # fmt: skip
    assert [entry.path for entry in code.tree("acme/trees", path="examples", limit=2).entries] == [
        "examples/notebooks",
        "examples/README.md",
    ]
    assert "are left out" in code.tree("acme/trees", limit=2).notes[0]


def test_a_folder_by_its_address(github: StandIn) -> None:
    found = code.tree("https://github.com/acme/trees/tree/main/examples")
    assert (found.ref, found.path, found.total) == ("main", "examples", 3)


def test_a_folder_that_is_not_there_is_told_with_near_ones(github: StandIn) -> None:
    with pytest.raises(NotFound, match="no exampels") as caught:
        code.tree("acme/trees", path="exampels")
    assert "examples" in caught.value.hint


def test_a_repository_that_is_not_there_is_told_with_similar_ones(github: StandIn) -> None:
    def similar(asked: Asked) -> dict[str, Any]:
        own = "user:acme" in asked.query["q"][0]
        items = [repository("acme/trees")] if own else [repository("acme/trees"), repository("other/treez")]
        return {"total_count": 2, "incomplete_results": False, "items": items}

    github.route("GET", "/search/repositories", similar)
    with pytest.raises(NotFound, match="no repository acme/treez, or it is private") as caught:
        code.tree("acme/treez")
    assert caught.value.hint == "Similar names: acme/trees, other/treez."


def test_a_branch_that_is_not_there(github: StandIn) -> None:
    with pytest.raises(NotFound, match="no branch, tag or commit v9"):
        code.tree("acme/trees", ref="v9")
    with pytest.raises(NotFound, match="no branch, tag or commit v9"):
        code.tree("https://github.com/acme/trees/tree/v9/examples/notebooks")


def test_an_empty_repository(github: StandIn) -> None:
    github.route("GET", "/repos/acme/trees/git/trees/HEAD", Canned({"message": "Git Repository is empty."}, status=409))
    with pytest.raises(NotFound, match="acme/trees on GitHub is empty"):
        code.tree("acme/trees")


def test_a_tree_that_github_cuts(github: StandIn) -> None:
    github.route("GET", "/repos/acme/trees/git/trees/HEAD", {**tree({"a.py": b""}), "truncated": True})
    github.route("GET", "/repos/acme/trees/contents/deep/er", [
        {"path": "deep/er/x.py", "type": "file", "size": 3}, {"path": "deep/er/y", "type": "dir", "size": 0},
    ])  # fmt: skip
    assert "too large for one answer" in code.tree("acme/trees").notes[0]
    found = code.tree("acme/trees", path="deep/er")
    assert [(entry.path, entry.size) for entry in found.entries] == [("deep/er/x.py", 3)]
    assert "this is the folder alone" in found.notes[0]


def test_a_tree_as_large_as_github_gives_it(github: StandIn) -> None:
    address = "https://api.github.com/repos/acme/large/git/blobs/" + "1" * 40
    listed = [
        {"path": f"src/part{n % 97}/train_model_{n}.py", "mode": "100644", "type": "blob", "sha": "1" * 40, "size": 1, "url": address}
        for n in range(50_000)
    ]  # fmt: skip
    github.route("GET", "/repos/acme/large/git/trees/HEAD", {"tree": listed, "truncated": False})
    begun = time.monotonic()
    assert code.tree("acme/large").total == 50_000
    assert code.examples("acme/large", keyword="model finetuning").total == 0
    assert time.monotonic() - begun < 20


def test_paths_that_lead_elsewhere_are_left_out(github: StandIn) -> None:
    listed = [{"path": path, "type": "blob", "size": 1} for path in ("a.py", "../x", "b\\c", "d//e", "f\x07")]
    github.route("GET", "/repos/acme/trees/git/trees/HEAD", {"tree": [*listed, 3, {"path": 4, "type": "blob"}]})
    assert [entry.path for entry in code.tree("acme/trees").entries] == ["a.py"]
    github.route("GET", "/repos/acme/other/git/trees/HEAD", {"tree": {}})
    with pytest.raises(RemoteError, match="malformed"):
        code.tree("acme/other")


def test_examples_are_ranked_by_where_they_lie(github: StandIn) -> None:
    found = code.examples("acme/trees")
    assert [entry.path for entry in found.entries][:3] == [
        "examples/train_dpo.py", "examples/notebooks/sft.ipynb", "scripts/run_grpo.sh",
    ]  # fmt: skip
    assert not {"tests/test_model.py", "setup.py", "src/trees/model.py"} & {entry.path for entry in found.entries}


def test_examples_near_a_keyword(github: StandIn) -> None:
    assert [entry.path for entry in code.examples("acme/trees", keyword="DPO trainer").entries] == [
        "examples/train_dpo.py"
    ]
    assert [entry.path for entry in code.examples("acme/trees", keyword="dpo").entries] == ["examples/train_dpo.py"]
    assert [entry.path for entry in code.examples("acme/trees", keyword="notebok").entries] == [
        "examples/notebooks/sft.ipynb"
    ]
    nothing = code.examples("acme/trees", keyword="whisper")
    assert (nothing.total, nothing.notes) == (0, ["Of 5 examples none has a name like 'whisper'."])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("examples/a.py", "scripts/a.py"), ("scripts/a.py", "docs/a.py"), ("notebooks/a.ipynb", "notebooks/a.md"),
        ("train.py", "src/model.py"), ("recipes/x/sft.yaml", "x/sft.yaml"), ("examples/a.py", "examples/tests/a.py"),
        ("getting-started/a.py", "other/a.py"), ("examples/a.py", "examples/__init__.py"),
    ],
)  # fmt: skip
def test_weights(better: str, worse: str) -> None:
    assert weight(better) > weight(worse)


def test_names() -> None:
    assert words_of("examples/trainDPO_v2.py") == ["examples", "train", "dpo", "v2", "py"]
    assert closeness("examples/sft_trainer.py", "sft trainer") == 1.0
    assert closeness("a.py", "") == 0.0
    assert rank_paths(["x/y/dpo.py", "dpo.py", "ppo.py"], "dpo") == ["dpo.py", "x/y/dpo.py"]
    assert near_paths(["src/model.py", "lib/modle.py"], "model.py")[0] == "src/model.py"


def test_a_repository_of_the_hub(github: StandIn) -> None:
    listed = [
        {"type": "directory", "oid": "0" * 40, "size": 0, "path": "code"},
        {"type": "file", "oid": "1" * 40, "size": 12, "path": "code/train.py"},
        {"type": "file", "oid": "2" * 40, "size": 34, "path": "config.json"},
    ]
    github.route("GET", "/api/models/acme/model/tree/main", listed)
    found = code.tree("hf:acme/model")
    assert [(entry.path, entry.size) for entry in found.entries] == [("code/train.py", 12), ("config.json", 34)]
    assert (found.repo, found.sources[0].name) == ("hf:acme/model", "the Hugging Face Hub")
    gone = Canned({"error": "x"}, status=404, headers={"x-error-code": "RepoNotFound"})
    github.route("GET", "/api/datasets/acme/gone/tree/main", gone)
    with pytest.raises(NotFound, match="no data set acme/gone"):
        code.tree("hf:datasets/acme/gone")
