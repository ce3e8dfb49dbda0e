"""The state of a run: the request, the artifact of every stage, and the two graph states.

Everything here is small: paper text, data, logs and code lie in the run's folder, and the state carries paths
(relative to that folder unless said otherwise), hashes and short summaries. Fractions are in [0, 1] (97.4 % is
0.974), durations in seconds, sizes in bytes, dollars in integer micro-dollars (`usd_micros`).

These classes are what a checkpoint holds. They never move to another module (an old run would read back as plain
dictionaries). `SCHEMA_VERSION` counts their changes; how those of an earlier version are read is in
`graph/migrations.py`. This module does not compute anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Literal

from langchain_core.messages import AnyMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.channels.ephemeral_value import EphemeralValue
from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import TypedDict

from .migrations import migrated
from .redaction import redact

SCHEMA_VERSION = 2
"""Goes up with every release that changes a class here, also by a field that older ones do not know."""

Scalar = str | int | float | bool
Task = Literal["classification", "regression"]
Modality = Literal[
    "table", "text", "images", "audio", "graph", "time_series", "text_pairs", "language_model", "unknown"
]
Direction = Literal["higher", "lower"]


class Artifact(BaseModel):
    """Base of all that a checkpoint holds: unknown fields are an error, not a surprise later."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _of_today(cls, given: Any) -> Any:
        return migrated(cls.__name__, given)


class Status(StrEnum):
    """How a run ended, or that it waits. `EXIT_CODES` in `graph/settings.py` gives each its exit code."""

    RUNNING = "running"
    PUBLISHED = "published"
    DRY_RUN = "dry_run"
    FAILED = "failed"
    GAVE_UP = "gave_up"
    WAITING = "waiting"
    STEP_LIMIT = "step_limit"
    BUDGET_LIMIT = "budget_limit"
    DEADLINE = "deadline"
    REJECTED = "rejected"
    INTERRUPTED = "interrupted"


class Given(Artifact):
    """Base of what a person hands in: a secret in it is gone before anything can keep it."""

    @model_validator(mode="before")
    @classmethod
    def _without_secrets(cls, given: Any) -> Any:
        return redact(given)


class Request(Given):
    """What a person asks for; LangGraph Studio shows it as a form."""

    goal: str = Field("", description="What you want, in your own words. Optional when a paper is given.")
    paper: str = Field("", description="arXiv id or URL, path or URL of a PDF, path of a Markdown or text file.")
    data: str = Field(
        "",
        description="csv, tsv, jsonl, parquet or npz file, a folder of such files or of class folders with images, "
        "sklearn:NAME, or a Hub data set owner/name[:config][@revision].",
    )
    target: str = Field("", description='Score to reach, such as "accuracy>=0.97" or "rmse<=3.1". Optional.')
    target_column: str = Field("", description="Column to predict. Found in the data when empty.")
    publish_to: str = Field("", description="Name of the published model. Derived from the run's name when empty.")
    name: str = Field("", description="Name of the run. Derived from data and paper when empty.")


class StageLimits(Artifact):
    """Limits of one stage, over all its visits; what is None is bounded by the run's own limits alone."""

    step_cap: int | None = Field(None, ge=1, le=100_000, description="Engineer turns.")
    max_usd: float | None = Field(None, ge=0, le=10_000_000, allow_inf_nan=False, description="US dollars.")
    max_tokens: int | None = Field(None, ge=0, le=10**12, description="Tokens of model calls, read and written.")
    max_hours: float | None = Field(None, gt=0, le=8_760, allow_inf_nan=False, description="Hours at work.")


