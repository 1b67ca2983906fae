"""Rows of a panel that are too much alike to be two patients: equal, or improbably close."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Pairs = NDArray[np.intp]
LEVEL = 0.01
"""Chance that any two unrelated patients of a cohort are taken for near copies."""
NEIGHBOURS = 6
"""Up to five copies of a patient are still told from unrelated neighbours."""
FEWEST_COLUMNS = 5
"""Measured finely enough; with fewer, unrelated patients may agree by chance."""
DISTINCT = 0.5
"""Distinct values for each patient from which a column tells patients apart."""
TIED = 0.02
"""Share of the patients from which a common value says nothing about who they are."""
MOST_SHARED = 0.25
"""Of the values that unrelated neighbours share; above it, rounding makes patients look alike."""
CLOSE = 0.25
"""Of the distance that two unrelated patients usually have."""
CAUTION = 0.75
"""Factor on the estimated number of dimensions: real data are no Poisson process."""
EDGE = 4.0
"""Robust standard deviations at which wild values are clipped."""
TINY = 1e-12
MOST_PATIENTS = 20_000
"""Whose distances to all others are computed; their number grows with the square."""
MOST_COMPARED = 100_000
"""Pairs of rows in memory at once."""


@dataclass(frozen=True)
class Twins:
    """Pairs of rows, each of shape (n_pairs, 2), the smaller row first.

    Attributes
    ----------
    copies : array of int
        Equal wherever both are known.
    close : array of int
        Not equal, but improbably close.
    """

    copies: Pairs
    close: Pairs


NONE = Twins(np.empty((0, 2), dtype=np.intp), np.empty((0, 2), dtype=np.intp))


def find_twins(analytes: Floats) -> Twins:
    """Look for copies among patients.

    Silent where the panel cannot tell: fewer than `FEWEST_COLUMNS` finely measured columns, or
    columns so coarse and correlated that unrelated neighbours share many values. Among more than
    `MOST_PATIENTS` copies only are looked for.

    Parameters
    ----------
    analytes : array, shape (n, p)
        On a logarithmic scale, NaN where missing.
    """
    values = _finely_measured(analytes)
    if values.shape[1] < FEWEST_COLUMNS or len(values) <= 2 * NEIGHBOURS:
        return NONE
    if len(values) > MOST_PATIENTS:
        return Twins(_once(_copies_by_value(values)), NONE.close)
    near, distance = _neighbours(values)
    share = np.where(np.isfinite(distance), _shared_values(values, near), 0.0)
    if _coarse(share):
        return NONE
    copies = {(row, int(near[row, k])) for row, k in np.argwhere(share == 1).tolist()}
    close = _close_links(near, distance, _usual_distance(values)) - copies
    # A copy is improbably close from both sides; the edge of a dense region from one only.
    mutual = {(row, other) for row, other in close if (other, row) in close}
    return Twins(_once(copies), _once(mutual))


def _finely_measured(analytes: Floats) -> Floats:
    """Robustly standardised columns that tell patients apart, shape (n, at most p)."""
    columns = []
    for column in analytes.T:
        values = _without_ties(column)
        known = values[np.isfinite(values)]
        if len(known) < len(values) / 2 or len(np.unique(known)) < DISTINCT * len(values):
            continue
        low, middle, high = np.quantile(known, [0.16, 0.5, 0.84])
        if high > low:
            columns.append(np.clip((values - middle) / ((high - low) / 2), -EDGE, EDGE))
    return np.column_stack(columns) if columns else np.empty((len(analytes), 0))


def _without_ties(values: Floats) -> Floats:
    """The column with NaN for what many patients share: a limit, or coarse rounding."""
    _, group, size = np.unique(values, return_inverse=True, return_counts=True)
    many = size[group] > max(NEIGHBOURS, TIED * len(values))
    return np.where(many, np.nan, values)


def _shared_values(values: Floats, near: Pairs) -> Floats:
    """Share of the columns known in both in which rows equal their neighbours, shape as `near`.

    0 where too few columns speak: clipped values agree without being equal.
    """
    return _share_of_equals(values[:, None, :], values[near])


def _share_of_equals(mine: Floats, theirs: Floats) -> Floats:
    both = np.isfinite(mine) & np.isfinite(theirs)
    telling = (both & (np.abs(mine) < EDGE)).sum(axis=-1)
    equal = (both & (mine == theirs)).sum(axis=-1)
    enough = telling >= max(FEWEST_COLUMNS, (mine.shape[-1] + 1) // 2)
    return np.where(enough, equal / np.maximum(both.sum(axis=-1), 1), 0.0)


def _copies_by_value(values: Floats) -> set[tuple[int, int]]:
    """Pairs of rows that are equal wherever both are known, found by values that they share."""
    found: set[tuple[int, int]] = set()
    # A copy agrees in half of the columns at least: in one of those up to the middle.
    for column in values.T[: values.shape[1] // 2 + 1]:
        order = np.argsort(column, kind="stable")
        for apart in range(1, NEIGHBOURS):
            first, second = order[:-apart], order[apart:]
            equal = column[first] == column[second]
            pairs = np.column_stack([first[equal], second[equal]])
            for start in range(0, len(pairs), MOST_COMPARED):
                part = pairs[start : start + MOST_COMPARED]
                share = _share_of_equals(values[part[:, 0]], values[part[:, 1]])
                found |= set(map(tuple, part[share == 1].tolist()))
    return found


def _coarse(share: Floats) -> bool:
    """Whether the nearest rows that are no copies have many values in common."""
    nearest = np.take_along_axis(share, np.argmax(share < 1, axis=1)[:, None], axis=1)
    unrelated = nearest[nearest < 1]
    return bool(len(unrelated) and np.quantile(unrelated, 0.9) > MOST_SHARED)


def _close_links(near: Pairs, distance: Floats, usual: float) -> set[tuple[int, int]]:
    """Links from a row to a neighbour whose distance is improbable among unrelated patients.

    Around a patient, unrelated ones lie like a Poisson process in as many dimensions `m` as the
    panel really has; the ratio of the distances to the nearest and the k-th neighbour is then below
    `t` with probability ``1 - (1 - t**m)**(k - 1)``. `m` is estimated from all patients (Levina &
    Bickel 2004, Advances in Neural Information Processing Systems 17, eq. 8) and from those near
    by, and the smaller of both taken. All patients are tested at `LEVEL` together.
    """
    # A row that shares enough columns with too few others has no neighbourhood to judge by.
    judged = np.flatnonzero(np.isfinite(distance[:, -1]))
    if len(judged) < len(near) / 2:
        return set()
    ratios = np.ones((len(near), NEIGHBOURS - 1))
    kept = np.maximum(distance[judged], TINY)
    ratios[judged] = kept[:, :-1] / kept[:, -1:]
    local = (NEIGHBOURS - 2) / np.maximum(-np.log(ratios).sum(axis=1), TINY)
    dimensions = np.minimum(np.median(local[near], axis=1), np.median(local[judged])) * CAUTION
    p = 1 - (1 - ratios ** dimensions[:, None]) ** (NEIGHBOURS - 1)
    unusual = (p < LEVEL / len(judged)) & (distance[:, :-1] < CLOSE * usual)
    return {(row, int(near[row, k])) for row, k in np.argwhere(unusual).tolist()}


def _usual_distance(values: Floats) -> float:
    """Median distance of two patients, from at most 200 of them to all others."""
    block = _distances(values, np.arange(0, len(values), 1 + len(values) // 200))
    known = block[np.isfinite(block)]
    return float(np.median(known)) if len(known) else 0.0


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
    distance: Floats = np.sqrt(total / np.maximum(shared, 1.0))
    distance[shared < values.shape[1] / 2] = np.inf
    distance[np.arange(len(rows)), rows] = np.inf
    return distance


def _once(pairs: set[tuple[int, int]]) -> Pairs:
    """Each pair once, the smaller row first, shape (n_pairs, 2)."""
    ordered = sorted({(min(pair), max(pair)) for pair in pairs})
    return np.array(ordered, dtype=np.intp).reshape(-1, 2)
