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

from cytobench.core.errors import DataError, UsageError, did_you_mean

Floats = NDArray[np.float64]
UNSEEN = ("error", "pass")
FEWEST = 2
"""Different training rows from which a batch has a spread; values likewise, for an analyte."""
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

    As in sva an analyte that is constant within a batch stays as it is in all of them. A batch with
    fewer than two values of an analyte neither moves nor is moved in it. With a single analyte
    there is nothing to shrink towards, and only its location is corrected.

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
        Numeric columns without gaps whose effect is kept, known at prediction time too, and not
        given by the batch.

    Attributes
    ----------
    batches_ : list of str
    small_ : dict
        Batches with fewer than two different training rows, which count as unseen: a patient whom
        a bootstrap draws twice has no spread.
    varies_ : array of bool, shape (n_columns,)
        The columns that are corrected.
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
        UsageError
            ``E112`` for an unknown way with unseen batches.
        DataError
            ``E362`` where the reference batch is not among them, ``E367`` for a covariate with gaps
            or one that the batches determine.
        """
        del y
        if self.unseen not in UNSEEN:
            raise UsageError(
                "E112", f"{self.unseen!r} is unknown", where="unseen",
                hint=f"there are: {', '.join(UNSEEN)}",
            )  # fmt: skip
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.columns_ = [name for name in self.columns if name in X.columns]
        labels = _labels(X, self.batch)
        different = Counter(labels[~_drawn_again(X, self.columns_)].tolist())
        self.batches_ = sorted(name for name, n in different.items() if n >= FEWEST and name)
        self.small_ = {name: n for name, n in different.items() if n < FEWEST}
        if self.reference is not None and self.reference not in self.batches_:
            raise DataError(
                "E362",
                f"the reference batch {self.reference!r} has fewer than {FEWEST} training rows",
                where=f"column {self.batch!r}",
                hint=did_you_mean(self.reference, self.batches_),
            )
        rows = np.isin(labels, self.batches_)
        self.varies_ = np.zeros(len(self.columns_), dtype=bool)
        if len(self.batches_) > 1:
            self._estimate(X[rows], labels[rows])
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same rows with every known batch corrected.

        Raises
        ------
        DataError
            ``E361`` for a batch that was not there in training, unless those pass; ``E367`` for a
            gap in a covariate.
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
        out = X[self.get_feature_names_out()]
        if self.varies_.any():
            out[self.columns_] = self._adjusted(X)
        return out

    def _adjusted(self, X: pd.DataFrame) -> Floats:
        values = X[self.columns_].to_numpy(dtype=np.float64)
        adjusted = values.copy()
        labels = _labels(X, self.batch)
        mean = self.mean_ + self._covariates(X) @ self.slopes_
        for position, name in enumerate(self.batches_):
            rows = labels == name
            standard = (values[rows] - mean[rows]) / self.sd_
            standard = (standard - self.gamma_[position]) / np.sqrt(self.delta_[position])
            adjusted[rows] = standard * self.sd_ + mean[rows]
        if self.reference is not None:
            rows = labels == self.reference
            adjusted[rows] = values[rows]
        return np.where(self.varies_, adjusted, values)

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
        extra = self._covariates(X)
        design = np.column_stack([member, extra])
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise _covariate_problem("determined by the batch or by each other")
        coefficients = _least_squares(design, values)
        levels, self.slopes_ = np.split(coefficients, [len(self.batches_)])
        parts = [values[rows] for rows in member.T]
        measured = np.array([(~np.isnan(part)).sum(axis=0) >= FEWEST for part in parts])
        constant = np.array([np.fmax.reduce(part) == np.fmin.reduce(part) for part in parts])
        if self.reference is None:
            # Weights of the batches are those of all rows, as in sva, missing values or not.
            weights = member.mean(axis=0)[:, None] * measured
            self.mean_ = (weights * levels).sum(axis=0) / np.maximum(weights.sum(axis=0), 1e-300)
            used = np.ones(len(values), dtype=bool)
        else:
            self.mean_ = levels[self.batches_.index(self.reference)]
            used = labels == self.reference
        variance = _mean((values - design @ coefficients)[used] ** 2)
        self.varies_ = np.isfinite(variance) & (variance > 1e-20)
        self.varies_ &= ~(constant & measured).any(axis=0) & (measured.sum(axis=0) > 1)
        self.sd_ = np.sqrt(np.where(self.varies_, variance, 1.0))
        standard = (values - self.mean_ - extra @ self.slopes_) / self.sd_
        self.gamma_ = np.zeros((len(self.batches_), len(self.mean_)))
        self.delta_ = np.ones_like(self.gamma_)
        for position, rows in enumerate(member.T):
            gamma, delta = self._shrunk(standard[rows][:, self.varies_])
            self.gamma_[position, self.varies_], self.delta_[position, self.varies_] = gamma, delta

    def _covariates(self, X: pd.DataFrame) -> Floats:
        extra: Floats = X[list(self.covariates)].to_numpy(dtype=np.float64)
        if not np.isfinite(extra).all():
            raise _covariate_problem("not known for every row")
        return extra

    def _shrunk(self, part: Floats) -> tuple[Floats, Floats]:
        """Location and scale of one batch, shrunk over its analytes; part (rows, analytes)."""
        gamma = _mean(part)
        delta = np.ones_like(gamma) if self.mean_only else _variance(part)
        # A batch in which an analyte has fewer than two values says nothing of its spread.
        known = np.isfinite(gamma) & np.isfinite(delta) & (delta > 0)
        gamma, delta = np.where(known, gamma, 0.0), np.where(known, delta, 1.0)
        if known.sum() < 2:  # nothing to shrink towards
            return gamma, np.ones_like(delta)
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
    mean = _mean(part)
    # About every other analyte's location, without an array of rows x analytes x analytes.
    squares = np.nansum((part - mean) ** 2, axis=0)[:, None]
    squares = squares + n[:, None] * (mean[:, None] - gamma[None, :]) ** 2
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
    """Batches as text, empty where there is none; 1.0 is 1, as a gap makes floats of integers."""
    return np.array(
        [
            "" if pd.isna(label) else f"{label:.0f}" if _is_whole(label) else str(label)
            for label in X[batch]
        ],
        dtype=str,
    )


def _drawn_again(X: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.bool_]:
    """Rows that are an earlier one again, by label and values, as a bootstrap has them."""
    again = X.index.duplicated()
    return again & X[list(columns)].duplicated().to_numpy() if again.any() and columns else again


def _is_whole(label: object) -> bool:
    return isinstance(label, float) and label.is_integer()


def _covariate_problem(what: str) -> DataError:
    return DataError("E367", f"a covariate whose effect is to be kept is {what}", where="ComBat")