class Settings(Given):
    """How a run works: the context schema of the graph. The first node copies it into the state. Never a secret."""

    engineer: str = Field(
        "recipes",
        max_length=200,
        description="Who decides inside the stages: recipes (built in, no key, no network), or a model as "
        "PROVIDER/MODEL, such as anthropic/claude-opus-4-8 or ollama/qwen3.",
    )
    fallback: str = Field(
        "", max_length=200, description="Model that takes over when the engineer's cannot go on. None when empty."
    )
    base_url: str = Field(
        "",
        max_length=500,
        description="Address of a server of your own that speaks OpenAI's protocol, or the provider's. Its key is read "
        "from TRAINWRIGHT_API_KEY.",
    )
    effort: Literal["", "none", "minimal", "low", "medium", "high", "xhigh", "max"] = Field(
        "", description="How hard the model thinks, where it can be told; its own default when empty."
    )
    context_tokens: int = Field(
        0, ge=0, le=100_000_000, description="Tokens that the model reads at most; asked or looked up when 0."
    )
    approvals: Literal["ask", "auto"] = Field("ask", description="ask: a person answers; auto: rules answer.")
    jobs: Literal["local"] = Field("local", description="Where training jobs run.")
    hub: Literal["local"] = Field("local", description="Where models are published.")
    step_cap: int = Field(300, ge=1, le=100_000, description="Engineer turns over the whole run.")
    max_hours: float = Field(24.0, gt=0, le=8_760, description="Wall-clock hours that the run may be at work.")
    max_usd: float | None = Field(
        None,
        ge=0,
        le=10_000_000,
        description="US dollars of the whole run. When empty: nothing for jobs and sandboxes that cost, and "
        "`max_model_usd` for calls of a model.",
    )
    max_model_usd: float | None = Field(
        None,
        ge=0,
        le=10_000_000,
        description="US dollars for calls of a model; `max_usd` when empty, and 5.00 when that is empty too.",
    )
    max_gpu_hours: float = Field(
        24.0, ge=0, le=1_000_000, description="GPU-hours of training jobs; two GPUs for an hour are two."
    )
    max_tokens: int = Field(
        20_000_000, ge=0, le=10**12, description="Tokens of model calls, read and written, over the whole run."
    )
    stages: dict[str, StageLimits] = Field(
        default_factory=dict, description="Limits of single stages, such as plan, on top of those of the run."
    )
    model_price: str = Field(
        "",
        max_length=60,
        description="US dollars for a million tokens read and a million written, such as 3/15, of the engineer's "
        "model; goes before the price list, and is needed where no list knows the model.",
    )
    machine_usd_per_hour: float = Field(
        0.0, ge=0, le=10_000, description="What an hour of a training job on this machine costs, in US dollars."
    )
    research_parallel: int = Field(3, ge=1, le=8, description="Research helpers at work at once.")
    research_turns: int = Field(
        12, ge=1, le=100, description="Turns of one research helper, at most; they count against `step_cap`."
    )
    research_max_usd: float = Field(
        1.0, ge=0, le=10_000, allow_inf_nan=False, description="US dollars for calls of a model by one research helper."
    )
    research_max_tokens: int = Field(
        500_000, ge=0, le=10**10, description="Tokens of model calls, read and written, by one research helper."
    )
    research_minutes: float = Field(
        10.0, gt=0, le=1_440, allow_inf_nan=False, description="Minutes at work of one research helper."
    )
    attempts: int = Field(3, ge=1, le=50, description="Rounds from plan to evaluation, at most.")
    repairs: int = Field(3, ge=0, le=20, description="Repairs of failing code in one attempt, at most.")
    seed: int = Field(0, ge=0, le=2**31 - 1, description="Seed of the split and of the training.")
    dry_run: bool = Field(False, description="End after the plan, with its estimate.")
    offline: bool = Field(False, description="Look things up in the cache alone, without the network.")


class Quote(Artifact):
    """A passage of the paper: the evidence for something read there."""

    page: int | None = Field(None, ge=1, description="From 1; none where there are no pages.")
    quote: str = Field("", description="The words or the table row as they stand there, at most 400 characters.")


class Claim(Quote):
    """A result that the paper states."""

    metric: str = Field(description="Canonical name, such as accuracy or rmse.")
    value: float = Field(description="Fraction for shares and rates, the data's own unit for errors such as RMSE.")
    dataset: str = Field("", description="Data set as the paper names it; empty if it does not say.")
    method: str = Field("", description="Method as the paper names it; empty if it does not say.")
    split: str = Field("", description="What the paper scored on: test, validation, 10-fold …; empty if unsaid.")


class Hyperparameter(Quote):
    """A setting that the paper states."""

    name: str = Field(description="Canonical name, such as C, gamma, n_estimators, learning_rate.")
    value: Scalar
    method: str = Field("", description="The method that it belongs to, as the paper names it; empty if unsaid.")


