"""Patients to split, and folds stratified by outcome and arm."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.splits.plan import Index

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Population:
    """The patients whose outcome is known, with what splits are made from.

    Attributes
    ----------
    rows : array of int, shape (n,)
        Positions in the cohort.
    y : array, shape (n,)
    arm, site, study : sequence of str, length n
    classification : bool
    """

    rows: Index
    y: Floats
    arm: Sequence[str]
    site: Sequence[str]
    study: Sequence[str]
    held_out: NDArray[np.bool_] | None
    classification: bool
    cohort: str


def stratified_folds(
    y: Floats,
    arm: Sequence[str],
    folds: int,
    seed: int,
    *,
    classification: bool,
    patients: Index | None = None,
) -> tuple[list[tuple[Index, Index]], list[str]]:
    """K folds stratified by outcome and arm.

    An arm-by-outcome stratum with fewer patients than folds joins the stratum of its outcome alone.
    For regression the strata are tertiles of the outcome; where these are smaller than that, there
    are none.

    Parameters
    ----------
    patients : array of int, optional
        Who each row is. Copies of a patient (in a bootstrap resample) then stay on one side.

    Returns
    -------
    splits : list of (train, test) position arrays
    notes : list of str
    """
    if patients is None:
        strata, notes = strata_of(y, arm, folds, classification)
        return dealt(strata, folds, seed), notes
    # One row for each patient is split; its copies follow.
    _, first, copy_of = np.unique(patients, return_index=True, return_inverse=True)
    strata, notes = strata_of(y[first], [arm[row] for row in first], folds, classification)
    parts = [
        (np.flatnonzero(np.isin(copy_of, train)), np.flatnonzero(np.isin(copy_of, test)))
        for train, test in dealt(strata, folds, seed)
    ]
    return parts, notes


def dealt(strata: NDArray[np.intp], folds: int, seed: int) -> list[tuple[Index, Index]]:
    """Deal the members of each stratum to folds, as many to each as can be.

    These are the folds of scikit-learn's ``StratifiedKFold(folds, shuffle=True,
    random_state=seed)``, in the same order. Importing it takes longer than a run that finds
    everything finished.

    Raises
    ------
    ValueError
        Where no stratum has a member for each fold.
    """
    _, first, code = np.unique(strata, return_index=True, return_inverse=True)
    code = np.argsort(np.argsort(first))[code]  # numbered by first appearance
    counts = np.bincount(code)
    if folds > counts.max():
        raise ValueError(f"no stratum has a member for each of {folds} folds")
    if folds > counts.min():
        warnings.warn(
            f"the smallest stratum has {counts.min()} members, fewer than {folds} folds",
            stacklevel=2,
        )
    # In turn over all members in order of strata: what one stratum has over, the next fold gets.
    turn = np.arange(len(code)) % folds
    ends = np.cumsum(counts)
    draw = np.random.RandomState(seed)
    fold = np.empty(len(code), dtype=np.intp)
    for stratum, (end, count) in enumerate(zip(ends, counts, strict=True)):
        mine = np.sort(turn[end - count : end])
        draw.shuffle(mine)
        fold[code == stratum] = mine
    return [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(folds)]


def strata_of(
    y: Floats, arm: Sequence[str], folds: int, classification: bool
) -> tuple[NDArray[np.intp], list[str]]:
    """Stratum of each patient, outcome by arm, and what had to be merged."""
    outcome = (
        y.astype(np.intp)
        if classification
        else np.searchsorted(np.quantile(y, [1 / 3, 2 / 3]), y, side="right")
    )
    arms, arm_code = np.unique(np.asarray(arm, dtype=str), return_inverse=True)
    fine = outcome * len(arms) + arm_code
    labels, code, counts = np.unique(fine, return_inverse=True, return_counts=True)
    small = counts[code] < folds
    merged = np.where(small, -1 - outcome, fine)
    # Not how few: with one patient, who is known to be in this arm has this outcome.
    notes = [
        f"stratum of arm {str(arms[label % len(arms)])!r} with outcome {label // len(arms)} has "
        f"fewer patients than the {folds} folds: stratified by outcome alone"
        for label, count in zip(labels, counts, strict=True)
        if count < folds and len(arms) > 1
    ]
    # Merged strata may still be too small: they then join the outcome's largest one.
    _, code, counts = np.unique(merged, return_inverse=True, return_counts=True)
    for value in np.unique(outcome[counts[code] < folds]):
        lonely = (outcome == value) & (counts[code] < folds)
        others = merged[(outcome == value) & ~lonely]
        if len(others):
            names, sizes = np.unique(others, return_counts=True)
            merged[lonely] = names[np.argmax(sizes)]
    if not classification and np.unique(merged, return_counts=True)[1].min() < folds:
        return np.zeros(len(y), dtype=np.intp), [
            f"thirds of the outcome have fewer than {folds} patients: not stratified"
        ]
    return np.unique(merged, return_inverse=True)[1], notes
