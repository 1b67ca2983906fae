"""Rank the cells of an entry: estimates, comparison with the best, ties as ties."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.evaluate.added import Added
from cytobench.evaluate.assessment import Assessment, assess
from cytobench.evaluate.ceiling import share_of_distance
from cytobench.evaluate.chance import AgainstChance, against_chance
from cytobench.evaluate.intervals import Estimate, corrected_t, holm
from cytobench.evaluate.scores import HEADLINE, LOWER_IS_BETTER
from cytobench.evaluate.selection import Selected
from cytobench.evaluate.transfer import Matrix, transfer_matrix
from cytobench.leaderboard.collect import Entry, labels, with_truth
from cytobench.run.store import StoredCell

ALPHA = 0.01
"""Even the corrected t-test is liberal: at 0.05 it calls two equally good models different in 6 to
14 % of cohorts of 60 to 300 patients. At 0.01 with Holm's adjustment it does so in 2 to 4 %, eight
equally good models included (``benchmarks/interval_coverage.py``)."""


REFERENCE = "clinical_only"
"""The floor that the added value of cytokines is measured against."""


@dataclass(frozen=True)
class Row:
    """One line of a leaderboard.

    Attributes
    ----------
    role : {"model", "floor", "ceiling"}
    assessment : Assessment
        Every number of the cell; what costs more is computed when it is asked for.
    n : int
        Patients that were tested on.
    folds, undefined : int
        Folds, and those whose headline metric is undefined (one class in the test part).
    sites : mapping
        Leave-one-out: site or study -> headline metric on it alone, and its patients.
    matrix : mapping
        (study trained on, study tested on) -> headline metric and patients tested.
    share : Estimate or None
        Of the distance from the clinical floor to the ceiling, on simulated cohorts.
    added : Added or None
        What the model adds to clinical covariates; None for that row itself, or without it.
    chance : AgainstChance or None
        Permutation test, where permutations were run.
    selection : Selected or None
        BBC-CV of the inner searches, where it was asked for.
    tied_with_best : bool or None
        None where no test is possible (one fold, few sites, no spread) and for the ceiling.
    p_against_best : float or None
        Holm-adjusted, corrected resampled t-test on the headline metric.
    """

    label: str
    role: str
    assessment: Assessment
    n: int
    folds: int
    undefined: int
    seconds: float | None
    sites: Mapping[str, tuple[Estimate, int]]
    matrix: Matrix
    share: Estimate | None = None
    added: Added | None = None
    chance: AgainstChance | None = None
    selection: Selected | None = None
    tied_with_best: bool | None = None
    p_against_best: float | None = None
    cell: StoredCell | None = None

    @property
    def verification(self) -> str:
        """``local``, or of a submission ``verified`` or ``recomputed``."""
        return self.cell.verification if self.cell else "local"

    def estimate(self, name: str) -> Estimate:
        """A number with its interval; computes no other."""
        return self.assessment.estimate(name)

    @property
    def by_fold(self) -> Mapping[str, Sequence[float]]:
        """Metric -> one value for each fold."""
        return {name: values.tolist() for name, values in self.assessment.scores.by_fold.items()}


@dataclass(frozen=True)
class Board:
    """A ranked entry.

    Attributes
    ----------
    headline : str
        The metric that orders the rows.
    rows : sequence of Row
        Best first.
    ceiling : Row or None
        What knowing the truth achieves, on simulated cohorts.
    """

    entry: Entry
    kind: str
    headline: str
    rows: Sequence[Row]
    ceiling: Row | None

    @property
    def reference(self) -> str | None:
        """Label of the row that added value is measured against."""
        return next((row.added.reference for row in self.rows if row.added), None)


def rank(
    entry: Entry,
    selections: Mapping[str, Selected] | None = None,
    assessed: Mapping[str, Assessment] | None = None,
) -> Board:
    """Order the rows by the headline metric and mark who is tied with the best.

    Parameters
    ----------
    selections : mapping, optional
        Cell key -> BBC-CV of its searches.
    assessed : mapping, optional
        Cell key -> its numbers, where another board had them computed.
    """
    about = entry.about
    kind, protocol = about["task"]["kind"], about["protocol"]["name"]
    headline = HEADLINE[kind]
    names, sites = labels(entry.cells), about["test_labels"]

    def row(label: str, role: str, folds: Sequence[FoldResult], cell: StoredCell | None) -> Row:
        known = (assessed or {}).get(cell.key) if cell else None
        assessment = known or assess(kind, protocol, folds, about["task"])
        return _row(label, role, assessment, sites, cell)

    rows = [
        row(names[cell.key], cell.about["model"]["role"], cell.folds, cell) for cell in entry.cells
    ]
    sign = 1 if headline in LOWER_IS_BETTER else -1
    rows.sort(key=lambda row: (_missing_last(sign * row.estimate(headline).value), row.label))
    truth = with_truth(entry.cells[0])
    ceiling = None if truth is None else row("truth", "ceiling", truth, None)
    if protocol == "repeated_stratified":
        rows = _mark_ties(rows, headline, rows[0].assessment.scores.sizes)
    rows = _of_the_distance(_against_reference(rows), ceiling)
    rows = _against_chance(rows, entry, headline)
    if selections:
        rows = [replace(row, selection=selections.get(_key(row))) for row in rows]
    return Board(entry, kind, headline, rows, ceiling)


def _row(
    label: str,
    role: str,
    assessment: Assessment,
    test_labels: Sequence[str],
    cell: StoredCell | None,
) -> Row:
    scores = assessment.scores
    headline = HEADLINE[scores.kind]
    return Row(
        label=label,
        role=role,
        assessment=assessment,
        n=len(scores.out_of_fold.patients),
        folds=len(scores.folds),
        undefined=int(np.isnan(scores.by_fold[headline]).sum()),
        seconds=scores.seconds if cell else None,
        sites=scores.by_site(headline, test_labels),
        matrix={}
        if cell is None or (role == "floor" and cell.about["model"]["name"] != REFERENCE)
        else transfer_matrix(
            scores.kind, cell.folds, cell.beside, test_labels, cell.about.get("beside", {})
        ),
        cell=cell,
    )


def _key(row: Row) -> str:
    assert row.cell is not None
    return row.cell.key


def _against_reference(rows: list[Row]) -> list[Row]:
    """Every row's difference to the clinical floor."""
    references = [row for row in rows if row.cell and row.cell.about["model"]["name"] == REFERENCE]
    if not references:
        return rows
    reference = references[0]
    return [
        row
        if row is reference
        else replace(row, added=row.assessment.added_to(reference.assessment, reference.label))
        for row in rows
    ]