class PaperBrief(Artifact):
    """What the paper says: the artifact of `read_paper`. Each claim and setting carries its evidence."""

    title: str = ""
    source: str = Field("", description="Where the paper came from, as given; empty when there is only a goal.")
    arxiv_id: str = ""
    doi: str = ""
    pages: int = Field(0, ge=0)
    sha256: str = Field("", description="Of the file that was read.")
    summary: str = Field("", description="The abstract, or its first 1,500 characters; the goal if no paper.")
    method: str = Field("", description="The method that the paper proposes or uses, as it names it.")
    methods: list[str] = Field(default_factory=list, description="Every learning method that it names.")
    claims: list[Claim] = Field(default_factory=list)
    hyperparameters: list[Hyperparameter] = Field(default_factory=list)
    datasets: list[str] = Field(default_factory=list, description="Data sets that it names.")
    metrics: list[str] = Field(default_factory=list, description="Canonical names, most used first.")
    modality: Modality = Field("unknown", description="What kind of input the paper's task has.")
    text_path: str = Field("", description="The paper as Markdown, relative to the run's folder.")
    warnings: list[str] = Field(default_factory=list)


class Target(Artifact):
    """The score that the person wants."""

    metric: str
    op: Literal[">=", "<="]
    value: float

    def reached_by(self, value: float) -> bool:
        """Whether `value` is what the person wants."""
        return value >= self.value if self.op == ">=" else value <= self.value


class PlannedHyperparameter(Quote):
    """A setting of the plan and where it comes from."""

    name: str
    value: Scalar
    source: Literal["paper", "recipe", "chosen"]
    why: str = ""


class TrainingPlan(Artifact):
    """What will be done and why: the artifact of `plan`."""

    task: Task
    modality: Modality
    metric: str = Field(description="Canonical name of the metric that is optimised and reported.")
    direction: Direction
    target_column: str = Field("", description="Empty: decided by the audit in `find_data`.")
    approach: str = Field(description="One paragraph for the person who approves it.")
    reasons: list[str] = Field(default_factory=list, description="Why this and not something else, one line each.")
    recipe: str = Field("", description="Name of the recipe; empty when the code is written anew.")
    method: str = Field("", description="The learning method, in the field's words.")
    base_model: str = Field("", description="Pre-trained model that is fine-tuned; empty when none is.")
    hyperparameters: list[PlannedHyperparameter] = Field(default_factory=list)
    citations: list[Quote] = Field(default_factory=list)
    claim: Claim | None = Field(None, description="The paper's claim that the result is compared with.")
    target: Target | None = None
    baseline: str = Field("", description="Trivial baseline: majority class or mean.")
    hardware: str = Field("cpu", description="Hardware need in plain words.")
    seconds: float = Field(0.0, ge=0, description="Estimated training time.")
    usd_micros: int = Field(0, ge=0, description="Estimated cost; 0 for local jobs.")
    change: str = Field("", description="The one thing changed since the parent attempt; empty in the first.")
    parent: int | None = Field(None, description="Number of the attempt that this one starts from.")


class Column(Artifact):
    """One column of the data, as the audit found it."""

    name: str
    kind: Literal["number", "category", "text", "date", "boolean", "image", "vector", "id"]
    role: Literal["feature", "target", "id", "split", "group", "time", "dropped"] = "feature"
    missing: int = Field(0, ge=0, description="Missing values, in rows.")
    distinct: int = Field(0, ge=0)
    note: str = ""


class Finding(Artifact):
    """One thing that the audit found."""

    code: str = Field(description="Stable word, such as duplicate_rows, leaking_column, class_imbalance.")
    severity: Literal["info", "warning", "error"]
    message: str
    columns: list[str] = Field(default_factory=list)
    rows: int = Field(0, ge=0)


class SplitRecord(Artifact):
    """How the rows were divided; made once, frozen."""

    kind: Literal["official", "random", "stratified", "group", "time"]
    seed: int
    column: str = Field("", description="Group, time or official split column, where there is one.")
    note: str = ""
    train: int = Field(ge=0, description="Rows.")
    validation: int = Field(ge=0, description="Rows.")
    test: int = Field(ge=0, description="Rows.")
    removed_from_training: int = Field(0, ge=0, description="Rows whose exact copies lie in the test part.")


