"""Protocols: what is resampled, and what generalisation that claims.

The protocol follows Varma & Simon (2006, doi:10.1186/1471-2105-7-91): every choice is made inside
the training part of an outer fold.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import SplitError, UsageError, did_you_mean
from cytobench.core.seeds import derive_seed
from cytobench.data.cohort import Cohort
from cytobench.data.target import Target
from cytobench.splits.plan import Index, Split, SplitPlan

Floats = NDArray[np.float64]


FEWEST_TO_RESAMPLE = 5
"""Patients of a class; all of five are drawn in one resample of 26 (5! / 5^5)."""


@dataclass(frozen=True)
class Population:
    """The patients whose outcome is known, with what splits are made from.

    Attributes
    ----------
    rows : array of int, shape (n,)
        Positions in the cohort.
    y : array, shape (n,)
    arm, site : sequence of str, length n
    classification : bool
    """

    rows: Index
    y: Floats
    arm: Sequence[str]
    site: Sequence[str]
    held_out: NDArray[np.bool_] | None
    classification: bool
    cohort: str


def make_plan(cohort: Cohort, target: Target, config: Mapping[str, Any], seed: int) -> SplitPlan:
    """Carry a protocol out on a cohort.

    Parameters
    ----------
    config : mapping
        A composed ``protocol`` node: its ``name`` and options.
    seed : int
        The run's seed; the same seed gives every model the same folds.

    Raises
    ------
    SplitError
        ``E411`` to ``E415``, where the cohort is too small or lacks what the protocol needs.
    UsageError
        ``E111`` for an unknown protocol or option.
    """
    options = {str(key): value for key, value in config.items()}
    name = str(options.pop("name"))
    inner_folds = int(options.pop("inner_folds"))
    if name not in _PROTOCOLS:
        raise UsageError(
            "E111", f"there is no protocol {name!r}", hint=did_you_mean(name, list(_PROTOCOLS))
        )
    population = _population(cohort, target)
    try:
        claim, splits, notes = _PROTOCOLS[name](
            population, derive_seed(seed, "outer", name), **options
        )
    except TypeError as error:
        raise UsageError("E111", str(error), where=f"protocol={name}") from error
    if population.classification:
        _check_classes(population, splits, inner_folds)
    return SplitPlan(name, claim, splits, inner_folds, notes)


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
    For regression the strata are tertiles of the outcome.

    Parameters
    ----------
    patients : array of int, optional
        Who each row is. Copies of a patient (in a bootstrap resample) then stay on one side.

    Returns
    -------
    splits : list of (train, test) position arrays
    notes : list of str
    """
    from sklearn.model_selection import StratifiedKFold

    splitter = StratifiedKFold(n_splits=folds, shuffle=True, random_state=seed)
    if patients is None:
        strata, notes = _strata(y, arm, folds, classification)
        return list(splitter.split(np.zeros(len(y)), strata)), notes
    # One row for each patient is split; its copies follow.
    _, first, copy_of = np.unique(patients, return_index=True, return_inverse=True)
    strata, notes = _strata(y[first], [arm[row] for row in first], folds, classification)
    parts = [
        (np.flatnonzero(np.isin(copy_of, train)), np.flatnonzero(np.isin(copy_of, test)))
        for train, test in splitter.split(np.zeros(len(first)), strata)
    ]
    return parts, notes


