"""Rank the cells of an entry: estimates, comparison with the best, ties as ties."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cytobench.evaluate.intervals import Estimate, corrected_t, holm
from cytobench.evaluate.scores import HEADLINE, LOWER_IS_BETTER, METRICS, Scores
from cytobench.leaderboard.collect import Entry, labels, with_truth
from cytobench.run.store import StoredCell

ALPHA = 0.01
"""Even the corrected t-test is liberal (type I error 0.12 to 0.14 at 0.05 in simulations of
5 x 10-fold designs with n = 60 to 120), hence a stricter level before a model counts as worse."""


@dataclass(frozen=True)
class Row:
    """One line of a leaderboard.

    Attributes
    ----------
    role : {"model", "floor", "ceiling"}
    estimates : mapping
        Metric -> estimate.
    n : int
        Patients that were tested on.
    folds, undefined : int
        Folds, and those whose headline metric is undefined (one class in the test part).
    sites : mapping
        Leave-one-site-out: site -> headline metric on that site alone, and its patients.
    tied_with_best : bool or None
        None where no test is possible (one fold, or few sites) and for the ceiling.
    p_against_best : float or None
        Holm-adjusted, corrected resampled t-test on the headline metric.
    """

    label: str
    role: str
    estimates: Mapping[str, Estimate]
    n: int
    folds: int
    undefined: int
    seconds: float | None
    by_fold: Mapping[str, Sequence[float]]
    sites: Mapping[str, tuple[Estimate, int]]
    tied_with_best: bool | None = None
    p_against_best: float | None = None
    cell: StoredCell | None = None


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
    def metrics(self) -> list[str]:
        """Metrics of this kind of task, the headline first."""
        return list(METRICS[self.kind])


def rank(entry: Entry) -> Board:
    """Order the rows by the headline metric and mark who is tied with the best."""
    about = entry.about
    kind, protocol = about["task"]["kind"], about["protocol"]["name"]
    headline = HEADLINE[kind]
    names, sites = labels(entry.cells), about["test_labels"]
    rows = []
    for cell in entry.cells:
        scores = Scores(kind, protocol, cell.folds)
        rows.append(_row(names[cell.key], cell.about["model"]["role"], scores, sites, cell))
    sign = 1 if headline in LOWER_IS_BETTER else -1
    rows.sort(key=lambda row: (_missing_last(sign * row.estimates[headline].value), row.label))
    truth = with_truth(entry.cells[0])
    ceiling = None
    if truth is not None:
        ceiling = _row("truth", "ceiling", Scores(kind, protocol, truth), sites, None)
    sizes = Scores(kind, protocol, entry.cells[0].folds).sizes
    if protocol == "repeated_stratified":
        rows = _mark_ties(rows, headline, sizes)
    return Board(entry, kind, headline, rows, ceiling)


def _row(
    label: str, role: str, scores: Scores, test_labels: Sequence[str], cell: StoredCell | None
) -> Row:
    headline = HEADLINE[scores.kind]
    return Row(
        label=label,
        role=role,
        estimates={name: scores.estimate(name) for name in METRICS[scores.kind]},
        n=len({patient for fold in scores.folds for patient in fold.predictions.patient}),
        folds=len(scores.folds),
        undefined=int(np.isnan(scores.by_fold[headline]).sum()),
        seconds=scores.seconds if cell else None,
        by_fold={name: values.tolist() for name, values in scores.by_fold.items()},
        sites=scores.by_site(headline, test_labels),
        cell=cell,
    )


def _missing_last(value: float) -> float:
    return value if value == value else float("inf")


def _mark_ties(rows: list[Row], headline: str, sizes: tuple[float, float]) -> list[Row]:
    best = rows[0]
    p_values = [
        corrected_t(best.by_fold[headline], row.by_fold[headline], *sizes)[1] for row in rows[1:]
    ]
    adjusted = holm([1.0 if p != p else p for p in p_values])
    marked = [replace(best, tied_with_best=True)]
    marked += [
        replace(row, tied_with_best=p >= ALPHA, p_against_best=p)
        for row, p in zip(rows[1:], adjusted, strict=True)
    ]
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
    }
