"""Values beyond a limit of detection made numbers, by what the training part teaches."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cytobench.data.cohort import ABOVE, BELOW
from cytobench.preprocess.encoder import replaced
from cytobench.preprocess.lognormal import (
    Normal,
    by_maximum_likelihood,
    by_order_statistics,
    mills,
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
INDICATOR = " not detected"


class LimitOverRoot2(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A value below its limit becomes limit / sqrt(2).

    After Hornung & Reed (1990, doi:10.1080/1047322X.1990.10389587). A flagged value carries its
    limit, an assay constant; where the table recorded non-detects as 0 and the limit is unknown,
    the smallest detected value of the training part stands in for it. Values above a limit stay at
    it. The companion columns are dropped.

    Parameters
    ----------
    analytes : sequence of str
        Columns of concentrations; other columns pass through.
    linear : sequence of str
        The analytes on a linear scale. Those on log2 (NPX) are left as they are.
    indicators : bool
        Add a column of 0 and 1 for each analyte that has values below its limit in training.
    """

    def __init__(
        self,
        analytes: tuple[str, ...] = (),
        linear: tuple[str, ...] = (),
        indicators: bool = False,
    ) -> None:
        self.analytes = analytes
        self.linear = linear
        self.indicators = indicators

    def fit(self, X: pd.DataFrame, y: object = None) -> LimitOverRoot2:
        """Find what stands for an unknown limit, and whatever else a subclass learns."""
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        columns = {str(column) for column in X.columns}
        present = [name for name in self.analytes if name in columns]
        companions = {name + suffix for name in present for suffix in (BELOW, ABOVE)}
        self.analytes_ = present
        self.kept_ = [str(column) for column in X.columns if str(column) not in companions]
        self.is_linear_ = np.isin(present, list(self.linear))
        values, below, above = self._values(X)
        self.smallest_: Floats = _smallest(values, below)
        self.indicated_ = [
            name for k, name in enumerate(present) if self.indicators and below[:, k].any()
        ]
        self._learn(self._with_limits(values), below, above)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same patients with a number for every value beyond a limit."""
        check_is_fitted(self, "smallest_")
        values, below, above = self._values(X)
        limits = self._with_limits(values)
        filled = self._fill(limits, below & self.is_linear_, above & self.is_linear_, X)
        out = X if len(self.kept_) == len(X.columns) else X[self.kept_]
        out = replaced(out, self.analytes_, filled)
        for name in self.indicated_:
            position = self.analytes_.index(name)
            out[name + INDICATOR] = below[:, position].astype(float)
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Columns that remain."""
        del input_features
        names = [*self.kept_, *(name + INDICATOR for name in self.indicated_)]
        return np.asarray(names, dtype=object)

    def _values(self, X: pd.DataFrame) -> tuple[Floats, Flags, Flags]:
        """Values, below and above of the analytes, each of shape (n, n_analytes)."""
        values = X[self.analytes_].to_numpy(dtype=np.float64)
        columns = {str(column) for column in X.columns}
        flags = np.zeros((2, *values.shape), dtype=bool)
        for side, suffix in enumerate((BELOW, ABOVE)):
            for position, name in enumerate(self.analytes_):
                if name + suffix in columns:
                    flags[side, :, position] = X[name + suffix].to_numpy(dtype=bool)
        # A zero that nobody flagged cannot be logged; it is a non-detect that was not declared.
        below = flags[0] | ((values == 0) & self.is_linear_)
        return values, below, flags[1] & ~below

    def _with_limits(self, values: Floats) -> Floats:
        """Values, with what stands for the limit where it is unknown."""
        return np.where((values == 0) & self.is_linear_, self.smallest_, values)

    def _learn(self, values: Floats, below: Flags, above: Flags) -> None:
        """Nothing: the rule has no parameters."""

    def _fill(self, values: Floats, below: Flags, above: Flags, X: pd.DataFrame) -> Floats:
        del above, X
        return np.where(below, values / np.sqrt(2), values)


class _Lognormal(LimitOverRoot2):
    """What the methods with a fitted distribution share.

    Attributes
    ----------
    normals_ : list of Normal or None
        Of every analyte's logarithm.
    fallback_ : list of str
        Analytes below a limit in training with too few different detected values: limit / sqrt(2)
        is used for these.
    """

    def _learn(self, values: Floats, below: Flags, above: Flags) -> None:
        self.normals_: list[Normal | None] = []
        for k, linear in enumerate(self.is_linear_):
            known = ~np.isnan(values[:, k])
            # Also where every training value was detected: a later one may not be.
            part = values[known, k], below[known, k], above[known, k]
            self.normals_.append(self._estimate(*part) if linear else None)
        self.fallback_ = [
            name
            for k, name in enumerate(self.analytes_)
            if self.normals_[k] is None and self.is_linear_[k] and below[:, k].any()
        ]

    def _estimate(self, values: Floats, below: Flags, above: Flags) -> Normal | None:
        raise NotImplementedError

    def _fill(self, values: Floats, below: Flags, above: Flags, X: pd.DataFrame) -> Floats:
        filled = np.where(below, values / np.sqrt(2), values)
        for k, normal in enumerate(self.normals_):
            if normal is None:
                continue
            for flags, side in ((below, -1), (above, 1)):
                rows = np.flatnonzero(flags[:, k])
                if len(rows):
                    limits = values[rows, k]
                    logs = self._beyond(normal, limits, side, rows, k, X)
                    # Rounding may lead back over a limit far out in the tail.
                    within = np.minimum if side < 0 else np.maximum
                    filled[rows, k] = within(np.exp(logs), limits)
        return filled

    def _beyond(
        self, normal: Normal, limits: Floats, side: int, rows: NDArray[np.intp], k: int,
        X: pd.DataFrame,
    ) -> Floats:  # fmt: skip
        """Logarithms for values beyond limits: their expectation under the fitted distribution."""
        del rows, k, X
        z = (np.log(limits) - normal.mu) / normal.sigma
        return np.asarray(normal.mu + side * normal.sigma * mills(-side * z))


