"""`trainwright demo`: the example paper and a data set that scikit-learn brings along, to a published model."""

from __future__ import annotations

from importlib.resources import as_file, files

from trainwright.graph.errors import StoreError

from .screen import Line, open_screen

__all__ = ["run_demo"]

NOW_YOURS = (
    Line(""),
    Line("Now your own: trainwright run paper.pdf --data table.csv", "title"),
    Line(
        "Open the report in a browser; `trainwright runs` lists every run, `trainwright show RUN` tells one.", "faint"
    ),
)


def run_demo(*, as_json: bool) -> int:
    """Run the example with rules at the gates; returns the exit code of the run.

    Raises:
        StoreError: the installation lacks the example.
    """
    paper = files("trainwright.examples") / "digits_svm.pdf"
    if not paper.is_file():
        raise StoreError("The example paper is not in this installation.", hint="Install trainwright again.")
    from trainwright.graph import Request, Settings, driver

    from .session import follow

    with as_file(paper) as path:
        request = Request(paper=str(path), data="sklearn:digits")
        settings = Settings(approvals="auto")
        code = follow(lambda: driver.start(request, settings), as_json=as_json)
    if code == 0 and not as_json:
        open_screen(interactive=False).show(NOW_YOURS)
    return code
