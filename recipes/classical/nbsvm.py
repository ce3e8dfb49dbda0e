"""NB-SVM: a linear SVM on features that are weighted by naive Bayes log-count ratios.

Wang and Manning 2012, "Baselines and Bigrams: Simple, Good Sentiment and Topic Classification", ACL, section 2.3.
More than two classes: one against the rest, each with ratios of its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from sklearn.svm import LinearSVC

__all__ = ["NBSVM"]


class NBSVM:
    """The classifier; inputs are non-negative term indicators or counts.

    Attributes:
        C: penalty of the SVM. 1 in the paper.
        alpha: smoothing of the counts. 1 in the paper.
        beta: interpolation between the mean weight (0) and the SVM's weights (1). 0.25 in the paper.
    """

    def __init__(
        self,
        C: float = 1.0,  # noqa: N803 - the name it has everywhere
        alpha: float = 1.0,
        beta: float = 0.25,
        class_weight: str | None = None,
        seed: int = 0,
    ) -> None:
        self.C = C
        self.alpha = alpha
        self.beta = beta
        self.class_weight = class_weight
        self.seed = seed

    def fit(self, matrix: Any, labels: npt.NDArray[Any]) -> NBSVM:
        """Learn from [n, p] and class indices [n]."""
        self.classes_ = np.unique(labels)
        wanted = self.classes_[1:] if len(self.classes_) == 2 else self.classes_
        fitted = [self._one(sp.csr_matrix(matrix), labels == label) for label in wanted]
        self.coef_ = np.stack([coefficients for coefficients, _ in fitted])
        self.intercept_ = np.array([intercept for _, intercept in fitted])
        return self

    def _one(self, matrix: sp.csr_matrix, positive: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], float]:
        inside = self.alpha + np.asarray(matrix[positive].sum(axis=0)).ravel()
        outside = self.alpha + np.asarray(matrix[~positive].sum(axis=0)).ravel()
        ratio = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
        machine = LinearSVC(
            C=self.C, dual="auto", max_iter=3_000, class_weight=self.class_weight, random_state=self.seed
        )
        machine.fit(matrix.multiply(ratio).tocsr(), positive)
        weights = machine.coef_[0]
        mixed = (1 - self.beta) * np.abs(weights).mean() + self.beta * weights
        return ratio * mixed, float(machine.intercept_[0])

    def decision_function(self, matrix: Any) -> npt.NDArray[np.float64]:
        """[n] for two classes, otherwise [n, classes]."""
        values: npt.NDArray[np.float64] = np.asarray(matrix @ self.coef_.T) + self.intercept_
        return values[:, 0] if values.shape[1] == 1 else values
