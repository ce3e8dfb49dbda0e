"""The picture of the process, from the graph itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.cli.main import main
from trainwright.graph.picture import ASIDE, END, ORDER, edges, mermaid, png


def test_mermaid_names_every_node_and_labels_the_ways_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph"]) == 0
    text = capsys.readouterr().out
    assert text == mermaid().rstrip() + "\n"
    for name in (*ORDER[1:-1], ASIDE):
        assert f"\t{name}({name})" in text
    for way in (
        "evaluate -. &nbsp;improve: target unmet&nbsp; .-> plan",
        "publish -. &nbsp;published or refused&nbsp; .-> wrap_up",
    ):
        assert way in text
    assert "think" not in text


def test_inside_shows_the_loops_of_the_stages(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--inside"]) == 0
    text = capsys.readouterr().out
    for stage in ("read_paper", "plan", "find_data", "write_code"):
        assert f"subgraph {stage}" in text
        for node in ("prepare", "think", "approve_tools", "act", "conclude"):
            assert f"{stage}__{node}({node})" in text
    assert "\\" not in text


def test_the_png_has_a_place_for_every_node_and_a_way_for_every_edge() -> None:
    drawn = edges()
    assert {name for edge in drawn for name in edge[:2]} == {*ORDER, ASIDE}
    for edge in drawn:
        assert edge.label or not edge.conditional, f"{edge.source} to {edge.target} has no label"
    assert any(edge.target == END for edge in drawn)


def test_a_png_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import matplotlib.image

    path = tmp_path / "graph.PNG"
    assert main(["graph", "--png", str(path)]) == 0
    assert str(path) in capsys.readouterr().out
    picture = matplotlib.image.imread(path)
    assert min(picture.shape[:2]) > 800
    assert picture.min() < 0.5 < picture.max(), "something is drawn"


def test_the_same_graph_the_same_picture(tmp_path: Path) -> None:
    assert png(tmp_path / "a.png").read_bytes() == png(tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("graph.jpg", "no name of a PNG file"),
        ("nosuch/graph.png", "There is no folder"),
        ("folder.png", "cannot be written"),
        ("", "no name of a PNG file"),
    ],
)
def test_a_place_where_no_picture_can_be(
    file: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.png").mkdir()
    monkeypatch.chdir(tmp_path)
    assert main(["graph", "--png", file]) == 2
    assert words in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_a_picture_has_no_inside(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--png", "x.png", "--inside"]) == 2
    assert "--inside is for the Mermaid text" in capsys.readouterr().err
