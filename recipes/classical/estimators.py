"""Settings to unfitted scikit-learn estimators, one builder a method.

A setting that is absent takes the default given here. Class labels are indices 0…k-1 by the time an estimator sees
them; targets of regression are transformed before (`outputs.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nbsvm import NBSVM

if TYPE_CHECKING:
    from methods import Situation

__all__ = ["BUILDERS"]

Given = Mapping[str, Any]


def _weight(given: Given) -> str | None:
    return "balanced" if given.get("class_weight") == "balanced" else None


def _none(value: Any) -> Any:
    return None if value == "none" else value


def linear_regression(given: Given, s: Situation) -> Any:
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


def ridge(given: Given, s: Situation) -> Any:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=given.get("alpha", 1.0), random_state=s.seed)


def lasso(given: Given, s: Situation) -> Any:
    from sklearn.linear_model import Lasso

    return Lasso(alpha=given.get("alpha", 0.01), max_iter=5_000, random_state=s.seed)


def elastic_net(given: Given, s: Situation) -> Any:
    from sklearn.linear_model import ElasticNet

    ratio = given.get("l1_ratio", 0.5)
    return ElasticNet(alpha=given.get("alpha", 0.01), l1_ratio=ratio, max_iter=5_000, random_state=s.seed)


def poisson_regression(given: Given, s: Situation) -> Any:
    from sklearn.linear_model import PoissonRegressor

    solver = "lbfgs" if s.sparse else "newton-cholesky"
    return PoissonRegressor(alpha=given.get("alpha", 0.01), solver=solver, max_iter=300)


def logistic_regression(given: Given, s: Situation) -> Any:
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier

    strength = given.get("C", 1.0)
    if given.get("penalty") == "none":
        strength = float("inf")
    steps = given.get("max_iter", 300 if s.sparse else 1_000)
    shared: dict[str, Any] = {"C": strength, "class_weight": _weight(given), "max_iter": steps, "random_state": s.seed}
    if s.sparse and strength != float("inf"):
        # Coordinate descent, one class against the rest: on sparse texts many times faster than a joint fit.
        one = LogisticRegression(solver="liblinear", **shared)
        return one if s.classes == 2 else OneVsRestClassifier(one)
    return LogisticRegression(solver="lbfgs", **shared)


def lda(given: Given, s: Situation) -> Any:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    shrinkage = _none(given.get("shrinkage", "none"))
    return LinearDiscriminantAnalysis(solver="svd" if shrinkage is None else "lsqr", shrinkage=shrinkage)


def qda(given: Given, s: Situation) -> Any:
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    return QuadraticDiscriminantAnalysis(reg_param=given.get("reg_param", 0.0))


def linear_svm(given: Given, s: Situation) -> Any:
    from sklearn.svm import LinearSVC, LinearSVR

    strength = given.get("C", 1.0)
    if s.regression:
        tube = given.get("epsilon", 0.0)
        return LinearSVR(C=strength, epsilon=tube, dual="auto", max_iter=3_000, random_state=s.seed,
                         loss="squared_epsilon_insensitive")  # fmt: skip
    loss = given.get("loss", "squared_hinge")
    dual: Any = True if loss == "hinge" else "auto"
    return LinearSVC(C=strength, loss=loss, dual=dual, class_weight=_weight(given), max_iter=3_000, random_state=s.seed)


def svm_rbf(given: Given, s: Situation) -> Any:
    return _machine(given, s, {"kernel": "rbf"})


def svm_poly(given: Given, s: Situation) -> Any:
    return _machine(given, s, {"kernel": "poly", "degree": given.get("degree", 3), "coef0": given.get("coef0", 1.0)})


def _machine(given: Given, s: Situation, kernel: dict[str, Any]) -> Any:
    """`gamma` is a number or `scale`; `search.fit` has put a number in the place of `width`."""
    from sklearn.svm import SVC, SVR

    shared = {"C": given.get("C", 1.0), "gamma": given.get("gamma", "scale"), "cache_size": 300, **kernel}
    if s.regression:
        return SVR(epsilon=given.get("epsilon", 0.1), max_iter=2_000_000, **shared)
    return SVC(class_weight=_weight(given), random_state=s.seed, **shared)


def knn(given: Given, s: Situation) -> Any:
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    kind = KNeighborsRegressor if s.regression else KNeighborsClassifier
    metric = given.get("metric", "euclidean")
    return kind(
        n_neighbors=min(int(given.get("n_neighbors", 5)), s.rows),
        weights=given.get("weights", "uniform"),
        metric=metric,
        algorithm="brute" if s.sparse or metric == "cosine" else "auto",
        n_jobs=s.threads,
    )


def decision_tree(given: Given, s: Situation) -> Any:
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    shared = _tree(given, s)
    if s.regression:
        return DecisionTreeRegressor(**shared)
    return DecisionTreeClassifier(criterion=given.get("criterion", "gini"), class_weight=_weight(given), **shared)


def _tree(given: Given, s: Situation) -> dict[str, Any]:
    return {
        "max_depth": _none(given.get("max_depth", "none")),
        "min_samples_leaf": given.get("min_samples_leaf", 1),
        "min_samples_split": given.get("min_samples_split", 2),
        "ccp_alpha": given.get("ccp_alpha", 0.0),
        "random_state": s.seed,
        **({"max_features": _none(given["max_features"])} if "max_features" in given else {}),
    }


def random_forest(given: Given, s: Situation) -> Any:
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    return _forest(given, s, RandomForestRegressor, RandomForestClassifier)


def extra_trees(given: Given, s: Situation) -> Any:
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    return _forest(given, s, ExtraTreesRegressor, ExtraTreesClassifier)


def _forest(given: Given, s: Situation, regressor: Any, classifier: Any) -> Any:
    shared = {**_tree(given, s), "n_estimators": given.get("n_estimators", 300), "n_jobs": s.threads}
    if s.regression:
        return regressor(**shared)
    return classifier(criterion=given.get("criterion", "gini"), class_weight=_weight(given), **shared)


def hist_gradient_boosting(given: Given, s: Situation) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    shared: dict[str, Any] = {
        "learning_rate": given.get("learning_rate", 0.1),
        "max_iter": given.get("max_iter", 100),
        "max_leaf_nodes": _none(given.get("max_leaf_nodes", 31)),
        "max_depth": _none(given.get("max_depth", "none")),
        "min_samples_leaf": given.get("min_samples_leaf", 20),
        "l2_regularization": given.get("l2_regularization", 0.0),
        "max_features": given.get("max_features", 1.0),
        "max_bins": given.get("max_bins", 255),
        "early_stopping": False,
        "categorical_features": list(given.get("categorical", ())) or None,
        "random_state": s.seed,
    }
    if s.regression:
        return HistGradientBoostingRegressor(loss=given.get("loss", "squared_error"), **shared)
    return HistGradientBoostingClassifier(class_weight=_weight(given), **shared)


def mlp(given: Given, s: Situation) -> Any:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    sizes = str(given.get("hidden_layer_sizes", "100"))
    shared = {
        "hidden_layer_sizes": tuple(int(size) for size in sizes.split("-")),
        "activation": given.get("activation", "relu"),
        "solver": given.get("solver", "adam"),
        "alpha": given.get("alpha", 1e-4),
        "learning_rate_init": given.get("learning_rate_init", 0.001),
        "max_iter": given.get("epochs", 200 if s.rows < 20_000 else 60),
        "momentum": given.get("momentum", 0.9),
        "batch_size": min(int(given.get("batch_size", 32 if s.rows < 2_000 else 200)), s.rows),
        "random_state": s.seed,
    }
    return MLPRegressor(**shared) if s.regression else MLPClassifier(**shared)


def gaussian_nb(given: Given, s: Situation) -> Any:
    from sklearn.naive_bayes import GaussianNB, MultinomialNB

    if given.get("numbers") == "bins":
        # On indicators of bins and categories this is the categorical naive Bayes, up to its smoothing.
        return MultinomialNB(alpha=given.get("alpha", 0.5))
    return GaussianNB(var_smoothing=given.get("var_smoothing", 1e-9))


def multinomial_nb(given: Given, s: Situation) -> Any:
    from sklearn.naive_bayes import MultinomialNB

    return MultinomialNB(alpha=given.get("alpha", 1.0))


def complement_nb(given: Given, s: Situation) -> Any:
    from sklearn.naive_bayes import ComplementNB

    return ComplementNB(alpha=given.get("alpha", 1.0))


def bernoulli_nb(given: Given, s: Situation) -> Any:
    from sklearn.naive_bayes import BernoulliNB

    return BernoulliNB(alpha=given.get("alpha", 1.0), binarize=0.0)


def nbsvm(given: Given, s: Situation) -> Any:
    names = ("C", "alpha", "beta")
    chosen = {name: given[name] for name in names if name in given}
    return NBSVM(**chosen, class_weight=_weight(given), seed=s.seed)


BUILDERS: dict[str, Callable[[Given, Any], Any]] = {
    builder.__name__: builder
    for builder in (
        linear_regression,
        ridge,
        lasso,
        elastic_net,
        poisson_regression,
        logistic_regression,
        lda,
        qda,
        linear_svm,
        svm_rbf,
        svm_poly,
        knn,
        decision_tree,
        random_forest,
        extra_trees,
        hist_gradient_boosting,
        mlp,
        gaussian_nb,
        multinomial_nb,
        complement_nb,
        bernoulli_nb,
        nbsvm,
    )
}
"""Builder of each method, by its name."""
