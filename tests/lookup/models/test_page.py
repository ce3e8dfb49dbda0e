"""docs/memory.md says what the program does: its example is executed, and its table of accelerators compared."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

from trainwright.tools.lookup.models.machines import ACCELERATORS

PAGE = (Path(__file__).parents[3] / "docs" / "memory.md").read_text()


def test_the_example_prints_what_the_page_says() -> None:
    program, expected = (re.findall(rf"```{kind}\n(.*?)```", PAGE, re.S)[0] for kind in ("python", "text"))
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile(program, "docs/memory.md", "exec"), {})
    assert said.getvalue() == expected


def test_the_table_of_accelerators_is_that_of_the_program() -> None:
    rows = re.findall(r"^\| (\w+)[^|]*\| ([\d.]+) \| ([\d.]+) \| ([\d,]+) \|$", PAGE, re.M)
    told = {name: (float(a), float(b), float(c.replace(",", ""))) for name, a, b, c in rows}
    assert told == {name: tuple(map(float, kind[:3])) for name, kind in ACCELERATORS.items()}
