"""The methods: how settings become an estimator and feature options, and where the search begins and may go.

A setting is named as in scikit-learn where it has a name there. `starts` are whole settings in the order in which
they are tried, the first a sound default; `ladders` are the values that the search may climb afterwards. Which
settings a person may fix, and their ranges, is `recipes.toml`. Nothing is fitted here; that is `search.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from estimators import BUILDERS
from features import Options

__all__ = ["METHODS", "Method", "Settings", "Situation", "features_of"]

Settings = dict[str, Any]
Ladders = dict[str, Sequence[Any]]

WEIGHTED = ("balanced_accuracy", "f1", "f1_macro", "recall", "recall_macro", "precision_macro", "mcc", "cohen_kappa")
"""Metrics in which rare classes weigh more than their share of the rows."""


@dataclass(frozen=True)
class Situation:
    """What the choice of settings may depend on.

    Attributes:
        rows: of training.
        width: number, boolean and date columns (a date counts as several).
        pixels: values in images and arrays, per row.
        categories: category columns.
        texts: text columns.
        classes: 0 for regression.
        counts: the target holds whole numbers from 0 only.
        skewed: the target is positive with a long upper tail.
        fixed: names of the settings that are given.
        rarest: training rows of the rarest class that has any.
    """

    task: str
    modality: str
    rows: int
    width: int
    pixels: int
    categories: int
    texts: int
    classes: int
    metric: str
    counts: bool = False
    skewed: bool = False
    fixed: frozenset[str] = frozenset()
    seed: int = 0
    threads: int = 1
    rarest: int = 1

    @property
    def regression(self) -> bool:
        """Whether the target is a number."""
        return self.task == "regression"

    @property
    def sparse(self) -> bool:
        """Whether there are texts, whose matrix is kept sparse."""
        return self.texts > 0

    @property
    def plain_pixels(self) -> bool:
        """Whether rows are pixels or an array and nothing else."""
        return self.pixels > 0 and not (self.width or self.categories or self.texts)


@dataclass(frozen=True)
class Method:
    """One learning method.

    Attributes:
        build: settings and situation to an unfitted estimator.
        look: how it wants its matrix: linear, kernel, tree, boosting, dense, counts.
        starts: whole settings, tried in order.
        ladders: values of each setting, in order, that the search may step along.
        parallel: the estimator uses all cores itself.
        tasks: classification, regression.
    """

    name: str
    build: Callable[[Mapping[str, Any], Situation], Any]
    look: str
    starts: Callable[[Situation], list[Settings]]
    ladders: Callable[[Situation], Ladders]
    parallel: bool = False
    tasks: tuple[str, ...] = ("classification", "regression")


def features_of(method: Method, settings: Mapping[str, Any], situation: Situation) -> Options:
    """The feature options of these settings; what the settings leave out follows from the method's look."""
    look = method.look
    tree = look in ("tree", "boosting")
    dense = look in ("boosting", "dense") or not situation.sparse
    scaling = settings.get("scaling")
    if scaling is None:
        scaling = (
            "none" if tree else "range" if look == "counts" else "pixels" if situation.plain_pixels else "standard"
        )
    if settings.get("numbers") == "bins":
        scaling = "bins"
    return Options(
        scaling=str(scaling),
        categories="codes" if look == "boosting" else str(settings.get("categories", "codes" if tree else "onehot")),
        keep_missing=tree and dense,
        terms=str(settings.get("terms", "word")),
        ngrams=int(settings.get("ngram_max", 2)),
        weighting=str(settings.get("weighting", "tfidf")),
        dense=dense,
        components=int(settings.get("n_components", 0)),
    )


def _expand(settings: Settings, key: str, values: Sequence[Any]) -> list[Settings]:
    return [{**settings, key: value} for value in values]


def _target(s: Situation, base: str) -> Ladders:
    """How the target is transformed: its logarithm only where its distribution suggests it."""
    if not s.regression:
        return {}
    return {"target": [base, "log"]} if s.skewed else {}


