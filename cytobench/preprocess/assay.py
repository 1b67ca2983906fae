"""What an assay reports, made numeric: values at a limit of detection and the logarithm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cytobench.data.cohort import ABOVE, BELOW


class AssayValues(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Substitute values below the limit of detection, take logarithms, drop the companion columns.

    A flagged value carries its limit, an assay constant; it becomes limit / sqrt(2) (Hornung &
    Reed 1990, doi:10.1080/1047322X.1990.10389587). Where the table recorded non-detects as 0 and
    the limit is unknown, the smallest detected value of the training part stands in for it.

    Parameters
    ----------
    analytes : sequence of str
        Columns of concentrations; other columns pass through.
    linear : sequence of str
        The analytes on a linear scale. Those on log2 (NPX) are left as they are.
    log : bool
        Take the natural logarithm of linear analytes.
    """

    def __init__(
        self, analytes: tuple[str, ...] = (), linear: tuple[str, ...] = (), log: bool = True
    ) -> None:
        self.analytes = analytes
        self.linear = linear
        self.log = log

    def fit(self, X: pd.DataFrame, y: object = None) -> AssayValues:
        """Find the smallest positive value of each analyte of the training part."""
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.kept_ = [
            column
            for column in X.columns
            if not str(column).endswith((BELOW, ABOVE))
            or str(column).rpartition("__")[0] not in self.analytes
        ]
        self._is_linear = np.isin(list(self.analytes), list(self.linear))
        values = X[list(self.analytes)].to_numpy(dtype=np.float64)
        positive = np.where(values > 0, values, np.inf)
        # Nothing detected at all: any constant will do, the column carries no information.
        smallest = positive.min(axis=0, initial=np.inf)
        self.smallest_: NDArray[np.float64] = np.where(np.isinf(smallest), 1.0, smallest)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The same patients with numeric, uncensored, log-scaled analytes."""
        check_is_fitted(self, "smallest_")
        values = X[list(self.analytes)].to_numpy(dtype=np.float64).copy()
        below = _flags(X, self.analytes, BELOW)
        limit = np.where(values > 0, values, self.smallest_)
        linear = self._is_linear
        values = np.where(below & linear, limit / np.sqrt(2), values)
        # A zero that nobody flagged cannot be logged; it is a non-detect that was not declared.
        zero = (values == 0) & linear
        values = np.where(zero, self.smallest_ / np.sqrt(2), values)
        if self.log:
            with np.errstate(invalid="ignore"):
                values = np.where(linear, np.log(np.where(linear, values, 1.0)), values)
        out = X[self.kept_].copy()
        out[list(self.analytes)] = values
        return out

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Columns that remain."""
        del input_features
        return np.asarray(self.kept_, dtype=object)


def _flags(X: pd.DataFrame, analytes: tuple[str, ...], suffix: str) -> NDArray[np.bool_]:
    flags = np.zeros((len(X), len(analytes)), dtype=bool)
    for position, name in enumerate(analytes):
        if name + suffix in X.columns:
            flags[:, position] = X[name + suffix].to_numpy(dtype=bool)
    return flags