class Dataset(Artifact):
    """The frozen data: the artifact of `find_data`. The test labels lie in `withheld/`, and nowhere else."""

    name: str
    source: str
    revision: str = Field("", description="Commit or version of the source; sha256 of a local file.")
    licence: str = Field("unknown", description="As the source states it.")
    task: Task
    modality: Modality
    target: str
    classes: list[str] = Field(default_factory=list, description="Classification: canonical labels, sorted.")
    columns: list[Column] = Field(default_factory=list)
    rows: int = Field(ge=0)
    split: SplitRecord
    findings: list[Finding] = Field(default_factory=list)
    fingerprint: str = Field(description="sha256 over the canonical bytes of the three parts and the labels.")
    folder: str = Field("data", description="What training sees: train.parquet, validation.parquet, dataset.json.")


class CodeBundle(Artifact):
    """The code of an attempt: the artifact of `write_code`. A commit of the run's code repository."""

    commit: str
    files: dict[str, str] = Field(description="File name to sha256.")
    sha256: str = Field(description="Of the sorted `name sha256` lines: the identity that guards compare.")
    dependencies: list[str] = Field(default_factory=list, description="As the PEP 723 headers state them.")
    recipe: str = Field("", description="Recipe that it comes from; empty for code written anew.")
    unmodified: bool = Field(False, description="Every script is byte for byte the recipe's own: trusted code.")
    hyperparameters: dict[str, Scalar] | None = Field(
        None, description="Settings that the code fixes; None where only the code itself could say."
    )
    edited: bool = Field(False, description="A person changed it at the gate of the job.")
    change: str = Field("", description="What changed since the last commit, for a person.")


class Check(Artifact):
    """One thing that was checked and what came of it."""

    name: str
    passed: bool
    detail: str = ""


class SandboxReport(Artifact):
    """What the smoke run showed: the artifact of `sandbox_test`."""

    passed: bool
    code_sha256: str
    isolation: str = Field(description="bubblewrap, or process for a recipe's own unmodified script.")
    checks: list[Check] = Field(default_factory=list)
    error_class: str = ""
    error_tail: str = Field("", description="The last lines of the output, at most 4,000 characters.")
    seconds: float = Field(0.0, ge=0)
    peak_memory: int = Field(0, ge=0, description="Bytes, over the whole process tree.")
    estimated_seconds: float = Field(0.0, ge=0, description="Of the full training.")
    estimated_memory: int = Field(0, ge=0, description="Bytes, of the full training.")


class JobRecord(Artifact):
    """A training job, submitted once under `key`."""

    key: str
    engine: str
    handle: str = Field(description="How the engine names it; for the local engine its folder.")
    attempt: int
    code_sha256: str
    state: Literal["submitted", "running", "succeeded", "failed", "cancelled", "lost"] = "submitted"
    exit_code: int | None = None
    seconds: float = Field(0.0, ge=0)
    peak_memory: int = Field(0, ge=0)
    metrics: dict[str, float] = Field(default_factory=dict, description="Last value of each metric in the stream.")
    restarts: int = Field(0, ge=0, description="How often it was lost and started again.")
    error_class: str = ""
    error_tail: str = ""


class Baseline(Artifact):
    """What a model that ignores its input gets on the same rows."""

    name: str
    value: float


class ClaimVerdict(Artifact):
    """The paper's claim beside what was measured."""

    value: float
    metric: str
    verdict: Literal["reproduced", "better", "worse", "not_comparable"]
    why: str
    quote: str = ""
    page: int | None = None


class Evaluation(Artifact):
    """The score on the withheld labels, computed by the workflow: the artifact of `evaluate`."""

    attempt: int
    metric: str
    direction: Direction
    value: float
    low: float = Field(description="Lower end of the 95 % bootstrap interval.")
    high: float = Field(description="Upper end of the 95 % bootstrap interval.")
    n_test: int = Field(ge=1)
    baseline: Baseline
    claim: ClaimVerdict | None = None
    target_met: bool | None = Field(None, description="None when no target was set.")
    others: dict[str, float] = Field(default_factory=dict, description="Further metrics of the same predictions.")
    predictions_sha256: str = ""
    evaluator_sha256: str = Field("", description="Of the scoring code itself.")


class Publication(Artifact):
    """What was published: the artifact of `publish`."""

    key: str
    name: str
    location: str = Field(description="Absolute path or URL.")
    revision: str = Field(description="Commit.")
    files: list[str] = Field(default_factory=list)
    clean_score: float = Field(description="What the published copy scored in a clean place.")


