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
    rf"font\s*:\s*0(?:px|pt|em|rem|%)?[\s/]|zoom\s*:\s*0+(?:\.0*)?%?{_END}|"
    r"(?:left|right|top|text-indent|margin-left)\s*:\s*-(?:\d{4,}|9\d\d|[1-9]\d\dv[wh])|"
    r"clip\s*:\s*rect\(\s*[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?[\s,]+[01](?:px)?\s*\)|"
    r"clip-path\s*:\s*(?:inset\(\s*(?:50|100)%|circle\(\s*0)|filter\s*:[^;]{0,80}opacity\(\s*0*\.?0*%?\s*\)|"
    r"transform\s*:[^;]{0,80}(?:scale[xy]?\(\s*0*\.?0*\s*\)|translate(?:x|y|3d)?\([^)]{0,40}-(?:\d{4,}|9\d\d))"
    r")",
    re.IGNORECASE,
)
_SMALL = re.compile(rf"(?:^|;)\s*(?:max-)?(?:width|height)\s*:\s*(?:0(?:px|em|rem|%)?|1px){_END}", re.IGNORECASE)
_CLIPPED = re.compile(r"(?:^|;)\s*overflow(?:-[xy])?\s*:\s*(?:hidden|clip)", re.IGNORECASE)
_CLEAR = re.compile(
    r"(?:^|;)\s*color\s*:\s*(?:transparent|#(?:[0-9a-f]{3}0|[0-9a-f]{6}00)(?![0-9a-f])|"
    r"(?:rgb|hsl)a?\((?:(?:[^,)]{1,20},){3}|[^/)]{1,60}/)\s*[0.]{1,9}%?\s*\))",
    re.IGNORECASE,
)
_THROUGH = re.compile(r"background-clip\s*:\s*text", re.IGNORECASE)
_SELECTOR = re.compile(r"(?P<tag>[a-z][a-z0-9-]*)?(?:(?P<kind>[.#])(?P<name>[\w-]{1,100}))?", re.IGNORECASE)
_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)
_STRING = re.compile(r""" "[^"\n]*" | '[^'\n]*' """, re.VERBOSE)
_ESCAPE = re.compile(r"\\([0-9a-f]{1,6})\s?", re.IGNORECASE)
_ALWAYS = re.compile(r"@(?:media\s+(?:only\s+)?(?:all|screen)|layer(?:\s+[\w.-]{1,100})?)", re.IGNORECASE)
"""Blocks whose rules count on every screen."""


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
        for head, body in _blocks(_STRING.sub('""', _COMMENT.sub(" ", sheet.text or ""))):
            if _hides(body):
                for selector in head.split(","):
                    match = _SELECTOR.fullmatch(selector.strip())
                    if match and match[0] and (match["tag"] or "").lower() not in ("html", "body", "main", "article"):
                        yield (match["tag"] or "").lower(), match["kind"] or "", match["name"] or ""


def _blocks(sheet: str, levels: int = 4) -> Iterator[tuple[str, str]]:
    """Selectors and declarations of the rules that count on every screen; blocks in blocks so many levels deep."""
    depth = start = begin = 0
    for match in re.finditer(r"[{}]", sheet):
        if match[0] == "{":
            begin = begin if depth else match.end()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                head = sheet[start : begin - 1].rpartition(";")[2].strip()  # after `@import …;` and the like
                if _ALWAYS.fullmatch(head):
                    yield from _blocks(sheet[begin : match.start()], levels - 1) if levels else ()
                elif "@" not in head:
                    yield head, sheet[begin : match.start()]
                start = match.end()


def _hides(style: str) -> bool:
    """Whether declarations make text invisible; a gradient seen through transparent letters is visible."""
    style = _ESCAPE.sub(_unescaped, _COMMENT.sub("", style)) if "\\" in style or "/*" in style else style
    if _GONE.search(style) or (_SMALL.search(style) and _CLIPPED.search(style)):
        return True
    return _CLEAR.search(style) is not None and not _THROUGH.search(style)


def _unescaped(match: re.Match[str]) -> str:
    code = int(match[1], 16)
    return chr(code) if 0 < code < 0xD800 else "\ufffd"


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