class RegressionOnOrderStatistics(_Lognormal):
    """Robust regression on order statistics (Helsel & Cohn 1988, doi:10.1029/WR024i012p01997).

    The line through the detected training values gives the distribution; a value below a limit, in
    training or later, becomes the geometric mean of what that distribution has below the limit.
    Both parts are treated alike: the classical ranks of non-detects exist for training rows only.
    Values above a limit stay at it.
    """

    def _estimate(self, values: Floats, below: Flags, above: Flags) -> Normal | None:
        return by_order_statistics(values, below, above)

    def _fill(self, values: Floats, below: Flags, above: Flags, X: pd.DataFrame) -> Floats:
        return super()._fill(values, below, np.zeros_like(above), X)


class CensoredMaximumLikelihood(_Lognormal):
    """Censored lognormal maximum likelihood, limits on both sides.

    A value beyond a limit becomes the geometric mean of what the fitted distribution has beyond it
    (Tobin 1958, doi:10.2307/1907382).
    """

    def _estimate(self, values: Floats, below: Flags, above: Flags) -> Normal | None:
        return by_maximum_likelihood(values, below, above)


class MultipleDraws(CensoredMaximumLikelihood):
    """A random draw from the fitted distribution beyond the limit, for each value.

    One of several imputations: a model is fitted to each and the predictions are averaged. The draw
    for a value depends on the seed, the imputation, the patient and the analyte alone, so that no
    prediction depends on another row.

    Parameters
    ----------
    random_state : int
    draw : int
        Number of the imputation.
    """

    def __init__(
        self,
        analytes: tuple[str, ...] = (),
        linear: tuple[str, ...] = (),
        indicators: bool = False,
        random_state: int = 0,
        draw: int = 0,
    ) -> None:
        super().__init__(analytes, linear, indicators)
        self.random_state = random_state
        self.draw = draw

    def _beyond(
        self, normal: Normal, limits: Floats, side: int, rows: NDArray[np.intp], k: int,
        X: pd.DataFrame,
    ) -> Floats:  # fmt: skip
        from scipy.special import log_ndtr, ndtri_exp

        about = f"{self.random_state}/{self.draw}/{self.analytes_[k]}/{side}/"
        share = np.array([_uniform(about + str(patient)) for patient in X.index[rows]])
        z = side * (normal.mu - np.log(limits)) / normal.sigma
        # Phi(z) of the distribution lies beyond the limit; in logarithms it cannot vanish.
        return np.asarray(normal.mu - side * normal.sigma * ndtri_exp(np.log(share) + log_ndtr(z)))


class LogConcentrations(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Natural logarithm of analytes on a linear scale; others are left as they are.

    Parameters
    ----------
    linear : sequence of str
        Columns with positive values; those that are not there are passed over.
    """

    def __init__(self, linear: tuple[str, ...] = ()) -> None:
        self.linear = linear

    def fit(self, X: pd.DataFrame, y: object = None) -> LogConcentrations:
        """Nothing is learned but the names of the columns."""
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same rows with logarithms."""
        check_is_fitted(self, "feature_names_in_")
        columns = [name for name in self.linear if name in X.columns]
        return replaced(X, columns, np.log(X[columns].to_numpy(dtype=np.float64)))

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The columns that came in."""
        del input_features
        return self.feature_names_in_


CENSORED = {
    "llod_sqrt2": LimitOverRoot2,
    "ros": RegressionOnOrderStatistics,
    "censored_mle": CensoredMaximumLikelihood,
    "draws": MultipleDraws,
}
"""What `preprocess.censored` may name."""


def _smallest(values: Floats, below: Flags) -> Floats:
    """Of every analyte the smallest detected value; where nothing was, the smallest limit."""
    positive = np.where(values > 0, values, np.inf)
    detected = np.where(below, np.inf, positive).min(axis=0, initial=np.inf)
    limit = positive.min(axis=0, initial=np.inf)
    smallest = np.where(np.isinf(detected), limit, detected)
    # Neither: any constant will do, the column carries no information.
    return np.where(np.isinf(smallest), 1.0, smallest)


def _uniform(text: str) -> float:
    """A number in (0, 1) that depends on a text alone."""
    number = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
    # Of 64 bits the first 52: with more, rounding could reach 1.
    return ((number >> 12) + 0.5) / 2.0**52
