"""Analytes that the assay hardly detects are left out, by their share in the training part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from cytobench.core.errors import DataError
from cytobench.data.cohort import ABOVE, BELOW


class DetectedEnough(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Drop analytes below detection in more than a share of the training rows that were measured.

    Parameters
    ----------
    analytes : sequence of str
    max_below : float or None
        Between 0 and 1; None keeps all.
    linear : sequence of str
        The analytes on a linear scale, of which a 0 was not detected even if it is not flagged.
    besides : sequence of str
        Columns that no model sees, such as the batch.

    Attributes
    ----------
    dropped_ : dict
        Analyte -> share below detection.
    """

    def __init__(
        self,
        analytes: tuple[str, ...] = (),
        max_below: float | None = None,
        linear: tuple[str, ...] = (),
        besides: tuple[str, ...] = (),
    ) -> None:
        self.analytes = analytes
        self.max_below = max_below
        self.linear = linear
        self.besides = besides

    def fit(self, X: pd.DataFrame, y: object = None) -> DetectedEnough:
        """Find the analytes to leave out.

        Raises
        ------
        DataError
            ``E365`` where no column that a model sees would be left.
        """
        del y
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        most = 1.0 if self.max_below is None else self.max_below
        # No share is above 1: where all are kept, none is counted.
        counted = [name for name in self.analytes if most < 1 and name in X.columns]
        shares = {name: self._share_below(X, name) for name in counted}
        self.dropped_ = {name: share for name, share in shares.items() if share > most}
        gone = {name + suffix for name in self.dropped_ for suffix in ("", BELOW, ABOVE)}
        self.kept_ = [str(column) for column in X.columns if str(column) not in gone]
        if self.dropped_ and set(self.kept_) <= set(self.besides):
            raise DataError(
                "E365",
                f"all {len(self.dropped_)} analytes are below detection in more than {most:.0%} "
                "of the training part",
                where="preprocess.max_below",
                hint="raise preprocess.max_below",
            )
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """The columns that were kept."""
        check_is_fitted(self, "kept_")
        return X[self.kept_] if self.dropped_ else X

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """The columns that were kept."""
        del input_features
        return np.asarray(self.kept_, dtype=object)

    def _share_below(self, X: pd.DataFrame, name: str) -> float:
        values = X[name].to_numpy(dtype=np.float64)
        below = (values == 0) & (name in self.linear)
        if name + BELOW in X.columns:
            below = below | X[name + BELOW].to_numpy(dtype=bool)
        known = ~np.isnan(values)
        return float(below[known].mean()) if known.any() else 0.0