def _of_the_distance(rows: list[Row], ceiling: Row | None) -> list[Row]:
    """Every model's share of the way from the clinical floor to the truth."""
    floor = next((r for r in rows if r.cell and r.cell.about["model"]["name"] == REFERENCE), None)
    if ceiling is None or floor is None:
        return rows
    ends = floor.assessment.scores, ceiling.assessment.scores
    return [
        row if row is floor else replace(row, share=share_of_distance(row.assessment.scores, *ends))
        for row in rows
    ]


def _mean(values: Sequence[float]) -> float:
    return float(np.nanmean(values)) if not np.isnan(values).all() else float("nan")


def _against_chance(rows: list[Row], entry: Entry, headline: str) -> list[Row]:
    if not entry.null:
        return rows
    tested = against_chance(
        # The statistic that was permuted: under leave-one-site-out not the summary that is shown.
        {_key(row): _mean(row.by_fold[headline]) for row in rows},
        entry.null,
        larger_is_better=headline not in LOWER_IS_BETTER,
    )
    return [replace(row, chance=tested.get(_key(row))) for row in rows]


def _missing_last(value: float) -> float:
    return value if value == value else float("inf")


def _mark_ties(rows: list[Row], headline: str, sizes: tuple[float, float]) -> list[Row]:
    best, *others = (row.assessment.scores.by_fold[headline] for row in rows)
    tests = [corrected_t(best, other, *sizes) for other in others]
    # A perfect model and a constant one differ by the same in every fold: nothing to test against.
    tested = {
        row: 1.0 if p != p else p for row, (t, p) in enumerate(tests, start=1) if not math.isinf(t)
    }
    marked = [replace(rows[0], tied_with_best=True), *rows[1:]]
    for row, p in zip(tested, holm(list(tested.values())), strict=True):
        marked[row] = replace(rows[row], tied_with_best=p >= ALPHA, p_against_best=p)
    return marked


def public(about: Mapping[str, Any]) -> dict[str, Any]:
    """What a leaderboard says of an entry; nothing of the machine that computed it."""
    dataset = {key: value for key, value in about["dataset"].items() if key != "origin"}
    return {
        "dataset": dataset,
        "task": about["task"],
        "protocol": about["protocol"],
        "n": about["n"],
        "events": about["events"],
        "outcome_mean": about["outcome_mean"],
        "split_plan": about["plan"],
        "preprocess": about["config"]["preprocess"],
        "tuning": about["config"]["tuning"],
        "seed": about["config"]["seed"],
        "notes": about["notes"],
        "audit": about.get("audit"),
        "shift": about.get("shift"),
    }
