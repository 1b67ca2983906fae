"""One patient on both sides of a split: copies, near copies, and several identifiers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cytobench.audit.findings import Evidence, check
from cytobench.audit.view import FAMILY_LEVEL, View

Floats = NDArray[np.float64]
Pairs = NDArray[np.intp]
NEIGHBOURS = 6
"""Up to five copies of a patient are still told from five neighbours."""
FEWEST_COLUMNS = 5
"""Measured finely enough; with fewer, unrelated patients may agree by chance."""
DISTINCT = 0.5
"""Share of distinct values among the known ones from which a column tells patients apart."""
TIED = 0.02
"""Share of the patients from which a common value says nothing about who they are."""
MOST_SHARED = 0.25
"""Of the values that unrelated neighbours share; above it, rounding makes patients look alike."""
EDGE = 4.0
"""Robust standard deviations at which wild values are clipped."""
CLOSE = 0.25
"""Of the distance that two unrelated patients usually have."""
CAUTION = 0.75
"""Factor on the estimated number of dimensions."""
TINY = 1e-12
SHOWN = 3
VISIT = re.compile(
    r"[\s_./-]?(?:visit|v|timepoint|time|tp|t|week|wk|day|month|sample|replicate|rep|duplicate|dup"
    r"|copy)[\s_.-]?\d{1,2}$",
    re.IGNORECASE,
)
MOST_VISITS = 10


@check(
    "A201",
    "copies of a patient in training and test part",
    "block",
    "Two rows agree in every analyte that tells patients apart, and a fold trains on one and tests "
    "on the other.",
)
def exact_copies(view: View) -> Iterator[Evidence]:
    """Rows that agree in all finely measured analytes that both have."""
    yield from _told(view, _copies(view), "agree in every finely measured analyte")


@check(
    "A202",
    "near copies of a patient in training and test part",
    "warning",
    "Two rows are far closer than neighbours among unrelated patients are: replicates, or visits "
    "of one patient.",
)
def near_copies(view: View) -> Iterator[Evidence]:
    """Rows much closer than the density of patients around them explains."""
    exact = {tuple(pair) for pair in _copies(view).tolist()}
    pairs = [pair for pair in _close_pairs(view).tolist() if tuple(pair) not in exact]
    found = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    yield from _told(view, found, "are far closer in all analytes than unrelated patients are")


@check(
    "A203",
    "a patient is tested twice, or trained on and tested, in one repeat",
    "block",
    "The parts of one repeat of the split plan overlap.",
)
def overlap(view: View) -> Iterator[Evidence]:
    """Patients in two test parts of a repeat, or on both sides of a fold."""
    for repeat in sorted({split.repeat for split in view.plan.splits}):
        splits = [split for split in view.plan.splits if split.repeat == repeat]
        tested = np.concatenate([np.unique(split.test) for split in splits])
        rows, times = np.unique(tested, return_counts=True)
        both = [row for split in splits for row in np.intersect1d(split.train, split.test)]
        count = int((times > 1).sum()) + len(both)
        if count:
            first = int(both[0] if both else rows[times > 1][0])
            yield Evidence(
                f"{count} patients are in two parts of repeat {repeat} that should be disjoint, "
                f"the first in row {first + 1}",
                where=f"repeat {repeat}",
                values={"repeat": repeat, "patients": count},
            )


@check(
    "A204",
    "identifiers look like visits of one patient",
    "warning",
    "Identifiers that differ only in a visit or sample number are parted by train and test.",
)
def several_identifiers(view: View) -> Iterator[Evidence]:
    """Groups of identifiers with one stem before a visit number."""
    stems = [VISIT.sub("", name) for name in view.cohort.patients]
    _, group, size = np.unique(stems, return_inverse=True, return_counts=True)
    # "T12" after one and the same stem for everybody is a numbering, not a visit.
    shared = np.flatnonzero((size > 1) & (size <= MOST_VISITS))
    pairs = [
        (int(first), int(second))
        for number in shared
        for rows in [np.flatnonzero(group == number)]
        for first, second in pairwise(rows)
    ]
    found = np.array(pairs, dtype=np.intp).reshape(-1, 2)
    yield from _told(view, found, "have identifiers that differ only in a visit number")


@dataclass(frozen=True)
class _Fine:
    """Standardised logarithms of the analytes that tell patients apart.

    Attributes
    ----------
    values : array, shape (n, p)
        NaN where missing, and where many patients share the value.
    """

    values: Floats

    @property
    def enough(self) -> bool:
        return self.values.shape[1] >= FEWEST_COLUMNS and len(self.values) > 2 * NEIGHBOURS


def _fine(view: View) -> _Fine:
    columns = []
    for column in view.log_analytes.T:
        values = _without_ties(column)
        known = values[np.isfinite(values)]
        if len(known) < len(values) / 2 or len(np.unique(known)) < DISTINCT * len(values):
            continue
        # Ranks keep one wild value from hiding all distances.
        low, middle, high = np.quantile(known, [0.16, 0.5, 0.84])
        if high > low:
            columns.append(np.clip((values - middle) / ((high - low) / 2), -EDGE, EDGE))
    return _Fine(np.column_stack(columns) if columns else np.empty((len(view.cohort), 0)))


def _without_ties(values: Floats) -> Floats:
    """The column with NaN for what many patients share: a limit, or coarse rounding."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    many = size[group] > max(NEIGHBOURS, TIED * len(values))
    return np.where(many, np.nan, values)


