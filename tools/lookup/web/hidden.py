"""Text of a page that a reader does not see: found and taken out, since it can be written for a program that reads along.

Looked at are attributes, inline styles, and rules of the page's own style sheets whose selector is one tag, class or id.
Sheets in other files, scripts, and a colour like its background are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

__all__ = ["Hidden", "drop_hidden"]

MACHINERY = (
    "script", "style", "noscript", "template", "iframe", "object", "embed", "canvas", "svg", "audio", "video", "map",
    "input", "select", "button", "textarea", "datalist", "dialog", "head", "link", "meta",
)  # fmt: skip
"""Elements whose content is no text of the page."""

TUCKED = {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader-text", "screen-reader-only", "a11y-hidden"}
"""Classes that many pages use for text that is only read aloud."""

_END = r"\s*(?:!|;|$)"
_GONE = re.compile(
    r"(?:^|;)\s*(?:"
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|content-visibility\s*:\s*hidden|"
    rf"opacity\s*:\s*(?:0*\.0\d*|0+)%?{_END}|"
    rf"font-size\s*:\s*(?:0+(?:\.0\d*)?(?:px|pt|em|rem|%)?|(?:0*\.\d+|1)(?:px|pt)){_END}|"
    r"(?:left|right|top|text-indent|margin-left)\s*:\s*-(?:\d{4,}|9\d\d)|"
    r"clip\s*:\s*rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?\s*\)|"
    r"clip-path\s*:\s*inset\(\s*(?:50|100)%|transform\s*:\s*scale\(\s*0\s*\)"
    r")",
    re.IGNORECASE,
)
_SMALL = re.compile(rf"(?:^|;)\s*(?:max-)?(?:width|height)\s*:\s*(?:0(?:px|em|rem|%)?|1px){_END}", re.IGNORECASE)
_CLIPPED = re.compile(r"(?:^|;)\s*overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.IGNORECASE)
_CLEAR = re.compile(r"(?:^|;)\s*color\s*:\s*(?:transparent|rgba\([^)]{0,40},\s*0?\.?0*\s*\))", re.IGNORECASE)
_RULE = re.compile(r"([^{}@]{1,2000})\{([^{}]{0,5000})\}")
_SELECTOR = re.compile(r"(?P<tag>[a-z][a-z0-9-]*)?(?:(?P<kind>[.#])(?P<name>[\w-]{1,100}))?", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


class Hidden(NamedTuple):
    """How much was taken out: pieces of text, and their characters."""

    pieces: int
    characters: int


def drop_hidden(root: Any) -> Hidden:
    """Take what is not seen out of a tree of lxml; says how much text it was, machinery and comments not counted."""
    from lxml import etree

    rules = set(_rules(root))
    for comment in [*root.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity)]:
        _remove(comment)
    for element in [*root.iter(*MACHINERY)]:
        if not _is_formula(element):
            _remove(element)
    pieces = characters = 0
    for element in [*root.iter()]:
        if element.getparent() is not None and _is_hidden(element, rules):
            text = "" if _is_copy(element) else " ".join(element.text_content().split())
            pieces, characters = pieces + bool(text), characters + len(text)
            _remove(element)
    return Hidden(pieces, characters)


def _rules(root: Any) -> Iterator[tuple[str, str, str]]:
    """Tag, kind and name of the selectors that the page's own sheets hide; what counts for some screens only is left."""
    for sheet in root.iter("style"):
        for rule in _RULE.finditer(_without_blocks(_COMMENT.sub("", sheet.text or ""))):
            if _hides(rule[2]):
                for selector in rule[1].split(","):
                    match = _SELECTOR.fullmatch(selector.strip())
                    if match and match[0] and (match["tag"] or "").lower() not in ("html", "body", "main", "article"):
                        yield (match["tag"] or "").lower(), match["kind"] or "", match["name"] or ""


def _hides(style: str) -> bool:
    """Whether declarations make text invisible; a gradient seen through transparent letters is visible."""
    if _GONE.search(style) or (_SMALL.search(style) and _CLIPPED.search(style)):
        return True
    return _CLEAR.search(style) is not None and "background-clip" not in style.lower()


def _without_blocks(sheet: str) -> str:
    """A style sheet without its `@media` and other blocks."""
    kept: list[str] = []
    depth = start = 0
    block = False
    for match in re.finditer(r"[{}]", sheet):
        if match[0] == "{":
            if depth == 0:
                head = sheet[start : match.start()]
                block = "@" in head
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                if not block:
                    kept.append(sheet[start : match.end()])
                start = match.end()
    return "\n".join(kept)


def _is_hidden(element: Any, rules: set[tuple[str, str, str]]) -> bool:
    get, classes = element.get, (element.get("class") or "").split()
    if get("hidden") is not None or (get("aria-hidden") or "").strip().lower() == "true":
        return True
    if _hides(get("style") or "") or (TUCKED & set(classes) and element.tag != "body"):
        return True
    if not rules:
        return False
    tag = element.tag
    names = [("", ""), *((".", name) for name in classes), *([("#", get("id"))] if get("id") else [])]
    return any((tag, kind, name) in rules or (kind and ("", kind, name) in rules) for kind, name in names)


def _is_formula(element: Any) -> bool:
    """The source of a formula may stand in a script: MathJax leaves it there."""
    return element.tag == "script" and str(element.get("type") or "").startswith("math/tex")


def _is_copy(element: Any) -> bool:
    """The drawn form of a formula, whose source is kept."""
    return "katex-html" in (element.get("class") or "").split()


def _remove(element: Any) -> None:
    """Take an element out, and leave the text that follows it."""
    parent = element.getparent()
    if parent is None:
        return
    before, tail = element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    parent.remove(element)
