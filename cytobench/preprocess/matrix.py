"""The plain recipe as arithmetic on one array: what the Pipeline does, for many parts of a cohort.

Of nested cross-validation most encodings are the same steps on other rows. What depends on no row
but its own (limits, logarithms, codes of categories) is done once for the cohort.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import Input
from cytobench.core.kept import Kept
from cytobench.data.cohort import ABOVE, BELOW, Cohort
from cytobench.preprocess.pipeline import numeric_columns, text_columns
from cytobench.preprocess.recipe import Recipe

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
KEPT = 32 * 1024**2
"""Bytes of encodings that are kept for a cohort: those of fifty folds of 300 patients."""


def is_plain(recipe: Recipe) -> bool:
    """Whether a recipe learns nothing but what stands for a limit or a gap, and the scale."""
    return (
        recipe.censored == "llod_sqrt2"
        and recipe.max_below is None
        and recipe.batch == "none"
        and recipe.missing == "median"
        and not (recipe.features or recipe.censored_indicators or recipe.indicators)
    )


class Matrix:
    """A cohort's baseline, ready to be encoded for any training part by a plain recipe.

    Agrees with the fitted Pipeline of :func:`cytobench.preprocess.pipeline.build_encoder`, which
    remains what other recipes and explanations use.

    Parameters
    ----------
    frame : DataFrame
        From :func:`cytobench.preprocess.pipeline.baseline_frame`.
    recipe : Recipe
        For which :func:`is_plain` holds.
    """

    def __init__(
        self, frame: pd.DataFrame, cohort: Cohort, inputs: Sequence[Input], recipe: Recipe
    ) -> None:
        self.frame = frame
        self.scale = recipe.scale
        self.log = recipe.log
        analytes = list(cohort.analytes) if "analytes" in inputs else []
        flags = {name + end for name in analytes for end in (BELOW, ABOVE)}
        kept = frame[[column for column in frame.columns if column not in flags]]
        self.numbers = numeric_columns(kept)
        self.values: Floats = np.array(kept[self.numbers].to_numpy(dtype=np.float64), order="F")
        linear = {analyte.name for analyte in cohort.panel if analyte.scale == "linear"}
        self._assay([name for name in analytes if name in linear])
        self.levels = {name: _codes(frame[name]) for name in text_columns(kept)}
        names = [*self.numbers, *(f"{c}_{level}" for c, (all_, _) in self.levels.items()
                                  for level in all_)]  # fmt: skip
        self.kept: Kept[list[Encoded]] = Kept(KEPT, _bytes)
        self.usable = len(set(names)) == len(names) and not np.isinf(self.values).any()

    def _assay(self, linear: Sequence[str]) -> None:
        """Limits and logarithms; where a limit is unknown, the training part has to say it."""
        columns = np.array([self.numbers.index(name) for name in linear], dtype=np.intp)
        raw = self.values[:, columns]
        below = np.column_stack(
            [np.zeros((len(self.frame), 0), dtype=bool)]
            + [
                self.frame[name + BELOW].to_numpy(dtype=bool)
                if name + BELOW in self.frame
                else np.zeros(len(self.frame), dtype=bool)
                for name in linear
            ]
        )
        zero = raw == 0
        below |= zero
        self.unknown = [
            (column, raw[:, k], below[:, k], zero[:, k])
            for k, column in enumerate(columns)
            if zero[:, k].any()
        ]
        filled = np.where(below, raw / np.sqrt(2), raw)
        filled[zero] = np.nan  # until a training part is known
        self.values[:, columns] = np.log(filled) if self.log else filled

    def encode(self, train: Rows, others: Sequence[Rows]) -> list[Encoded]:
        """Learn from the rows `train`; those and each of `others` as numbers without gaps.

        Models are asked to learn from the same rows: what they were given is kept for the next.
        """
        key = (train.tobytes(), *(rows.tobytes() for rows in others))
        return self.kept.get(key, lambda: self._encode(train, others))

    def _encode(self, train: Rows, others: Sequence[Rows]) -> list[Encoded]:
        values = self._with_limits(train)
        known = values[train]
        middle = _medians(known)
        unknown = np.isnan(known).all(axis=0)
        known = np.asfortranarray(np.where(np.isnan(known), middle, known))
        center, spread = _moments(known) if self.scale else (0.0, 1.0)
        flags = {
            f"{column}_{levels[code]}": codes == code
            for column, (levels, codes) in self.levels.items()
            for code in np.unique(codes[train])
        }
        encoded = []
        for rows in (train, *others):
            numbers = values[rows]
            numbers = (np.where(np.isnan(numbers) | unknown, middle, numbers) - center) / spread
            told = np.empty((len(rows), len(flags)))
            for k, flag in enumerate(flags.values()):
                told[:, k] = flag[rows]
            encoded.append(Encoded(self, rows, numbers, told, list(flags)))
        return encoded

    def _with_limits(self, train: Rows) -> Floats:
        """Values, with what the training part has in place of limits that nobody wrote down."""
        if not self.unknown:
            return self.values
        values = self.values.copy(order="F")
        for column, raw, below, zero in self.unknown:
            known = raw[train]
            detected = known[(known > 0) & ~below[train]]
            limits = known[known > 0]
            smallest = min(detected, default=min(limits, default=1.0))
            stands = smallest / np.sqrt(2)
            values[zero, column] = np.log(stands) if self.log else stands
        return values


@dataclass(frozen=True, eq=False)
class Encoded:
    """Rows of a matrix as numbers: an array at once, a frame for whom needs its names.

    Attributes
    ----------
    numbers, flags : array, shapes (n, numbers) and (n, levels)
    levels : list of str
        Names of the flags.
    """

    matrix: Matrix
    rows: Rows
    numbers: Floats
    flags: Floats
    levels: list[str]

    @property
    def columns(self) -> list[str]:
        """Names of all columns."""
        return [*self.matrix.numbers, *self.levels]

    def array(self) -> Floats:
        """All columns."""
        return np.hstack([self.numbers, self.flags])

    def frame(self) -> pd.DataFrame:
        """As a model sees it."""
        index = self.matrix.frame.index[self.rows]
        numbers = pd.DataFrame(self.numbers, index=index, columns=self.matrix.numbers)
        if not self.levels:
            return numbers
        flags = pd.DataFrame(self.flags, index=index, columns=self.levels)
        # Two blocks, as scikit-learn leaves them: a model may write into their array.
        return pd.concat([numbers, flags], axis=1) if self.matrix.numbers else flags


def _bytes(parts: Sequence[Encoded]) -> int:
    return sum(part.numbers.nbytes + part.flags.nbytes + part.rows.nbytes for part in parts)


def _codes(column: pd.Series) -> tuple[list[object], NDArray[np.intp]]:
    levels, codes = np.unique(column.to_numpy(dtype=object), return_inverse=True)
    return levels.tolist(), codes


def _medians(X: Floats) -> Floats:
    """Of each column without its gaps; 0 where there is nothing, as scikit-learn fills it."""
    ordered = np.sort(X, axis=0)  # gaps go to the end
    known = len(X) - np.isnan(X).sum(axis=0)
    each = np.arange(X.shape[1])
    low, high = ordered[np.maximum(known - 1, 0) // 2, each], ordered[known // 2 % len(X), each]
    return np.where(known == 0, 0.0, (low + high) / 2)


def _moments(X: Floats) -> tuple[Floats, Floats]:
    """Mean and spread of each column, 1 for a constant, in scikit-learn's order of operations.

    The two-pass algorithm with its correction (Chan, Golub & LeVeque 1983,
    doi:10.1080/00031305.1983.10483115).
    """
    n = len(X)
    mean = X.sum(axis=0) / n
    apart = X - mean
    drift = apart.sum(axis=0)
    apart **= 2
    variance = (apart.sum(axis=0) - drift**2 / n) / n
    rounding = np.finfo(np.float64).eps * n
    constant = variance <= rounding * variance + (rounding * mean) ** 2
    return mean, np.where(constant, 1.0, np.sqrt(variance))