def _copies(view: View) -> Pairs:
    """Pairs of rows (first < second) that agree wherever both are known."""
    fine = _fine(view)
    if not fine.enough:
        return np.empty((0, 2), dtype=np.intp)
    near, distance = _neighbours(fine.values)
    found, shares = [], []
    for row, others in enumerate(near):
        agreed = [_agreement(fine.values, row, int(other)) for other in others]
        pairs = list(zip(others.tolist(), agreed, distance[row], strict=True))
        found += [(row, other) for other, share, far in pairs if share == 1 and np.isfinite(far)]
        shares += [share for _, share, far in pairs if share < 1 and np.isfinite(far)][:1]
    # Where unrelated neighbours share many values (coarse, correlated columns), copies prove none.
    if shares and np.quantile(shares, 0.9) > MOST_SHARED:
        return np.empty((0, 2), dtype=np.intp)
    return _unique(found)


def _agreement(values: Floats, row: int, other: int) -> float:
    """Share of the columns that both rows have in which they are equal."""
    a, b = values[row], values[other]
    both = np.isfinite(a) & np.isfinite(b)
    # Values clipped at the edge of the scale agree without being equal.
    inside = both & (np.abs(a) < EDGE)
    if inside.sum() < max(FEWEST_COLUMNS, (len(a) + 1) // 2):
        return 0.0
    return float((a[both] == b[both]).mean())


def _unique(pairs: list[tuple[int, int]]) -> Pairs:
    """Each pair once, the smaller row first, shape (n_pairs, 2)."""
    ordered = sorted({(min(pair), max(pair)) for pair in pairs})
    return np.array(ordered, dtype=np.intp).reshape(-1, 2)


def _close_pairs(view: View) -> Pairs:
    """Pairs whose distance is improbable among unrelated patients.

    Around a patient, unrelated ones lie like a Poisson process in as many dimensions `m` as the
    panel really has; the ratio of the distances to the first and the k-th neighbour then exceeds
    `t` with probability ``(1 - t**m)**(k - 1)``. `m` is estimated from all patients (Levina &
    Bickel 2004, Advances in Neural Information Processing Systems 17, eq. 8) and from those near
    by, and the smaller of both taken, times `CAUTION`: real data are no Poisson process. All
    patients are tested at ``FAMILY_LEVEL`` together.
    """
    fine = _fine(view)
    if not fine.enough:
        return np.empty((0, 2), dtype=np.intp)
    near, distance = _neighbours(fine.values)
    # A row that shares enough columns with too few others has no neighbourhood to judge by.
    judged = np.flatnonzero(np.isfinite(distance[:, -1]))
    if len(judged) < len(near) / 2:
        return np.empty((0, 2), dtype=np.intp)
    ratios = np.ones((len(near), NEIGHBOURS - 1))
    kept = np.maximum(distance[judged], TINY)
    ratios[judged] = kept[:, :-1] / kept[:, -1:]
    local = (NEIGHBOURS - 2) / np.maximum(-np.log(ratios).sum(axis=1), TINY)
    around = np.minimum(np.median(local[near], axis=1), np.median(local[judged])) * CAUTION
    p = 1 - (1 - ratios ** around[:, None]) ** (NEIGHBOURS - 1)
    unusual = (p < FAMILY_LEVEL / len(judged)) & (
        distance[:, :-1] < CLOSE * _usual_distance(fine.values)
    )
    links = {(row, int(near[row, k])) for row, k in np.argwhere(unusual).tolist()}
    # A copy is improbably close from both sides; the edge of a dense region from one only.
    return _unique([(row, other) for row, other in links if (other, row) in links])


def _usual_distance(values: Floats) -> float:
    """Median distance of two patients, from at most 200 of them to all others."""
    block = _distances(values, np.arange(0, len(values), 1 + len(values) // 200))
    return float(np.median(block[np.isfinite(block)]))


def _neighbours(values: Floats) -> tuple[Pairs, Floats]:
    """Each row's nearest others and their distances, both of shape (n, NEIGHBOURS)."""
    near = np.empty((len(values), NEIGHBOURS), dtype=np.intp)
    distance = np.empty((len(values), NEIGHBOURS))
    for start in range(0, len(values), 256):
        rows = np.arange(start, min(start + 256, len(values)))
        block = _distances(values, rows)
        order = np.argpartition(block, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
        part = np.take_along_axis(block, order, axis=1)
        within = np.argsort(part, axis=1, kind="stable")
        near[rows] = np.take_along_axis(order, within, axis=1)
        distance[rows] = np.take_along_axis(part, within, axis=1)
    return near, distance


def _distances(values: Floats, rows: Pairs) -> Floats:
    """Root mean squared difference over the columns that both have, shape (n_rows, n).

    Infinite to oneself, and where two rows share less than half of the columns.
    """
    known = np.isfinite(values).astype(np.float64)
    filled = np.where(known > 0, values, 0.0)
    shared = known[rows] @ known.T
    squares = (filled[rows] ** 2) @ known.T + known[rows] @ (filled**2).T
    total = np.maximum(squares - 2 * filled[rows] @ filled.T, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance: Floats = np.sqrt(total / shared)
    distance[shared < values.shape[1] / 2] = np.inf
    distance[np.arange(len(rows)), rows] = np.inf
    return distance


def _told(view: View, pairs: Pairs, what: str) -> Iterator[Evidence]:
    """One sentence about the pairs that a fold parts."""
    if not len(pairs):
        return
    folds = view.crossing(pairs[:, 0], pairs[:, 1])
    parted = pairs[folds > 0]
    if not len(parted):
        return
    examples = ", ".join(f"{first + 1} and {second + 1}" for first, second in parted[:SHOWN])
    count = len(parted)
    more = " and more" if count > SHOWN else ""
    yield Evidence(
        f"{count} {'pair' if count == 1 else 'pairs'} of patients {what}, and are parted by train "
        f"and test in up to {int(folds.max())} of {len(view.plan.splits)} folds "
        f"(rows {examples}{more})",
        where=f"rows {examples}{more}",
        values={"pairs": count, "rows": parted[: 10 * SHOWN].tolist()},
    )
