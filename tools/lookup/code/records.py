"""What the lookups of code answer with."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from trainwright.tools.lookup.found import Found, paragraphs, table

__all__ = ["Entry", "FileFound", "FilesFound", "Hit", "HitsFound", "Repo", "ReposFound", "size_text"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Repo(_Record):
    """A repository on GitHub; dates are YYYY-MM-DD."""

    name: str
    description: str = ""
    stars: int = 0
    forks: int = 0
    language: str = ""
    licence: str = ""
    created: str = ""
    updated: str = Field("", description="When something was last pushed.")
    archived: bool = False
    fork: bool = False


def repo_table(repos: list[Repo]) -> str:
    rows = [[r.name, r.stars, r.forks, r.language, r.updated, r.description] for r in repos]
    return table(["repository", "stars", "forks", "language", "pushed", "description"], rows)


class ReposFound(Found):
    """Repositories, in the order that was asked for."""

    total: int = Field(0, description="How many there are in all; 0 where GitHub does not say.")
    repos: list[Repo] = Field(default_factory=list)

    def body(self) -> str:
        """One table."""
        return repo_table(self.repos) or "No repository was found."


class Hit(_Record):
    """A file that holds what was searched."""

    repo: str
    path: str
    url: str = ""
    fragments: list[str] = Field(default_factory=list)


class HitsFound(Found):
    """Files, best first; or, where code cannot be searched, files by their names, and repositories."""

    total: int = Field(0, description="How many GitHub knows in all.")
    hits: list[Hit] = Field(default_factory=list)
    repos: list[Repo] = Field(default_factory=list)

    def body(self) -> str:
        """Each file with its passages."""
        parts = [f"## {hit.repo}: {hit.path}\n\n" + "\n\n".join(map(fenced, hit.fragments)) for hit in self.hits]
        parts += [repo_table(self.repos)]
        return "\n\n".join(part.strip() for part in parts if part) or "Nothing was found."


class Entry(_Record):
    """A file or a folder.

    Attributes:
        size: bytes of a file; None where it is not known.
        files: how many files lie in a folder, at any depth; None for a file, and where it is not known.
    """

    path: str
    folder: bool = False
    size: int | None = None
    files: int | None = None


class FilesFound(Found):
    """Files and folders of a repository."""

    repo: str
    path: str = ""
    ref: str = ""
    total: int = Field(0, description="How many files there are below the path; of examples, how many fit.")
    entries: list[Entry] = Field(default_factory=list)

    def body(self) -> str:
        """One table."""
        rows = [[e.path + "/" * e.folder, size_text(e.size), e.files] for e in self.entries]
        head = f"{self.repo}{f' at {self.ref}' if self.ref else ''}: {self.total:,} files"
        body = table(["path", "size", "files"], rows) or "No file was found."
        return paragraphs(head, body)


class FileFound(Found):
    """A file, or some of its lines.

    Attributes:
        kind: `text`, `notebook` (then the text is Markdown), or `binary` (then there is no text).
        size: bytes of the file.
        total_lines: of the whole text.
    """

    repo: str
    path: str
    ref: str = ""
    kind: str = "text"
    size: int | None = None
    first_line: int = 0
    last_line: int = 0
    total_lines: int = 0
    text: str = ""

    def body(self) -> str:
        """The text in a fence; a notebook as it is."""
        place = f"{self.repo}{f' at {self.ref}' if self.ref else ''}: {self.path}"
        lines = f", lines {self.first_line} to {self.last_line} of {self.total_lines}" if self.text else ""
        head = f"{place} ({size_text(self.size) or self.kind}){lines}"
        body = self.text if self.kind == "notebook" else fenced(self.text) if self.text else ""
        return paragraphs(head, body)


def fenced(text: str, language: str = "") -> str:
    """Text in a fence that it cannot close itself."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def size_text(size: int | None) -> str:
    """Bytes for a person."""
    if size is None:
        return ""
    return f"{size} B" if size < 1024 else f"{size / 1024:.1f} KiB" if size < 2**20 else f"{size / 2**20:.1f} MiB"
