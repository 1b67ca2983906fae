"""Protocols: what is resampled, and what generalisation that claims.

The protocol follows Varma & Simon (2006, doi:10.1186/1471-2105-7-91): every choice is made inside
the training part of an outer fold.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from cytobench.core.errors import SplitError, UsageError, did_you_mean
from cytobench.core.seeds import derive_seed
from cytobench.core.settings import real, whole
from cytobench.data.cohort import Cohort
from cytobench.data.target import Target
from cytobench.splits.groups import leave_one_site_out, leave_one_study_out
from cytobench.splits.plan import Index, Split, SplitPlan
from cytobench.splits.strata import Population, strata_of, stratified_folds

FEWEST_TO_RESAMPLE = 5
"""Patients of a class; all of five are drawn in one resample of 26 (5! / 5^5)."""

COUNTS = {"folds": 2, "repeats": 1, "resamples": 1, "within_folds": 2}
"""Options that count something -> the least of it."""
SHARES = ("train_fraction", "fraction")
MOST = 10_000
"""Of folds, repeats, resamples."""


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
    inner_folds = whole(options.pop("inner_folds", None), "E111", "protocol.inner_folds", 2, MOST)
    if name not in _PROTOCOLS:
        raise UsageError(
            "E111", f"there is no protocol {name!r}", hint=did_you_mean(name, list(_PROTOCOLS))
        )
    for key in (key for key in COUNTS if key in options):
        whole(options[key], "E111", f"protocol.{key}", COUNTS[key], MOST)
    for key in (key for key in SHARES if key in options):
        real(options[key], "E111", f"protocol.{key}")
    population = _population(cohort, target)
    try:
        claim, splits, notes = _PROTOCOLS[name](
            population, derive_seed(seed, "outer", name), **options
        )
    except TypeError as error:
        raise UsageError("E111", str(error), where=f"protocol={name}") from error
    if population.classification:
        splits, left_out = _enough_of_each_class(population, splits, inner_folds)
        notes = [*notes, *left_out]
    return SplitPlan(name, claim, splits, inner_folds, notes)


def _population(cohort: Cohort, target: Target) -> Population:
    rows = target.known
    held_out = None
    if cohort.holdout is not None:
        column = cohort.column(cohort.holdout).to_numpy(dtype=bool)
        held_out = column[rows]
    return Population(
        rows=rows,
        y=target.y[rows],
        arm=_pick(cohort.labels("arm"), rows),
        site=_pick(cohort.labels("site"), rows),
        study=_pick(cohort.labels("study"), rows),
        held_out=held_out,
        classification=target.task.outcome_kind == "classification",
        cohort=cohort.name,
    )


def _pick(labels: list[str], rows: Index) -> list[str]:
    return [labels[row] for row in rows]


def _enough_of_each_class(
    population: Population, splits: Sequence[Split], inner_folds: int
) -> tuple[list[Split], list[str]]:
    """The splits that can be tuned in; one beside the claim that cannot is left out and noted."""
    y = dict(zip(population.rows.tolist(), population.y.tolist(), strict=True))
    kept: list[Split] = []
    notes: list[str] = []
    for split in splits:
        outcomes = [y[row] for row in np.unique(split.train).tolist()]
        fewest = int(min(sum(outcomes), len(outcomes) - sum(outcomes)))
        if fewest >= inner_folds:
            kept.append(split)
            continue
        message = (
            f"the training part has {fewest} patients of one class, fewer than "
            f"{inner_folds} inner folds"
        )
        if not split.beside:
            raise SplitError(
                "E411",
                message,
                where=f"cohort {population.cohort!r}, repeat {split.repeat}, fold {split.fold}",
                hint="lower protocol.inner_folds, or protocol.folds, or use a larger cohort",
            )
        notes.append(f"{split.trained_on} is not tested on {split.label}: {message}")
    return kept, list(dict.fromkeys(notes))


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
    thirds = [len(population.y) // 3]
    known = population.classification
    fewest = min(np.unique(population.y, return_counts=True)[1] if known else thirds)
    if fewest < folds:
        raise SplitError(
            "E412",
            f"one class has {fewest} patients, fewer than {folds} folds: a fold would hold "
            "only the other class"
            if known
            else f"{len(population.y)} patients are fewer than three for each of {folds} folds",
            where=f"cohort {population.cohort!r}",
            hint=f"set protocol.folds={max(2, fewest)} or lower",
        )


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
                hint="protocol=repeated_stratified asks for no such column",
            )
        train_rows, test_rows = np.flatnonzero(~test), np.flatnonzero(test)
    else:
        train_rows, test_rows, notes = _drawn_holdout(population, seed, fraction)
        notes.append(f"test part: a stratified {fraction:.0%}")
    if population.classification and len(np.unique(population.y[test_rows])) < 2:
        notes.append("the test part has one class only: there the AUC is undefined")
    split = Split(0, 0, population.rows[train_rows], population.rows[test_rows])
    return "one locked test set", [split], notes


def _drawn_holdout(
    population: Population, seed: int, fraction: float
) -> tuple[Index, Index, list[str]]:
    """A test part stratified by outcome and arm; by outcome alone where either part is too small.

    Raises
    ------
    SplitError
        ``E412`` where they are too small for that too.
    """
    if not 0 < fraction < 1:
        raise UsageError(
            "E111", f"must be between 0 and 1, not {fraction}", where="protocol.fraction"
        )
    from sklearn.model_selection import train_test_split

    n = len(population.y)
    tested = math.ceil(fraction * n)
    strata, notes = strata_of(population.y, population.arm, 2, population.classification)
    smaller = min(tested, n - tested)
    if smaller < len(np.unique(strata)):
        strata, _ = strata_of(population.y, [""] * n, 2, population.classification)
        notes = [f"stratified by outcome alone: one part has {smaller} patients"]
    counts = np.unique(strata, return_counts=True)[1]
    if smaller < len(counts) or counts.min() < 2:
        raise SplitError(
            "E412",
            f"{n} patients are too few for a test part of {tested}: an outcome would be on one "
            "side only",
            where=f"cohort {population.cohort!r}",
            hint="protocol.fraction=0.5, or protocol=repeated_stratified",
        )
    train, test = train_test_split(
        np.arange(n), test_size=fraction, random_state=seed, stratify=strata
    )
    return np.sort(train), np.sort(test), notes


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
    "leave_one_site_out": leave_one_site_out,
    "leave_one_study_out": leave_one_study_out,
    "holdout": _holdout,
    "bootstrap": _bootstrap,
}
