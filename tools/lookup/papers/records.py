"""What the lookups of papers answer with, compact for an engineer and readable for a person."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.lookup.found import Found, paragraphs, table

__all__ = [
    "Citation", "CitationsFound", "DetailsFound", "Item", "LinkedFound", "Paper", "PapersFound", "Part", "Reading",
    "Snippet", "SnippetsFound",
]  # fmt: skip


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Paper(_Record):
    """A paper in a list. `id` is its arXiv id without a version, else its DOI, else Semantic Scholar's."""

    id: str
    title: str
    authors: str = ""
    date: str = Field("", description="YYYY-MM-DD, or the year.")
    abstract: str = ""
    venue: str = ""
    citations: int | None = None
    influential: int | None = Field(None, description="Citations that Semantic Scholar calls influential.")
    upvotes: int | None = Field(None, description="On the Hub.")
    code: str = ""


class PapersFound(Found):
    """Papers, best first."""

    papers: list[Paper] = Field(default_factory=list)

    def body(self) -> str:
        """A table of the papers."""
        rows = [[p.id, p.title, p.authors, p.date, p.citations] for p in self.papers]
        return table(["id", "title", "authors", "date", "citations"], rows) or "No paper was found."


class DetailsFound(Found):
    """All that is known of one paper."""

    id: str
    title: str = ""
    authors: list[str] = Field(default_factory=list)
    abstract: str = ""
    published: str = ""
    updated: str = ""
    arxiv_id: str = ""
    doi: str = ""
    scholar_id: str = ""
    categories: list[str] = Field(default_factory=list, description="Of arXiv, the primary one first.")
    fields: list[str] = Field(default_factory=list, description="Fields of study.")
    venue: str = ""
    citations: int | None = None
    influential: int | None = None
    references: int | None = None
    upvotes: int | None = None
    comment: str = ""
    summary: str = Field("", description="One sentence, written by a machine.")
    keywords: list[str] = Field(default_factory=list)
    code: str = ""
    code_stars: int | None = None
    project: str = ""
    pdf: str = ""
    html: str = ""


class Part(_Record):
    """A section in the table of contents."""

    section: str = Field(description="Number and title.")
    characters: int = 0
    preview: str = ""


class Reading(Found):
    """A paper, or one section of it."""

    id: str
    title: str = ""
    form: str = Field("", description="What was read: Markdown, HTML or PDF.")
    abstract: str = ""
    pages: int | None = None
    contents: list[Part] = Field(default_factory=list)
    section: str = ""
    text: str = ""
    part: int | None = None
    parts: int | None = None
    pdf: str = ""

    def body(self) -> str:
        """The text as it is, or the abstract and the table of contents."""
        head = [f"# {self.title}" if self.title else ""]
        if self.section:
            of = f" (part {self.part} of {self.parts})" if self.parts and self.parts > 1 else ""
            head += [f"## {self.section}{of}", self.text]
        else:
            head += [self.abstract, "\n".join(map(_entry, self.contents))]
            head.append(f"PDF: {self.pdf}" if self.pdf else "")
        return paragraphs(*head)


def _entry(part: Part) -> str:
    told = f" ({part.characters:,} characters): {part.preview}" if part.characters else ""
    return f"- {part.section}{told}"


class Citation(_Record):
    """A paper on one end of a citation, with what is said about the other."""

    paper: Paper
    influential: bool = False
    intents: list[str] = Field(default_factory=list)
    contexts: list[str] = Field(default_factory=list)


class CitationsFound(Found):
    """The neighbours of a paper in the graph of citations."""

    id: str
    references: list[Citation] = Field(default_factory=list, description="What the paper cites.")
    citations: list[Citation] = Field(default_factory=list, description="What cites the paper.")

    def body(self) -> str:
        """A table for each direction."""
        parts = []
        for name, entries in (("References", self.references), ("Citations", self.citations)):
            rows = [
                [
                    e.paper.id,
                    e.paper.title,
                    e.paper.date,
                    e.paper.citations,
                    "yes" if e.influential else "",
                    ", ".join(e.intents),
                ]
                for e in entries
            ]
            if rows:
                parts += [f"## {name}", table(["id", "title", "date", "citations", "influential", "intents"], rows)]
        return "\n\n".join(parts or ["No citation was found."])


class Snippet(_Record):
    """A passage of a paper's text."""

    paper: Paper
    text: str
    section: str = ""
    kind: str = Field("", description="title, abstract or body.")


class SnippetsFound(Found):
    """Passages, best first."""

    snippets: list[Snippet] = Field(default_factory=list)

    def body(self) -> str:
        """Each passage below its paper."""
        parts = [f"## {s.paper.title} ({s.paper.id}) {s.section}".rstrip() + f"\n\n{s.text}" for s in self.snippets]
        return "\n\n".join(parts or ["No passage was found."])


class Item(_Record):
    """A repository or collection of the Hub."""

    id: str
    title: str = ""
    likes: int | None = None
    downloads: int | None = None
    task: str = ""
    gated: bool = False


class LinkedFound(Found):
    """What is linked to a paper on the Hub."""

    id: str
    datasets: list[Item] = Field(default_factory=list)
    models: list[Item] = Field(default_factory=list)
    spaces: list[Item] = Field(default_factory=list)
    collections: list[Item] = Field(default_factory=list)
    code: str = ""
    code_stars: int | None = None
    project: str = ""

    def body(self) -> str:
        """A table for each kind."""
        parts = [f"Code: {self.code}" if self.code else "", f"Project: {self.project}" if self.project else ""]
        for name in ("datasets", "models", "spaces", "collections"):
            items: list[Item] = getattr(self, name)
            if items:
                rows = [[i.id, i.title, i.task, i.downloads, i.likes] for i in items]
                parts += [f"## {name.title()}", table([name[:-1], "title", "task", "downloads", "likes"], rows)]
        body = [part for part in parts if part] or ["Nothing on the Hub is linked to it."]
        return paragraphs(*body)
