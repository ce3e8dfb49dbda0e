"""What the lookups of documentation answer with, compact for an engineer and readable for a person."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.lookup.found import Found, paragraphs, table

__all__ = [
    "Close", "Contents", "Entry", "Hit", "Hits", "Installed", "Keyword", "Libraries", "LibraryState", "Listing", "Member",
    "Reading", "Updated",
]  # fmt: skip


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Hit(_Record):
    """A section that answers a question. `read` takes `page` and `section`."""

    page: str = Field(description="library/path")
    section: str
    above: str = Field("", description="Headings above the section.")
    address: str
    text: str


class Close(_Record):
    """A word that the documentation does not have, and those that may be meant."""

    word: str
    close: list[str]


class Hits(Found):
    """Sections, best first."""

    hits: list[Hit] = Field(default_factory=list)
    unknown: list[Close] = Field(default_factory=list)

    def body(self) -> str:
        """Each section with its address and a stretch of its text."""
        parts = [
            f"## {hit.page}: {' > '.join(filter(None, (hit.above, hit.section)))}\n{hit.address}\n{hit.text}"
            for hit in self.hits
        ] or ["Nothing was found."]
        parts += [f"Unknown: {one.word}; did you mean {', '.join(one.close)}?" for one in self.unknown]
        return "\n\n".join(parts)


class Listing(_Record):
    page: str = Field(description="library/path")
    title: str


class Contents(Found):
    """The pages of a library, in the order of its table of contents."""

    library: str
    version: str = ""
    total: int = 0
    part: int = 1
    parts: int = 1
    pages: list[Listing] = Field(default_factory=list)

    def body(self) -> str:
        """A table of the pages."""
        head = f"# {' '.join(filter(None, (self.library, self.version)))}: {self.total:,} pages"
        head += f", part {self.part} of {self.parts}" if self.parts > 1 else ""
        body = table(["page", "title"], [[one.page, one.title] for one in self.pages])
        return paragraphs(head, body)


class Entry(_Record):
    section: str
    level: int = 1
    characters: int = 0


class Reading(Found):
    """A page, or a section with those below it, in parts."""

    page: str
    title: str = ""
    section: str = ""
    address: str
    version: str = ""
    part: int = 1
    parts: int = 1
    sections: list[Entry] = Field(default_factory=list, description="Of the whole page; with its first part.")
    text: str = ""

    def body(self) -> str:
        """The text, after the table of contents."""
        head = f"# {self.title or self.page}" + (f": {self.section}" if self.section else "")
        of = f"\n{self.address}" + (f", part {self.part} of {self.parts}" if self.parts > 1 else "")
        listed = "\n".join(f"{'  ' * (one.level - 1)}- {one.section} ({one.characters:,})" for one in self.sections)
        return paragraphs(head + of, listed, self.text)


class LibraryState(_Record):
    """A library; `pages` and `days` say what the index has of it, and how old that is."""

    name: str
    about: str = Field("", description="The Hub's category.")
    version: str = ""
    pages: int = 0
    days: float | None = Field(None, description="Since its pages were last looked at; none while it is not complete.")
    left: int = Field(0, description="Pages that are still to be fetched.")


class Libraries(Found):
    """Which libraries there are, and which are indexed."""

    indexed: list[LibraryState] = Field(default_factory=list)
    others: list[str] = Field(default_factory=list)

    def body(self) -> str:
        """A table of what is indexed, and the names of the rest."""
        rows = [
            [
                one.name, one.version, one.pages,
                f"{one.left:,} to come" if one.left else "not complete" if one.days is None else f"{one.days:.1f} days",
            ]
            for one in self.indexed
        ]  # fmt: skip
        body = table(["indexed", "version", "pages", "age"], rows) or "No library is indexed yet."
        more = f"Not indexed: {', '.join(self.others)}" if self.others else ""
        return paragraphs(body, more)


class Updated(Found):
    """What an update did, library by library."""

    libraries: list[LibraryState] = Field(default_factory=list)
    changed: int = 0
    same: int = 0
    gone: int = 0
    seconds: float = 0.0

    def body(self) -> str:
        """Numbers, and a table of the libraries."""
        rows = [[one.name, one.version, one.pages, one.left] for one in self.libraries]
        head = (
            f"{self.changed:,} pages new or changed, {self.same:,} as before, {self.gone:,} gone; {self.seconds:.1f} s."
        )
        body = table(["library", "version", "pages", "still to come"], rows)
        return paragraphs(head, body)


class Member(_Record):
    name: str
    kind: str
    about: str = ""


class Keyword(_Record):
    """A keyword that was asked about; `exists` is none where only a call would tell."""

    name: str
    exists: bool | None
    default: str = ""
    close: list[str] = Field(default_factory=list)


class Installed(Found):
    """An object of an installed library, as it is where scripts run.

    `problem` is empty or says why there is none: `module`, `attribute`, `broken`, `lazy`, `unknown`.
    """

    name: str
    problem: str = ""
    close: list[str] = Field(default_factory=list)
    kind: str = ""
    distribution: str = ""
    version: str = ""
    python: str = ""
    signature: str = ""
    keywords: list[Keyword] = Field(default_factory=list)
    documentation: str = ""
    part: int = 1
    parts: int = 1
    members: list[Member] = Field(default_factory=list)

    def body(self) -> str:
        """Signature, keywords, docstring and members."""
        where = " ".join(
            filter(None, (self.distribution, self.version, f"(Python {self.python})" if self.python else ""))
        )
        parts = [f"# {self.name}", where, f"    {self.signature}" if self.signature else "", *map(_line, self.keywords)]
        parts += [f"Close to it: {', '.join(self.close)}"] if self.close else []
        parts += [self.documentation + (f"\n(part {self.part} of {self.parts})" if self.parts > 1 else "")]
        parts += [table(["member", "kind", "about"], [[m.name, m.kind, m.about] for m in self.members])]
        return paragraphs(*parts)


def _line(keyword: Keyword) -> str:
    word = {True: "is taken", False: "is not taken", None: "may be taken"}[keyword.exists]
    default = f", default {keyword.default}" if keyword.default else ""
    return f"- `{keyword.name}` {word}{default}" + (f"; close: {', '.join(keyword.close)}" if keyword.close else "")
