"""The search for settings: starts, then steps along ladders, on held-out rows, within the budget.

What is fixed stays fixed in every trial. Held-out rows are the validation part; where that is small, out-of-fold rows
of the training part are scored with it, unless rows belong together. On large data the search looks at a part of the
training rows first and repeats its best trials on all of them. Nothing here sees other rows, and nothing is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from budget import Budget, fit_seconds
from contract import BadInput, Floats, Rows, Schema
from features import Options
from fitting import STAGE, Fitted, Matrices, encoded, fit, fit_stages, one_thread_each
from methods import Method, Settings, Situation, features_of
from outputs import DECIDED, Rule, choose_rule
from parts import Part, drawn, folds
from scores import positive_class, quality

__all__ = ["Search", "Trial"]

SMALL_HELD = 1_500
"""Validation rows below which out-of-fold rows are scored as well."""

FOLDS = 5
TRIALS = 14
"""Trials that a search should be able to afford; what they are planned on shrinks until it can."""

LEAST_ROWS = 2_000
"""Training rows below which no search looks at a part only."""

SCORED_ROWS = 20_000
"""Held-out rows that a trial is scored on, at most."""

PLAN_SHARE = 0.4
"""Share of the allowance that trials with folds may take by their estimates."""

FEATURE_KEYS = ("scaling", "categories", "terms", "ngram_max", "weighting", "n_components")
UNFIT = (ValueError, ArithmeticError, np.linalg.LinAlgError)
"""What estimators raise when settings and data do not go together."""

FULL_TREES = 300
SEARCH_TREES = 100
BRIEF = 20


@dataclass(frozen=True)
class Trial:
    """One set of settings and what it reached.

    Attributes:
        settings: all of them, with the number of boosting iterations that was best.
        quality: on held-out rows; larger is better.
        rule: of decisions, chosen on the same rows; None for regression.
        rows: fitted on.
        failed: why the method could not be fitted so; empty if it could.
    """

    settings: Settings
    quality: float
    rule: Rule | None
    rows: int
    failed: str = ""


Report = Callable[[Trial, "Search"], None]


@dataclass
class Search:
    """A search for the settings of one method.

    Attributes:
        fixed: settings that must not change.
        train, validation: validation may be empty if train has at least ten rows.
        budget: what may be spent.
        report: is called after each trial.
        brief: forests and boosting stay small unless their size is fixed: for a smoke run.
    """

    method: Method
    fixed: Mapping[str, Any]
    situation: Situation
    schema: Schema
    train: Rows
    validation: Rows
    metric: str
    budget: Budget
    report: Report = lambda trial, search: None
    brief: bool = False
    trials: list[Trial] = field(default_factory=list, init=False)
    fits: int = field(default=0, init=False)
    _seen: dict[tuple[Any, ...], Trial] = field(default_factory=dict, init=False)
    _columns: dict[Options, float] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.matrices = Matrices(self.situation.seed)
        truth = encoded(self.schema, self.train)
        self.positive = positive_class(self.schema.classes, truth) if self.situation.classes == 2 else 1
        counts = np.bincount(truth, minlength=self.situation.classes) if self.situation.classes else np.empty(0)
        self.priors = tuple(float(share) for share in counts / max(1, len(self.train)))

    def run(self) -> Trial:
        """The best trial, made on all training rows."""
        starts = self._starts()
        whole = self._whole(starts[0])
        self._keep_back(starts[0])
        small = self._small(starts[0], len(whole))
        parts = small or whole
        best = self._climb(self._best_start(starts, parts), parts)
        return self._climb(self._repeated(best, starts[0], whole), whole) if small else best

    def _keep_back(self, settings: Settings) -> None:
        """Reserve what the last two fits, of training rows and of all rows, will take with these settings."""
        rows, full = len(self.train), self._full(settings)
        self.budget.reserve = self._estimate(full, rows) + self._estimate(full, rows + len(self.validation))

    def _best_start(self, starts: Sequence[Settings], parts: Sequence[Part]) -> Trial:
        found = self._trials(starts, parts, forced=1)
        while all(trial.failed for trial in found) and len(found) < len(starts):
            found += self._trials([starts[len(found)]], parts, forced=1)
        return self._possible(max(found, key=lambda trial: (not trial.failed, trial.quality)))

    def _possible(self, trial: Trial) -> Trial:
        if trial.failed:
            raise BadInput(f"{self.method.name} cannot be fitted on these data: {trial.failed}")
        return trial

    def first(self) -> Trial:
        """One trial of the first start that can be fitted: does it run at all?"""
        parts = self._against_validation() or folds(self.schema, self.train, 2, self.situation.seed)
        for settings in self._starts():
            (trial,) = self._trials([settings], parts, forced=1)
            if not trial.failed:
                break
        return self._possible(trial)

    def final(self, trial: Trial) -> tuple[Trial, Fitted]:
        """The trial's settings, fitted on the training rows; forests grow from search size to full size."""
        settings = self._full(trial.settings)
        made = [self._made(part, settings)[:2] for part in self._against_validation()]
        fitted = fit(self.method, settings, self.situation, self.schema, self.train, made[0] if made else None)
        self.fits += 1
        if not self.situation.regression and len(self.validation) >= SMALL_HELD:
            rule = self._rule(fitted.raw(self.validation), encoded(self.schema, self.validation))
            return replace(trial, settings=settings, rule=rule), fitted
        return replace(trial, settings=settings), fitted

    def _full(self, settings: Settings) -> Settings:
        if self.brief or "n_estimators" not in settings or "n_estimators" in self.fixed:
            return dict(settings)
        return {**settings, "n_estimators": FULL_TREES}

    def scores(self, fitted: Fitted, rule: Rule | None, rows: Rows) -> float:
        """Quality of a model on rows, by the metric."""
        return self._quality(fitted.raw(rows), encoded(self.schema, rows), rule)

    def _starts(self) -> list[Settings]:
        """The method's starts with the fixed settings in them, each once."""
        kept: dict[tuple[Any, ...], Settings] = {}
        for start in self.method.starts(self.situation):
            settings = self._merged(start)
            kept.setdefault(self._signature(settings), settings)
        return list(kept.values())

    def _merged(self, settings: Mapping[str, Any]) -> Settings:
        merged = {**settings, **self.fixed}
        if "gamma" in self.fixed:
            merged.pop("width", None)
        if self.method.name in ("random_forest", "extra_trees"):
            merged.setdefault("n_estimators", BRIEF if self.brief else SEARCH_TREES)
        return merged

    def _signature(self, settings: Mapping[str, Any]) -> tuple[Any, ...]:
        rest = tuple(sorted((k, repr(v)) for k, v in settings.items() if k not in FEATURE_KEYS))
        return (features_of(self.method, settings, self.situation), rest)

    # What trials are made on.

    def _whole(self, settings: Settings) -> list[Part]:
        """All training rows against validation, and folds of training rows where validation is small."""
        whole = self._against_validation()
        if self.schema.clustered or (len(self.validation) >= SMALL_HELD and whole):
            return whole
        fit_cost = self._estimate(settings, len(self.train)) / self._abreast
        for trials, count in ((TRIALS, FOLDS), (TRIALS, 3), (TRIALS // 2, FOLDS), (TRIALS // 2, 3)):
            cost = trials * (count + len(whole)) * fit_cost
            if not whole or cost < PLAN_SHARE * self.budget.allowance:
                return [*folds(self.schema, self.train, count, self.situation.seed), *whole]
        return whole

    def _small(self, settings: Settings, parts: int) -> list[Part]:
        """A part of the training rows, if trials on all of them would cost too much; otherwise nothing."""
        rows = len(self.train)
        wanted = max(LEAST_ROWS, min(rows, 50 * max(1, self.situation.classes)))
        plan = self.budget.plan
        if rows <= wanted or not len(self.validation) or TRIALS * parts * self._estimate(settings, rows) < plan:
            return []
        size = rows
        while size > wanted and TRIALS * self._estimate(settings, size) > plan / 2:
            size = max(wanted, size // 2)
        if size == rows:
            return []
        few = drawn(self.schema, self.train, size, self.situation.seed)
        return [Part("small", few, part.held) for part in self._against_validation()]

    def _against_validation(self) -> list[Part]:
        """All training rows against validation rows; nothing where there are none of those."""
        held = self.validation.take(np.arange(min(len(self.validation), SCORED_ROWS)))
        return [Part("whole", self.train, held)] if len(held) else []

    def _estimate(self, settings: Settings, rows: int) -> float:
        """Estimated seconds of one fit on that many rows, features included."""
        situation = self.situation
        options = features_of(self.method, settings, situation)
        if options not in self._columns:
            sample = self.train.take(np.arange(min(len(self.train), 500)))
            _, matrix, _ = self.matrices.of("sample", options, sample, None)
            self._columns[options] = matrix.nnz / max(1, len(sample)) if hasattr(matrix, "nnz") else matrix.shape[1]
        given = dict(settings)
        if self._staged(settings):
            given["max_iter"] = min(200, self._most(settings))
        threads = situation.threads if self.method.parallel else 1
        seconds = fit_seconds(
            self.method.name, given, rows, self._columns[options], situation.classes, threads, not options.dense
        )
        return seconds + rows * (2e-7 * self._columns[options] + 5e-5 * situation.texts)

    # Trials.

    def _trials(self, wanted: Sequence[Settings], parts: Sequence[Part], forced: int = 0) -> list[Trial]:
        """Trials of these settings, in their order, as far as the budget goes; the first `forced` ones in any case."""
        at_once = max(1, self._abreast // len(parts))
        found: list[Trial] = []
        for place in range(0, len(wanted), at_once):
            chunk = wanted[place : place + at_once]
            made = self._chunk(chunk, parts, forced - place)
            found += made
            if len(made) < len(chunk):
                break
        return found

    def _chunk(self, wanted: Sequence[Settings], parts: Sequence[Part], forced: int) -> list[Trial]:
        """As `_trials`, for as many as are made at the same time: the clock is read once for all of them."""
        signatures = [(parts[0].key, *self._signature(settings)) for settings in wanted]
        allowed: dict[tuple[Any, ...], Settings] = {}
        for number, (signature, settings) in enumerate(zip(signatures, wanted, strict=True)):
            if signature in self._seen or signature in allowed:
                continue
            estimate = sum(self._estimate(settings, len(part.train)) for part in parts) / self._abreast
            if number < forced:
                self.budget.force(estimate)
            elif not self.budget.allows(estimate):
                break
            allowed[signature] = settings
        began = self.budget.clock()
        for signature, trial in zip(allowed, self._carried_out(list(allowed.values()), parts), strict=True):
            self._seen[signature] = trial
            self.trials.append(trial)
            self.report(trial, self)
        if allowed:
            self.budget.took(self.budget.clock() - began)
        return [self._seen[signature] for signature in signatures if signature in self._seen]

    @property
    def _abreast(self) -> int:
        """Fits that are made at once: one where the estimator uses all cores itself."""
        return 1 if self.method.parallel else self.situation.threads

    def _carried_out(self, wanted: Sequence[Settings], parts: Sequence[Part]) -> list[Trial]:
        if not wanted:
            return []
        if self.method.look == "boosting":
            return [self._boosted(settings, parts) for settings in wanted]
        jobs = [(settings, part, self._made(part, settings)) for settings in wanted for part in parts]
        if self._abreast > 1 and len(jobs) > 1:
            with one_thread_each(), ThreadPoolExecutor(self._abreast) as pool:
                raws = list(pool.map(self._raw_or_reason, jobs))
        else:
            raws = [self._raw_or_reason(job) for job in jobs]
        width = len(parts)
        return [
            self._judged(settings, raws[place * width : (place + 1) * width], parts)
            for place, settings in enumerate(wanted)
        ]

    def _raw_or_reason(self, job: tuple[Settings, Part, tuple[Any, Any, Any]]) -> Floats | str:
        """Raw outputs for the held-out rows, or why the estimator could not be fitted so."""
        settings, part, (features, matrix, held) = job
        self.fits += 1
        try:
            fitted = fit(self.method, settings, self.situation, self.schema, part.train, (features, matrix))
            return fitted.raw_of(held)
        except UNFIT as error:
            return _reason(error)

    def _judged(self, settings: Settings, raws: Sequence[Floats | str], parts: Sequence[Part]) -> Trial:
        rows = max(len(part.train) for part in parts)
        reasons = [raw for raw in raws if isinstance(raw, str)]
        if reasons:
            return Trial(settings, float("-inf"), None, rows, reasons[0])
        raw = np.concatenate([raw for raw in raws if not isinstance(raw, str)])
        truth = np.concatenate([encoded(self.schema, part.held) for part in parts])
        rule = None if self.situation.regression else self._rule(raw, truth)
        return Trial(settings, self._quality(raw, truth, rule), rule, rows)

    def _rule(self, raw: Floats, truth: Any) -> Rule:
        return choose_rule(raw, truth, self.metric, self.positive, self.priors, calibrate=True)

    def _quality(self, raw: Floats, truth: Any, rule: Rule | None) -> float:
        if rule is None:
            return quality(self.metric, truth, raw)
        return quality(self.metric, truth, rule.decide(raw), rule.shares(raw), self.positive)

    def _made(self, part: Part, settings: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        situation = replace(self.situation, rows=len(part.train))
        options = features_of(self.method, settings, situation)
        return self.matrices.of(part.key, options, part.train, part.held)

    # Boosting: the number of iterations is read off the held-out rows instead of being tried.

    def _staged(self, settings: Mapping[str, Any]) -> bool:
        return self.method.look == "boosting" and "max_iter" not in settings

    def _most(self, settings: Mapping[str, Any]) -> int:
        if self.brief:
            return BRIEF
        rate = float(settings.get("learning_rate", 0.1))
        wanted = int(min(1_500, max(200, 30 / rate)))
        classes = 1 if self.situation.classes <= 2 else self.situation.classes
        # Many classes need as many trees an iteration, so fewer iterations are affordable.
        return max(60, min(wanted, 6_000 // classes))

    def _boosted(self, settings: Settings, parts: Sequence[Part]) -> Trial:
        if not self._staged(settings):
            return self._judged(
                settings, [self._raw_or_reason((settings, p, self._made(p, settings))) for p in parts], parts
            )
        try:
            curves = [self._curve(settings, part) for part in parts]
        except UNFIT as error:
            return self._judged(settings, [_reason(error)], parts)
        truth = np.concatenate([encoded(self.schema, part.held) for part in parts])
        found = [
            self._stage_quality(np.concatenate([raw for _, raw in stages]), truth)
            for stages in zip(*curves, strict=False)
        ]
        best = int(np.argmax(_smoothed(found)))
        return self._judged({**settings, "max_iter": curves[0][best][0]}, [curve[best][1] for curve in curves], parts)

    def _curve(self, settings: Settings, part: Part) -> list[tuple[int, Floats]]:
        """Raw outputs after each few iterations, until the best number of them lies well behind."""
        truth = encoded(self.schema, part.held)
        curve: list[tuple[int, Floats]] = []
        values: list[float] = []
        stages = fit_stages(
            self.method, settings, self.situation, self.schema, part.train, self._made(part, settings),
            self._most(settings),
        )  # fmt: skip
        self.fits += 1
        for count, raw in stages:
            curve.append((count, raw))
            values.append(self._stage_quality(raw, truth))
            if count % STAGE == 0 and curve[int(np.argmax(values))][0] < 0.7 * count:
                break
        return curve

    def _stage_quality(self, raw: Floats, truth: Any) -> float:
        if self.situation.regression:
            return quality(self.metric, truth, raw)
        plain = Rule(positive=self.positive)
        # Decisions of rare classes are weighed afterwards, so what counts here is the probabilities.
        metric = "log_loss" if self.metric in DECIDED else self.metric
        return quality(metric, truth, plain.decide(raw), plain.shares(raw), self.positive)

    # Steps.

    def _climb(self, best: Trial, parts: Sequence[Part]) -> Trial:
        """Steps along one ladder at a time, until a whole round brings nothing."""
        ladders = {key: list(values) for key, values in self.method.ladders(self.situation).items() if self._free(key)}
        for _ in range(3):
            before = best
            for key, values in ladders.items():
                self._keep_back(self._changed(best, {}))
                best = self._along(best, key, values, parts)
            if best is before:
                break
        return best

    def _free(self, key: str) -> bool:
        return key not in self.fixed and not (key == "width" and "gamma" in self.fixed)

    def _along(self, best: Trial, key: str, values: list[Any], parts: Sequence[Part]) -> Trial:
        """The best of the neighbours on a ladder, and further in its direction while that brings something."""
        if all(isinstance(value, str) for value in values):
            return self._better(best, [{key: value} for value in values], parts)
        place = _place(best.settings.get(key), values)
        near = [at for at in (place + 1, place - 1) if 0 <= at < len(values)]
        if best.settings.get(key) is None:
            near.append(place)
        found = self._better(best, [{key: values[at]} for at in near], parts)
        while found is not best:
            best, at = found, values.index(found.settings[key])
            step = 1 if at > place else -1
            if at == place or not 0 <= at + step < len(values):
                break
            found = self._better(best, [{key: values[at + step]}], parts)
        return best

    def _better(self, best: Trial, changes: Sequence[Settings], parts: Sequence[Part]) -> Trial:
        """The best of these changes if it brings more than noise, otherwise the best so far."""
        found = self._trials([self._changed(best, change) for change in changes], parts)
        top = max(found, key=lambda trial: trial.quality, default=best)
        return top if top.quality > best.quality + self._noise(best, parts) else best

    def _changed(self, trial: Trial, change: Settings) -> Settings:
        """The trial's settings with a change; how many boosting iterations are best then is open again."""
        settings = {**trial.settings, **change}
        if self.method.look == "boosting" and "max_iter" not in self.fixed:
            settings.pop("max_iter", None)
        return settings

    def _noise(self, best: Trial, parts: Sequence[Part]) -> float:
        """What a gain must pass: a tenth of a standard error of a share, or a thousandth of an error."""
        held = sum(len(part.held) for part in parts)
        value = abs(best.quality)
        if self.situation.regression or self.metric == "log_loss" or value > 1:
            return 1e-3 * value
        return 0.1 * float(np.sqrt(max(value * (1 - value), 1e-4) / max(1, held)))

    def _repeated(self, best: Trial, start: Settings, whole: Sequence[Part]) -> Trial:
        """The best trials of the small part, and the usual settings, once more on all rows: at least the very best."""
        others = sorted((trial for trial in self.trials if trial is not best), key=lambda trial: -trial.quality)
        wanted = [self._changed(best, {}), dict(start), *(self._changed(trial, {}) for trial in others[:2])]
        found = self._trials(wanted, whole, forced=1)
        return self._possible(max(found, key=lambda trial: (not trial.failed, trial.quality)))


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]


def _place(value: Any, values: Sequence[Any]) -> int:
    """Position of the value on a ladder, or of the nearest number; the middle where there is none."""
    if value in values:
        return values.index(value)
    numbers = (
        [(abs(v - value), i) for i, v in enumerate(values) if isinstance(v, int | float)]
        if isinstance(value, int | float)
        else []
    )
    return min(numbers)[1] if numbers else len(values) // 2


def _smoothed(values: Sequence[float]) -> Floats:
    """Each value averaged with its neighbours, so that no lucky single iteration wins."""
    padded = np.pad(np.asarray(values, dtype=np.float64), 1, mode="edge")
    return np.convolve(padded, [0.25, 0.5, 0.25], mode="valid")
