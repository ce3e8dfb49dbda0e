"""What an approval binds to does not depend on where it was shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from trainwright.tools import code


@pytest.mark.parametrize(("columns", "language"), [("40", "C"), ("200", "de_DE.UTF-8"), ("", "C.UTF-8")])
def test_the_difference_is_the_same_on_every_terminal(
    columns: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    files = {f"a_rather_long_name_of_a_script_{number}.py": b"x = 1\n" * 300 * number for number in range(1, 5)}
    code.write_files(tmp_path, files)
    first = code.commit(tmp_path, "first")
    shown = code.diff(tmp_path, "", first)
    assert "4 files changed, 3000 insertions(+)" in shown
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setenv("LANG", language)
    monkeypatch.setenv("LANGUAGE", language)
    assert code.diff(tmp_path, "", first) == shown
    code.write_files(tmp_path, files | {"new.py": b"y = 2\n"})
    assert "+y = 2" in code.diff(tmp_path, first, code.commit(tmp_path, "second"))
