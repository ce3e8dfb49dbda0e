"""Hyperparameters that a paper states: from its sentences, its tables of settings and the labels of its results.

A value is taken where it stands beside its name. What stands in a list or a range is what was searched, not what was
used, and is left out; so is a number whose name would have to be guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from trainwright.graph.state import Hyperparameter, Scalar

from .claims import CITED, tidy_method
from .lookup import row_quote
from .numbers import NUMBER, as_scalar
from .records import ParsedPaper, Table
from .sentences import Sentence, window
from .setting_names import SETTINGS, WORD_VALUES, WORDS, SettingName, canonical_setting
from .vocabulary import Mention, methods_in

__all__ = ["settings_of"]

_LINK = (
    r"(?:\s*\(\s*[^\s()]{1,12}\s*\))?(?:\s+(?:of|in|for|per) (?:the |an? |each |our )?[\w-]+(?: [\w-]+){0,3}?(?=\s+(?:is|was|are|were|set|to)\b))?"
    r"(?:\s+(?:parameters?|rates?|values?|sizes?|is|was|are|were|set|fixed|equal|chosen|kept|held|of|to|at|as|be|used|"
    r"with|for (?:the|each) \w+|here|both|always))*\s*[=:]?\s*(?:only |a |an )?"
)
_VALUE = rf"(?P<value>{NUMBER})\s?(?P<percent>%)?"
_NOT_BESIDE = re.compile(
    r"(?i)(?:\bfrom|\bbetween|\bover|\bamong|\bin|\brange|\bto|[{\[∈(,]|\bat least|\bat most|\bup to|\bmore than|\bless than|\babout|\bby|\bafter|\bevery|\beach|≤|≥|<|>)\s*$"
)
_LIST = re.compile(
    rf"\s*(?:,\s*(?:and |or )?|\s?(?:and|or|to)\s|[–-]|/|\s?\.\s?\.\s?\.\s?)\s*{NUMBER}\s*(?=$|[,.;)}}\]]|and\b|or\b|respectively|for\b|%|in\b|depending|with\b|to\b)"
)
_RANGE = re.compile(
    r"(?i)grid[- ]?search|random(?:ly)? search|search(?:ed)? (?:over|space)|tuned over|range of|candidate|chosen from|selected from|varied|vary|∈|ranging"
)
_COUNT = {
    "one": 1,
    "a": 1,
    "single": 1,
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "1": 1,
    "2": 2,
    "3": 3,
    "4": 4,
    "5": 5,
}
_LAYERS = re.compile(
    r"\b(?P<count>one|a|single|two|three|four|five|[1-5]) hidden[- ]layers? (?:of|with|each with|each of|containing|,)? ?(?:size )?"
    r"(?P<value>\d{1,3}(?:,\d{3})+|\d{1,5}(?:(?:, | and |, and )\d{1,5})*)(?: (?:rectified linear |ReLU |hidden |sigmoid |tanh |logistic )?(?:units|neurons|nodes))?(?: each)?",
    re.IGNORECASE,
)
_LAYERS_EACH = re.compile(
    r"\b(?P<count>one|two|three|four|five|[1-5]) (?:hidden |fully connected )?layers,? (?P<value>\d{1,3},\d{3}|\d{1,5}) (?:hidden )?units(?: each)?",
    re.IGNORECASE,
)


@cache
def _patterns() -> list[tuple[SettingName, re.Pattern[str]]]:
    out = []
    for setting in SETTINGS:
        flags = 0 if setting.cased else re.IGNORECASE
        if setting.before:
            out.append((setting, re.compile(rf"(?P<name>{setting.before}){_LINK}{_VALUE}", flags)))
            if not setting.cased:
                aside = rf"(?<![\w.,–-]){_VALUE}\s?\((?:the )?(?P<name>{setting.before})\)"
                out.append((setting, re.compile(aside, flags)))
        if setting.behind:
            behind = rf"(?<![\w.,–-]){_VALUE}\s?(?:\((?:the )?)?(?P<name>{setting.behind})"
            out.append((setting, re.compile(behind, flags)))
    return out


def settings_of(paper: ParsedPaper, sentences: Sequence[Sentence], results: Sequence[Table]) -> list[Hyperparameter]:
    """The settings, those of the paper's own text first, then tables, then what it cites."""
    families = {m.key for text in (paper.title, *(s.text for s in sentences)) for m in methods_in(text)}
    families |= {m.key for table in results for row in table.rows for m in methods_in(row[0])}
    own: list[Hyperparameter] = []
    cited: list[Hyperparameter] = []
    for sentence in sentences:
        if sentence.kind == "footnote" and not re.search(r"\b(?:we|our)\b", sentence.text, re.IGNORECASE):
            continue
        foreign = CITED.search(sentence.text) and not re.search(
            r"\b(?:we|our|is set|are set)\b", sentence.text, re.IGNORECASE
        )
        (cited if foreign else own).extend(_in_sentence(sentence, paper, families))
    tables = [item for table in paper.tables for item in _in_settings_table(table)]
    labels = [item for table in results for item in _in_labels(table)]
    return _unique([*own, *tables, *labels, *cited])


