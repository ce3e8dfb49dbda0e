"""Which methods and data sets a paper names, and which method is its own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .claims import CITED, OWN, tidy_method
from .records import ParsedPaper, Table
from .sentences import Sentence
from .table_headers import methods_of_table
from .vocabulary import datasets_in, methods_in

__all__ = ["Names", "find_datasets", "find_methods"]

_WE = r"\b(?:we|this (?:paper|work|article|study)|our (?:work|paper)|here,? we) (?:\w+ly )?"
_PROPOSE = re.compile(
    _WE + r"(?:propose|present|introduce|develop|suggest|show that|demonstrate that)s?"
    r" (?:(?:here|both) )?(?P<rest>[^.;:]{3,160})",
    re.IGNORECASE,
)
_USE = re.compile(
    _WE
    + r"(?:evaluate|use|train|apply|study|revisit|employ|describe|report)s? (?:the use of |to use )?(?P<rest>[^.;:]{3,160})",
    re.IGNORECASE,
)
_OUR_IS = re.compile(
    r"\b[Oo]ur (?:\w+ ){0,2}(?:method|model|approach|classifier|system|algorithm)(?:,| is| uses| consists of| relies on| employs)"
    r" (?:called |named |based on |(?:an?|the) )*(?P<rest>[^.;:]{3,140})"
)
_CALLED = re.compile(
    r"\b(?:(?:which |that )?we (?:call|refer to as|name|term|dub|denote)(?: it| them| this| these)?|(?:called|named|termed|dubbed))"
    r" (?:the )?[“\"']?(?P<name>[A-Z][\w*+-]*(?: [A-Z][\w*+-]*){0,4})"
)
_QUOTED = re.compile(
    r"\b(?:call|called|name|named|term|termed|dub|dubbed)(?: it| this)? [“\"'](?P<name>[A-Za-z][\w -]{2,30})[”\"',]"
)
_COINED = re.compile(r"(?:[A-Z][a-z]+-[A-Z]\w+|[A-Z][a-z]+[A-Z]\w*|[a-z]+[A-Z]\w+|[A-Z]{3,}\d*)(?=[\s,.(]|$)")
_NO_COINAGE = {
    "RBF", "GPU", "CPU", "SGD", "ReLU", "AUC", "ROC", "API", "UCI", "NLP", "TF-IDF", "TFIDF", "PCA", "IID", "GPUs", "BLEU", "JSON",
    "PyTorch", "TensorFlow", "GitHub", "YouTube", "State-of", "DNA", "RNA", "MRI", "ECG", "EEG", "USA", "IEEE", "ACM", "URL",
}  # fmt: skip
_ACRONYM = re.compile(r"\((?P<name>[A-Z][A-Za-z]*[A-Z][\w*+-]*|[a-z]+[A-Z][\w-]+)(?:,|;|\))")
_NOT_NAMES = {"the", "we", "a", "an", "in", "table", "figure", "section", "our", "this", "it", "uci", "i.e"}
_DATASET_PHRASE = re.compile(
    r"\b(?P<name>(?:[A-Z][\w'’&+-]*|\d+)(?:[ -](?:[A-Z][\w'’&+-]*|\d+|of|and)){0,4})"
    r"(?: \([^)]{1,30}\))? (?:data ?sets?|corpus|benchmark|dataset)\b"
)
_LOWER_PHRASE = re.compile(
    r"\b(?:on|of|from|the) (?:the )?(?P<name>[a-z][\w'-]+(?: [a-z][\w'-]+)?) (?:data ?set|corpus)\b"
)
_COMMON = {
    "a", "an", "the", "this", "that", "these", "those", "our", "their", "its", "all", "each", "every", "both", "one",
    "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "such", "same", "new", "public",
    "standard", "several", "many", "different", "various", "other", "following", "whole", "full", "entire", "large",
    "small", "given", "target", "source", "training", "test", "validation", "development", "original", "real",
    "synthetic", "single", "labeled", "labelled", "unlabeled", "unlabelled", "benchmark", "popular", "common",
    "available", "respective", "first", "second", "third", "third-party", "raw", "collected", "resulting", "current",
    "simple", "toy", "artificial", "in-house", "own", "well-known", "held-out", "complete", "final", "balanced",
    "imbalanced", "external", "internal", "additional", "between", "within", "modified", "combined", "image", "text",
    "speech", "video", "music", "audio",
}  # fmt: skip


@dataclass(frozen=True)
class Names:
    """Methods: the paper's own, then the others, each as printed."""

    own: tuple[str, ...]
    methods: tuple[str, ...]
    method: str


