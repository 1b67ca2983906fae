"""Covariate shift between studies: how well they are told apart, and by which analytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.intervals import Estimate, delong_logit

Floats = NDArray[np.float64]
FOLDS = 5
FEWEST = 10
"""Patients of a study, or with a value, from which a difference is worth a number."""


@dataclass(frozen=True)
class Shift:
    """How studies differ before treatment.

    Attributes
    ----------
    adversarial : mapping
        Study -> AUC of telling its patients from all others by their baseline; 0.5: no shift.
    analytes : mapping
        Analyte -> study -> standardised mean difference to all other studies.
    """

    adversarial: Mapping[str, Estimate]
    analytes: Mapping[str, Mapping[str, Estimate]]


def covariate_shift(
    values: Floats, names: Sequence[str], study: Sequence[str], *, seed: int
) -> Shift:
    """Describe the shift between studies.

    The adversarial AUC is out of fold, of gradient-boosted trees that see missing values as they
    are (the classifier two-sample test of Lopez-Paz & Oquab 2017, arXiv:1610.06545), with DeLong's
    interval on the logit scale, the models as given. Differences are Hedges' g with its
    large-sample interval (Hedges & Olkin 1985, Statistical Methods for Meta-Analysis, ch. 5).

    Parameters
    ----------
    values : array, shape (n, n_columns)
        On a scale where differences mean something (logarithms of concentrations); NaN where
        missing.
    names : sequence of str, length n_columns
    study : sequence of str, length n
    """
    labels = np.asarray(study, dtype=str)
    studies = [str(name) for name in dict.fromkeys(labels.tolist())]
    return Shift(
        {name: _told_apart(values, labels == name, seed) for name in studies},
        {
            column: {name: _difference(values[:, k], labels == name) for name in studies}
            for k, column in enumerate(names)
        },
    )


def _told_apart(values: Floats, inside: NDArray[np.bool_], seed: int) -> Estimate:
    if min(inside.sum(), (~inside).sum()) < FEWEST:
        return Estimate(math.nan, None, None, f"fewer than {FEWEST} patients")
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    model = HistGradientBoostingClassifier(max_iter=50, early_stopping=False, random_state=seed)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    score = cross_val_predict(
        model, values, inside.astype(int), cv=folds, method="predict_proba"
    )[:, 1]  # fmt: skip
    return delong_logit(inside.astype(float), score)


def _difference(values: Floats, inside: NDArray[np.bool_]) -> Estimate:
    """Hedges' g of one study against the others."""
    known = ~np.isnan(values)
    one, other = values[known & inside], values[known & ~inside]
    n, m = len(one), len(other)
    if min(n, m) < FEWEST:
        return Estimate(math.nan, None, None, f"fewer than {FEWEST} values")
    pooled = ((n - 1) * one.var(ddof=1) + (m - 1) * other.var(ddof=1)) / (n + m - 2)
    if pooled == 0:
        return Estimate(math.nan, None, None, "constant")
    correction = 1 - 3 / (4 * (n + m) - 9)
    g = float(correction * (one.mean() - other.mean()) / math.sqrt(pooled))
    half = 1.959964 * math.sqrt((n + m) / (n * m) + g**2 / (2 * (n + m)))
    return Estimate(g, g - half, g + half, "Hedges' g, large-sample interval")