def _in_sentence(sentence: Sentence, paper: ParsedPaper, families: set[str]) -> Iterator[Hyperparameter]:
    taken: list[tuple[int, int]] = []
    for match in (m for p in (_LAYERS, _LAYERS_EACH) for m in p.finditer(sentence.text)):
        if any(a < match.end("value") and match.start("value") < b for a, b in taken):
            continue
        sizes = _sizes(match)
        if sizes is not None:
            taken.append(match.span("value"))
            yield _item("hidden_layer_sizes", sizes, sentence, match, ("mlp", "neural network"), paper)
    for setting, pattern in _patterns() if re.search(r"\d", sentence.text) else ():
        if setting.families and families.isdisjoint(setting.families):
            continue
        for match in pattern.finditer(sentence.text):
            value = _value(setting, match, sentence.text)
            if value is None or any(a < match.end("value") and match.start("value") < b for a, b in taken):
                continue
            taken.append(match.span("value"))
            yield _item(setting.name, value, sentence, match, setting.families, paper)
    yield from _words(sentence, paper)


def _sizes(match: re.Match[str]) -> Scalar | None:
    sizes = re.findall(r"\d+", re.sub(r"(?<=\d),(?=\d{3}\b)", "", match["value"]))
    count = _COUNT[match["count"].lower()]
    if len(sizes) == 1:
        return int(sizes[0]) if count == 1 else "-".join(sizes * count)
    return "-".join(sizes) if len(sizes) == count else None


def _value(setting: SettingName, match: re.Match[str], text: str) -> Scalar | None:
    """The value, if it is one value of this setting and not a list, a range or a bound."""
    if setting.needs and not re.search(setting.needs, text):
        return None
    rest = text[match.end() if match.start("value") < match.start("name") else match.end("value") :]
    if match.start("name") < match.start("value"):
        between = text[match.end("name") : match.start("value")]
        if re.search(r"[{\[∈]|\b(?:from|between)\b", between) or _LIST.match(rest):
            return None
    else:
        before = text[: match.start()]
        if (
            _NOT_BESIDE.search(before)
            and not re.search(r"(?i)\b(?:for|using|use|with|of|to|by)\s*$", before)
            and not before.rstrip().endswith((",", "("))
        ):
            return None
        if re.search(rf"{NUMBER}\s?(?:,|and|or|to|–|-)\s?$", before) or re.search(
            r"(?i)\b(?:after|every|each|per|first|last|another|by)\s*$", before
        ):
            return None
    if _RANGE.search(text) and re.search(r"\{|\[\s?[\d.]|\bfrom\b.*\bto\b", text):
        return None
    value = as_scalar(match["value"] + ("%" if match["percent"] else ""))
    if value is None or not setting.low <= value <= setting.high or (setting.whole and value != int(value)):
        return None
    if re.match(
        r"\s?(?:ms|s|secs?|seconds?|Hz|kHz|min|minutes|hours?|days?|pixels?|px|mm|cm|km|mg|kg|g|ml|degrees|bits?|bytes|MB|GB|percent|points)\b",
        rest,
    ):
        return None
    if re.match(r"\s?(?:%|x\b|×(?!\s?10)|[A-Za-z]\w*\^|[KMB]\b)", rest) and not match["percent"]:
        return None
    return int(value) if setting.whole else value


def _item(
    name: str, value: Scalar, sentence: Sentence, match: re.Match[str], families: tuple[str, ...], paper: ParsedPaper
) -> Hyperparameter:
    return Hyperparameter(
        name=name,
        value=value,
        method=_method_of(sentence.text, match, families, paper, sentence.section),
        page=sentence.page,
        quote=window(sentence.text, match.start(), match.end()),
    )