class Attempt(Artifact):
    """One round from plan to evaluation. Attempts compete on validation; the test labels are used once."""

    number: int = Field(ge=1)
    parent: int | None = None
    method: str
    recipe: str = ""
    change: str = ""
    why: str = ""
    commit: str = ""
    hyperparameters: dict[str, Scalar] = Field(default_factory=dict)
    metric: str = ""
    validation: float | None = Field(None, description="Score on the validation part; None if it never got there.")
    seconds: float = Field(0.0, ge=0, description="Training time.")
    usd_micros: int = Field(0, ge=0)
    verdict: str = Field("", description="accepted, improved, no better, failed: …")
    sent_back: bool = Field(False, description="A person rejected its publication; it is no candidate any more.")


class Decision(Given):
    """One answer at a gate, as LangChain's human-in-the-loop response has it."""

    type: Literal["approve", "edit", "reject", "respond"]
    message: str = Field("", description="Feedback of a rejection, or the answer to a question.")
    edited_action: dict[str, Any] | None = Field(None, description="For edit: name and args of the action.")


class Decisions(Artifact):
    """The answer to a gate: one decision for each action that was shown."""

    decisions: list[Decision] = Field(min_length=1)


class Approval(Artifact):
    """What was decided at a gate, and by whom; bound to the hash of what was shown."""

    gate: str
    decision: Literal["approve", "edit", "reject", "respond"]
    by: Literal["person", "rule"]
    rule: str = Field("", description="Name of the policy's rule that decided, or that made a person decide.")
    shown_sha256: str
    message: str = ""
    at: str = Field("", description="UTC, ISO 8601.")


class Question(Artifact):
    """A typed question to a person; its answer is data and chooses no edge but the way back."""

    key: str = Field(description="What is asked, such as target_column; the answer is stored under it.")
    text: str
    options: list[str] = Field(default_factory=list, description="Allowed answers; any text when empty.")
    back_to: Literal["read_paper", "plan", "find_data", "write_code", "submit_job", "watch_job", "publish"] = Field(
        description="Node that asked."
    )


class NodeTime(Artifact):
    """Time that a node took, for the report."""

    node: str
    seconds: float = Field(ge=0)


def append(left: list[Any] | None, right: Sequence[Any] | Any) -> list[Any]:
    """Reducer: `right` (one item or a list) behind `left`."""
    items = list(right) if isinstance(right, list | tuple) else [right]
    return [*(left or []), *items]


def extend_transcript(state: list[AnyMessage] | None, writes: Sequence[Any]) -> list[AnyMessage]:
    """Reducer of the delta channel: every write of a step, in order, behind what is there."""
    out = list(state or [])
    for write in writes:
        out.extend(write if isinstance(write, list) else [write])
    return out


class State(BaseModel):
    """The state of a run between stages."""

    model_config = ConfigDict(extra="ignore")

    request: Request = Field(default_factory=Request)
    settings: Settings | None = Field(None, description="Copied from the context by the first node.")
    schema_version: int = SCHEMA_VERSION
    run: str = Field("", description="Readable name; empty until the first node has opened the run.")
    steps: int = Field(0, ge=0, description="Engineer turns so far; only `think` writes it.")
    status: Status = Status.RUNNING
    reason: str = Field("", description="Why the run ended or stopped, for a person.")
    brief: PaperBrief | None = None
    plan: TrainingPlan | None = None
    dataset: Dataset | None = None
    code: CodeBundle | None = None
    sandbox: SandboxReport | None = None
    job: JobRecord | None = None
    evaluation: Evaluation | None = None
    publication: Publication | None = None
    attempt: int = Field(1, ge=1, description="Number of the attempt under way.")
    accepted: int | None = Field(None, description="Number of the attempt whose model is published.")
    attempts: list[Attempt] = Field(default_factory=list)
    repairs: int = Field(0, ge=0, description="Repairs in this attempt.")
    contradicted: bool = Field(False, description="What `find_data` found last contradicts the plan.")
    submissions: int = Field(0, ge=0, description="Jobs that ran out of the run's time: the next one is a new job.")
    feedback: str = Field("", description="What the next stage must heed: a rejection, a failure, a contradiction.")
    question: Question | None = None
    answers: dict[str, str] = Field(default_factory=dict)
    told: int = Field(0, ge=0, description="Number of the last message of a person that the engineer was given.")
    problem: str = Field("", description="Why the last answer at a gate could not be used; the gate asks again.")
    carry: str = Field("", description="File with the transcript of a stage that a limit stopped.")
    stopped_at: str = Field("", description="Node at which the run ended early; `resume` re-enters there.")
    approvals: Annotated[list[Approval], append] = Field(default_factory=list)
    times: Annotated[list[NodeTime], append] = Field(default_factory=list)
    notes: Annotated[list[str], append] = Field(default_factory=list, description="Refused, dropped or left undone.")


