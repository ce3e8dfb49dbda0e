"""Claims from sentences: `achieves an accuracy of 97.4 % on MNIST`, `an error rate of 1.25%`, `28.4 BLEU`.

Read are only numbers that stand right beside the name of a metric. Differences, bounds, roundings and chance levels
are left out: they say something else than a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from trainwright.graph.state import Claim

from .claims import CITED, OWN, Context, RankedClaim, is_own, split_named, tidy_method
from .measures import is_share, metric_named
from .numbers import NUMBER, read_number
from .sentences import Sentence, window
from .vocabulary import datasets_in, methods_in

__all__ = ["sentence_claims"]

_METRIC = (
    r"(?:balanced accuracy|accurac(?:y|ies)|error rates?|(?:classification |misclassification |test |generali[sz]ation )error(?: rates?)?|"
    r"(?:macro|micro|weighted)[- ](?:averaged? )?F-?1?(?:[- ]?(?:scores?|measure))?|F-?1(?:[- ]?(?:scores?|measure))?|F-(?:score|measure)|"
    r"(?:ROC[- ])?AU-?C(?:[- ]ROC)?|AUROC|area under the (?:ROC )?curve|average precision|precision|recall|sensitivity|"
    r"RMSE|root[- ]mean[- ]squared? error|MAE|mean absolute error|MSE|mean[- ]squared error|MAPE|R\^?2|R²|MCC|"
    r"(?:Cohen[’']s )?kappa|log[- ]loss|cross[- ]entropy(?: loss)?|Spearman(?:[’']s)?(?: (?:rank )?correlation)?|Pearson(?:[’']s)?(?: correlation)?|"
    r"BLEU(?: scores?)?|perplexit(?:y|ies)|WER|word error rate|phone(?:me)? error rate|mean average precision|mAP|top-?[15] (?:accuracy|error(?: rate)?)|"
    r"recognition rates?|classification rates?)"
)
_KIND = r"(?:test|testing|validation|development|dev|training|train|classification|overall|average|mean|median|frame|top-?1|cross-?validat\w+|set|state-of-the-art|10-fold|new|best|single-model|final|recognition|predictive)"
_LINK = r"(?:\s*\([^()]{1,30}\))?(?:\s+(?:score|rate|value|on [^.,;]{2,40}?))?\s*(?:[,:=]|of|is|was|at|to|reach(?:es|ed)?|as high as|as low as|equal(?:s|ed)?(?: to)?)\s*(?:only |just |exactly |a |an )?"
_VALUE = rf"(?P<number>{NUMBER})\s?(?P<percent>%|percent\b|per cent\b)?(?P<spread>\s?(?:±|\+/-)\s?\d*\.?\d+\s?%?)?"
_AFTER = re.compile(
    rf"(?P<metric>(?:{_KIND}[ -])*{_METRIC}){_LINK}{_VALUE}(?![\d.]*\d|\s?(?:×|x\d|ms\b|seconds|points?\b))",
    re.IGNORECASE,
)
_BEFORE = re.compile(
    rf"(?<![\d.,±])(?<!± ){_VALUE}\s+(?P<metric>(?:{_KIND}[ -])*{_METRIC})\b(?! (?:of|is|was) (?:\d|\.\d))",
    re.IGNORECASE,
)
_INEXACT = re.compile(
    r"(?i)\b(?:about|around|approximately|roughly|nearly|almost|over|above|below|under|more than|less than|greater than|lower than|at least|at most|"
    r"up to|within|between|by|from|additional|further|some|exceed(?:s|ing)?|than|every|any|near|~|≈|>|<|≥|≤)\s*(?:an? )?(?:(?:absolute|relative) )?$|[~≈><≥≤]\s*$"
)
_DIFFERENCE = re.compile(
    r"\s*(?:%|percent)?\s*(?:improvement|higher|lower|better|worse|less|more|gain|increase|decrease|reduction|degradation|points?"
    r"|relative|of the|\w+ (?:improvement|degradation|gain|increase|reduction))\b"
)
_OTHER_MEANING = re.compile(
    r"(?i)\b(?:chance|random guess|majority class|human|improv\w+|gains?|increas\w+|decreas\w+|drop\w*|reduc\w+|differ\w+|relative|absolute|points?|margin|degrad\w+|"
    r"confidence|significan\w+|would|could|target|goal|require[sd]?|at least|if|hypothe\w+|threshold|suppose|assume|ideal|expect\w*|should)\b"
)


def sentence_claims(sentences: Sequence[Sentence], context: Context, abstract: str, main: str) -> Iterator[RankedClaim]:
    """The claims of the running text. `main` is the paper's method, which `our method` means."""
    for sentence in sentences:
        if sentence.kind == "footnote":
            continue
        seen: set[int] = set()
        for pattern in (_AFTER, _BEFORE):
            for match in pattern.finditer(sentence.text):
                if match.start("number") in seen:
                    continue
                ranked = _read(match, sentence, context, main, sentence.text in abstract)
                if ranked is not None:
                    seen.add(match.start("number"))
                    yield ranked