def _strata(
    y: Floats, arm: Sequence[str], folds: int, classification: bool
) -> tuple[NDArray[np.intp], list[str]]:
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
    notes = [
        f"stratum of arm {str(arms[label % len(arms)])!r} with outcome {label // len(arms)} has "
        f"{count} patients, fewer than {folds} folds: stratified by outcome alone"
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
    return np.unique(merged, return_inverse=True)[1], notes


def _population(cohort: Cohort, target: Target) -> Population:
    rows = target.known
    held_out = None
    if cohort.holdout is not None:
        column = cohort.column(cohort.holdout).to_numpy(dtype=bool)
        held_out = column[rows]
    return Population(
        rows=rows,
        y=target.y[rows],
        arm=[cohort.labels("arm")[row] for row in rows] if cohort.arm else [""] * len(rows),
        site=_pick(cohort.labels("site"), rows),
        held_out=held_out,
        classification=target.task.kind == "classification",
        cohort=cohort.name,
    )


def _pick(labels: list[str], rows: Index) -> list[str]:
    return [labels[row] for row in rows]


def _check_classes(population: Population, splits: Sequence[Split], inner_folds: int) -> None:
    y = dict(zip(population.rows.tolist(), population.y.tolist(), strict=True))
    for split in splits:
        where = f"cohort {population.cohort!r}, repeat {split.repeat}, fold {split.fold}"
        outcomes = [y[row] for row in np.unique(split.train).tolist()]
        fewest = int(min(sum(outcomes), len(outcomes) - sum(outcomes)))
        if fewest < inner_folds:
            raise SplitError(
                "E411",
                f"the training part has {fewest} patients of one class, fewer than "
                f"{inner_folds} inner folds",
                where=where,
                hint="lower protocol.inner_folds, or protocol.folds, or use a larger cohort",
            )


def _repeated_stratified(
    population: Population, seed: int, folds: int, repeats: int, train_fraction: float = 1.0
) -> tuple[str, list[Split], list[str]]:
    if not 0 < train_fraction <= 1:
        raise UsageError(
            "E111",
            f"must be above 0 and at most 1, not {train_fraction}",
            where="protocol.train_fraction",
        )
    _check_smallest_class(population, folds)
    splits: list[Split] = []
    notes: list[str] = []
    for repeat in range(repeats):
        parts, found = stratified_folds(
            population.y,
            population.arm,
            folds,
            derive_seed(seed, repeat),
            classification=population.classification,
        )
        notes += [note for note in found if note not in notes]
        splits += [
            Split(
                repeat,
                fold,
                population.rows[
                    _part_of(population, train, train_fraction, derive_seed(seed, repeat, fold))
                ],
                population.rows[test],
            )
            for fold, (train, test) in enumerate(parts)
        ]
    if train_fraction < 1:
        notes.append(f"each training part is a stratified {train_fraction:.0%} of its fold's")
    return "new patients from the same population", splits, notes


def _part_of(population: Population, train: Index, fraction: float, seed: int) -> Index:
    """A stratified share of a training part, for learning curves; nested as the share grows."""
    if fraction == 1:
        return train
    y = population.y[train]
    cuts = [0.5] if population.classification else np.quantile(y, [1 / 3, 2 / 3])
    outcome = np.searchsorted(cuts, y, side="right")
    draw = np.random.default_rng(seed)
    chosen: list[Index] = []
    for value in np.unique(outcome):
        rows = draw.permutation(np.flatnonzero(outcome == value))
        chosen.append(rows[: max(1, round(fraction * len(rows)))])
    part: Index = train[np.sort(np.concatenate(chosen))]
    return part


def _check_smallest_class(population: Population, folds: int) -> None:
    counts = (
        np.unique(population.y, return_counts=True)[1]
        if population.classification
        else [len(population.y) // 3]
    )
    if min(counts) < folds:
        raise SplitError(
            "E412",
            f"one class has {min(counts)} patients, fewer than {folds} folds: a fold would hold "
            "only the other class",
            where=f"cohort {population.cohort!r}",
            hint=f"set protocol.folds={max(2, min(counts))} or lower",
        )


def _leave_one_site_out(
    population: Population, seed: int, minimum_patients: int
) -> tuple[str, list[Split], list[str]]:
    del seed  # nothing is drawn
    site = np.asarray(population.site, dtype=str)
    names, counts = np.unique(site, return_counts=True)
    where = f"cohort {population.cohort!r}"
    if "" in names or len(names) < 2:
        raise SplitError(
            "E413",
            f"leave-one-site-out needs two sites or more and a site for every patient; there are "
            f"{[str(name) for name in names]}",
            where=where,
            hint="name the column with `site:` in the dataset's YAML",
        )
    tested = [name for name, count in zip(names, counts, strict=True) if count >= minimum_patients]
    notes = [
        f"site {str(name)!r} has {count} patients, fewer than {minimum_patients}: never tested on"
        for name, count in zip(names, counts, strict=True)
        if count < minimum_patients
    ]
    splits = [
        Split(0, fold, population.rows[site != name], population.rows[site == name], str(name))
        for fold, name in enumerate(tested)
    ]
    if not splits:
        raise SplitError("E413", f"no site has {minimum_patients} patients", where=where)
    one_class = [
        split.label
        for split in splits
        if population.classification and len(np.unique(population.y[site == split.label])) < 2
    ]
    notes += [f"site {name!r} has one class only: its AUC is undefined" for name in one_class]
    return "patients of a new site", splits, notes


def _holdout(
    population: Population, seed: int, fraction: float
) -> tuple[str, list[Split], list[str]]:
    if population.held_out is not None:
        test = population.held_out
        notes = ["test part: as held out by the cohort's authors"]
        if not test.any() or test.all():
            raise SplitError(
                "E414",
                "the held-out column puts every patient on one side",
                where=f"cohort {population.cohort!r}",
            )
        split = Split(0, 0, population.rows[~test], population.rows[test])
        return "one locked test set", [split], notes
    if not 0 < fraction < 1:
        raise UsageError(
            "E111", f"must be between 0 and 1, not {fraction}", where="protocol.fraction"
        )
    from sklearn.model_selection import train_test_split

    strata, notes = _strata(population.y, population.arm, 2, population.classification)
    train, test_rows = train_test_split(
        np.arange(len(strata)), test_size=fraction, random_state=seed, stratify=strata
    )
    drawn = Split(0, 0, population.rows[np.sort(train)], population.rows[np.sort(test_rows)])
    return "one locked test set", [drawn], [*notes, f"test part: a stratified {fraction:.0%}"]


def _bootstrap(
    population: Population, seed: int, resamples: int
) -> tuple[str, list[Split], list[str]]:
    """Patients drawn with replacement within each class; those never drawn are the test part."""
    splits: list[Split] = []
    draw = np.random.default_rng(seed)
    strata = population.y if population.classification else np.zeros(len(population.y))
    fewest = int(np.unique(strata, return_counts=True)[1].min())
    if fewest < FEWEST_TO_RESAMPLE:
        raise SplitError(
            "E412",
            f"one class has {fewest} patients: too few for a resample to leave some of them out",
            where=f"cohort {population.cohort!r}",
            hint=f"the bootstrap needs {FEWEST_TO_RESAMPLE} patients of each class",
        )
    groups = [np.flatnonzero(strata == value) for value in np.unique(strata)]
    everyone = np.arange(len(population.y))
    while len(splits) < resamples:
        drawn = np.concatenate([draw.choice(group, len(group)) for group in groups])
        left = np.setdiff1d(everyone, drawn)
        if population.classification and len(np.unique(population.y[left])) < 2:
            continue  # an AUC needs both classes; with 10 patients of each this is very rare
        number = len(splits)
        splits.append(Split(number, 0, population.rows[np.sort(drawn)], population.rows[left]))
    return "new patients from the same population", splits, []


_PROTOCOLS: dict[str, Callable[..., tuple[str, list[Split], list[str]]]] = {
    "repeated_stratified": _repeated_stratified,
    "leave_one_site_out": _leave_one_site_out,
    "holdout": _holdout,
    "bootstrap": _bootstrap,
}
