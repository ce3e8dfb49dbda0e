"""A page of documentation as the Hub serves it, made plain Markdown and split into sections. Nothing is fetched here.

The pages are Markdown with parts of MDX and Svelte, from several versions of the Hub's builder: rendered docstrings,
components such as `<Tip>` and `<hfoption>`, anchors as `[[name]]` behind a heading. Code stays as it is, and a `#` in it is
no heading. What a page holds beyond the limits is cut, which is said in the text.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["LARGEST", "VERSION", "Section", "clean", "plain", "sections_of"]

VERSION = 1
"""Counts the changes of this reader that change what it finds."""

LARGEST = 2 * 2**20
"""Characters of a page; more are cut."""

MOST = 2_000
"""Sections of a page; what comes later belongs to the last one."""

_FENCE = re.compile(r"[ >]{0,8}(`{3,}|~{3,})")
_HEADING = re.compile(r"(#{1,6})[ \t]+(\S.*)")
_ANCHOR = re.compile(r"\[\[([^\[\]\s]{1,300})\]\]\s*$")
_COMPONENTS = [
    "Tip",
    "TipEnd",
    "hfoptions",
    "ExampleCodeBlock",
    "EditOnGithub",
    "CopyLLMTxtMenu",
    "CourseFloatingBanner",
    "FrameworkSwitchCourse",
    "FrameworkContent",
    "pt",
    "tf",
    "jax",
    "inferencesnippet",
    "PipelineTag",
    "PipelineIcon",
    "TokenizersLanguageContent",
    "python",
    "rust",
    "node",
    "Youtube",
    "DocNotebookDropdown",
    "iframe",
    "Question",
    "details",
    "summary",
    "div",
    "span",
    "anchor",
    "a",
    "p",
    "br",
    "hr",
    "img",
    "video",
    "source",
    "picture",
    "figure",
    "figcaption",
    "center",
    "b",
    "i",
    "em",
    "strong",
    "small",
    "sub",
    "sup",
    "u",
    "table",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "td",
    "th",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "svg",
    "path",
    "name",
    "parameters",
    "paramsdesc",
    "paramgroups",
    "rettype",
    "retdesc",
    "raises",
    "raisederrors",
    "yieldtype",
    "yielddesc",
    "docstring",
    "isgetset",
    "Added",
    "Deprecated",
    "Changed",
]  # a list of names, one a line, is no better to read
_TAG = re.compile(
    rf"(?P<code>(?<!`)`{{1,3}}[^`\n]+`{{1,3}})|<hfoption\s+id=\"(?P<option>[^\"\n]{{1,80}})\"\s*>|</hfoption>"
    rf"|</?(?:{'|'.join(_COMPONENTS)})(?:\s[^<>]{{0,2000}})?/?>|<script\b[^<>]{{0,2000}}>|</script>",
    re.IGNORECASE,
)
_AUTODOC = re.compile(r"^\[\[autodoc\]\]\s+([\w.]+)\s*$")
_LINK = re.compile(r"!?\[([^\[\]]{0,500})\]\([^()\s]{0,2000}(?:\([^()]{0,500}\)[^()\s]{0,500})?\)")
_BLANK = re.compile(r"\n{3,}")


class Section(NamedTuple):
    """A part of a page, from its heading to the next; `start` and `end` are places in the page's text."""

    level: int
    heading: str
    above: str
    anchor: str
    start: int
    end: int


def clean(raw: str) -> str:
    """The page as plain Markdown."""
    text = raw[:LARGEST].replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    text = _without_front(_without_between(text, "<!--", "-->"))
    text = "".join(_with_docstrings(text))
    text = "".join(_outside_code(text))
    text = _BLANK.sub("\n\n", text).strip() + "\n"
    if len(raw) > LARGEST:
        text += f"\n(The page goes on for {len(raw) - LARGEST:,} characters, which were left out.)\n"
    return text


def _without_front(text: str) -> str:
    """Without the head of a source: its metadata, its scripts."""
    text = text.lstrip("\ufeff \n")
    if text.startswith("---\n") and (end := text.find("\n---\n", 3)) > 0:
        text = text[end + 5 :].lstrip()
    if text[:7].lower() == "<script" and (end := text.find("</script>")) > 0:
        text = text[end + 9 :].lstrip()
    return text.replace("HF_DOC_BODY_START", "").replace("HF_DOC_BODY_END", "")


def _without_between(text: str, begin: str, end: str) -> str:
    """Without everything from one mark to the next other one, outside code."""
    parts, position = [], 0
    while (start := text.find(begin, position)) >= 0 and (stop := text.find(end, start)) >= 0:
        inside = text[max(text.rfind("\n", max(0, start - 2_000), start) + 1, start - 2_000) : start].count("`") % 2
        parts.append(text[position : stop + len(end)] if inside else text[position:start])
        position = stop + len(end)
    return "".join([*parts, text[position:]])


