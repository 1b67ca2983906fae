"""Protocols that leave a whole site or study out, and test one study on another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import SplitError
from cytobench.core.seeds import derive_seed
from cytobench.splits.plan import Split
from cytobench.splits.strata import Population, stratified_folds

Plan = tuple[str, list[Split], list[str]]
PLURAL = {"site": "sites", "study": "studies"}


def leave_one_site_out(population: Population, seed: int, minimum_patients: int) -> Plan:
    """One fold for each site that is large enough to be tested."""
    del seed  # nothing is drawn
    splits, notes = _leave_one_out(
        population,
        population.site,
        "site",
        minimum_patients,
        "name the column with `site:` in the dataset's YAML",
    )
    return "patients of a new site", splits, notes


def leave_one_study_out(
    population: Population,
    seed: int,
    minimum_patients: int,
    pairs: bool = True,
    within_folds: int = 5,
) -> Plan:
    """One fold for each study; beside them, each study alone against each, and within itself.

    The pairs and the folds within a study fill the matrix of studies. They are no part of the
    estimate, which speaks of training on all other studies.
    """
    splits, notes = _leave_one_out(
        population,
        population.study,
        "study",
        minimum_patients,
        "pool several: dataset=sim_gendep+sim_comed",
    )
    if pairs:
        splits += _pairs(population, [split.label for split in splits])
        for name in dict.fromkeys(split.label for split in splits):
            splits += _within(population, name, within_folds, derive_seed(seed, name), notes)
    return (
        "patients of a new study",
        [_numbered(split, fold) for fold, split in enumerate(splits)],
        notes,
    )


def _there_are(group: NDArray[np.str_]) -> str:
    """The names of groups, and how many patients are in none."""
    named, unknown = sorted(set(group.tolist()) - {""}), int((group == "").sum())
    if not named:
        return "there is none"
    return f"there is {', '.join(named)}" + (f"; {unknown} patients have none" if unknown else "")


def _leave_one_out(
    population: Population, groups: Sequence[str], role: str, minimum_patients: int, hint: str
) -> tuple[list[Split], list[str]]:
    group = np.asarray(groups, dtype=str)
    names, counts = np.unique(group, return_counts=True)
    where = f"cohort {population.cohort!r}"
    if "" in names or len(names) < 2:
        raise SplitError(
            "E413",
            f"leave-one-{role}-out needs two {PLURAL[role]} or more and a {role} for every "
            f"patient; {_there_are(group)}",
            where=where,
            hint=hint,
        )
    tested = [name for name, count in zip(names, counts, strict=True) if count >= minimum_patients]
    # Neither named nor counted: few patients, and all of them of one outcome, would be known.
    small = len(names) - len(tested)
    notes = [
        f"{_number_of(small, role)} of fewer than {minimum_patients} patients: never tested on"
    ] * bool(small)
    splits = [
        Split(0, fold, population.rows[group != name], population.rows[group == name], str(name))
        for fold, name in enumerate(tested)
    ]
    if not splits:
        raise SplitError("E413", f"no {role} has {minimum_patients} patients", where=where)
    one_class = [
        split.label
        for split in splits
        if population.classification and len(np.unique(population.y[group == split.label])) < 2
    ]
    notes += [
        f"{_number_of(len(one_class), role)} with one class only: there the AUC is undefined"
    ] * bool(one_class)
    return splits, notes


def _number_of(count: int, role: str) -> str:
    return f"{count} {role if count == 1 else PLURAL[role]}"


def _pairs(population: Population, names: Sequence[str]) -> list[Split]:
    """Each study alone, tested on each other one."""
    study = np.asarray(population.study, dtype=str)
    return [
        Split(
            0, 0, population.rows[study == one], population.rows[study == other], other,
            beside=True, trained_on=one,
        )
        for one in names
        for other in names
        if one != other
    ]  # fmt: skip


def _within(
    population: Population, name: str, folds: int, seed: int, notes: list[str]
) -> list[Split]:
    """Folds inside one study: what training elsewhere is compared with."""
    rows = np.flatnonzero(np.asarray(population.study, dtype=str) == name)
    y = population.y[rows]
    if population.classification and min(int(y.sum()), int(len(y) - y.sum())) < folds:
        notes.append(f"study {name!r} is too small for {folds} folds within it")
        return []
    parts, found = stratified_folds(
        y, [population.arm[row] for row in rows.tolist()], folds, seed,
        classification=population.classification,
    )  # fmt: skip
    notes += [f"within {name}: {note}" for note in found]
    patients = population.rows[rows]
    return [
        Split(0, 0, patients[train], patients[test], name, beside=True, trained_on=name)
        for train, test in parts
    ]


def _numbered(split: Split, fold: int) -> Split:
    return Split(
        split.repeat, fold, split.train, split.test, split.label, split.beside, split.trained_on
    )
