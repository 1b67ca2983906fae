"""Rank correlations of columns with gaps, every pair among the patients who have both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def pairwise_spearman(table: Floats, fewest: int) -> Floats:
    """Spearman's correlation of every two columns, ranked anew among the rows that have both.

    No pair is sorted: the rank of a value among some of the rows is how many of them have a smaller
    one, read off a running count along the column's own order.

    Parameters
    ----------
    table : array, shape (n, p)
        NaN where missing.
    fewest : int
        Rows that must have both; NaN for pairs with fewer, and where one of them is constant.

    Returns
    -------
    array, shape (p, p)
    """
    n, p = table.shape
    values = table.T
    known = ~np.isnan(values)
    order = np.argsort(values, axis=1, kind="stable")
    # Of each value: how many positions of its column's order are before it, and up to its last tie.
    before, through = np.empty((p, n), dtype=np.intp), np.empty((p, n), dtype=np.intp)
    for column, rows in enumerate(order):
        ordered = values[column, rows]
        edges = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1], True])
        before[column, rows] = np.repeat(edges[:-1], np.diff(edges))
        through[column, rows] = np.repeat(edges[1:], np.diff(edges))
    matrix = np.full((p, p), np.nan)
    for one in range(p):
        both = known[one] & known[one:]
        count = both.sum(axis=1)[:, None]
        # Twice the midrank less twice its mean, a whole number: of this column, of the others.
        mine = _running(known[one:, order[one]])
        a = mine[:, before[one]] + mine[:, through[one]] - count
        theirs = _running(known[one][order[one:]])
        b = np.take_along_axis(theirs, before[one:], axis=1)
        b += np.take_along_axis(theirs, through[one:], axis=1) - count
        a, b = np.where(both, a, 0.0), np.where(both, b, 0.0)
        size = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
        told = (count[:, 0] >= fewest) & (size > 0)
        found = np.divide((a * b).sum(axis=1), size, where=told, out=np.full(p - one, np.nan))
        matrix[one, one:] = matrix[one:, one] = found
    return matrix


def _running(inside: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many of the first k positions of each row are inside, for k from 0."""
    counts = np.zeros((inside.shape[0], inside.shape[1] + 1), dtype=np.intp)
    np.cumsum(inside, axis=1, out=counts[:, 1:])
    return counts
