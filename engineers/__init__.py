"""Who decides inside a stage: `recipes`, which is built in and needs no model, no key and no network; or a model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainwright.graph.state import Settings

    from .protocol import Engineer

__all__ = ["BUILT_IN", "check_engineer", "choose_engineer"]

BUILT_IN = "recipes"


def check_engineer(settings: Settings) -> None:
    """Refuse an engineer that cannot be there; neither loads nor asks a model.

    Raises:
        RequestError: it is neither the built-in one nor the name of a model, or the variable with its key is not set;
            or the price that was given for it is none.
    """
    if settings.engineer == BUILT_IN:
        _check_left_out(settings)
        return
    from .providers import check_keys, check_model

    check_model(settings.engineer, settings.base_url)
    if settings.fallback:
        check_model(settings.fallback)
    check_keys(settings)
    if settings.model_price:
        from .pricing import read_price

        read_price(settings.model_price)


def _check_left_out(settings: Settings) -> None:
    from trainwright.graph.errors import RequestError

    given = [name for name in ("fallback", "base_url", "effort", "context_tokens") if getattr(settings, name)]
    if given:
        flag = given[0].replace("_", "-")
        raise RequestError(
            f"--{flag} is for a model, and the engineer is {BUILT_IN}.",
            hint="Name the model: --engineer PROVIDER/MODEL.",
        )


def choose_engineer(settings: Settings) -> Engineer:
    """The engineer of a run; the same one for the same settings, so that a model's client lives as long as the process.

    Raises:
        RequestError: there is none of that name.
    """
    if settings.engineer == BUILT_IN:
        from .recipes import RecipesEngineer

        return RecipesEngineer()
    return _model_engineer(
        settings.engineer, settings.fallback, settings.base_url, settings.effort, settings.context_tokens
    )


@lru_cache(maxsize=8)
def _model_engineer(engineer: str, fallback: str, base_url: str, effort: str, context_tokens: int) -> Engineer:
    from trainwright.graph.state import Settings

    from .llm import ModelEngineer

    given = {"fallback": fallback, "base_url": base_url, "effort": effort, "context_tokens": context_tokens}
    return ModelEngineer(Settings.model_validate({"engineer": engineer, **given}))