def _method_of(text: str, match: re.Match[str], families: tuple[str, ...], paper: ParsedPaper, section: int) -> str:
    """The method that a setting belongs to: named right behind it, else before it, else later in the sentence."""
    mentions = [
        m
        for m in methods_in(text)
        if not families or m.key in families or (m.key in ("neural network", "dropout") and "mlp" in families)
    ]
    inside = [m for m in mentions if m.end > match.start() and m.start < match.end()]
    others = [m for m in mentions if m not in inside]
    close = [
        m
        for m in others
        if m.start >= match.end()
        and re.fullmatch(r"[\w\s,=.]{0,40}?\b(?:for|in|of|with|to) (?:the |an? |our )?", text[match.end() : m.start])
    ]
    before = [m for m in others if m.end <= match.start()]
    after = [m for m in others if m.start >= match.end()]
    chosen: Mention | None = next(iter(close), None)
    if chosen is None and before:
        chosen = before[-1]
    if chosen is None and after:
        chosen = after[0]
    if chosen is None and inside:
        chosen = inside[0]
    if chosen is not None:
        return tidy_method(chosen.text)
    if 0 <= section < len(paper.sections):
        named = [m for m in methods_in(paper.sections[section].title) if not families or m.key in families]
        return named[0].text if len(named) == 1 else ""
    return ""


def _words(sentence: Sentence, paper: ParsedPaper) -> Iterator[Hyperparameter]:
    for name, pattern, family in WORDS:
        for match in re.finditer(pattern, sentence.text, re.IGNORECASE):
            if family and not any(m.key == family for m in methods_in(sentence.text)):
                continue
            if re.search(
                r"(?i)\b(?:instead of|rather than|unlike|not|or|and/or|without)\s*(?:the |an? )?$",
                sentence.text[: match.start("value")],
            ):
                continue
            word = match["value"].lower()
            if name == "ngram_max":
                value: Scalar = 2
            elif name == "weights":
                value = "uniform" if "uniform" in word else "distance"
            else:
                value = WORD_VALUES.get(word, word)
            yield _item(name, value, sentence, match, (family,) if family else (), paper)


_NAME_HEAD = re.compile(r"(?i)\b(?:hyper-?)?parameters?\b|\bsettings?\b|\bname\b|\bhyperparam\w*")
_VALUE_HEAD = re.compile(r"(?i)\b(?:values?|setting|default|selected|chosen|best|final|optimal|used)\b")
_RANGE_HEAD = re.compile(r"(?i)range|search|space|candidates|grid|distribution|type|description|explored|tried")


def _in_settings_table(table: Table) -> Iterator[Hyperparameter]:
    """A table with names of settings in a column and their values beside them."""
    names = next((i for i, head in enumerate(table.header) if _NAME_HEAD.search(head)), None)
    if names is None:
        if not re.search(r"(?i)hyper-?parameters?|\bsettings\b|configuration", table.caption):
            return
        names = 0
    known = sum(canonical_setting(row[names]) is not None for row in table.rows)
    if known * 3 < len(table.rows) or not known:
        return
    columns = [i for i, head in enumerate(table.header) if i != names and not _RANGE_HEAD.search(head)]
    valued = [i for i in columns if _VALUE_HEAD.search(table.header[i])]
    for row in table.rows:
        setting = canonical_setting(row[names])
        for index in valued or columns:
            value = _cell_value(row[index])
            if setting is None or value is None or (isinstance(value, str) and setting.whole):
                continue
            if not isinstance(value, str) and not setting.low <= value <= setting.high:
                continue
            method = table.header[index] if not valued and methods_in(table.header[index]) else ""
            yield Hyperparameter(name=setting.name, value=value, method=method, page=table.page, quote=row_quote(row))


def _cell_value(cell: str) -> Scalar | None:
    number = as_scalar(cell.strip())
    if number is not None:
        return number
    word = WORD_VALUES.get(cell.strip().lower())
    if word is not None:
        return word
    return None


def _in_labels(table: Table) -> Iterator[Hyperparameter]:
    """`Random forest (500 trees)`, `kNN (k = 3)`: settings in the label of a row of results."""
    for row in table.rows:
        label = row[0]
        named = methods_in(label)
        if not named or not re.search(r"\d", label) or CITED.search(label):
            continue
        for setting, pattern in _patterns():
            if setting.families and named[0].key not in setting.families:
                continue
            match = pattern.search(label)
            value = _value(setting, match, label) if match else None
            if value is not None:
                yield Hyperparameter(
                    name=setting.name, value=value, method=tidy_method(label), page=table.page, quote=row_quote(row)
                )


def _unique(items: Sequence[Hyperparameter]) -> list[Hyperparameter]:
    seen: set[tuple[str, str, str]] = set()
    out = []
    for item in items:
        family = next((m.key for m in methods_in(item.method)), item.method.lower())
        key = (item.name, str(item.value), family if isinstance(item.value, str) else item.method.lower())
        if key not in seen:
            seen.add(key)
            out.append(item)
    return out