class StageState(TypedDict, total=False):
    """The state inside a stage.

    Every step of a stage writes a checkpoint with all its channels, so the artifacts of other stages are ephemeral
    here: `prepare` sees them once and leaves them in the run's folder (`inputs`), and the stage's own artifact
    passes through in the last step. What stays is small and of constant size, but for the transcript.
    """

    request: Annotated[Request, EphemeralValue(Request)]
    settings: Settings
    run: str
    steps: int
    status: Status
    reason: str
    brief: Annotated[PaperBrief | None, EphemeralValue(PaperBrief)]
    plan: Annotated[TrainingPlan | None, EphemeralValue(TrainingPlan)]
    dataset: Annotated[Dataset | None, EphemeralValue(Dataset)]
    code: Annotated[CodeBundle | None, EphemeralValue(CodeBundle)]
    sandbox: Annotated[SandboxReport | None, EphemeralValue(SandboxReport)]
    job: Annotated[JobRecord | None, EphemeralValue(JobRecord)]
    evaluation: Annotated[Evaluation | None, EphemeralValue(Evaluation)]
    attempts: Annotated[list[Attempt], EphemeralValue(list)]
    attempt: int
    repairs: int
    feedback: str
    question: Annotated[Question | None, EphemeralValue(Question)]
    answers: Annotated[dict[str, str], EphemeralValue(dict)]
    approvals: Annotated[list[Approval], EphemeralValue(list)]
    decided: Annotated[list[Approval], append]
    remarks: Annotated[list[str], append]
    notes: Annotated[list[str], EphemeralValue(list)]
    carry: str
    stopped_at: str
    failures: Annotated[list[dict[str, Any]], append]
    inputs: str
    cleared: str
    reminders: int
    told: int
    repeats: int
    barred: list[str]
    keep: bool
    helped: Annotated[int, EphemeralValue(int)]
    transcript: Annotated[list[AnyMessage], DeltaChannel(extend_transcript, snapshot_frequency=500)]


class StageResult(TypedDict, total=False):
    """What a stage hands back to the run."""

    run: str
    settings: Settings
    request: Request
    steps: int
    status: Status
    reason: str
    brief: PaperBrief | None
    plan: TrainingPlan | None
    dataset: Dataset | None
    code: CodeBundle | None
    feedback: str
    contradicted: bool
    question: Question | None
    approvals: list[Approval]
    notes: list[str]
    carry: str
    stopped_at: str
    told: int


class ResearchState(TypedDict, total=False):
    """The state of one call of `research`: its questions, and what the helpers have reported so far."""

    run: str
    inputs: str
    stage: str
    settings: Settings
    call: dict[str, Any]
    steps: int
    limit: int
    begun: int
    reports: Annotated[list[dict[str, Any]], append]
    remarks: Annotated[list[str], append]
    helped: int
    transcript: list[AnyMessage]


class ResearchResult(TypedDict, total=False):
    """What a call of `research` hands back to its stage; `helped` is the number of turns that its helpers took."""

    helped: int
    remarks: list[str]
    transcript: list[AnyMessage]


class HelperState(TypedDict, total=False):
    """The state of one research helper, which has a transcript of its own."""

    run: str
    inputs: str
    stage: str
    settings: Settings
    number: int
    node: str
    question: str
    context: str
    share: int
    limit: int
    turns: int
    seconds: float
    reminders: int
    repeats: int
    barred: list[str]
    report: dict[str, Any]
    ended: str
    reports: list[dict[str, Any]]
    remarks: Annotated[list[str], append]
    transcript: Annotated[list[AnyMessage], DeltaChannel(extend_transcript, snapshot_frequency=500)]


class HelperResult(TypedDict, total=False):
    """What a research helper hands back."""

    reports: list[dict[str, Any]]
    remarks: list[str]
