"""What a paper states: claims, settings, methods, data sets, metrics, each with the words that say so. Rules, no model.

Nothing is invented: whatever has no quote that stands in the paper does not pass.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from trainwright.graph.state import Claim, Hyperparameter, Modality

from .claims import Context, RankedClaim, is_own
from .lookup import quote_in
from .measures import metric_named
from .naming import Names, find_datasets, find_methods
from .records import PaperFacts, ParsedPaper, Table
from .sentence_claims import sentence_claims
from .sentences import Sentence, sentences_of
from .settings import settings_of
from .table_claims import table_claims
from .table_headers import reads_as_accuracy
from .vocabulary import DATASETS, datasets_in, known_dataset

__all__ = ["CLAIM_LIMIT", "extract"]

CLAIM_LIMIT = 110
"""Claims that are handed on at most, the paper's own first; the tables hold the rest."""

SETTING_LIMIT = 60
TEXT_LIMIT = 48_000
"""Characters that claims and settings take at most, so that they fit into one answer."""


def extract(parsed: ParsedPaper) -> PaperFacts:
    """The facts of a paper that was read."""
    sentences = list(sentences_of(parsed))
    datasets = find_datasets(parsed, sentences)
    results = [table for table in parsed.tables if _holds_results(table)]
    names = find_methods(parsed, sentences, results)
    context = _context(parsed, sentences, datasets, names)
    ranked = [item for table in parsed.tables for item in table_claims(table, context)]
    spoken = list(sentence_claims(sentences, context, parsed.abstract, names.method))
    every = _ordered(names.method, [*_abstract_first(spoken, parsed), *ranked, *spoken])
    claims = [claim for claim in every if quote_in(parsed, claim.quote)]
    settings = [item for item in settings_of(parsed, sentences, results) if quote_in(parsed, item.quote)]
    facts = PaperFacts(
        claims=claims,
        hyperparameters=settings,
        datasets=_with_claimed(datasets, claims),
        method=names.method,
        methods=list(names.methods),
        metrics=_metrics(claims, sentences),
        modality=_modality(parsed, datasets),
    )
    if any(reads_as_accuracy(table, context) for table in parsed.tables):
        facts.warnings.append("A table of results names no metric; its numbers are read as accuracy in percent.")
    return _fitted(facts)


def _with_claimed(datasets: Sequence[str], claims: Sequence[Claim]) -> list[str]:
    """The data sets, with those that only a table of results names."""
    out = list(datasets)
    for claim in claims:
        known = {name.lower() for name in out}
        if claim.dataset and claim.dataset != "average" and claim.dataset.lower() not in known:
            out.append(claim.dataset)
    return out[:60]


def _holds_results(table: Table) -> bool:
    return not re.search(
        r"(?i)data ?sets? statistics|statistics (?:of|for)|overview of the data|hyper-?parameter", table.caption
    )


def _abstract_first(spoken: Sequence[RankedClaim], parsed: ParsedPaper) -> list[RankedClaim]:
    bare = re.sub(r"\s", "", parsed.abstract)
    return [item for item in spoken if item.rank == 0 and re.sub(r"\s", "", item.claim.quote) in bare]


def _ordered(main: str, items: Iterable[RankedClaim]) -> list[Claim]:
    """Own claims first, cited ones last; what says the same of the same thing stands once."""
    places: dict[tuple[str, float, str, str], int] = {}
    spoken: set[tuple[str, float]] = set()
    out: list[Claim] = []
    only_main = Context(main=main, own=(main.lower(),) if main else ())

    def order(item: RankedClaim) -> tuple[int, bool, int, bool]:
        claim = item.claim
        split = {"train": 2, "validation": 1}.get(claim.split, 0)
        return item.rank, not is_own(claim.method, only_main), split, claim.method.lower() != main.lower()

    for item in sorted(items, key=order):
        claim = item.claim
        key = (claim.metric, claim.value, claim.dataset.lower(), claim.method.lower())
        if key in places:
            if claim.split and not out[places[key]].split:
                out[places[key]] = claim
            continue
        if not claim.dataset and not claim.method and (claim.metric, claim.value) in spoken:
            continue
        places[key] = len(out)
        spoken.add((claim.metric, claim.value))
        out.append(claim)
    return out


