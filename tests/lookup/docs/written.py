"""Documentation that nobody wrote: pages in the Hub's formats, the same for the same seed, and a stand-in that serves them.

The forms are those of the Hub (`llms.txt`, `llms-full.txt`, a page as Markdown with `[[anchor]]`, signatures and fences,
`_toctree.yml` and `.md` sources on GitHub); the words are ours.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from functools import cache
from itertools import accumulate

from tests.standin import Asked, Canned, StandIn

__all__ = ["Library", "page_text", "serve", "written"]

SYLLABLES = [
    "al",
    "an",
    "ar",
    "bo",
    "ca",
    "con",
    "da",
    "de",
    "di",
    "do",
    "en",
    "er",
    "fi",
    "ga",
    "gen",
    "he",
    "in",
    "ka",
    "la",
    "le",
    "lo",
    "ma",
    "mi",
    "mo",
    "na",
    "ne",
    "no",
    "or",
    "pa",
    "pe",
    "po",
    "qua",
    "ra",
    "re",
    "ri",
    "ro",
    "sa",
    "se",
    "si",
    "so",
    "ta",
    "te",
    "ti",
    "to",
    "tra",
    "tu",
    "un",
    "va",
    "ve",
    "vi",
    "za",
]
PLAIN = [
    "the",
    "a",
    "to",
    "of",
    "and",
    "for",
    "is",
    "in",
    "with",
    "model",
    "data",
    "training",
    "on",
    "as",
    "from",
    "it",
    "are",
    "this",
    "that",
    "by",
    "batch",
    "loss",
    "trainer",
    "tokenizer",
    "dataset",
    "gradient",
    "layer",
    "step",
    "rate",
    "parameter",
    "value",
    "default",
    "argument",
    "number",
    "list",
    "dictionary",
    "optional",
    "returns",
]


@cache
def _language(many: int = 30_000) -> tuple[list[str], list[float]]:
    made = random.Random(7)
    words = ["".join(made.choices(SYLLABLES, k=made.randint(2, 5))) for _ in range(many)]
    return words, list(accumulate(1 / (n + 2) for n in range(many)))


class Words:
    """Words of a language that does not exist, used as often as those of a real one (Zipf)."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.words, self.weights = _language()

    def some(self, count: int) -> list[str]:
        rare = self.random.choices(self.words, cum_weights=self.weights, k=count)
        return [self.random.choice(PLAIN) if self.random.random() < 0.45 else word for word in rare]

    def sentence(self) -> str:
        return " ".join(self.some(self.random.randint(8, 18))).capitalize() + "."

    def paragraph(self) -> str:
        return " ".join(self.sentence() for _ in range(self.random.randint(2, 5)))

    def name(self) -> str:
        return "".join(word.capitalize() for word in self.some(2)) + self.random.choice(("Config", "Trainer", "Model"))

    def option(self) -> str:
        return "_".join(self.some(self.random.randint(2, 3)))


def page_text(library: str, number: int, sections: int = 7) -> str:
    """A page as the Hub serves it: prose, code with comments that look like headings, a reference."""
    words = Words(number * 1_000_003 + sum(map(ord, library)))
    lines = [f"# {' '.join(words.some(3)).title()}", "", words.paragraph(), ""]
    for _ in range(sections - 2):
        lines += [f"## {' '.join(words.some(3)).capitalize()}", "", words.paragraph(), "", words.paragraph(), ""]
        if words.random.random() < 0.5:
            lines += [
                "```python", f"# {words.sentence()}", f"from {library} import {words.name()}",
                f'model = {words.name()}({words.option()}=3, {words.option()}="{words.some(1)[0]}")', "```", "",
            ]  # fmt: skip
    name = words.name()
    options = [words.option() for _ in range(6)]
    lines += [
        f"## {name}[[{library}.{name}]]", "", f"#### {library}.{name}[[{library}.{name}]]", "", "```python",
        f"{library}.{name}({', '.join(f'{option}: int = {n}' for n, option in enumerate(options))})", "```", "",
        f"[Source](https://github.com/example/{library}/blob/v1.2.0/{library}/{name}.py#L{number})", "", "**Parameters:**", "",
        *(f"{option} (`int`, *optional*, defaults to {n}) : {words.sentence()}\n" for n, option in enumerate(options)),
    ]  # fmt: skip
    return "\n".join(lines)


class Library:
    """The pages of a library, path to text, in order."""

    def __init__(self, name: str, pages: dict[str, str], version: str = "v1.2.0") -> None:
        self.name = name
        self.pages = pages
        self.version = version

    def title(self, path: str) -> str:
        return next((line.lstrip("# ") for line in self.pages[path].splitlines() if line.startswith("#")), path)

    def address(self, path: str) -> str:
        return f"https://huggingface.co/docs/{self.name}/{self.version}/{path}.md"

    @property
    def llms(self) -> str:
        lines = [f"- [{self.title(path)}]({self.address(path)})" for path in self.pages]
        return "\n".join([f"# {self.name.title()}", "", "## Docs", "", *lines, ""])

    @property
    def whole(self) -> str:
        bodies = [
            f"### {self.title(path)}\n{self.address(path)}\n\n{text.strip()}\n" for path, text in self.pages.items()
        ]
        return self.llms + "\n" + "\n".join(bodies)

    @property
    def toctree(self) -> str:
        return "- title: Start\n  sections:\n" + "".join(
            f"  - local: {path}\n    title: {self.title(path)!r}\n" for path in self.pages
        )


def written(name: str, count: int, sections: int = 7) -> Library:
    """A library of so many pages."""
    return Library(name, {f"guides/page_{n:05d}": page_text(name, n, sections) for n in range(count)})


def tagged(make: Callable[[], str | None], media: str) -> Callable[[Asked], Canned | None]:
    """A route whose answer has a tag, and is 304 for who has it already."""

    def answer(asked: Asked) -> Canned | None:
        text = make()
        if text is None:
            return None
        tag = f'W/"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'
        if asked.headers.get("if-none-match") == tag:
            return Canned(b"", status=304, headers={"etag": tag})
        return Canned(text, media=media, headers={"etag": tag})

    return answer


def serve(
    server: StandIn, library: Library, *, whole: bool = True, pages: bool = True, listing: bool = True, github: str = ""
) -> None:
    """Let a stand-in serve a library; what it holds at the time of a request counts."""
    root = f"/docs/{library.name}"

    def page(asked: Asked) -> Canned | None:
        path = asked.path.removeprefix(f"{root}/").removesuffix(".md")
        return tagged(lambda: library.pages.get(path), "text/markdown; charset=utf-8")(asked)

    def source(asked: Asked) -> Canned | None:
        path = asked.path.removeprefix(f"/{github}/").removesuffix(".mdx")
        return tagged(lambda: library.pages.get(path), "text/plain; charset=utf-8")(asked)

    if pages:
        server.route("GET", f"{root}/*.md", page)
    if listing:
        server.route("GET", f"{root}/llms.txt", tagged(lambda: library.llms, "text/plain; charset=utf-8"))
    if whole:
        server.route("GET", f"{root}/llms-full.txt", tagged(lambda: library.whole, "text/plain; charset=utf-8"))
    if github:
        server.route("GET", f"/{github}/*.mdx", source)
        server.route("GET", f"/{github}/_toctree.yml", tagged(lambda: library.toctree, "text/plain; charset=utf-8"))
