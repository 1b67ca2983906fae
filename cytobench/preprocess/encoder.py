"""The fitted chain from baseline columns to numbers; frames only where a step needs their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import DataError
from cytobench.preprocess.recipe import Recipe

Floats = NDArray[np.float64]
BATCH = "__batch"
"""Column of the batch, while it is corrected; no model sees it."""


class Encoder:
    """Steps over the assay's columns, then numbers imputed and scaled, and text one-hot.

    The imputer, scaler and one-hot encoder are scikit-learn's, fitted on arrays: through its
    ``ColumnTransformer`` on frames the same numbers cost ten times as much.

    Parameters
    ----------
    steps : sequence of (str, transformer)
        From frame to frame, in order; the text columns pass by all but the first.
    recipe : Recipe
    """

    def __init__(self, steps: Sequence[tuple[str, Any]], recipe: Recipe) -> None:
        self.named_steps: Mapping[str, Any] = dict(steps)
        self.recipe = recipe
        self.text_: list[str] = []
        self.categories_: Any = None

    def fit(self, X: pd.DataFrame) -> Encoder:
        """Learn every step from these rows."""
        self.fit_transform(X)
        return self

    def fit_transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Learn every step from these rows, and encode them."""
        from sklearn.impute import SimpleImputer
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        frame = X
        self.text_ = [name for name in text_columns(X) if name != BATCH]
        self.categories_ = None
        for step in self.named_steps.values():
            frame = step.fit(frame).transform(frame)
            frame = self._without_text(frame)
        frame = self._without_text(frame)
        self.numbers_ = numeric_columns(frame)
        self.arrays_: list[Any] = []
        if self.numbers_:
            impute = SimpleImputer(
                strategy=self.recipe.missing,
                add_indicator=self.recipe.indicators,
                keep_empty_features=True,
            )
            self.arrays_ = [impute, *([StandardScaler()] if self.recipe.scale else [])]
        values = self._numbers(frame)
        self.unknown_ = np.isnan(values).all(axis=0)
        for transformer in self.arrays_:
            values = transformer.fit(values).transform(values)
        if self.text_:
            self.categories_ = OneHotEncoder(
                handle_unknown="ignore", sparse_output=False, dtype=float
            ).fit(X[self.text_].to_numpy(dtype=object))
        self.names_ = self._names()
        return self._framed(values, X)

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:
        """Encode other rows with what was learnt."""
        frame = X
        for step in self.named_steps.values():
            frame = self._without_text(step.transform(frame))
        values = self._values(self._without_text(frame))
        for transformer in self.arrays_:
            values = transformer.transform(values)
        return self._framed(values, X)

    def _without_text(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns that steps look at."""
        present = [name for name in self.text_ if name in frame.columns]
        return frame.drop(columns=present) if present else frame

    def _numbers(self, frame: pd.DataFrame) -> Floats:
        if len(self.numbers_) < len(frame.columns):
            frame = frame[self.numbers_]
        return frame.to_numpy(dtype=np.float64)

    def _values(self, frame: pd.DataFrame) -> Floats:
        values = self._numbers(frame)
        # Nobody in training had a value: it has no scale, and no model could learn what one means.
        return np.where(self.unknown_, np.nan, values) if self.unknown_.any() else values

    def _names(self) -> pd.Index:
        """Names of the encoded columns.

        Raises
        ------
        DataError
            ``E305`` where a category's column is called as another column.
        """
        names = list(self.numbers_)
        if self.arrays_ and self.recipe.indicators:
            names = [str(name) for name in self.arrays_[0].get_feature_names_out(names)]
        if self.categories_ is not None:
            names += [str(name) for name in self.categories_.get_feature_names_out(self.text_)]
        index = pd.Index(names)
        if not index.is_unique:
            twice = index[index.duplicated()][0]
            raise DataError(
                "E305",
                f"two encoded columns are called {twice!r}",
                hint="a category's column is named <column>_<category>; rename one of the columns",
            )
        return index

    def _framed(self, values: Floats, X: pd.DataFrame) -> pd.DataFrame:
        if self.categories_ is not None:
            ones = self.categories_.transform(X[self.text_].to_numpy(dtype=object))
            values = np.concatenate([values, ones], axis=1)
        # Column by column in memory, as in any frame: sums over rows depend on it in the last bit.
        return pd.DataFrame(np.asfortranarray(values), index=X.index, columns=self.names_)


def numeric_columns(X: pd.DataFrame) -> list[str]:
    """Columns of numbers, in order."""
    return [str(name) for name, dtype in X.dtypes.items() if is_numeric(dtype)]


def text_columns(X: pd.DataFrame) -> list[str]:
    """Columns of categories, in order."""
    return [str(name) for name, dtype in X.dtypes.items() if not is_numeric(dtype)]


def is_numeric(column: Any) -> bool:
    """Whether a column, or its dtype, is of numbers or booleans."""
    return bool(pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column))


def replaced(X: pd.DataFrame, columns: Sequence[str], values: Floats) -> pd.DataFrame:
    """A frame with other numbers in some of its columns of floats."""
    if not len(columns):
        return X
    if not all(dtype == np.float64 for dtype in X.dtypes):
        out = X.copy()
        out[list(columns)] = values
        return out
    whole = np.array(X.to_numpy(), order="F")
    whole[:, X.columns.get_indexer(pd.Index(columns))] = values
    return pd.DataFrame(whole, index=X.index, columns=X.columns, copy=False)
