"""What a person is told when a model cannot go on: what happened, in the provider's words, and what they can do.

Used-up credit is a question, since only a person can mend it and the run should be there when they have; everything
else ends the run with its transcript kept. This module decides nothing else.
"""

from __future__ import annotations

from trainwright.graph.errors import AGAIN, ModelError, NeedsPerson, TrainwrightError
from trainwright.graph.state import Settings

from .model_errors import ATTEMPTS, Kind, Trouble
from .providers import KEYS, OWN_KEY, Line, load_litellm, near_names, place_of

__all__ = ["credit_key", "trouble_told"]

BILLING = {
    "anthropic": "https://platform.claude.com/settings/billing",
    "deepseek": "https://platform.deepseek.com/top_up",
    "huggingface": "https://huggingface.co/settings/billing",
    "openai": "https://platform.openai.com/settings/organization/billing",
    "openrouter": "https://openrouter.ai/settings/credits",
    "xai": "https://console.x.ai",
}
"""Where one pays a provider."""

AGAIN_LATER = "resume the run; nothing is lost"
OTHER = "or resume with another --engineer"


def credit_key(line: Line) -> str:
    """The key of the question about an account's credit."""
    return f"credit:{place_of(line)}"


def trouble_told(line: Line, settings: Settings, trouble: Trouble) -> TrainwrightError:
    """The error, or the question to a person, that a trouble of this model is."""
    if trouble.kind == Kind.CREDIT:
        return _no_credit(line, settings, trouble)
    status = f" (status {trouble.status})" if trouble.status else ""
    tried = f", after {ATTEMPTS} tries" if trouble.retried else ""
    text = f"{line.name} cannot go on: {trouble.kind}{status}{tried}.{_said(trouble)}"
    return ModelError(text, hint=_hint(line, settings, trouble))


def _no_credit(line: Line, settings: Settings, trouble: Trouble) -> NeedsPerson:
    """The question: nobody but a person can pay, and no other model is asked behind their back."""
    where = f" at {BILLING[line.provider]}" if line.provider in BILLING and not line.own else ""
    asked = "" if settings.fallback else " No other model was asked."
    status = f" (status {trouble.status})" if trouble.status else ""
    return NeedsPerson(
        f"The account at {place_of(line)} has no credit or quota left for {line.name}{status}.{_said(trouble)}{asked} "
        "Nothing runs while this waits, and all work is kept.",
        key=credit_key(line),
        options=[AGAIN],
        hint=f"Add credit{where}, and answer {AGAIN!r}; or go on with another model: resume with --engineer.",
    )


def _said(trouble: Trouble) -> str:
    """The provider's own words, or those for the connection where it said nothing; ended as a sentence is."""
    if not trouble.message:
        return ""
    by = " It said:" if trouble.status else ""
    return f"{by} {trouble.message}{'' if trouble.message[-1] in '.!?' else '.'}"


def _hint(line: Line, settings: Settings, trouble: Trouble) -> str:
    if trouble.kind == Kind.MISSING:
        near = near_names(load_litellm(), line.name)
        return (f"Did you mean {', '.join(near)}? " if near else "") + "Resume with another --engineer."
    variable = OWN_KEY if line.own else next(iter(KEYS.get(line.provider, ())), "the provider's variable")
    if trouble.kind == Kind.STREAM and line.base:
        return (
            f"Look at the connection, and {AGAIN_LATER}. Some servers break off where a request is longer than what they "
            f"read, which is taken to be {line.window:,} tokens here: if it is less, say so (--context-tokens); {OTHER}."
        )
    hints = {
        Kind.KEY: f"Put a valid key into {variable}, and {AGAIN_LATER}; {OTHER}.",
        Kind.RATE: f"Wait a while, and {AGAIN_LATER}; {OTHER}, or with --fallback MODEL.",
        Kind.BUSY: f"Look whether the server is up, and {AGAIN_LATER}; {OTHER}, or with --fallback MODEL.",
        Kind.UNREACHED: f"Look whether {_server(line)}, and {AGAIN_LATER}; {OTHER}.",
        Kind.STREAM: f"Look at the connection, and {AGAIN_LATER}; {OTHER}.",
        Kind.POLICY: "The provider refuses the content of this request; resume with another --engineer.",
        Kind.PARAMETER: f"Resume with another --effort, {OTHER}.",
    }
    return hints.get(trouble.kind, f"Resume with another --engineer, or {AGAIN_LATER}.")


def _server(line: Line) -> str:
    return f"the server is up at {line.base}" if line.base else f"this machine can reach {line.provider}"
