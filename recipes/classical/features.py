"""Rows to the matrix that a classifier sees: scaling, categories, words, pixels, principal components.

What is learnt (means, categories, vocabularies) is learnt in `fit` from training rows alone. Which options suit which
method is `methods.py`; this module only carries them out.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import QuantileTransformer

from contract import Floats, Rows

__all__ = ["Features", "Options", "Terms"]

Matrix = Floats | sp.csr_matrix

WORD = r"(?u)\b\w+\b|[^\w\s]"
"""Words of any length and single marks: "I", "!" and ":" carry meaning in short texts."""

INFREQUENT = 2
"""A category seen in fewer training rows shares one column with the other rare ones."""


@dataclass(frozen=True)
class Options:
    """How rows become a matrix.

    Attributes:
        scaling: of numbers and pixels: none, standard (mean 0, variance 1), range (0 to 1 in training), quantile
            (normal scores), pixels (one factor for all: the largest value becomes 1), bins (indicators of ten
            quantile bins), binary (pixels above half their range), rows (each row to mean 0, variance 1).
        categories: onehot, or codes (integers, for trees).
        keep_missing: NaN stays (trees), otherwise the median and an indicator column.
        terms: of texts: word, char, or word+char.
        ngrams: longest word n-gram.
        weighting: tfidf, binary or count.
        dense: the result must be an array; texts go through `TEXT_COMPONENTS` singular vectors.
        components: principal components kept at most; 0 is no reduction.
    """

    scaling: str = "standard"
    categories: str = "onehot"
    keep_missing: bool = False
    terms: str = "word"
    ngrams: int = 2
    weighting: str = "tfidf"
    dense: bool = True
    components: int = 0


TEXT_COMPONENTS = 100
CATEGORY_LIMIT = 200
"""One-hot columns of one category at most; codes go up to 254, what histogram boosting can hold."""


class Features:
    """A fitted transformation of `Rows` into a matrix.

    Attributes:
        categorical: columns of the matrix that hold category codes.
        max_terms: vocabulary limit for each kind of n-gram.
    """

    def __init__(self, options: Options, seed: int = 0, max_terms: int = 200_000) -> None:
        self.options = options.__dict__
        self.seed = seed
        self.max_terms = max_terms
        self.categorical: list[int] = []

    def fit(self, rows: Rows) -> Features:
        """Learn from training rows."""
        self.fit_transform(rows)
        return self

    def fit_transform(self, rows: Rows) -> Any:
        """Learn from training rows, and their matrix: float64 array [n, p] or CSR of the same shape."""
        options = Options(**self.options)
        self.numbers = Block(options.scaling, options.keep_missing, self.seed)
        self.pixels = Block(options.scaling, options.keep_missing, self.seed, together=True)
        parts: list[Any] = [self.numbers.fit_transform(rows.numbers)]
        if rows.pixels is not None:
            parts.append(self.pixels.fit_transform(rows.pixels.astype(np.float64)))
        start = sum(part.shape[1] for part in parts)
        limit = 254 if options.categories == "codes" else CATEGORY_LIMIT
        self.levels = [_levels(column, limit) for column in rows.categories]
        self.categorical = list(range(start, start + len(self.levels))) if options.categories == "codes" else []
        parts += self._categories(rows)
        self.terms = [Terms(options, self.max_terms) for _ in rows.texts]
        texts = [terms.fit_transform(column) for terms, column in zip(self.terms, rows.texts, strict=True)]
        self.vectors = [_singular(text, self.seed) if options.dense else None for text in texts]
        matrix = self._joined(parts, texts)
        self.projection = _projection(matrix, options.components, self.seed)
        return matrix if self.projection is None else self.projection.transform(matrix)

    def transform(self, rows: Rows) -> Any:
        """The matrix of other rows."""
        parts: list[Any] = [self.numbers.transform(rows.numbers)]
        if rows.pixels is not None:
            parts.append(self.pixels.transform(rows.pixels.astype(np.float64)))
        parts += self._categories(rows)
        texts = [terms.transform(column) for terms, column in zip(self.terms, rows.texts, strict=True)]
        matrix = self._joined(parts, texts)
        return matrix if self.projection is None else self.projection.transform(matrix)

    def _categories(self, rows: Rows) -> list[Any]:
        codes = [_codes(column, levels) for column, levels in zip(rows.categories, self.levels, strict=True)]
        if self.options["categories"] == "codes":
            return [np.where(code < 0, np.nan, code)[:, None] for code in codes]
        widths = [len(levels) for levels in self.levels]
        return [_indicators(code, width) for code, width in zip(codes, widths, strict=True)]

    def _joined(self, parts: list[Any], texts: list[Any]) -> Any:
        if self.options["dense"]:
            dense = [part.toarray() if sp.issparse(part) else part for part in parts]
            for text, vectors in zip(texts, self.vectors, strict=True):
                dense.append(vectors.transform(text) if vectors is not None else text.toarray())
            return np.concatenate(dense, axis=1)
        filled = [sp.csr_matrix(part) for part in [*parts, *texts] if part.shape[1]]
        if not filled:
            return sp.csr_matrix((parts[0].shape[0], 0))
        return filled[0] if len(filled) == 1 else sp.hstack(filled, format="csr")


class Block:
    """Numbers or pixels: imputation and scaling. `together` scales all columns by one factor where scaling is pixels."""

    def __init__(self, scaling: str, keep_missing: bool, seed: int, together: bool = False) -> None:
        self.scaling = "standard" if scaling in ("pixels", "binary") and not together else scaling
        self.keep_missing = keep_missing
        self.seed = seed

    def fit_transform(self, values: Floats) -> Any:
        """Learn from and transform [n, p]; columns that never vary are dropped."""
        missing = np.isnan(values)
        with np.errstate(all="ignore"):
            low = np.where(missing, np.inf, values).min(axis=0, initial=np.inf)
            high = np.where(missing, -np.inf, values).max(axis=0, initial=-np.inf)
        self.kept = np.flatnonzero((high > low) | (missing.any(axis=0) & ~missing.all(axis=0)))
        values = values[:, self.kept]
        missing = missing[:, self.kept]
        self.low, self.high = low[self.kept], high[self.kept]
        self.medians = np.array([np.median(c[~m]) for c, m in zip(values.T, missing.T, strict=True)])
        self.indicated = np.flatnonzero(missing.any(axis=0)) if not self.keep_missing else np.empty(0, dtype=np.int64)
        filled = self._filled(values)
        self.center = np.zeros(len(self.kept))
        self.scale = np.ones(len(self.kept))
        if self.scaling == "standard":
            self.center = np.nanmean(filled, axis=0) if filled.size else self.center
            spread = np.nanstd(filled, axis=0) if filled.size else self.scale
            self.scale = np.where(spread > 0, spread, 1.0)
        elif self.scaling == "range":
            self.center = self.low
            self.scale = np.where(self.high > self.low, self.high - self.low, 1.0)
        elif self.scaling in ("pixels", "binary") and len(self.kept):
            self.center = np.full(len(self.kept), min(0.0, float(self.low.min())))
            self.scale = np.full(len(self.kept), max(float(self.high.max()) - self.center[0], 1e-12))
        self.learnt = self._learn(filled)
        return self._scaled(filled, missing)

    def _learn(self, filled: Floats) -> Any:
        """The fitted transformer of the scalings that need one."""
        if not filled.shape[1]:
            return None
        if self.scaling == "quantile":
            count = min(1000, len(filled))
            found = QuantileTransformer(n_quantiles=count, output_distribution="normal", random_state=self.seed)
            return found.fit(filled)
        if self.scaling == "bins":
            edges = np.quantile(filled, np.linspace(0, 1, 11)[1:-1], axis=0)
            return [np.unique(column) for column in edges.T]
        return None

    def transform(self, values: Floats) -> Any:
        """Transform [n, p] as learnt."""
        values = values[:, self.kept]
        return self._scaled(self._filled(values), np.isnan(values))

    def _filled(self, values: Floats) -> Floats:
        if self.keep_missing:
            return values
        return np.where(np.isnan(values), self.medians, values)

    def _scaled(self, filled: Floats, missing: npt.NDArray[np.bool_]) -> Any:
        if self.scaling == "bins":
            edges = self.learnt or []
            bins = [np.searchsorted(edge, column, side="right") for edge, column in zip(edges, filled.T, strict=True)]
            blocks: list[Any] = [
                _indicators(b.astype(np.float64), len(e) + 1) for b, e in zip(bins, edges, strict=True)
            ]
            matrix = np.concatenate(blocks, axis=1) if blocks else np.empty((len(filled), 0))
        elif self.scaling == "quantile":
            # Outside the training range the normal score is cut at 5.2: distances stay finite.
            matrix = self.learnt.transform(filled) if self.learnt is not None else filled
        elif self.scaling == "rows":
            spread = filled.std(axis=1, keepdims=True)
            matrix = (filled - filled.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)
        else:
            matrix = (filled - self.center) / self.scale
            if self.scaling == "binary":
                matrix = (matrix > 0.5).astype(np.float64)
        if not len(self.indicated):
            return matrix
        return np.concatenate([matrix, missing[:, self.indicated].astype(np.float64)], axis=1)


def _levels(column: npt.NDArray[np.object_], limit: int) -> list[str]:
    """Known categories, most frequent first; the last place of a full list is shared by the rare ones."""
    counts = Counter(value for value in column if value is not None)
    ranked = sorted(counts, key=lambda value: (-counts[value], value))
    kept = [value for value in ranked if counts[value] >= INFREQUENT or len(ranked) <= 20]
    return kept[:limit]


def _codes(column: npt.NDArray[np.object_], levels: list[str]) -> Floats:
    """Position of each value in `levels`, -1 for missing and unknown ones."""
    places = {value: place for place, value in enumerate(levels)}
    return np.array([places.get(value, -1) for value in column], dtype=np.float64)


def _indicators(codes: Floats, width: int) -> Floats:
    """[n, width] of 0 and 1; a negative code is a row of zeros."""
    found = np.zeros((len(codes), width))
    known = np.flatnonzero(codes >= 0)
    found[known, codes[known].astype(np.int64)] = 1.0
    return found


def _singular(text: Any, seed: int) -> TruncatedSVD | None:
    width = min(TEXT_COMPONENTS, min(text.shape) - 1)
    return TruncatedSVD(width, random_state=seed).fit(text) if width >= 1 and text.shape[1] > TEXT_COMPONENTS else None


def _projection(matrix: Any, components: int, seed: int) -> PCA | TruncatedSVD | None:
    width = min(components, min(matrix.shape) - 1)
    if components <= 0 or width < 1 or matrix.shape[1] <= components:
        return None
    kind = TruncatedSVD if sp.issparse(matrix) else PCA
    return kind(width, random_state=seed).fit(matrix)


class Terms:
    """Words and character n-grams of one column of texts, with their weights."""

    def __init__(self, options: Options, max_terms: int) -> None:
        self.kinds = options.terms.split("+")
        self.ngrams = options.ngrams
        self.weighting = options.weighting
        self.max_terms = max_terms
        self.fitted: list[TfidfVectorizer] = []

    def fit_transform(self, texts: npt.NDArray[np.object_]) -> sp.csr_matrix:
        """Learn the vocabulary; [n, terms]."""
        parts = []
        self.fitted = []
        for kind in self.kinds:
            vectorizer = self._vectorizer(kind, len(texts))
            try:
                parts.append(vectorizer.fit_transform(texts))
            except ValueError:
                # No term is left: all texts are empty, or none is frequent enough.
                continue
            self.fitted.append(vectorizer)
        return self._joined(parts, len(texts))

    def transform(self, texts: npt.NDArray[np.object_]) -> sp.csr_matrix:
        """[n, terms]; unknown terms are left out."""
        return self._joined([vectorizer.transform(texts) for vectorizer in self.fitted], len(texts))

    @staticmethod
    def _joined(parts: list[Any], count: int) -> sp.csr_matrix:
        if not parts:
            return sp.csr_matrix((count, 1))
        return sp.csr_matrix(parts[0]) if len(parts) == 1 else sp.hstack(parts, format="csr")

    def _vectorizer(self, kind: str, count: int) -> TfidfVectorizer:
        weighted = self.weighting == "tfidf"
        shared: dict[str, Any] = {
            "use_idf": weighted,
            "norm": "l2" if weighted else None,
            "sublinear_tf": weighted,
            "binary": self.weighting == "binary",
            "max_features": self.max_terms,
        }
        if kind == "char":
            return TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2 if count > 500 else 1, **shared)
        return TfidfVectorizer(
            token_pattern=WORD, ngram_range=(1, self.ngrams), min_df=1 if count <= 20_000 else 2, **shared
        )

    def __getstate__(self) -> dict[str, Any]:
        """The vocabularies as one string each: a saved dictionary of a hundred thousand words would be huge."""
        saved = {key: value for key, value in self.__dict__.items() if key != "fitted"}
        saved["vocabularies"] = [json.dumps(v.get_feature_names_out().tolist()) for v in self.fitted]
        saved["weights"] = [v.idf_ if v.use_idf else None for v in self.fitted]
        saved["settings"] = [
            {k: list(v) if isinstance(v, tuple) else v for k, v in vectorizer.get_params().items() if k in _SAVED}
            for vectorizer in self.fitted
        ]
        return saved

    def __setstate__(self, saved: dict[str, Any]) -> None:
        state = dict(saved)
        words, weights, settings = (state.pop(key) for key in ("vocabularies", "weights", "settings"))
        self.__dict__.update(state)
        self.fitted = []
        for listed, idf, given in zip(words, weights, settings, strict=True):
            terms = json.loads(listed)
            given["ngram_range"] = tuple(given["ngram_range"])
            vectorizer = TfidfVectorizer(**given, vocabulary={term: place for place, term in enumerate(terms)})
            # With a vocabulary that is given, a fit learns nothing but counts, which the saved weights replace.
            vectorizer.fit([""])
            if idf is not None:
                vectorizer.idf_ = idf
            self.fitted.append(vectorizer)


_SAVED = ("analyzer", "ngram_range", "use_idf", "norm", "sublinear_tf", "binary", "token_pattern")
