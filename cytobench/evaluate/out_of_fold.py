"""A cell's stored folds as arrays: one column for each patient, one row for each repeat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.core.result import FoldResult

Floats = NDArray[np.float64]
Texts = NDArray[np.str_]


@dataclass(frozen=True)
class OutOfFold:
    """Every prediction of a cell, patients as the unit.

    Attributes
    ----------
    patients : array of str, shape (n,)
    y : array, shape (n,)
    prediction : array, shape (repeats, n)
        NaN where a patient was not tested in a repeat (leave-one-site-out, bootstrap).
    null : array, shape (repeats, n)
        What the null model says: the mean outcome of the training part.
    decision : array, shape (repeats, n)
        1 where the prediction reaches the threshold of its fold; NaN as above.
    groups : mapping
        Subgroup -> level of each patient; an empty string where unknown.
    """

    patients: Texts
    y: Floats
    prediction: Floats
    null: Floats
    decision: Floats
    groups: Mapping[str, Texts]

    def repeats(self) -> Iterator[tuple[Floats, Floats]]:
        """Outcome and prediction of the patients that each repeat tested."""
        for row in self.prediction:
            tested = ~np.isnan(row)
            yield self.y[tested], row[tested]

    @property
    def mean(self) -> Floats:
        """Each patient's mean prediction: for figures, never for an AUC."""
        found: Floats = np.nanmean(self.prediction, axis=0)
        return found

    @property
    def instability(self) -> Floats:
        """Each patient's mean absolute difference between predictions of two repeats.

        The same patient, the same procedure, other training patients of the same cohort: what is
        said of a patient should not depend on them. Smaller than the instability of Riley & Collins
        (2023, doi:10.1002/bimj.202200302), whose refits share fewer patients. NaN with fewer than
        two predictions.
        """
        repeats = len(self.prediction)
        if repeats < 2:
            return np.full(len(self.y), np.nan)
        pairs = [
            np.abs(self.prediction[first] - self.prediction[second])
            for first in range(repeats)
            for second in range(first + 1, repeats)
        ]
        # A patient may be missing from a resample: the mean is over the pairs that there are.
        there = ~np.isnan(pairs)
        total = np.where(there, pairs, 0.0).sum(axis=0)
        counts = there.sum(axis=0)
        found: Floats = np.full(len(self.y), np.nan)
        np.divide(total, counts, out=found, where=counts > 0)
        return found

    def of(self, rows: NDArray[np.bool_]) -> OutOfFold:
        """Some of the patients."""
        return OutOfFold(
            self.patients[rows],
            self.y[rows],
            self.prediction[:, rows],
            self.null[:, rows],
            self.decision[:, rows],
            {name: levels[rows] for name, levels in self.groups.items()},
        )


def out_of_fold(folds: Sequence[FoldResult]) -> OutOfFold:
    """Arrange stored folds by patient and repeat.

    Patients come in the order in which the folds test them, which pseudonyms do not decide: two
    models on the same splits have the same columns, and so have two stores with other salts.
    """
    column: dict[str, int] = {}
    for fold in folds:
        for patient in fold.predictions.patient:
            column.setdefault(patient, len(column))
    patients = np.array(list(column))
    repeats = sorted({fold.repeat for fold in folds})
    shape = (len(repeats), len(patients))
    prediction, null, decision = (np.full(shape, np.nan) for _ in range(3))
    y = np.full(len(patients), np.nan)
    groups: dict[str, Texts] = {}
    for fold in folds:
        row = repeats.index(fold.repeat)
        where = np.array([column[patient] for patient in fold.predictions.patient], dtype=np.intp)
        said = np.asarray(fold.predictions.prediction, dtype=float)
        prediction[row, where] = said
        null[row, where] = fold.train_mean
        if fold.threshold is not None:
            decision[row, where] = said >= fold.threshold
        y[where] = fold.predictions.y
        for name, levels in fold.predictions.groups.items():
            width = f"U{max(map(len, levels), default=1) or 1}"
            known = groups.get(name, np.full(len(patients), "", dtype=width))
            groups[name] = known.astype(np.promote_types(known.dtype, width))
            groups[name][where] = np.asarray(levels)
    return OutOfFold(patients, y, prediction, null, decision, groups)