def _with_docstrings(text: str) -> Iterator[str]:
    """Rendered docstrings as Markdown: a heading with the anchor, the signature, what it says."""
    position = 0
    while (start := text.find("<docstring>", position)) >= 0 and (stop := text.find("</docstring>", start)) >= 0:
        yield text[position:start]
        yield _docstring(text[start + 11 : stop])
        position = stop + 12
    yield text[position:]


def _docstring(block: str) -> str:
    name, anchor = _element(block, "name"), _element(block, "anchor")
    kind, _, rest = name.partition(" ")
    bare = rest.strip() if kind in ("class", "def") else name
    lines = [f"#### {bare}[[{anchor}]]" if anchor else f"#### {bare}", ""]
    lines += ["```python", f"{bare}({_parameters(_element(block, 'parameters'))})", "```", ""]
    for title, tag in (("Parameters", "paramsdesc"), ("Returns", "rettype"), ("", "retdesc"), ("Raises", "raises")):
        if said := _element(block, tag):
            lines += ([f"**{title}:**", ""] if title else []) + [said, ""]
    return "\n" + "\n".join(lines) + "\n"


def _element(block: str, tag: str) -> str:
    start = block.find(f"<{tag}>")
    stop = block.find(f"</{tag}>", start)
    return block[start + len(tag) + 2 : stop].strip() if 0 <= start < stop else ""


def _parameters(text: str) -> str:
    """A signature from the builder's list of {"name": …, "val": ": int = 3"}."""
    try:
        items = json.loads(html.unescape(text)) if text else []
        return ", ".join(f"{item['name']}{item.get('val', '')}" for item in items)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return text[:2_000]


def _outside_code(text: str) -> Iterator[str]:
    """The text with the components gone, but for what stands in a fence."""
    waiting: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        mark = _fence_after(line, fence)
        if fence or mark:
            yield _without_tags("".join(waiting))
            waiting = []
            yield line
        else:
            waiting.append(line)
        fence = mark
    yield _without_tags("".join(waiting))


def _fence_after(line: str, fence: str) -> str:
    """The fence in which the text is after a line; empty outside of any."""
    match = _FENCE.match(line)
    if not match:
        return fence
    if not fence:
        return "" if match[1][0] == "`" and "`" in line[match.end() :] else match[1]
    closes = match[1][0] == fence[0] and len(match[1]) >= len(fence) and not line[match.end() :].strip()
    return "" if closes else fence


def _without_tags(text: str) -> str:
    if "<" in text:
        text = _TAG.sub(lambda m: m["code"] or (f"\n**{m['option']}**\n" if m["option"] else ""), text)
    if "&" in text:
        text = html.unescape(text)
    if "[[autodoc]]" in text:
        lines = (_AUTODOC.sub(r"(Reference of `\1`: not part of this source.)", line) for line in text.split("\n"))
        text = "\n".join(lines)
    return text


def plain(heading: str) -> str:
    """A heading without links, emphasis and code marks."""
    text = _LINK.sub(r"\1", heading)
    return " ".join(re.sub(r"[`*]+|(?<!\w)_+|_+(?!\w)", "", text).split()).rstrip("# ")[:200]


def sections_of(text: str, title: str = "") -> list[Section]:
    """The sections of a page that `clean` made; what stands before the first heading is the first, under the title."""
    found: list[tuple[int, str, str, int]] = []
    fence, place = "", 0
    for line in text.splitlines(keepends=True):
        mark = _fence_after(line, fence)
        match = None if fence or mark else _HEADING.match(line)
        if match and len(found) < MOST:
            told = match[2][:1_000]
            anchor = _ANCHOR.search(told)
            heading = plain(told[: anchor.start()] if anchor else told)
            found.append((len(match[1]), heading, anchor[1] if anchor else "", place))
        fence, place = mark, place + len(line)
    if not found or (found[0][3] > 0 and text[: found[0][3]].strip()):
        found.insert(0, (1, title, "", 0))
    return list(_placed(found, len(text)))


def _placed(found: list[tuple[int, str, str, int]], end: int) -> Iterator[Section]:
    above: list[tuple[int, str]] = []
    used: dict[str, int] = {}
    for index, (level, heading, given, start) in enumerate(found):
        while above and above[-1][0] >= level:
            above.pop()
        anchor = given or _slug(heading, used)
        stop = found[index + 1][3] if index + 1 < len(found) else end
        yield Section(level, heading, " > ".join(name for _, name in above), anchor, start, stop)
        above.append((level, heading))


def _slug(heading: str, used: dict[str, int]) -> str:
    """The anchor that the Hub's pages make of a heading; one that comes again has a number."""
    slug = re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading.lower()).strip())[:120]
    used[slug] = used.get(slug, 0) + 1
    return slug if used[slug] == 1 else f"{slug}-{used[slug] - 1}"