def _weights(s: Situation) -> Ladders:
    return {} if s.regression or s.metric not in WEIGHTED else {"class_weight": ["none", "balanced"]}


def _scalings(s: Situation) -> Ladders:
    """Scalings worth a try; a length scale that is given is on the paper's own scaling, so that is tried as well."""
    if s.modality == "text":
        return {}
    given = bool(s.fixed & {"gamma", "coef0"})
    if s.plain_pixels:
        return {"scaling": ["pixels", "none", "standard"] if given else ["pixels", "standard"]}
    ladder = ["standard", "range", "none"] if given else ["quantile", "standard", "range"]
    return {"scaling": ladder}


def _terms(s: Situation) -> Ladders:
    if not s.texts:
        return {}
    return {"terms": ["word", "word+char", "char"], "ngram_max": [1, 2, 3]}


def _components(s: Situation) -> Ladders:
    return {"n_components": [0, 30, 60, 120]} if s.plain_pixels and s.pixels > 100 else {}


def _reduce(s: Situation) -> Settings:
    """Many pixels and many rows: principal components first."""
    return {"n_components": 60} if s.plain_pixels and s.pixels > 300 and s.rows > 3_000 else {}


def _given_scale(s: Situation, starts: list[Settings]) -> list[Settings]:
    """The first start once for each scaling when a length scale is given."""
    if not s.fixed & {"gamma", "coef0"}:
        return starts
    scaled = [{**starts[0], "scaling": value} for value in _scalings(s).get("scaling", [])]
    return [*scaled, *starts] if scaled else starts


DECADES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)


def _linear_starts(s: Situation) -> list[Settings]:
    if s.texts:
        words, both = {"C": 1.0, "terms": "word"}, {"C": 1.0, "terms": "word+char"}
        return [words, both, {**both, "C": 0.3}, {**words, "C": 10.0}]
    return [{"C": 1.0}, {"C": 0.1}, {"C": 10.0}, {"C": 0.01}]


def _linear_ladders(s: Situation) -> Ladders:
    return {"C": DECADES, **_terms(s), **_scalings(s), **_weights(s), **_target(s, "standard")}


def _alpha_starts(s: Situation) -> list[Settings]:
    return _expand({}, "alpha", [1.0, 0.01, 10.0, 100.0])


def _alpha_ladders(s: Situation) -> Ladders:
    return {"alpha": DECADES, **_scalings(s), **_terms(s), **_target(s, "none")}


def _sparse_starts(s: Situation) -> list[Settings]:
    if "alpha" in s.fixed:
        # A penalty that is given is one for a target in its own unit, or for a standardised one.
        return [{"target": "none"}, {"target": "standard"}]
    return _expand({"target": "standard"}, "alpha", [0.01, 0.001, 0.1, 0.0001])


def _sparse_ladders(s: Situation) -> Ladders:
    ladder = (1e-5, 3e-5, 1e-4, 3e-4, *DECADES[:8])
    mix: Ladders = {"l1_ratio": [0.1, 0.3, 0.5, 0.7, 0.9]}
    return {"alpha": ladder, **mix, **_scalings(s), **_terms(s), **_target(s, "standard")}


def _poisson_starts(s: Situation) -> list[Settings]:
    return _expand({}, "alpha", [0.01, 0.001, 0.1, 1.0])


def _poisson_ladders(s: Situation) -> Ladders:
    return {"alpha": (1e-5, 1e-4, *DECADES[:9]), **_scalings(s)}


def _kernel_starts(s: Situation) -> list[Settings]:
    pairs = [(10.0, 1.0), (10.0, 4.0), (1.0, 1.0), (100.0, 0.25), (10.0, 0.25)]
    if s.regression:
        pairs.insert(1, (100.0, 1.0))
    target = {"target": "standard"} if s.regression else {}
    return _given_scale(s, [{"C": c, "width": width, **_reduce(s), **target} for c, width in pairs])