def _context(parsed: ParsedPaper, sentences: Sequence[Sentence], datasets: Sequence[str], names: Names) -> Context:
    named = _metric_counts(parsed, sentences)
    most = named.most_common(1)
    return Context(
        metric=most[0][0] if most and most[0][1] >= 0.6 * sum(named.values()) else "",
        dataset=datasets[0] if _only_one(datasets, sentences) else "",
        own=tuple(name.lower() for name in names.own[:6] if len(name) > 2),
        main=names.method,
        datasets=tuple(datasets),
        splits=_splits(parsed, sentences),
        sections=_section_datasets(parsed, datasets),
        metrics=tuple(named),
        classifies=bool(re.search(r"(?i)classif", f"{parsed.title} {parsed.abstract}")),
        about=_about_tables(sentences),
    )


def _section_datasets(parsed: ParsedPaper, datasets: Sequence[str]) -> dict[int, str]:
    """Section to the one data set that its title names, or that of the section it belongs to."""
    out: dict[int, str] = {}
    above: list[tuple[int, str]] = []
    long = [name for name in datasets if len(name) > 2]
    for index, section in enumerate(parsed.sections):
        while above and above[-1][0] >= section.level:
            above.pop()
        named = [m.text.removesuffix(" data set") for m in datasets_in(section.title)]
        named += [name for name in long if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", section.title)]
        unique = list(dict.fromkeys(named))
        inherited = above[-1][1] if above else ""
        own = unique[0] if len(unique) == 1 else "" if unique else inherited
        above.append((section.level, own))
        if own:
            out[index] = own
    return out


def _only_one(datasets: Sequence[str], sentences: Sequence[Sentence]) -> bool:
    """Whether the first data set is the only one that matters: it is named far more often than the next."""
    if not datasets:
        return False
    if len(datasets) == 1:
        return True
    text = " ".join(s.text for s in sentences).lower()
    first, second = (text.count(name.lower()) for name in datasets[:2])
    return first >= 4 * max(1, second)


def _metric_counts(parsed: ParsedPaper, sentences: Sequence[Sentence]) -> Counter[str]:
    """How often the paper speaks of each metric, other meanings of the words aside."""
    other = re.compile(
        r"(?i)recall (?:that|from)|we recall|cross[- ]entropy|precision matri\w+|\b(?:single|double|half|floating)\S* ?\S* precision"
        r"|\bR ?\^?2\b(?= ?[×x→∈])|high precision|negative log[- ]likelihood|log[- ]?loss"
    )
    counts: Counter[str] = Counter()
    for text in [parsed.abstract, *(s.text for s in sentences)]:
        if name := metric_named(other.sub("", text)):
            counts[name] += 1
    return counts


def _splits(parsed: ParsedPaper, sentences: Sequence[Sentence]) -> dict[str, str]:
    """Data set to how it is scored, from the tables that describe the data."""
    folds = next((m[1] for s in sentences if (m := re.search(r"\b(\d{1,2})[- ]fold\b", s.text))), "")
    cross = f"{folds}-fold cross-validation" if folds else "cross-validation"
    out: dict[str, str] = {}
    for table in parsed.tables:
        place = next(
            (i for i, head in enumerate(table.header) if re.fullmatch(r"(?i)\W*test(?: set| size)?\W*", head)), None
        )
        if place is None or _has_fractions(table, place):
            continue
        for row in table.rows:
            if re.fullmatch(r"(?i)cv|cross.?valid\w*|\d+-?fold.*", row[place]):
                out[row[0].lower()] = cross
            elif re.fullmatch(r"[\d,]+[KM]?", row[place]):
                out[row[0].lower()] = "test"
    return out


def _has_fractions(table: Table, place: int) -> bool:
    return any("." in row[place] or "%" in row[place] for row in table.rows)


def _about_tables(sentences: Sequence[Sentence]) -> dict[str, str]:
    about: dict[str, str] = {}
    for sentence in sentences:
        if sentence.kind != "body":
            continue
        for match in re.finditer(r"\b[Tt]able\s?(\d+|[IVX]+)\b", sentence.text):
            key = f"table {match[1].lower()}"
            about[key] = f"{about.get(key, '')} {sentence.text}"[:2_000]
    return about


def _metrics(claims: Sequence[Claim], sentences: Sequence[Sentence]) -> list[str]:
    counts: Counter[str] = Counter()
    for claim in claims:
        counts[claim.metric] += 4
    for sentence in sentences:
        if re.search(r"\d|report|measure|evaluat|metric|score", sentence.text) and (
            name := metric_named(sentence.text)
        ):
            counts[name] += 1
    return [name for name, count in counts.most_common(20) if count >= 2]


_SIGNS: tuple[tuple[Modality, str], ...] = (
    ("images", r"\bimages?\b|\bpixels?\b|\bvision\b|\bvisual\b|\bobject recognition|\bhandwritten|\bdigit recognition|\bphoto"),
    ("text", r"\bsentences?\b|\bsentiment|\bdocuments?\b|\btext\b|\bwords?\b|\btokens?\b|\bnatural language|\bNLP\b|\btranslation|\btweets?\b|\bintents?\b|\bn-grams?|\breviews\b"),
    ("audio", r"\baudio\b|\bspeech\b|\bspeaker|\bspectrogram|\bacoustic|\bmusic|\bsound|\bMFCC|\bphone(?:me)?s?\b|\bspoken"),
    ("graph", r"\bgraphs?\b(?! (?:of|shows))|\bnode classification|\bcitation network|\badjacency|\bnodes\b|\blink prediction"),
    ("time_series", r"\btime[- ]series|\bUCR\b|\bforecast|\btemporal sequences?\b|\bECG\b|\bsensor signals?"),
    ("table", r"\btabular|\battributes\b|\bUCI\b|\bcolumns\b|\bcategorical (?:features|variables)|\bgradient boost|\bdecision trees?|\brandom forests?|\bpatients\b|\bcustomers\b|\bhousing\b|\bnumerical features"),
    ("text_pairs", r"\bsentence pairs?|\bsemantic (?:textual )?similarity|\bparaphrase|\bentailment|\bnatural language inference|\bNLI\b|\bSTS"),
    ("language_model", r"\blanguage model(?:s|ing|ling)?\b|\bperplexit|\bbits per (?:character|byte)|\bcharacter-level|\bnext[- ]token"),
)  # fmt: skip


def _modality(parsed: ParsedPaper, datasets: Sequence[str]) -> Modality:
    """What kind of input the paper's task has: by its title, its abstract, its data sets and its words."""
    weights: dict[Modality, float] = {}
    texts = [(parsed.title, 8.0), (parsed.abstract, 3.0), (" ".join(p.text for p in parsed.paragraphs), 0.15)]
    for text, weight in texts:
        for modality, pattern in _SIGNS:
            found = min(60, len(re.findall(pattern, text, re.IGNORECASE)))
            weights[modality] = weights.get(modality, 0.0) + found * weight
    kinds = {name: kind for name, _, kind in DATASETS}
    for place, name in enumerate(datasets[:8]):
        known = known_dataset(name) or next((m.key for m in datasets_in(name)), "")
        if known:
            weights[kinds[known]] = weights.get(kinds[known], 0.0) + 6.0 / (1 + place)
    best = max(weights, key=lambda kind: weights[kind])
    return best if weights[best] >= 2 else "unknown"


def _fitted(facts: PaperFacts) -> PaperFacts:
    """The facts, with the last claims left out where there are too many; a warning says so."""
    claims, settings = facts.claims[:CLAIM_LIMIT], facts.hyperparameters[:SETTING_LIMIT]
    while _size([*claims, *settings]) > TEXT_LIMIT:
        (claims if len(claims) >= len(settings) else settings).pop()
    warnings = list(facts.warnings)
    if len(claims) < len(facts.claims):
        warnings.append(f"Of {len(facts.claims)} numbers that look like results, {len(claims)} are kept as claims.")
    return facts.model_copy(update={"claims": claims, "hyperparameters": settings, "warnings": warnings})


def _size(items: Sequence[Claim | Hyperparameter]) -> int:
    return sum(len(item.model_dump_json()) for item in items)