def _read(
    match: re.Match[str], sentence: Sentence, context: Context, main: str, in_abstract: bool
) -> RankedClaim | None:
    text = sentence.text
    before = text[: match.start("number")]
    clause = re.split(r"[,;]| and | while | but ", text[: match.start()])[-1]
    if _INEXACT.search(before) or _INEXACT.search(text[: match.start()]) or _OTHER_MEANING.search(clause):
        return None
    if _DIFFERENCE.match(text, match.end("number")) or _DIFFERENCE.match(text, match.end()):
        return None
    if re.search(r"\d\s?%?\s?[-–—]\s?$", before):
        return None
    metric = metric_named(match["metric"])
    number = read_number(match["number"] + ("%" if match["percent"] else ""))
    if metric is None or number is None or re.match(r"\s?[–-]\s?\d", text[match.end("number") :]):
        return None
    value = number.value
    if is_share(metric):
        spread_percent = bool(match["spread"]) and "%" in match["spread"]
        if number.percent or spread_percent or (1 < abs(value) <= 100 and number.decimals > 0):
            value = number.fraction
        if not -1 <= value <= 1 or (value in (0.0, 1.0) and not number.percent):
            return None
    elif number.percent:
        return None
    method, rank = _method_of(text, match, context, main)
    if in_abstract and not method and rank < 2:
        method, rank = main, 0
    claim = Claim(
        metric=metric,
        value=value,
        dataset=_dataset_of(text, match, context) or context.sections.get(sentence.section, "") or context.dataset,
        method=method,
        split=_split_of(text, match),
        page=sentence.page,
        quote=window(text, match.start(), match.end()),
    )
    return RankedClaim(claim, rank)


def _dataset_of(text: str, match: re.Match[str], context: Context) -> str:
    """The data set named with the number or behind it, else the last one before it; or nothing."""
    after = _named(text[match.end() : match.end() + 120], context)
    inside = _named(match[0], context)
    before = _named(text[: match.start()], context)
    for names, first in ((inside, True), (after, True), (before, False)):
        if names:
            return names[0] if first else names[-1]
    return ""


def _named(text: str, context: Context) -> list[str]:
    found = [(m.start, re.sub(r"(?i)\s+data ?set$", "", m.text)) for m in datasets_in(text)]
    for name in context.datasets:
        for match in re.finditer(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text):
            if not any(abs(match.start() - start) < 3 for start, _ in found):
                found.append((match.start(), name))
    return [name for _, name in sorted(found)]


def _method_of(text: str, match: re.Match[str], context: Context, main: str) -> tuple[str, int]:
    """The method that a number belongs to, and its rank."""
    before, after = text[: match.start()], text[match.end() :]
    own_words = bool(OWN.search(before) or re.search(r"\b(?:we|our)\b", before, re.IGNORECASE))
    cited = bool(CITED.search(text)) and not own_words
    named = _last_named(before, context)
    if named:
        own = is_own(named, context)
        return named, 2 if cited and not own else 0 if own or own_words else 1
    follow = re.match(r"\s*(?:%|percent)?[^.;]{0,60}?\b(?:with|using|by|for)\b([^.;,]{3,80})", after)
    if follow and (late := methods_in(follow[1])):
        return late[0].text, 2 if cited else 0 if is_own(late[0].text, context) else 1
    if cited:
        return "", 2
    return (main, 0) if own_words else ("", 1)


def _last_named(before: str, context: Context) -> str:
    """The method named last; a longer name of the paper's own wins over a familiar one inside it."""
    found = [(m.end, m.end - m.start, m.text) for m in methods_in(before)]
    for name in context.own:
        places = re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", before.lower())
        found += [(place.end(), len(name), before[place.start() : place.end()]) for place in places]
    return tidy_method(max(found)[2]) if found else ""


def _split_of(text: str, match: re.Match[str]) -> str:
    near = text[max(0, match.start() - 60) : match.end() + 80]
    return split_named(match["metric"]) or split_named(near)
