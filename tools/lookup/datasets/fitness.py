"""Whether columns fit SFT, DPO, GRPO, reward modelling and classification, and the line of Python that makes them fit.

The rules are those of TRL ("Dataset formats and types" of its documentation): language modelling is `text` or `messages`,
prompt-completion is `prompt` and `completion`, preference is `chosen` and `rejected` with `prompt` or without, prompt-only
is `prompt`; each either as texts or as lists of messages. For classification they are the habit of transformers: `text`
(or `image`, or plain columns) and `label`. Whether the content is any good is not judged; only emptiness is counted.

In a mapping `dataset` is one split, as `datasets.load_dataset(…, split=…)` gives it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .columns import ANSWERS, CHOSEN, REJECTED, TEXTS, Columns, mapped, mapping, ready, renamed
from .conversations import messages_in
from .kinds import Kind
from .labels import classification, target_of
from .marked import Marked, marked
from .pairs import PICKS, Pair, beside_of, joined, pair_of, picked
from .report import ColumnReport, Fitness

__all__ = ["fitness_of"]

SYSTEM = ("system_prompt", "system")
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "chatgpt": "assistant",
         "bot": "assistant", "model": "assistant", "system": "system", "tool": "tool", "function": "tool",
         "observation": "tool", "function_call": "assistant"}  # fmt: skip


def fitness_of(
    kinds: Mapping[str, Kind],
    rows: Sequence[Mapping[str, Any]] = (),
    reports: Iterable[ColumnReport] = (),
    *,
    asked: str = "",
    declared: str = "",
) -> list[Fitness]:
    """A verdict for each method.

    Args:
        kinds: columns and types.
        rows: some rows, to read what the types do not say; may be empty.
        reports: figures of the columns, where they are known.
        asked, declared: the column to predict, as a person and as the source names it.

    Raises:
        DataError: the column that a person named is not there.
    """
    columns = Columns(kinds, rows, reports, asked, declared)
    return [_sft(columns), _dpo(columns), _grpo(columns), _reward(columns), classification(columns)]


def _sft(c: Columns) -> Fitness:
    if (name := c.lower.get("messages", "")) == "messages" and c.kinds[name].is_messages:
        return ready("SFT", "language modelling, conversational", c.empty(name), _about_tools(c, name))
    pair = _exactly(c, "prompt", "completion")
    if pair and (form := c.form(*pair)):
        return ready("SFT", f"prompt-completion, {_called(form)}", c.empty(*pair))
    return _sft_by_mapping(c) or _sft_of_text(c) or Fitness(
        method="SFT", verdict="no", why="There is no text, no conversation, and no question with an answer."
    )  # fmt: skip


def _sft_by_mapping(c: Columns) -> Fitness | None:
    if wrapped := _sft_of_halves(c):
        return wrapped
    if conversation := next(iter(c.all("is_messages")), "") if not c.named(CHOSEN, "is_messages") else "":
        names = {conversation: "messages"} | ({"tools": "tools"} if "tools" in c.kinds else {})
        why = c.empty(conversation)
        return mapping("SFT", "language modelling, conversational", renamed(names), why, _about_tools(c, conversation))
    if turns := next(iter(c.all("is_turns")), ""):
        code = f'{{"messages": {_turned(c, turns)}}}'
        return mapping("SFT", "language modelling, conversational", mapped(code), c.empty(turns))
    if encoded := _encoded(c):
        code = f'{{"messages": __import__("json").loads(row[{encoded!r}])}}'
        return mapping("SFT", "language modelling, conversational", mapped(code), "The messages are JSON strings")
    if chosen := c.chosen():
        return _sft_of_preference(c, chosen)
    if choice := picked(c):
        return _sft_of_pair(choice)
    prompt, answer = c.prompt(), c.answer()
    if not prompt or not answer or prompt == answer:
        return _sft_of_pair(pair) if (pair := pair_of(c)) else None
    system = c.named(SYSTEM, "is_text")
    remarks = (c.empty(prompt, answer), f"left out: {system}" if system else "")
    if beside := beside_of(c, prompt, answer):
        code = f'{{"prompt": {joined(c, prompt, beside)}, "completion": row[{answer!r}]}}'
        return mapping("SFT", "prompt-completion, standard", mapped(code), *remarks)
    names = {prompt: "prompt", answer: "completion"}
    return mapping("SFT", "prompt-completion, standard", renamed(names), *remarks)


def _sft_of_pair(pair: Pair) -> Fitness:
    code = f'{{"prompt": {pair.prompt}, "completion": {pair.completion}}}'
    return mapping("SFT", "prompt-completion, standard", mapped(code, only=pair.only), pair.why)


def _sft_of_halves(c: Columns) -> Fitness | None:
    """A prompt that is a text with an answer that is a conversation, or the other way round."""
    prompt, answer = c.named(("prompt",), "is_text", "is_messages"), c.named(ANSWERS, "is_text", "is_messages")
    if not prompt or not answer or c.form(prompt, answer):
        return None
    asked, said = f"row[{prompt!r}]", f"row[{answer!r}]"
    if c.kinds[prompt].is_text:
        asked = f'[{{"role": "user", "content": {asked}}}]'
    else:
        said = f'[{{"role": "assistant", "content": {said}}}]'
    code = f'{{"prompt": {asked}, "completion": {said}}}'
    return mapping("SFT", "prompt-completion, conversational", mapped(code), c.empty(prompt, answer))


def _sft_of_preference(c: Columns, chosen: str) -> Fitness:
    prompt = _asked(c)
    conversational = c.kinds[chosen].is_messages
    why = "Only the preferred answers are learnt"
    if conversational and not (prompt and c.kinds[prompt].is_messages):
        return mapping("SFT", "language modelling, conversational", mapped(f'{{"messages": row[{chosen!r}]}}'), why)
    if not prompt:
        return mapping("SFT", "language modelling, standard", renamed({chosen: "text"}), why)
    names = {prompt: "prompt", chosen: "completion"}
    return mapping(
        "SFT", f"prompt-completion, {'conversational' if conversational else 'standard'}", renamed(names), why
    )


def _sft_of_text(c: Columns) -> Fitness | None:
    texts = [name for name in c.texts() if name != c.prompt()]  # questions alone teach no answer
    text = next((c.lower[name] for name in TEXTS if c.lower.get(name) in texts), texts[0] if len(texts) == 1 else "")
    if not text:
        return None
    why = "Each text is learnt as a whole" + ("; labels are not" if target_of(c) else "")
    if text == "text":
        return ready("SFT", "language modelling, standard", why, c.empty(text))
    return mapping("SFT", "language modelling, standard", renamed({text: "text"}), why, c.empty(text))


def _dpo(c: Columns) -> Fitness:
    pair = _exactly(c, "chosen", "rejected")
    if not pair or not (form := c.form(*pair)):
        return _preference_by_mapping(c, "DPO")
    if "prompt" not in c.kinds:
        why = "The prompt is taken from what chosen and rejected begin with alike; a prompt of its own is safer"
        return ready("DPO", f"preference with implicit prompt, {_called(form)}", why, c.empty(*pair), _same(c, *pair))
    if c.form("prompt", *pair):
        return ready("DPO", f"preference, {_called(form)}", c.empty("prompt", *pair), _same(c, *pair))
    if form == "messages":
        why = "prompt is a text while chosen and rejected are conversations that hold it already"
        code = 'dataset = dataset.remove_columns("prompt")'
        return mapping("DPO", "preference with implicit prompt, conversational", code, why, _same(c, *pair))
    return Fitness(method="DPO", verdict="no", why="prompt is a conversation, chosen and rejected are texts.")


def _preference_by_mapping(c: Columns, method: str) -> Fitness:
    chosen = c.chosen()
    rejected = c.named(REJECTED, "is_text", "is_messages")
    if not chosen or not rejected or not c.form(chosen, rejected):
        if two := marked(c):
            return _of_marked(c, two, method)
        why = "There is no column of preferred answers and one of rejected ones."
        if _exactly(c, "prompt", "completion") and "label" in c.kinds and c.kinds["label"].name == "bool":
            why = "Answers are marked good or bad one by one (unpaired preference): that fits KTO."
        return Fitness(method=method, verdict="no", why=why)
    prompt = _asked(c)
    form = c.form(chosen, rejected)
    names = {chosen: "chosen", rejected: "rejected"}
    what = "preference with implicit prompt"
    if prompt and c.form(prompt, chosen, rejected):
        names, what = {prompt: "prompt", **names}, "preference"
    return mapping(
        method, f"{what}, {_called(form)}", renamed(names), c.empty(chosen, rejected), _same(c, chosen, rejected)
    )


def _of_marked(c: Columns, two: Marked, method: str) -> Fitness:
    first, second = f"row[{two.first!r}]", f"row[{two.second!r}]"
    sides = (
        f'"chosen": {first} if {two.first_wins} else {second}, "rejected": {second} if {two.first_wins} else {first}'
    )
    prompt, what = _asked(c), "preference with implicit prompt"
    if prompt and c.form(prompt, two.first):
        sides, what = f'"prompt": {c.value(prompt)}, {sides}', "preference"
    line = mapped(f"{{{sides}}}", only=f"{two.first_wins} or {two.second_wins}")
    form = f"{what}, {_called(c.form(two.first, two.second))}"
    return mapping(method, form, line, f"the better one is taken to be what {two.mark} names")


def _grpo(c: Columns) -> Fitness:
    kind = c.kinds.get("prompt")
    if kind is not None and (kind.is_text or kind.is_messages):
        form = "conversational" if kind.is_messages else "standard"
        return ready("GRPO", f"prompt-only, {form}", _about_reward(c, ("prompt",)), c.empty("prompt"))
    chosen = c.named(CHOSEN, "is_messages")
    if conversation := chosen or next(iter(c.all("is_messages")), ""):
        row = f"row[{conversation!r}]"
        code = f'{{"prompt": {row}[:-1] if {row} and {row}[-1]["role"] == "assistant" else {row}}}'
        line = f"dataset = dataset.map(lambda row: {code})"
        return mapping("GRPO", "prompt-only, conversational", line, _about_reward(c, (conversation,)))
    if turns := next(iter(c.all("is_turns")), ""):
        code = f'(lambda m: {{"prompt": m[:-1] if m and m[-1]["role"] == "assistant" else m}})({_turned(c, turns)})'
        return mapping(
            "GRPO",
            "prompt-only, conversational",
            f"dataset = dataset.map(lambda row: {code})",
            _about_reward(c, (turns,)),
        )
    prompt = _asked(c)
    if not prompt or not c.kinds[prompt].is_text:
        return Fitness(method="GRPO", verdict="no", why="No column holds prompts.")
    beside = beside_of(c, prompt, c.named(ANSWERS, "is_text"))
    why = _about_reward(c, (prompt, beside))
    if beside:
        line = f'dataset = dataset.map(lambda row: {{"prompt": {joined(c, prompt, beside)}}})'
        return mapping("GRPO", "prompt-only, standard", line, why)
    return mapping("GRPO", "prompt-only, standard", _prompt_from(c, prompt), why)


def _reward(c: Columns) -> Fitness:
    pair = _exactly(c, "chosen", "rejected")
    if not pair or not (form := c.form(*pair)):
        return _preference_by_mapping(c, "reward")
    if "prompt" not in c.kinds:
        return ready("reward", f"preference with implicit prompt, {_called(form)}", c.empty(*pair), _same(c, *pair))
    if not c.form("prompt", *pair):
        if form != "messages":
            return Fitness(
                method="reward", verdict="no", why="prompt is a conversation, chosen and rejected are texts."
            )
        code = 'dataset = dataset.remove_columns("prompt")'
        return mapping(
            "reward", "preference with implicit prompt, conversational", code, "chosen and rejected hold the prompt"
        )
    code = '{"chosen": row["prompt"] + row["chosen"], "rejected": row["prompt"] + row["rejected"]}'
    fit = ready(
        "reward",
        f"preference, {_called(form)}",
        "An implicit prompt is recommended: the mapping makes it one",
        _same(c, *pair),
    )
    return fit.model_copy(update={"mapping": mapped(code)})


def _about_tools(c: Columns, name: str) -> str:
    calls = any(message.get("tool_calls") for row in c.rows for message in messages_in(row.get(name)))
    return (
        "There are tool calls and no column `tools`, which the chat template needs"
        if calls and "tools" not in c.kinds
        else ""
    )


def _about_reward(c: Columns, used: tuple[str, ...]) -> str:
    left = [
        name
        for name in c.kinds
        if name not in used
        and name.lower() in (*ANSWERS, *PICKS, "ground_truth", "answers", "test_cases", "test_list", "test")
    ]
    return (
        f"A reward function can use {', '.join(left[:4])}"
        if left
        else "A reward function has nothing but the prompt to go by"
    )


def _same(c: Columns, chosen: str, rejected: str) -> str:
    same = sum(row.get(chosen) == row.get(rejected) for row in c.rows)
    return f"in {same} of the {len(c.rows)} rows looked at both answers are the same" if same else ""


def _asked(c: Columns) -> str:
    return c.named(("prompt",), "is_text", "is_messages") or c.prompt()


def _encoded(c: Columns) -> str:
    """A column of conversations that are JSON strings of role and content."""
    for name in c.all("is_text"):
        held = [messages_in(row.get(name)) for row in c.rows]
        if held and all(messages and "role" in messages[0] for messages in held):
            return name
    return ""


def _turned(c: Columns, name: str) -> str:
    """Turns of from and value as messages; the roles are those that were seen, or the usual ones."""
    seen = {str(turn["from"]) for row in c.rows for turn in messages_in(row.get(name)) if turn.get("from") is not None}
    roles = {one: ROLES.get(one.lower(), one) for one in sorted(seen)[:20]} or {"human": "user", "gpt": "assistant"}
    roles = {old: new for old, new in roles.items() if old != new}
    role = f'{roles!r}.get(turn["from"], turn["from"])' if roles else 'turn["from"]'
    return f'[{{"role": {role}, "content": turn["value"]}} for turn in row[{name!r}]]'


def _exactly(c: Columns, *names: str) -> tuple[str, ...]:
    return names if all(name in c.kinds for name in names) else ()


def _prompt_from(c: Columns, name: str) -> str:
    """Call the column `prompt`, and keep the others, which a reward function may use."""
    without = '.remove_columns("prompt")' if "prompt" in c.kinds else ""
    return f'dataset = dataset{without}.rename_column({name!r}, "prompt")'


def _called(form: str) -> str:
    return "conversational" if form == "messages" else "standard"
