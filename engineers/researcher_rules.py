"""The built-in research helper: rules, no model.

It searches papers and data sets for the question's words, reads the best papers where they tell of experiments, takes
claims and settings from there by the rules that read any paper (`trainwright.tools.papers.extract`), and looks for the
data sets and the code that are linked to them. Documentation, models, code and the web it leaves alone. The same results
always lead to the same turns and the same report. It understands nothing: what it cannot find by words it says it has not
found.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from trainwright.tools.lookup.stopwords import STOP_WORDS
from trainwright.tools.research import Evidence, Read, Recipe, Report, Statement
from trainwright.tools.research.bench import HelperBench

__all__ = ["report_of", "research"]

PAPERS = 3
"""Papers that are read."""

DATASETS = 3
"""Data sets of the search that are reported."""

SECTIONS = 2
"""Sections of each that are read."""

TELLING = re.compile(r"experiment|result|evaluation|training|implementation|set-?up|hyper|appendix|method", re.I)
"""Titles of sections that tell how something was trained, and what came of it."""

STOP = STOP_WORDS | frozenset(["best", "good", "much", "model", "models", "train", "trained", "training"])
"""Words of a question that no search is made for: any paper here has the last of them."""

Answer = tuple[str, Mapping[str, Any], Any, bool]


def research(bench: HelperBench, transcript: Sequence[AnyMessage]) -> AIMessage:
    """The next turn."""
    turns = sum(isinstance(message, AIMessage) for message in transcript)
    last = bench.standing is not None and bench.standing.steps + 1 >= bench.standing.step_cap
    answers = list(_answers(transcript))
    wanted = [] if last else list(_next(bench.question, answers, turns))
    if not wanted:
        wanted = [("finish", _report(bench.question, answers).model_dump(mode="json"))]
    identity = f"{bench.counted_at.replace('/', '-')}-{turns + 1}"
    calls = [{"name": n, "args": dict(args), "id": f"{identity}-{i}"} for i, (n, args) in enumerate(wanted, 1)]
    return AIMessage("", tool_calls=calls)


def _answers(transcript: Sequence[AnyMessage]) -> Iterable[Answer]:
    """Tool, arguments, parsed answer, and whether it is one, of each call."""
    made = {c["id"]: c for m in transcript if isinstance(m, AIMessage) for c in m.tool_calls}
    for message in transcript:
        if isinstance(message, ToolMessage) and message.tool_call_id in made:
            call = made[message.tool_call_id]
            yield call["name"], call["args"], _parsed(str(message.content)), message.status != "error"


def _parsed(content: str) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content


def _next(question: str, answers: Sequence[Answer], turns: int) -> Iterable[tuple[str, dict[str, Any]]]:
    """What to look up now; nothing when there is enough, or nothing to be had."""
    query = " ".join(words_of(question)[:8]) or question[:200]
    if turns == 0:
        yield "papers", {"operation": "search", "query": query, "limit": 10}
        yield "datasets", {"operation": "search", "query": query[:100], "limit": 5}
        return
    readings = [a for name, args, a, ok in answers if name == "papers" and args.get("operation") == "read" and ok]
    if turns == 1:
        for paper in _papers(answers, question)[:PAPERS]:
            yield "papers", {"operation": "read", "id": paper["id"]}
            yield "papers", {"operation": "linked", "id": paper["id"], "limit": 5}
    elif turns == 2:
        for reading in readings:
            if isinstance(reading, dict) and not reading.get("section"):
                for title in _telling(reading):
                    yield "papers", {"operation": "read", "id": reading["id"], "section": title}


def words_of(question: str) -> list[str]:
    """The words of a question that a search is made with."""
    found = re.findall(r"[A-Za-z0-9][\w.+-]*\w|[A-Za-z0-9]", question)
    return list(dict.fromkeys(word for word in found if word.lower() not in STOP))


def _papers(answers: Sequence[Answer], question: str) -> list[dict[str, Any]]:
    """The papers of the search, those first that have most of the question's words; equal ones stay in their order."""
    words = [word.lower() for word in words_of(question)]
    found = [
        paper
        for name, args, answer, ok in answers
        if name == "papers" and args.get("operation") == "search" and ok and isinstance(answer, dict)
        for paper in answer.get("papers", [])
    ]
    texts = [f"{paper.get('title', '')} {paper.get('abstract', '')}".lower() for paper in found]
    order = sorted(range(len(found)), key=lambda place: -sum(word in texts[place] for word in words))
    return [found[place] for place in order]


def _telling(reading: Mapping[str, Any]) -> list[str]:
    titles = [str(part.get("section", "")) for part in reading.get("contents", []) if isinstance(part, dict)]
    return [title for title in titles if TELLING.search(title)][:SECTIONS]


def _report(question: str, answers: Sequence[Answer]) -> Report:
    """The report on what was read; a failed one says what was in the way."""
    read = [Read(dict(args), json.dumps(answer)) for _, args, answer, ok in answers if ok]
    report = report_of(question, read)
    troubles = _troubles(answers)
    if report is not None:
        return report.model_copy(update={"summary": f"{report.summary} {troubles}".strip()[:3_000]})
    return Report(status="failed", summary=f"Nothing was found by the question's words. {troubles}".strip()[:3_000])


def _troubles(answers: Sequence[Answer]) -> str:
    errors = [a.get("error", "") if isinstance(a, dict) else str(a) for _, _, a, ok in answers if not ok]
    notes = [str(note) for _, _, a, ok in answers if ok and isinstance(a, dict) for note in a.get("notes", [])]
    return " ".join(dict.fromkeys(text[:300] for text in (*errors, *notes) if text))[:1_500]


