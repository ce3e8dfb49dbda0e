"""How papers write hyperparameters, and what scikit-learn calls them.

Each entry says how the name looks before its value (`C = 10`, `learning rate of 0.01`) and behind it (`500 trees`),
and for which families of methods it makes sense where the name alone could mean something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["SETTINGS", "WORDS", "SettingName", "canonical_setting"]


@dataclass(frozen=True)
class SettingName:
    """One hyperparameter.

    Attributes:
        name: canonical: scikit-learn's where it has one.
        before: pattern of the name before its value; empty if it does not stand there.
        behind: pattern of the name behind its value.
        families: keys of `vocabulary.METHODS` that it belongs to; empty is any.
        needs: pattern that the sentence must hold.
        whole: only whole numbers make sense.
        low, high: what a sound value lies between.
        cased: the patterns are about this very spelling.
    """

    name: str
    before: str = ""
    behind: str = ""
    families: tuple[str, ...] = ()
    needs: str = ""
    whole: bool = False
    low: float = 0.0
    high: float = float("inf")
    cased: bool = False


_TREES = ("random forest", "extra trees", "gradient boosting", "decision tree", "adaboost", "gcforest")
_LINEAR = ("svm", "logistic regression", "nbsvm")
SETTINGS: tuple[SettingName, ...] = (
    SettingName("C", r"(?<![\w.])C(?=\s*(?:=|:|of\b|is\b|was\b|set\b|to\b))", families=_LINEAR, cased=True, high=1e7),
    SettingName("C", r"(?:penalty|cost|soft[- ]margin|regulari[sz]ation) parameter C|box constraint(?: C)?|penalty factor(?: C)?", families=_LINEAR, high=1e7),
    SettingName("gamma", r"(?<!\w)γ|\bgamma\b(?! correction)", families=("svm",), needs=r"(?i)svm|support[ -]vector|\bSVC|rbf|radial|kernel|gaussian|gamma", high=1e5),
    SettingName("degree", r"\bdegree\b(?= (?:of )?\d)|polynomial (?:kernel )?of degree", families=("svm",), needs=r"(?i)polynomial|kernel", whole=True, low=1, high=20),
    SettingName("sigma", r"(?<!\w)σ|\bsigma\b|\bkernel (?:band)?width\b", families=("svm", "gaussian process"), needs=r"(?i)kernel|svm|gaussian process"),
    SettingName("n_estimators", r"number of (?:decision |boosted )?trees|\bn_?estimators\b|\bn_?trees?\b|number of (?:base )?estimators|number of boosting (?:rounds|iterations)", r"(?:decision |regression |boosted |randomi[sz]ed )?trees\b|estimators\b|boosting (?:rounds|iterations)\b", families=_TREES, whole=True, low=2, high=1e5),
    SettingName("max_depth", r"\bmax(?:imum|imal)?[ _](?:tree )?depths?(?: of (?:the |each |all )?trees?)?|\btree depth|\bdepth of (?:the |each )?trees?", families=_TREES, whole=True, low=1, high=1000),
    SettingName("min_samples_leaf", r"\bmin(?:imum|imal)?[ _](?:number of )?(?:samples|instances|examples)?[ _]?(?:per|in a|at a|in each|in)?[ _]?leaf(?: size)?|\bmin(?:imum)? leaf size|\bmin_samples_leaf", families=_TREES, whole=True, low=1),
    SettingName("min_samples_split", r"\bmin(?:imum)?[ _](?:number of )?samples[ _](?:to |required to )?split|\bmin_samples_split", families=_TREES, whole=True, low=2),
    SettingName("max_leaf_nodes", r"\b(?:maximum )?number of leaves\b|\bnum_leaves\b|\bmax_leaf_nodes\b", r"leaves\b(?: per tree)?", families=_TREES, whole=True, low=2),
    SettingName("subsample", r"\bsub-?sampl(?:e|ing)(?: (?:rate|ratio|fraction))\b|\bsubsample\b", families=("gradient boosting",), high=1.0),
    SettingName("learning_rate", r"(?:(?:initial|base|constant|fixed|peak|starting|global|maximum) )?(?:learning[ _-]rates?|step[ -]sizes?)(?: (?:η|α|ϵ|ε|eta|alpha|lr))?(?! decay| sched| anneal)|\blr\b(?= ?[=:])|(?<!\w)η(?= ?=)|\bshrinkage(?: factor| rate)?\b", r"(?:initial )?learning rate\b", high=100.0),
    SettingName("learning_rate", r"(?<!\w)α(?= ?=)", needs=r"β ?1|\bAdam\b|[Ss]tep[ -]?size|[Ll]earning rate", high=100.0),
    SettingName("learning_rate_decay", r"\blearning rate decay(?: (?:factor|rate))?", high=1.0),
    SettingName("momentum", r"\bmomentum\b(?: (?:coefficient|term|parameter|value))?(?! from)", r"momentum\b", high=1.0),
    SettingName("weight_decay", r"\b(?:L2[- ])?weight[ _-]decay\b(?: (?:factor|coefficient|rate|parameter|of strength))?", r"weight decay\b", high=10.0),
    SettingName("max_norm", r"\bmax-?norm\b(?: (?:constraint|regulari[sz]ation))?|(?:L2|l2|ℓ2)[- ]?(?:norm )?constraint", high=1000),
    SettingName("l2", r"(?:\bL2|\bl2|ℓ2)[- ](?:regulari[sz]ation|penalty)(?: (?:factor|coefficient|strength|weight|parameter|term))?", r"(?:L2|l2|ℓ2)[- ](?:regulari[sz]ation|penalty)\b"),
    SettingName("l1_ratio", r"\bl1[_ ]ratio\b|\bmixing parameter\b", families=("elastic net",), high=1.0),
    SettingName("dropout", r"\bdrop-?out(?: (?:rates?|probabilit(?:y|ies)|ratio|level))?\b(?! (?:net|nn|train))|\bP ?drop\b", r"drop-?out(?: rate)?\b", high=1.0),
    SettingName("label_smoothing", r"\blabel smoothing\b(?: of value| with)?", high=1.0),
    SettingName("batch_size", r"\b(?:mini-?)?batch[ _-]?sizes?\b|\b(?:mini-?)?batches of(?: size)?\b", r"(?:examples|samples|images|instances|sentences) (?:per|in each) (?:mini-?)?batch\b|(?:mini-?)?batch size\b", whole=True, low=1, high=1e7),
    SettingName("epochs", r"\b(?:(?:maximum |total )?number of )(?:training )?epochs\b|\bepochs\b(?= ?[=:])", r"(?:training )?epochs\b", whole=True, low=1, high=1e5),
    SettingName("max_iter", r"\b(?:(?:maximum |total )?number of )(?:training )?iterations\b|\bmax_?iter(?:ations)?\b|\biterations\b(?= ?[=:])", r"(?:training )?iterations\b", whole=True, low=1, high=1e9),
    SettingName("n_neighbors", r"\bnumber of (?:nearest )?neighbou?rs\b|\bn_neighbors\b", r"(?:nearest[ -])?neighbou?rs\b", families=("k-nearest neighbours",), whole=True, low=1, high=1e5),
    SettingName("n_neighbors", r"(?<![\w-])[kK](?=\s*=)", families=("k-nearest neighbours",), needs=r"(?i)nearest|k-?NN", whole=True, low=1, high=1e5, cased=True),
    SettingName("alpha", r"(?<!\w)α|\balpha\b|\b(?:Laplace|additive|Lidstone) smoothing(?: (?:parameter|constant))?\b|\bsmoothing parameter\b", families=("naive bayes", "ridge", "lasso", "elastic net", "nbsvm", "mlp"), needs=r"(?i)bayes|smoothing|ridge|lasso|elastic|\bMNB|nbsvm"),
    SettingName("lambda", r"(?<!\w)λ|\blambda\b", needs=r"(?i)regulari[sz]|penalt|ridge|lasso|weight decay"),
    SettingName("beta_1", r"β ?1\b|\bbeta_?1\b", high=1.0),
    SettingName("beta_2", r"β ?2\b|\bbeta_?2\b", high=1.0),
    SettingName("epsilon", r"(?<!\w)[ϵεǫ](?= ?=)|\bepsilon\b(?= ?=)", high=10.0),
    SettingName("warmup_steps", r"\bwarm-?up[ _]steps\b", r"warm-?up steps\b", whole=True),
    SettingName("hidden_layer_sizes", r"\bnumber of hidden (?:units|neurons|nodes)\b|\bhidden (?:layer )?(?:size|dimension)s?\b", r"hidden (?:units|neurons|nodes)\b(?! each| per| in each)", whole=True, low=1, high=1e6),
    SettingName("n_layers", r"\bnumber of (?:hidden )?layers\b", whole=True, low=1, high=1e4),
    SettingName("embedding_size", r"\b(?:word )?(?:embedding|vector) (?:dimension(?:ality)?|size)s?\b", whole=True, low=1, high=1e6),
    SettingName("filters", r"\bnumber of (?:filters|feature maps)\b", r"feature maps(?: each)?\b", whole=True, low=1, high=1e6),
    SettingName("n_components", r"\bn_components\b|\bnumber of (?:principal )?components\b", r"principal components\b", whole=True, low=1),
    SettingName("tol", r"\btol(?:erance)?\b(?= ?(?:=|of|:))", high=1.0),
    SettingName("max_features", r"\bmax_features\b|\bmtry\b", families=_TREES),
)  # fmt: skip

WORDS: tuple[tuple[str, str, str], ...] = (
    ("optimizer", r"(?:optimi[sz]e[rd]? (?:with|using|by|is|was)|using|with|by) (?:the )?(?P<value>Adam|AdaGrad|Adadelta|RMSProp|Nadam|L-BFGS)(?: (?:optimi[sz]er|update|method|algorithm))", ""),
    ("optimizer", r"(?:optimi[sz]ed|trained|minimi[sz]ed|training is (?:done|performed))[^.;]{0,60}? (?:with|using|by|through|via) (?:mini-?batch )?(?P<value>Adam|AdaGrad|Adadelta|RMSProp|L-BFGS|SGD|stochastic gradient descent)", ""),
    ("kernel", r"\b(?P<value>RBF|radial basis function|Gaussian|linear|polynomial)(?: \(RBF\))?[- ]kernel\b", "svm"),
    ("criterion", r"\b(?P<value>Gini|entropy)(?: (?:impurity|index|criterion))\b", ""),
    ("activation", r"\b(?P<value>ReLUs?|rectified linear units?|tanh|sigmoid|logistic) (?:activations?|non-?linearit(?:y|ies)|units|hidden units)", ""),
    ("ngram_max", r"\b(?P<value>uni-?grams?,? (?:and|\+|plus) bi-?grams?|uni-? ?(?:and )?bi-?grams?)\b", ""),
    ("weights", r"\b(?P<value>distance[- ]weight(?:ed|ing)|weighted by (?:inverse )?distance|uniform weights)\b", "k-nearest neighbours"),
)  # fmt: skip
"""Settings whose values are words: name, pattern, family."""

WORD_VALUES = {
    "rbf": "rbf", "radial basis function": "rbf", "gaussian": "rbf", "linear": "linear", "polynomial": "poly",
    "relu": "relu", "relus": "relu", "rectified linear unit": "relu", "rectified linear units": "relu", "tanh": "tanh",
    "sigmoid": "logistic", "logistic": "logistic", "gini": "gini", "entropy": "entropy", "adam": "adam",
    "adagrad": "adagrad", "adadelta": "adadelta", "rmsprop": "rmsprop", "nadam": "nadam", "l-bfgs": "lbfgs",
    "sgd": "sgd", "stochastic gradient descent": "sgd", "uniform weights": "uniform",
}  # fmt: skip


def canonical_setting(text: str) -> SettingName | None:
    """The hyperparameter that a whole short text names, as in the first column of a table of settings."""
    bare = re.sub(r"\s*\([^()]*\)\s*$", "", text.strip()).strip(" :=")
    if bare in ("C", "k", "K"):
        return next(s for s in SETTINGS if s.name == ("C" if bare == "C" else "n_neighbors"))
    spaced = bare.replace("_", " ")
    for setting in SETTINGS:
        for candidate in (bare, spaced):
            if candidate.lower() == setting.name.lower() or candidate.lower() == setting.name.replace("_", " ").lower():
                return setting
            for pattern in filter(None, (setting.before, setting.behind)):
                match = re.match(pattern, candidate + " = ", 0 if setting.cased else re.IGNORECASE)
                if match and match.end() >= len(candidate) * 0.8:
                    return setting
    return None