def _kernel_ladders(s: Situation) -> Ladders:
    widths = (0.03, 0.06, 0.12, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
    tube: Ladders = {"epsilon": [0.01, 0.03, 0.1, 0.2]} if s.regression else {}
    shared = {**_scalings(s), **_components(s), **_terms(s), **_weights(s), **_target(s, "standard")}
    return {"C": DECADES[5:], "width": widths, **tube, **shared}


def _poly_starts(s: Situation) -> list[Settings]:
    target = {"target": "standard"} if s.regression else {}
    pairs = [(1.0, 3), (1.0, 2), (10.0, 3), (0.1, 3)]
    return _given_scale(s, [{"C": c, "degree": degree, **_reduce(s), **target} for c, degree in pairs])


def _poly_ladders(s: Situation) -> Ladders:
    return {**_kernel_ladders(s), "degree": [2, 3, 4, 5], "coef0": [0.0, 1.0]}


def _knn_starts(s: Situation) -> list[Settings]:
    cosine = {"metric": "cosine"} if s.texts else {}
    pairs = [(5, "distance"), (1, "uniform"), (15, "distance"), (5, "uniform")]
    return [{"n_neighbors": k, "weights": weights, **cosine, **_reduce(s)} for k, weights in pairs]


def _knn_ladders(s: Situation) -> Ladders:
    return {
        "n_neighbors": [1, 2, 3, 4, 5, 7, 9, 12, 15, 20, 30, 50, 80],
        "weights": ["uniform", "distance"],
        "metric": ["euclidean", "cosine"] if s.texts else ["euclidean", "manhattan", "cosine"],
        **_scalings(s),
        **_components(s),
        **_terms(s),
        **_target(s, "none"),
    }


def _tree_starts(s: Situation) -> list[Settings]:
    pairs = [("none", 1), (8, 5), ("none", 10), (5, 5)]
    return [{"max_depth": depth, "min_samples_leaf": leaf} for depth, leaf in pairs]


def _tree_ladders(s: Situation) -> Ladders:
    criteria: Ladders = {} if s.regression else {"criterion": ["gini", "entropy"]}
    depths = [2, 3, 4, 5, 6, 8, 10, 14, 20, "none"]
    return {"max_depth": depths, "min_samples_leaf": [1, 2, 3, 5, 10, 20, 40, 80], **criteria, **_weights(s)}


def _forest_starts(s: Situation) -> list[Settings]:
    shares = [0.33, 1.0, "sqrt"] if s.regression else ["sqrt", 0.33]
    starts: list[Settings] = [{"max_features": share, "min_samples_leaf": 1} for share in shares]
    return [*starts, {"max_features": shares[0], "min_samples_leaf": 3}]


def _forest_ladders(s: Situation) -> Ladders:
    return {
        "max_features": ["log2", "sqrt", 0.33, 0.6, 1.0],
        "min_samples_leaf": [1, 2, 3, 5, 10],
        "categories": ["codes", "onehot"] if s.categories else ["codes"],
        **_terms(s),
        **_weights(s),
        **_target(s, "none"),
    }


def _boosting_starts(s: Situation) -> list[Settings]:
    small = s.rows < 2_000
    leaf = 5 if s.rows < 500 else 20
    first: Settings = {"learning_rate": 0.1, "max_leaf_nodes": 31, "min_samples_leaf": leaf}
    slow: Settings = {**first, "learning_rate": 0.05, "max_features": 0.5}
    few: Settings = {**first, "max_leaf_nodes": 7, "max_features": 0.5}
    counted = [{**first, "loss": "poisson"}] if s.counts and s.regression else []
    return [first, *counted, few, slow] if small else [first, *counted, slow, few]


def _boosting_ladders(s: Situation) -> Ladders:
    losses: Ladders = {}
    if s.regression:
        absolute = ["absolute_error"] if s.metric in ("mae", "medae", "mape") else []
        losses = {"loss": [*absolute, "squared_error", *(["poisson"] if s.counts else [])]}
    return {
        "learning_rate": [0.025, 0.05, 0.1, 0.2],
        "max_leaf_nodes": [4, 7, 15, 31, 63, 127],
        "min_samples_leaf": [2, 5, 10, 20, 40, 80],
        "max_features": [0.15, 0.3, 0.5, 1.0],
        "l2_regularization": [0.0, 1.0, 10.0],
        **losses,
        **_weights(s),
        **_target(s, "none"),
    }


def _mlp_starts(s: Situation) -> list[Settings]:
    target = {"target": "standard"} if s.regression else {}
    wide = "256" if s.pixels else "100"
    base: Settings = {"hidden_layer_sizes": wide, "alpha": 1e-4, "learning_rate_init": 0.001, **target}
    faster = {**base, "learning_rate_init": 0.005}
    deep = {**base, "hidden_layer_sizes": "100-100", "learning_rate_init": 0.003}
    return [faster, base, deep, {**faster, "alpha": 0.1}] if s.rows < 5_000 else [base, faster, deep]


def _mlp_ladders(s: Situation) -> Ladders:
    return {
        "alpha": [1e-5, 1e-4, 1e-3, 0.01, 0.1, 1.0],
        "learning_rate_init": [0.0003, 0.001, 0.003, 0.005, 0.01, 0.02],
        "hidden_layer_sizes": ["32", "50", "100", "200", "256", "512"],
        **_scalings(s),
        **_terms(s),
        **_target(s, "standard"),
    }


def _gaussian_starts(s: Situation) -> list[Settings]:
    if s.plain_pixels:
        return [{"var_smoothing": 0.01, "scaling": "pixels"}, {"numbers": "bins"}]
    both: list[Settings] = [{"numbers": "gaussian"}, {"numbers": "bins", "var_smoothing": 1e-9}]
    return both[::-1] if s.categories else both


def _gaussian_ladders(s: Situation) -> Ladders:
    smoothing = [1e-9, 1e-6, 1e-4, 1e-3, 0.01, 0.03, 0.1, 0.3]
    return {"var_smoothing": smoothing, "numbers": ["gaussian", "bins"], **_scalings(s), **_components(s)}


def _bayes_starts(s: Situation) -> list[Settings]:
    if not s.texts:
        return [{"alpha": 1.0}, {"alpha": 0.1}]
    rows: list[tuple[str, float, int]] = [("binary", 1.0, 2), ("count", 1.0, 2), ("tfidf", 0.1, 2), ("binary", 0.3, 1)]
    return [{"weighting": weighting, "alpha": alpha, "ngram_max": n} for weighting, alpha, n in rows]


def _bayes_ladders(s: Situation) -> Ladders:
    weightings: Ladders = {"weighting": ["binary", "count", "tfidf"]} if s.texts else {}
    return {"alpha": DECADES[2:9], **weightings, **_terms(s)}


def _binary_starts(s: Situation) -> list[Settings]:
    scaling = {} if s.texts else {"scaling": "binary" if s.plain_pixels else "bins"}
    return [{"alpha": alpha, "ngram_max": n, "weighting": "binary", **scaling} for alpha, n in ((1.0, 1), (0.1, 2))]


def _binary_ladders(s: Situation) -> Ladders:
    return {"alpha": DECADES[2:8], **_terms(s)}


def _nbsvm_starts(s: Situation) -> list[Settings]:
    rows = [(1.0, 0.25, 1.0), (0.1, 0.25, 1.0), (1.0, 0.5, 1.0), (0.1, 1.0, 1.0), (0.03, 1.0, 0.3)]
    return [{"C": c, "beta": beta, "alpha": alpha, "weighting": "binary", "ngram_max": 2} for c, beta, alpha in rows]


def _nbsvm_ladders(s: Situation) -> Ladders:
    ladders: Ladders = {"C": DECADES[1:9], "beta": [0.1, 0.25, 0.5, 0.75, 1.0], "alpha": [0.1, 0.3, 1.0, 3.0]}
    return {**ladders, "weighting": ["binary", "tfidf"], **_terms(s), **_weights(s)}


def _lda_starts(s: Situation) -> list[Settings]:
    return [{"shrinkage": "none"}, {"shrinkage": "auto"}]


def _lda_ladders(s: Situation) -> Ladders:
    return {"shrinkage": ["none", 0.001, 0.01, "auto", 0.1, 0.3, 0.6], **_scalings(s), **_components(s)}


def _qda_starts(s: Situation) -> list[Settings]:
    # A class gives a covariance of full rank only with more rows than columns.
    most = max(2, min(30, s.rarest // 2 - 1))
    columns = s.width + s.pixels + 3 * s.categories
    starts: list[Settings] = [{"reg_param": value} for value in (0.001, 0.1, 0.01, 0.5)]
    fewer: list[Settings] = [{"reg_param": value, "n_components": most} for value in (0.01, 0.1)]
    return [*fewer, *starts[1:3]] if s.pixels > 30 or columns > s.rarest // 2 else [*starts, *fewer]


def _qda_ladders(s: Situation) -> Ladders:
    return {"reg_param": [0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 0.5, 0.8], **_scalings(s), **_components(s)}


def _ols_starts(s: Situation) -> list[Settings]:
    return [{}]


def _ols_ladders(s: Situation) -> Ladders:
    return {**_target(s, "none")}


_SHAPES: dict[str, tuple[str, Any, Any, bool]] = {
    "linear_regression": ("linear", _ols_starts, _ols_ladders, False),
    "ridge": ("linear", _alpha_starts, _alpha_ladders, False),
    "lasso": ("linear", _sparse_starts, _sparse_ladders, False),
    "elastic_net": ("linear", _sparse_starts, _sparse_ladders, False),
    "poisson_regression": ("linear", _poisson_starts, _poisson_ladders, False),
    "logistic_regression": ("linear", _linear_starts, _linear_ladders, False),
    "lda": ("dense", _lda_starts, _lda_ladders, False),
    "qda": ("dense", _qda_starts, _qda_ladders, False),
    "linear_svm": ("linear", _linear_starts, _linear_ladders, False),
    "svm_rbf": ("kernel", _kernel_starts, _kernel_ladders, False),
    "svm_poly": ("kernel", _poly_starts, _poly_ladders, False),
    "knn": ("kernel", _knn_starts, _knn_ladders, True),
    "decision_tree": ("tree", _tree_starts, _tree_ladders, False),
    "random_forest": ("tree", _forest_starts, _forest_ladders, True),
    "extra_trees": ("tree", _forest_starts, _forest_ladders, True),
    "hist_gradient_boosting": ("boosting", _boosting_starts, _boosting_ladders, True),
    "mlp": ("kernel", _mlp_starts, _mlp_ladders, True),
    "gaussian_nb": ("dense", _gaussian_starts, _gaussian_ladders, False),
    "multinomial_nb": ("counts", _bayes_starts, _bayes_ladders, False),
    "complement_nb": ("counts", _bayes_starts, _bayes_ladders, False),
    "bernoulli_nb": ("counts", _binary_starts, _binary_ladders, False),
    "nbsvm": ("counts", _nbsvm_starts, _nbsvm_ladders, False),
}

_REGRESSION_ONLY = ("linear_regression", "ridge", "lasso", "elastic_net", "poisson_regression")
_CLASSIFICATION_ONLY = (
    "logistic_regression", "lda", "qda", "gaussian_nb", "multinomial_nb", "complement_nb", "bernoulli_nb", "nbsvm",
)  # fmt: skip


def _tasks(name: str) -> tuple[str, ...]:
    if name in _REGRESSION_ONLY:
        return ("regression",)
    return ("classification",) if name in _CLASSIFICATION_ONLY else ("classification", "regression")


METHODS: dict[str, Method] = {
    name: Method(name, BUILDERS[name], look, starts, ladders, parallel, _tasks(name))
    for name, (look, starts, ladders, parallel) in _SHAPES.items()
}
"""Every method by its name in `recipes.toml`."""
