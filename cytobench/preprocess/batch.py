"""ComBat, fitted on the training part: plates or sites brought to one location and scale."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cytobench.core.errors import DataError

Floats = NDArray[np.float64]
UNSEEN = ("error", "pass")
FEWEST = 2
"""Training rows from which a batch has a spread."""
TOLERANCE = 1e-4
"""Relative change at which sva's iteration stops."""
MOST_STEPS = 1000
"""A location of exactly 0 never changes by a small share of itself."""


class ComBat(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Empirical-Bayes correction of batches.

    After Johnson, Li & Rabinovic (2007, doi:10.1093/biostatistics/kxj037). Location and scale of
    every batch are estimated from training rows alone, shrunk over analytes, and kept; a row is
    adjusted with the parameters of its own batch, so that no prediction depends on another row of
    the test part. Applied to the rows that it was fitted on, it equals ComBat of R's sva 3.46. The
    outcome is never looked at. For values on a logarithmic scale.

    Parameters
    ----------
    columns : sequence of str
        Columns to correct, those of them that are there; NaN allowed (estimates leave it out).
    batch : str
        Column of the batch; it is dropped from the output.
    unseen : {"error", "pass"}
        What happens to a row whose batch was not there in training: ``E361``, or it passes
        uncorrected. To estimate a batch from the test rows themselves would make each prediction
        depend on the others, and is not offered.
    parametric : bool
        Normal and inverse-gamma priors; else non-parametric ones.
    mean_only : bool
        Correct the location only.
    reference : str or None
        A batch that stays as it is and that the others are brought to.
    covariates : sequence of str
        Numeric columns without gaps whose effect is kept, known at prediction time too.

    Attributes
    ----------
    batches_ : list of str
    small_ : dict
        Batches with fewer than two training rows, which count as unseen.
    """

    def __init__(
        self,
        columns: Sequence[str] = (),
        batch: str = "plate",
        unseen: str = "error",
        parametric: bool = True,
        mean_only: bool = False,
        reference: str | None = None,
        covariates: Sequence[str] = (),
    ) -> None:
        self.columns = columns
        self.batch = batch
        self.unseen = unseen
        self.parametric = parametric
        self.mean_only = mean_only
        self.reference = reference
        self.covariates = covariates

    def fit(self, X: pd.DataFrame, y: object = None) -> ComBat:
        """Estimate the batches of the training rows.

        Raises
        ------
        DataError
            ``E362`` where the reference batch is not among them.
        """
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.columns_ = [name for name in self.columns if name in X.columns]
        labels = _labels(X, self.batch)
        counts = Counter(labels.tolist())
        self.batches_ = sorted(name for name, n in counts.items() if n >= FEWEST and name)
        self.small_ = {name: n for name, n in counts.items() if n < FEWEST}
        if self.reference is not None and self.reference not in self.batches_:
            raise DataError(
                "E362",
                f"the reference batch {self.reference!r} has fewer than {FEWEST} training rows",
                where=f"column {self.batch!r}",
            )
        rows = np.isin(labels, self.batches_)
        self._estimate(X[rows], labels[rows])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same rows with every known batch corrected.

        Raises
        ------
        DataError
            ``E361`` for a batch that was not there in training, unless those pass.
        """
        check_is_fitted(self, "batches_")
        missing = self.unseen_in(X)
        if missing and self.unseen == "error":
            said = ", ".join(f"{name or 'none recorded'} ({n})" for name, n in missing.items())
            raise DataError(
                "E361",
                f"no batch parameters for {said}: not in the training part, or with one row there",
                where=f"column {self.batch!r}",
                hint="preprocess.batch_unseen=pass leaves such rows uncorrected",
            )
        out = X.drop(columns=[self.batch])
        values = X[self.columns_].to_numpy(dtype=np.float64)
        adjusted = values.copy()
        labels = _labels(X, self.batch)
        mean = self.mean_ + self._effect(X)
        for position, name in enumerate(self.batches_):
            rows = labels == name
            standard = (values[rows] - mean[rows]) / self.sd_
            standard = (standard - self.gamma_[position]) / np.sqrt(self.delta_[position])
            adjusted[rows] = standard * self.sd_ + mean[rows]
        if self.reference is not None:
            rows = labels == self.reference
            adjusted[rows] = values[rows]
        out[self.columns_] = np.where(self.varies_, adjusted, values)
        return out

    def unseen_in(self, X: pd.DataFrame) -> dict[str, int]:
        """Batches of these rows that cannot be corrected, and how many rows have them."""
        labels = _labels(X, self.batch)
        return dict(Counter(labels[~np.isin(labels, self.batches_)].tolist()))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Columns that remain: all but the batch."""
        del input_features
        names = [name for name in self.feature_names_in_ if name != self.batch]
        return np.asarray(names, dtype=object)

    def _estimate(self, X: pd.DataFrame, labels: NDArray[np.str_]) -> None:
        values = X[self.columns_].to_numpy(dtype=np.float64)
        member = labels[:, None] == np.array(self.batches_, dtype=str)[None, :]
        extra = X[list(self.covariates)].to_numpy(dtype=np.float64)
        coefficients = _least_squares(np.column_stack([member, extra]), values)
        levels, self.slopes_ = (
            coefficients[: len(self.batches_)],
            coefficients[len(self.batches_) :],
        )
        if self.reference is None:
            # Weights of the batches are those of all rows, as in sva, missing values or not.
            self.mean_ = member.mean(axis=0) @ levels
            used = np.ones(len(values), dtype=bool)
        else:
            self.mean_ = levels[self.batches_.index(self.reference)]
            used = labels == self.reference
        residuals = values - np.column_stack([member, extra]) @ coefficients
        with np.errstate(invalid="ignore"):
            variance = _mean(residuals[used] ** 2)
        self.varies_ = np.isfinite(variance) & (variance > 1e-20)
        self.sd_ = np.sqrt(np.where(self.varies_, variance, 1.0))
        standard = (values - self.mean_ - extra @ self.slopes_) / self.sd_
        parts = [standard[:, self.varies_][member[:, k]] for k in range(len(self.batches_))]
        self.gamma_ = np.zeros((len(self.batches_), len(self.mean_)))
        self.delta_ = np.ones_like(self.gamma_)
        for position, part in enumerate(parts):
            gamma, delta = self._shrunk(part)
            self.gamma_[position, self.varies_], self.delta_[position, self.varies_] = gamma, delta

    def _effect(self, X: pd.DataFrame) -> Floats:
        effect: Floats = X[list(self.covariates)].to_numpy(dtype=np.float64) @ self.slopes_
        return effect

    def _shrunk(self, part: Floats) -> tuple[Floats, Floats]:
        """Location and scale of one batch, shrunk over its analytes; part (rows, analytes)."""
        gamma = _mean(part)
        delta = np.ones_like(gamma) if self.mean_only else _variance(part)
        # A batch in which an analyte has fewer than two values says nothing of its spread.
        known = np.isfinite(gamma) & np.isfinite(delta) & (delta > 0)
        gamma, delta = np.where(known, gamma, 0.0), np.where(known, delta, 1.0)
        if known.sum() < 2:  # nothing to shrink towards
            return gamma, delta
        shrink = self._parametric if self.parametric else _nonparametric
        found = shrink(part[:, known], gamma[known], delta[known])
        gamma[known], delta[known] = found
        if self.mean_only:
            delta[:] = 1.0
        return gamma, delta

    def _parametric(self, part: Floats, gamma: Floats, delta: Floats) -> tuple[Floats, Floats]:
        center, spread = gamma.mean(), gamma.var(ddof=1)
        if self.mean_only:
            return (spread * gamma + center) / (spread + 1), delta
        m, s2 = delta.mean(), delta.var(ddof=1)
        if s2 == 0 or spread == 0:
            return gamma, delta
        a, b = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
        return _iterate(part, gamma, delta, (center, spread, a, b))


def _iterate(
    part: Floats, gamma: Floats, delta: Floats, prior: tuple[float, float, float, float]
) -> tuple[Floats, Floats]:
    """Posterior means of location and scale given each other, until neither moves."""
    center, spread, a, b = prior
    n = (~np.isnan(part)).sum(axis=0)
    start = gamma
    for _ in range(MOST_STEPS):
        new = (spread * n * start + delta * center) / (spread * n + delta)
        squares = np.nansum((part - new) ** 2, axis=0)
        scale = (0.5 * squares + b) / (n / 2 + a - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            moved = np.nanmax(np.abs([(new - gamma) / gamma, (scale - delta) / delta]))
        gamma, delta = new, scale
        if moved <= TOLERANCE:
            break
    return gamma, delta


def _nonparametric(part: Floats, gamma: Floats, delta: Floats) -> tuple[Floats, Floats]:
    """Posterior means under the empirical distribution of the other analytes."""
    n = (~np.isnan(part)).sum(axis=0)
    squares = np.nansum((part[:, :, None] - gamma[None, None, :]) ** 2, axis=0)
    weight = -0.5 * (n[:, None] * np.log(2 * np.pi * delta)[None, :] + squares / delta[None, :])
    np.fill_diagonal(weight, -np.inf)
    weight = np.exp(weight - weight.max(axis=1, keepdims=True))
    total = weight.sum(axis=1)
    return (weight @ gamma) / total, (weight @ delta) / total


def _least_squares(design: Floats, values: Floats) -> Floats:
    """Coefficients of every column, shape (n_terms, n_columns); each from its own known rows."""
    design = np.asarray(design, dtype=np.float64)
    known = ~np.isnan(values)
    if known.all():
        return np.asarray(np.linalg.lstsq(design, values, rcond=None)[0])
    found = np.empty((design.shape[1], values.shape[1]))
    for column in range(values.shape[1]):
        rows = known[:, column]
        found[:, column] = np.linalg.lstsq(design[rows], values[rows, column], rcond=None)[0]
    return found


def _mean(values: Floats) -> Floats:
    """Mean of each column without its gaps; NaN where nothing is known."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _variance(values: Floats) -> Floats:
    """Sample variance of each column without its gaps; NaN with fewer than two values."""
    count = (~np.isnan(values)).sum(axis=0)
    squares = _mean((values - _mean(values)) ** 2)
    return np.where(count > 1, squares * count / np.maximum(count - 1, 1), np.nan)


def _labels(X: pd.DataFrame, batch: str) -> NDArray[np.str_]:
    column = X[batch].astype(object)
    return np.asarray(column.where(column.notna(), "").astype(str), dtype=str)
