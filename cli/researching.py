"""`trainwright lookup research`: several questions at once, each with a helper of its own; findings for a person or as JSON.

It needs no run. What it may cost is bounded by its own limits, and shown in the findings' notes when one was reached.
"""

from __future__ import annotations

from collections.abc import Sequence

from .found import show_found

__all__ = ["research_command"]


def research_command(
    questions: Sequence[str],
    *,
    engineer: str | None = None,
    max_usd: float | None = None,
    turns: int | None = None,
    minutes: float | None = None,
    offline: bool = False,
    as_json: bool = False,
    base_url: str | None = None,
) -> int:
    """Find out about the questions and write what was found; the exit code.

    Args:
        questions: one to six.
        engineer: who decides in the helpers; the configured one when None.
        max_usd: US dollars for all helpers together.
        turns: of each helper.
        minutes: of each helper.
        offline: from the cache alone.
        as_json: one JSON object instead of text.
        base_url: of a server of one's own.

    Returns:
        0 when something was found, 1 when every question failed.

    Raises:
        RequestError: the questions, the engineer or a limit cannot be.
    """
    from trainwright.graph.research import research

    from .configuring import configured_settings
    from .request import settings_from_flags

    settings = settings_from_flags(
        configured_settings(), engineer=engineer, base_url=base_url, max_model_usd=max_usd, research_max_usd=max_usd,
        research_turns=turns, research_minutes=minutes, offline=offline or None,
    )  # fmt: skip
    found = research(questions, settings)
    show_found(found, as_json)
    return 1 if all(one.status == "failed" for one in found.findings) else 0
