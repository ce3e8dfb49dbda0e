"""The built-in engineer's rules for `find_data` and `write_code`."""

from __future__ import annotations

from typing import Any

from trainwright.graph.errors import PlanContradicted
from trainwright.tools.toolbox import Workbench

from .recipes import Answers, Call
from .refusals import give_up

__all__ = ["find_data", "write_code"]


def find_data(bench: Workbench, answers: Answers) -> Call:
    """Audit, then freeze the split that the plan needs."""
    assert bench.plan is not None
    if "inspect_data" in answers.bad:
        return give_up(answers.bad["inspect_data"])
    if "finish" in answers.bad:
        problem = answers.bad["finish"]
        if problem.get("kind") == PlanContradicted.__name__:
            return Call("contradict", {"reason": problem["error"][:2_000]}, "The plan and the data do not fit.")
        return give_up(problem)
    data = answers.good.get("inspect_data")
    if data is None:
        return Call("inspect_data", {}, "Audit the data before they are divided.")
    if data.get("refusal"):
        return Call("give_up", {"reason": data["refusal"][:4_000]}, "No recipe can serve these data.")
    question = data.get("question")
    if question and question["key"] not in bench.answers:
        options = [str(option) for option in question.get("options", [])][:200]
        return Call("ask", {"key": question["key"], "text": question["text"][:2_000], "options": options})
    if bench.plan.task != data["task"]:
        reason = f"The plan is for {bench.plan.task}, but {data['target']} makes this a {data['task']} task."
        return Call("contradict", {"reason": reason})
    choice = {
        "target": bench.plan.target_column or data["target"],
        "task": bench.plan.task,
        "modality": data["modality"],
        "drop": [column["name"] for column in data["columns"] if column["role"] in ("dropped", "id")],
        "header": data.get("header", ""),
    }
    return Call("finish", choice, _why(data))


def _why(data: dict[str, Any]) -> str:
    grave = [finding["message"] for finding in data.get("findings", []) if finding["severity"] != "info"]
    return f"Audited; {len(grave)} things to know: {' '.join(grave)[:800]}" if grave else "Audited; nothing in the way."


def write_code(bench: Workbench, answers: Answers) -> Call:
    """Copy the plan's recipe with the plan's settings; after a failure, once more with all settings left open."""
    assert bench.plan is not None
    for name in ("copy_recipe", "finish"):
        if name in answers.bad:
            return give_up(answers.bad[name])
    if not bench.plan.recipe:
        return Call(
            "give_up", {"reason": "The plan names no recipe, and the built-in engineer writes no code of its own."}
        )
    fixed = {item.name: item.value for item in bench.plan.hyperparameters}
    if bench.repairs and _edited_and_kept(bench):
        reason = (
            f"The code that a person edited failed; it was not written over. {bench.feedback[:3_000]}\n"
            f"`trainwright resume {bench.run}` starts again from the recipe {bench.plan.recipe}."
        )
        return Call("give_up", {"reason": reason[:4_000]}, "What a person wrote is not written over.")
    if bench.repairs:
        if bench.repairs > 1 or not fixed:
            reason = f"The recipe {bench.plan.recipe} does not run on these data. {bench.feedback}"
            return Call("give_up", {"reason": reason[:4_000]}, "Nothing is left to change in a tested script.")
        fixed = {}
    copied = answers.good.get("copy_recipe")
    if copied is None:
        arguments = {
            "recipe": bench.plan.recipe,
            "hyperparameters": fixed,
            "metric": bench.plan.metric,
            "seconds": allowance(bench.plan.seconds),
        }
        return Call("copy_recipe", arguments, f"Start from the tested recipe {bench.plan.recipe}.")
    if "error" in copied:
        return Call("give_up", {"reason": copied["error"]})
    change = (
        bench.plan.change
        or f"{bench.plan.method}, {'settings of the paper' if fixed else 'settings chosen on validation'}"
    )
    if bench.repairs:
        change = "the paper's settings failed on these data: all settings chosen on validation"
    return Call("finish", {"recipe": bench.plan.recipe, "change": change}, "The code is complete.")


def _edited_and_kept(bench: Workbench) -> bool:
    """Whether the code that failed is one that a person edited, and did not send back since."""
    last = next((a.decision for a in reversed(bench.approvals) if a.gate == "approve_job"), "")
    return bench.code is not None and bench.code.edited and last != "reject"


def allowance(estimate: float) -> float:
    """Seconds that the training may search: three times the estimate, at least half a minute, at most ten minutes."""
    return float(min(600.0, max(30.0, 3 * estimate)))