def find_methods(paper: ParsedPaper, sentences: Sequence[Sentence], results: Sequence[Table]) -> Names:
    """The methods of a paper; `results` are the tables that hold its results."""
    proposed = list(_proposed(paper, sentences))
    marked = [tidy_method(row[0]) for t in results for row in t.rows if OWN.search(row[0])]
    marked = [name for name in marked if not OWN.fullmatch(name)]
    mentions = _mentions(paper)
    rows = [(name, cited) for t in results for name, cited in methods_of_table(t) if not OWN.fullmatch(name)]
    main = _main(paper, sentences, proposed, marked, mentions)
    own = _unique([*marked, *([main] if main else []), *proposed])
    rest = [*(name for name, cited in rows if not cited), *(name for name, cited in rows if cited), *mentions.values()]
    every = _unique([*([main] if main else []), *own, *rest])
    return Names(tuple(own), tuple(every[:60]), main)


def _main(
    paper: ParsedPaper, sentences: Sequence[Sentence], proposed: list[str], marked: list[str], mentions: dict[str, str]
) -> str:
    """The method that the paper proposes or mainly uses."""
    if name := _name_in_title(paper.title):
        return name
    titled = next((m for m in methods_in(paper.title) if m.key not in ("neural network", "dropout")), None)
    initials = _title_acronym(paper)
    if initials and (titled is None or len(re.sub(r"\W", "", initials)) > len(titled.text.split())):
        return initials
    if marked and (titled is None or any(m.key == titled.key for m in methods_in(marked[0]))):
        return marked[0]
    if titled is not None:
        return _fullest(titled.key, titled.text, paper)
    if coined := [name for name in proposed if not methods_in(name)]:
        text = " ".join([paper.title, paper.abstract, *(p.text for p in paper.paragraphs)])
        return max(dict.fromkeys(coined), key=lambda name: len(re.findall(rf"(?<!\w){re.escape(name)}(?!\w)", text)))
    first = [*proposed, *marked, *_used([s for s in sentences if s.text in paper.abstract])]
    return next(iter(first), "") or next(iter(mentions.values()), "") or next(_used(sentences), "")


def _title_acronym(paper: ParsedPaper) -> str:
    """An acronym of the text whose letters are the initials of words that follow each other in the title."""
    words = [w for w in re.split(r"[\s\-–:,]+", paper.title) if w]
    text = " ".join([paper.abstract, *(p.text for p in paper.paragraphs)])
    found = Counter(re.findall(r"(?<![\w-])(?:[A-Z][A-Z-]{1,7}[A-Z])(?=s?(?![\w-]))", text))
    fitting = []
    for name, count in found.items():
        letters = name.replace("-", "").lower()
        initials = "".join(w[0].lower() for w in words)
        if count >= 3 and len(letters) >= 3 and letters in initials:
            fitting.append((len(letters), count, name))
    return max(fitting)[2] if fitting else ""


def _name_in_title(title: str) -> str:
    """`TPOT: A Tree-based …` names its method before the colon."""
    match = re.match(r"(?P<name>[A-Za-z][\w*+.-]*(?: [\w*+-]+){0,2}):\s+\S", title)
    if not match:
        return ""
    name = match["name"]
    distinct = len(name.split()) == 1 and name.lower() not in (
        "learning",
        "introduction",
        "understanding",
        "towards",
        "beyond",
    )
    return name if distinct else ""


def _fullest(key: str, text: str, paper: ParsedPaper) -> str:
    """The name with its kernel where the abstract or the body gives one, and in their spelling, not in capitals."""
    found = [
        m.text for t in [paper.abstract, *(p.text for p in paper.paragraphs)] for m in methods_in(t) if m.key == key
    ]
    if key == "svm" and (kernels := [name for name in found if "kernel" in name.lower()]):
        return tidy_method(kernels[0])
    if text.isupper():
        return next((name for name in found if name.lower() == text.lower() and not name.isupper()), text)
    if found and not any(name.lower() == text.lower() for name in found):
        return tidy_method(Counter(found).most_common(1)[0][0])
    return text


def _proposed(paper: ParsedPaper, sentences: Sequence[Sentence]) -> Iterator[str]:
    """Names in sentences that say what the paper proposes, those of the abstract first."""
    early = [s.text for s in sentences if s.text in paper.abstract]
    late = [s.text for s in sentences if s.text not in paper.abstract]
    for text in [*early, *late]:
        we = re.search(r"\b(?:we|our)\b", text, re.IGNORECASE)
        if (CITED.search(text) and not we) or re.search(r"(?i)for comparison|baseline", text):
            continue
        called = _CALLED.search(text)
        if called and we and called["name"].lower() not in _NOT_NAMES:
            yield called["name"]
        if we and (quoted := _QUOTED.search(text)):
            yield quoted["name"]
        for match in [*_OUR_IS.finditer(text), *_PROPOSE.finditer(text)]:
            acronym = _ACRONYM.search(match["rest"])
            if acronym and not CITED.search(acronym[0]):
                yield acronym["name"]
            coined = _COINED.search(match["rest"][:80])
            named = methods_in(match["rest"])
            inside = coined and any(m.start <= coined.start() < m.end for m in named)
            if coined and not inside and not datasets_in(coined[0]) and coined[0] not in _NO_COINAGE:
                yield coined[0]
            if named and named[0].key != "neural network" and named[0].start < 60:
                yield tidy_method(named[0].text)


