"""What a research helper reports, and what a call of `research` answers with.

A `Report` is what a helper hands in: anything may stand in it. A `Finding` is what is left of it after each statement
was held to what the helper really read (`evidence.py`); `Findings` are those of all questions, small enough for a
request. Nothing is looked up here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from trainwright.tools.lookup.found import Found, paragraphs

__all__ = ["KEPT", "MOST", "Evidence", "Finding", "Findings", "Recipe", "Report", "Statement"]

MOST = 12_000
"""Characters that the findings of one call have as JSON, at most."""

Short = Annotated[str, StringConstraints(max_length=300)]
Text = Annotated[str, StringConstraints(max_length=1_500)]

KEPT = {"kept": True}
"""The context in which what was kept once is read: a number that is refused today is left out then."""


def _countable(value: Any) -> Any:
    if isinstance(value, int | float) and not abs(value) < 1e300:
        raise ValueError("write a number that is finite, and below 1e300")
    return value


def _or_nothing(value: Any, checked: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
    try:
        return checked(value)
    except ValidationError:
        if info.context != KEPT:
            raise
        return None


def _without_nothing(value: dict[str, Any]) -> dict[str, Any]:
    return {name: one for name, one in value.items() if one is not None}


OrNothing = WrapValidator(_or_nothing)
Setting = Annotated[str | int | float | bool, AfterValidator(_countable), OrNothing]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Evidence(_Record):
    """Where something stands: the address or id of what a lookup showed, and the words there."""

    source: Short
    quote: Annotated[str, StringConstraints(max_length=600)]


class Statement(_Record):
    """Something that the world says, with where it says so."""

    text: Annotated[str, StringConstraints(max_length=800)]
    evidence: list[Evidence] = Field(max_length=5)


class Recipe(_Record):
    """A way to train that led to a result. `sources` are evidence for the result and the settings."""

    paper: Short = Field(description="arXiv id")
    title: Short = ""
    metric: Short = ""
    value: Annotated[float | None, AfterValidator(_countable), OrNothing] = None
    dataset: Short = ""
    data: Text = Field("", description="Hub ids, size, format")
    method: Text = ""
    hyperparameters: Annotated[dict[str, Setting], AfterValidator(_without_nothing)] = Field(
        default_factory=dict, max_length=40
    )
    code: Short = ""
    why: Text = Field("", description="what made it work")
    year: Annotated[int | None, Field(ge=1800, le=2200), OrNothing] = None
    citations: Annotated[int | None, Field(ge=0, le=10**9), OrNothing] = None
    sources: list[Evidence] = Field(max_length=5)


class Report(_Record):
    """What a helper hands in."""

    status: Literal["answered", "partial", "failed"]
    summary: Annotated[str, StringConstraints(min_length=1, max_length=3_000)]
    recipes: list[Recipe] = Field(default_factory=list, max_length=10)
    claims: list[Statement] = Field(default_factory=list, max_length=20)


class Finding(_Record):
    """The answer to one question.

    Attributes:
        question: as it was asked.
        status: answered, partial, or failed.
        why: why it is not answered in full; empty otherwise.
        summary: in the helper's own words, which nobody has checked.
        recipes: the best first; each has evidence that was read.
        claims: each has evidence that was read.
        read: what the helper looked at, where it reported nothing itself.
        turns: that the helper took.
    """

    question: str
    status: Literal["answered", "partial", "failed"]
    why: str = ""
    summary: str = ""
    recipes: list[Recipe] = Field(default_factory=list)
    claims: list[Statement] = Field(default_factory=list)
    read: list[str] = Field(default_factory=list)
    turns: int = 0
    notes: list[str] = Field(default_factory=list)


class Findings(Found):
    """The answers to all questions of a call, in the order in which they were asked."""

    findings: list[Finding] = Field(default_factory=list)
    file: str = Field("", description="Where the whole of it lies, in the run's folder.")

    def body(self) -> str:
        """Each answer below its question."""
        parts = [_prose(one) for one in self.findings]
        return paragraphs(*parts)

    def bounded(self, most: int = MOST) -> Findings:
        """The same in at most `most` characters of JSON: what is least important is left out, and it is said."""
        found = self
        for shorten, what in (*SHORTER, (_barely, "the recipes and claims are left out")):
            if len(found.model_dump_json(exclude_defaults=True)) <= most:
                break
            note = f"Too long for one answer: {what}."
            found = self.model_copy(
                update={"findings": [shorten(one) for one in self.findings], "notes": [*self.notes, note]}
            )
        return found


def _prose(one: Finding) -> str:
    lines = [f"## {one.question}", f"{one.status}{f': {one.why}' if one.why else ''}", one.summary]
    for number, recipe in enumerate(one.recipes, 1):
        result = " ".join(str(part) for part in (recipe.metric, recipe.value, recipe.dataset) if part not in ("", None))
        lines.append(
            f"{number}. **{recipe.title or recipe.paper}** ({recipe.paper}): {result}. {recipe.method}".strip()
        )
        settings = ", ".join(f"{name}={value}" for name, value in recipe.hyperparameters.items())
        details = {"data": recipe.data, "settings": settings, "code": recipe.code, "why": recipe.why}
        lines += [f"   - {name}: {text}" for name, text in details.items() if text]
        lines += [f"   - “{e.quote}” ({e.source})" for e in recipe.sources]
    for claim in one.claims:
        lines.append(f"- {claim.text}")
        lines += [f"  - “{e.quote}” ({e.source})" for e in claim.evidence]
    lines += [f"Read: {', '.join(one.read)}"] if one.read else []
    lines += [f"Note: {note}" for note in one.notes]
    return "\n".join(line for line in lines if line)


def _fewer(recipes: int, claims: int, quote: int, words: int) -> Callable[[Finding], Finding]:
    """Keeps so many recipes and claims, quotes of so many characters, and texts of so many."""

    def shorten(one: Finding) -> Finding:
        def brief(evidence: list[Evidence]) -> list[Evidence]:
            return [e.model_copy(update={"quote": e.quote[:quote]}) for e in evidence[:2]]

        kept = [
            r.model_copy(
                update={
                    "sources": brief(r.sources),
                    **{name: getattr(r, name)[:words] for name in ("data", "method", "why")},
                    "hyperparameters": dict(list(r.hyperparameters.items())[:20]) if words > 200 else {},
                }
            )
            for r in one.recipes[:recipes]
        ]
        said = [
            c.model_copy(update={"evidence": brief(c.evidence), "text": c.text[:words]}) for c in one.claims[:claims]
        ]
        own = {
            "summary": one.summary[: 3 * words],
            "read": one.read[:claims],
            "notes": [n[:300] for n in one.notes[:5]],
        }
        own["question"], own["why"] = one.question[:words], one.why[:words]
        return one.model_copy(update={"recipes": kept, "claims": said, **own})

    return shorten


def _briefest(one: Finding) -> Finding:
    """The best recipe and the summary, each text of 80 characters; a longer name or address would lead nowhere."""
    recipes = [
        Recipe(
            paper=r.paper, sources=[], value=r.value, year=r.year, citations=r.citations,
            code=r.code if len(r.code) <= 80 else "",
            **{name: getattr(r, name)[:80] for name in ("title", "metric", "dataset", "method")},
        )
        for r in one.recipes[:1]
        if len(r.paper) <= 80
    ]  # fmt: skip
    return _barely(one).model_copy(update={"summary": one.summary[:240], "recipes": recipes})


def _barely(one: Finding) -> Finding:
    """The question, and how it ended: it fits even where each character is written as six."""
    return Finding(question=one.question[:80], status=one.status, why=one.why[:80], turns=one.turns)


SHORTER: tuple[tuple[Callable[[Finding], Finding], str], ...] = (
    (_fewer(5, 8, 300, 500), "five recipes and eight claims of each question are shown, with shorter quotes"),
    (_fewer(3, 5, 200, 300), "three recipes and five claims of each question are shown, with shorter texts"),
    (_fewer(2, 3, 120, 200), "two recipes and three claims of each question are shown, without settings"),
    (_fewer(1, 1, 80, 120), "one recipe and one claim of each question are shown, without settings"),
    (_briefest, "at most one recipe of each question is shown, in few words, without sources and long names"),
)