def report_of(question: str, read: Sequence[Read]) -> Report | None:
    """What the rules find in what was read, or None where that is nothing."""
    results = [(one.arguments, _parsed(one.result)) for one in read]
    known: dict[str, dict[str, Any]] = {}
    for arguments, result in results:
        if isinstance(result, dict):
            for paper in result.get("papers", []) if isinstance(result.get("papers"), list) else []:
                if isinstance(paper, dict) and paper.get("id"):
                    known.setdefault(str(paper["id"]), {}).update(paper)
            if arguments.get("operation") in ("read", "linked", "details") and result.get("id"):
                _add(known.setdefault(str(result["id"]), {}), result, str(arguments["operation"]))
    recipes = [recipe for identity, paper in known.items() if (recipe := _recipe(identity, paper))]
    claims = [claim for identity, paper in known.items() for claim in _claims(identity, paper, question)][:12]
    datasets = _datasets(results)
    if not recipes and not claims and not datasets:
        return None
    summary = (
        f"Found by rules, without understanding: {len(known)} papers, {len(recipes)} with results or settings that "
        f"could be read, {len(claims)} statements; {len(datasets)} data sets for the question's words."
    )
    status: Literal["answered", "partial"] = "answered" if recipes else "partial"
    return Report(status=status, summary=summary, recipes=recipes[:10], claims=[*claims, *datasets])


def _datasets(results: Sequence[tuple[Mapping[str, Any], Any]]) -> list[Statement]:
    """That the first data sets of a search exist."""
    found: dict[str, Statement] = {}
    for arguments, result in results:
        listed = result.get("datasets") if isinstance(result, dict) and arguments.get("operation") == "search" else None
        for record in listed if isinstance(listed, list) else []:
            if isinstance(record, dict) and isinstance(record.get("id"), str):
                found.setdefault(record["id"], _dataset(record))
    return list(found.values())[:DATASETS]


def _dataset(record: Mapping[str, Any]) -> Statement:
    """What the Hub says of a data set; the quote is its record, from the id to the last of its plain fields."""
    plain = {name: str(value) for name, value in record.items() if isinstance(value, str | int)}
    details = ", ".join(f"{name}: {value}" for name, value in plain.items() if name != "id")
    text = f"The Hub has the data set {record['id']}{f' ({details})' if details else ''}."
    quote = " ".join(plain.values())[:600]
    return Statement(text=text[:800], evidence=[Evidence(source=record["id"][:300], quote=quote)])


def _add(paper: dict[str, Any], result: Mapping[str, Any], operation: str) -> None:
    """What another lookup says of a paper."""
    if operation == "read":
        if text := str(result.get("text", "")):
            paper.setdefault("texts", []).append((str(result.get("section", "")), text))
        for key in ("title", "abstract"):
            if result.get(key):
                paper.setdefault(key, result[key])
        return
    for key in ("code", "datasets"):
        if result.get(key):
            paper.setdefault(key, result[key])


def _facts(paper: Mapping[str, Any]) -> Any:
    from trainwright.tools.papers import extract
    from trainwright.tools.papers.markdown import parse_markdown

    parts = [f"# {paper.get('title', 'Untitled')}", f"## Abstract\n\n{paper.get('abstract', '')}"]
    parts += [f"## {section or 'Text'}\n\n{text}" for section, text in paper.get("texts", [])]
    return extract(parse_markdown("\n\n".join(parts)))


def _recipe(identity: str, paper: Mapping[str, Any]) -> Recipe | None:
    """The best result of a paper that was read, with its settings; None where neither was found."""
    if not paper.get("texts"):
        return None
    facts = _facts(paper)
    if not facts.claims and not facts.hyperparameters:
        return None
    quotes = [item.quote for item in (*facts.claims[:1], *facts.hyperparameters[:4])]
    first = facts.claims[0] if facts.claims else None
    cited = paper.get("citations")
    datasets = [str(item.get("id")) for item in paper.get("datasets", []) if isinstance(item, dict)]
    return Recipe(
        paper=identity[:300],
        title=str(paper.get("title", ""))[:300],
        metric=first.metric if first else "",
        value=first.value if first else None,
        dataset=(first.dataset if first else "")[:300],
        data=", ".join(datasets)[:1_500],
        method=((first.method if first else "") or facts.method)[:1_500],
        hyperparameters={item.name: item.value for item in facts.hyperparameters[:40]},
        code=str(paper.get("code", ""))[:300],
        year=_year(paper),
        citations=cited if isinstance(cited, int) and 0 <= cited <= 10**9 else None,
        sources=[Evidence(source=identity[:300], quote=quote[:600]) for quote in dict.fromkeys(quotes)],
    )


def _year(paper: Mapping[str, Any]) -> int | None:
    found = re.match(r"(?:19|20)\d\d", str(paper.get("date", "")))
    return int(found[0]) if found else None


def _claims(identity: str, paper: Mapping[str, Any], question: str) -> list[Statement]:
    """The sentence of a paper's abstract that has most of the question's words, if it has two."""
    words = [word.lower() for word in words_of(question)]
    sentences = re.split(r"(?<=[.!?])\s+(?=[A-Z])", str(paper.get("abstract", "")))
    scored = [(sum(word in sentence.lower() for word in words), sentence) for sentence in sentences]
    best = max(scored, key=lambda pair: pair[0], default=(0, ""))
    if best[0] < min(2, len(words)) or not best[0]:
        return []
    quote = best[1][:600]
    return [Statement(text=quote[:800], evidence=[Evidence(source=identity[:300], quote=quote)])]
