"""`trainwright graph`: the picture of the process, from the graph itself."""

from __future__ import annotations

from pathlib import Path

from trainwright.graph.errors import RequestError

from .screen import Line, open_screen

__all__ = ["draw_graph"]


def draw_graph(file: str | None, *, inside: bool) -> int:
    """Print Mermaid text, or draw a PNG file.

    Raises:
        RequestError: the file cannot be written there, or the two flags do not go together.
    """
    screen = open_screen(interactive=False)
    if file is None:
        from trainwright.graph.picture import mermaid

        screen.out.write(mermaid(inside=inside).rstrip() + "\n")
        screen.out.flush()
        return 0
    if inside:
        raise RequestError("--inside is for the Mermaid text.", hint="Leave out --png, or --inside.")
    path = Path(file).expanduser()
    if path.suffix.lower() != ".png":
        raise RequestError(f"{file[:200]} is no name of a PNG file.", hint="End it with .png.")
    if not path.parent.is_dir():
        raise RequestError(f"There is no folder {path.parent}.", hint="Make it first.")
    from trainwright.graph.picture import png

    try:
        drawn = png(path)
    except OSError as error:
        raise RequestError(
            f"{path} cannot be written: {error.strerror or error}.", hint="Choose another place."
        ) from error
    screen.show([Line(f"The picture is in {drawn.absolute()}.")])
    return 0
