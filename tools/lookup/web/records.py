"""What the lookups of the web answer with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.lookup.found import Found, paragraphs

__all__ = ["Hit", "HitsFound", "PageFound"]


class Hit(BaseModel):
    """A page, as the search engine shows it."""

    model_config = ConfigDict(extra="forbid")

    title: str
    url: str
    snippet: str = ""


class HitsFound(Found):
    """Pages, best first."""

    hits: list[Hit] = Field(default_factory=list)

    def body(self) -> str:
        """A list of links."""
        lines = [f"- [{hit.title}]({hit.url})" + (f"\n  {hit.snippet}" if hit.snippet else "") for hit in self.hits]
        return "\n".join(lines) or "No page was found."


class PageFound(Found):
    """A page, or one part of it.

    Attributes:
        url: where it was found in the end, after redirects.
        media: its media type.
        parts: how many parts there are.
        text: Markdown of a page; of a PDF its text; anything else as it is.
    """

    url: str
    title: str = ""
    media: str = ""
    part: int = 1
    parts: int = 1
    text: str = ""

    def body(self) -> str:
        """Title, address and text."""
        part = f" (part {self.part} of {self.parts})" if self.parts > 1 else ""
        head = f"# {self.title}\n\n{self.url}{part}" if self.title else f"{self.url}{part}"
        return paragraphs(head, self.text)
