"""A model on disk: `model.skops` (features and estimator, no pickle) and `meta.json` (everything else).

Loading takes only the types that are listed here, whatever the file itself names.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import BadInput, Floats, Rows, Schema
from fitting import Fitted
from outputs import Rule, Target

__all__ = ["TRUSTED", "Model", "load", "save"]

OWN = ("features.Block", "features.Features", "features.Terms", "nbsvm.NBSVM")
LEARNT = (
    "functools.partial",
    "scipy.sparse._csr.csr_matrix",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.metrics._dist_metrics.ChebyshevDistance64",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._dist_metrics.ManhattanDistance64",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils.validation.check_array",
)
ESTIMATORS = (
    "sklearn.compose._column_transformer.ColumnTransformer",
    "sklearn.decomposition._pca.PCA",
    "sklearn.decomposition._truncated_svd.TruncatedSVD",
    "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
    "sklearn.discriminant_analysis.QuadraticDiscriminantAnalysis",
    "sklearn.ensemble._forest.ExtraTreesClassifier",
    "sklearn.ensemble._forest.ExtraTreesRegressor",
    "sklearn.ensemble._forest.RandomForestClassifier",
    "sklearn.ensemble._forest.RandomForestRegressor",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
    "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
    "sklearn.feature_extraction.text.TfidfTransformer",
    "sklearn.feature_extraction.text.TfidfVectorizer",
    "sklearn.linear_model._base.LinearRegression",
    "sklearn.linear_model._coordinate_descent.ElasticNet",
    "sklearn.linear_model._coordinate_descent.Lasso",
    "sklearn.linear_model._glm.glm.PoissonRegressor",
    "sklearn.linear_model._logistic.LogisticRegression",
    "sklearn.linear_model._ridge.Ridge",
    "sklearn.multiclass.OneVsRestClassifier",
    "sklearn.naive_bayes.BernoulliNB",
    "sklearn.naive_bayes.ComplementNB",
    "sklearn.naive_bayes.GaussianNB",
    "sklearn.naive_bayes.MultinomialNB",
    "sklearn.neighbors._classification.KNeighborsClassifier",
    "sklearn.neighbors._regression.KNeighborsRegressor",
    "sklearn.neural_network._multilayer_perceptron.MLPClassifier",
    "sklearn.neural_network._multilayer_perceptron.MLPRegressor",
    "sklearn.preprocessing._data.QuantileTransformer",
    "sklearn.preprocessing._label.LabelBinarizer",
    "sklearn.preprocessing._label.LabelEncoder",
    "sklearn.preprocessing._encoders.OrdinalEncoder",
    "sklearn.preprocessing._function_transformer.FunctionTransformer",
    "sklearn.svm._classes.LinearSVC",
    "sklearn.svm._classes.LinearSVR",
    "sklearn.svm._classes.SVC",
    "sklearn.svm._classes.SVR",
    "sklearn.tree._classes.DecisionTreeClassifier",
    "sklearn.tree._classes.DecisionTreeRegressor",
    "sklearn.tree._classes.ExtraTreeClassifier",
    "sklearn.tree._classes.ExtraTreeRegressor",
)
TRUSTED: tuple[str, ...] = OWN + LEARNT + ESTIMATORS
"""Types that a model file may hold besides plain values and arrays."""


@dataclass(frozen=True)
class Model:
    """A fitted model with all that a prediction needs.

    Attributes:
        recipe: name of the method.
        settings: as they were used, for a person.
        rule: of decisions; None for regression.
    """

    recipe: str
    settings: dict[str, Any]
    schema: Schema
    fitted: Fitted
    rule: Rule | None

    def predict(self, rows: Rows) -> tuple[list[Any], Floats | None]:
        """Labels or numbers, and probabilities [n, classes] or None."""
        raw = self.fitted.raw(rows)
        if self.rule is None:
            return [float(value) for value in raw], None
        classes = self.schema.classes
        return [classes[place] for place in self.rule.decide(raw)], self.rule.shares(raw)


def _skops() -> Any:
    """`skops.io`, imported without its walk over all of scikit-learn.

    To trust every estimator there is, its import loads each module of scikit-learn, half a second in every start of a
    script. What a recipe saves is listed above by name, so the walk is left out, and nothing else is trusted.
    """
    from sklearn import utils

    walk = utils.all_estimators
    utils.all_estimators = lambda *_, **__: []
    try:
        from skops import io
    finally:
        utils.all_estimators = walk
    return io


def save(model: Model, folder: Path, about: dict[str, Any]) -> None:
    """Write a model into `folder`, which is made.

    Args:
        about: further plain values for meta.json, such as scores and versions.
    """
    io = _skops()
    folder.mkdir(parents=True, exist_ok=True)
    fitted = model.fitted
    parts = {"features": fitted.features, "estimator": fitted.estimator}
    # The leaves of a forest are mostly zeros where there are many classes: packed, they take a tenth.
    io.dump(parts, folder / "model.skops", compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    meta = {
        "format": 1,
        "recipe": model.recipe,
        "settings": model.settings,
        "schema": model.schema.to_json(),
        "target": fitted.target.to_json(),
        "rule": model.rule.to_json() if model.rule else None,
        **about,
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: Path) -> Model:
    """The model in `folder`.

    Raises:
        BadInput: there is none, it is damaged, or it names a type that is not trusted.
    """
    io = _skops()
    from skops.io.exceptions import UntrustedTypesFoundException

    path = folder / "model.skops"
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        parts = io.load(path, trusted=list(TRUSTED))
        schema = Schema.from_json(meta["schema"])
        fitted = Fitted(parts["features"], parts["estimator"], Target(**meta["target"]), len(schema.classes))
        rule = None if meta["rule"] is None else Rule(**{**meta["rule"], "priors": tuple(meta["rule"]["priors"])})
        return Model(str(meta["recipe"]), dict(meta["settings"]), schema, fitted, rule)
    except FileNotFoundError as error:
        raise BadInput(f"{folder} is no model: {error.filename} is missing.") from error
    except UntrustedTypesFoundException as error:
        raise BadInput(f"{path} names types that no recipe saves; it was not loaded. {str(error)[:300]}") from error
    except Exception as error:
        raise BadInput(f"{folder} holds no readable model: {type(error).__name__}: {error}.") from error