def _used(sentences: Sequence[Sentence]) -> Iterator[str]:
    """Methods in sentences that say what the paper uses."""
    for sentence in sentences:
        for match in _USE.finditer(sentence.text):
            if not re.search(r"(?i)for comparison|baseline", sentence.text):
                yield from (tidy_method(m.text) for m in methods_in(match["rest"])[:1] if m.key != "neural network")


def _mentions(paper: ParsedPaper) -> dict[str, str]:
    """Family to its most telling name, most used first; title and abstract weigh more."""
    weights: Counter[str] = Counter()
    shown: dict[str, Counter[str]] = {}
    texts = [(paper.title, 12), (paper.abstract, 5), *((p.text, 1) for p in paper.paragraphs if p.kind == "body")]
    for text, weight in texts:
        for mention in methods_in(text):
            weights[mention.key] += weight
            shown.setdefault(mention.key, Counter())[tidy_method(mention.text)] += weight
    out = {}
    for key, _ in weights.most_common():
        names = shown[key]
        kernels = [n for n in names if "kernel" in n.lower()]
        out[key] = max(kernels, key=lambda n: names[n]) if kernels else names.most_common(1)[0][0]
    return out


def _unique(names: Sequence[str]) -> list[str]:
    seen: set[str] = set()
    out = []
    for name in names:
        key = re.sub(r"[\W_]+", "", name.lower())
        if key and key not in seen and len(name) <= 300 and re.search(r"[A-Za-z]{2}", name):
            seen.add(key)
            out.append(name)
    return out


def find_datasets(paper: ParsedPaper, sentences: Sequence[Sentence]) -> list[str]:
    """The data sets that a paper names, most used first; a mention in a table or caption weighs more."""
    weights: Counter[str] = Counter()
    shown: dict[str, Counter[str]] = {}

    def add(key: str, name: str, weight: float) -> None:
        weights[key] += weight  # type: ignore[assignment]
        shown.setdefault(key, Counter())[name] += 1

    own = list(sentences)
    for sentence in own:
        weight = 3.0 if sentence.kind == "caption" or sentence.text in paper.abstract else 1.0
        for mention in datasets_in(sentence.text):
            add(mention.key.lower(), _bare(mention.text), weight)
        for match in _DATASET_PHRASE.finditer(sentence.text):
            name = _trim(match["name"])
            if name and not datasets_in(match[0]):
                add(name.lower(), name, weight)
        for match in _LOWER_PHRASE.finditer(sentence.text):
            words = match["name"].split()
            name = words[-1] if len(words) == 2 and words[0] in _COMMON else match["name"]
            if not set(name.split()) & _COMMON and not datasets_in(match[0]) and len(name) > 2:
                add(name.lower(), name, 0.5 * weight)
    for mention in datasets_in(paper.title):
        add(mention.key.lower(), _bare(mention.text), 10)
    for table in paper.tables:
        for name in _in_table(table):
            add(name.lower(), name, 2)
    return [shown[key].most_common(1)[0][0] for key, weight in weights.most_common(40) if weight >= 1]


def _in_table(table: Table) -> Iterator[str]:
    """Data sets in the column or the header of a table that say so."""
    for index, head in enumerate(table.header):
        if re.fullmatch(r"(?i)\s*(?:data ?sets?|data|corpus|benchmark)\s*", head):
            for row in table.rows:
                if (
                    1 < len(row[index]) < 40
                    and not re.match(r"(?i)average|mean|total|overall|\d|running|time|RAM|memory|#", row[index])
                    and re.search(r"[A-Za-z]{2}", row[index])
                    and sum(bool(c) for c in row) > 1
                ):
                    yield row[index]


def _bare(name: str) -> str:
    return re.sub(r"(?i)\s+(?:data ?set|data)$", "", name)


def _trim(name: str) -> str:
    words = [w for w in name.split() if w]
    while words and (
        words[0].lower() in _COMMON
        or words[0].lower() in _NOT_NAMES
        or words[0].lower() in ("on", "for", "uci", "using")
        or words[0].isdigit()
    ):
        words.pop(0)
    text = " ".join(words)
    return text if len(text) > 1 and re.search(r"[A-Za-z]", text) and text.lower() not in _COMMON else ""
