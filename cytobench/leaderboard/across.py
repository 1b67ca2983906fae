"""Several entries of a suite as one matrix: which models are ahead over datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.ranks import ALPHA, Ranking, rank_models
from cytobench.evaluate.scores import LOWER_IS_BETTER
from cytobench.leaderboard.benefit import AnyBoard
from cytobench.leaderboard.outline import Outline, outlines

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Across:
    """The headline metric of the models that every entry has.

    Attributes
    ----------
    headline, protocol : str
    entries, models : sequence of str
    values : array, shape (entries, models)
        Higher is better: losses have their sign turned.
    cluster : sequence of str
        The cohort of each entry: two outcomes of one cohort are not independent, nor are plasma and
        serum of it.
    simulated : sequence of bool
    left_out : sequence of str
        Models that some entry lacks.
    """

    headline: str
    protocol: str
    entries: Sequence[str]
    models: Sequence[str]
    values: Floats
    cluster: Sequence[str]
    simulated: Sequence[bool]
    left_out: Sequence[str]


def across(boards: Sequence[AnyBoard | Outline]) -> list[Across]:
    """One matrix for each headline metric and protocol that two entries or more share.

    Floors take part: a model that does not beat them over datasets should be seen not to. Models
    stand by their row label; protocols, which claim different things, are never mixed. An entry
    whose comparison is refused has no values, and would leave no model that is known everywhere.
    """
    groups: dict[tuple[str, str], list[Outline]] = {}
    for board in outlines(boards):
        if not board.refused:
            groups.setdefault((board.headline, board.protocol), []).append(board)
    return [
        _matrix(headline, protocol, group)
        for (headline, protocol), group in sorted(groups.items())
        if len(group) > 1
    ]


def _matrix(headline: str, protocol: str, boards: Sequence[Outline]) -> Across:
    rows = [{row.label: row.headline.value for row in board.rows} for board in boards]
    everywhere = set.intersection(*(_known(row) for row in rows))
    somewhere = {label for row in rows for label in row}
    models = sorted(everywhere)
    sign = -1 if headline in LOWER_IS_BETTER else 1
    return Across(
        headline=headline,
        protocol=protocol,
        entries=[board.name for board in boards],
        models=models,
        values=sign * np.array([[row[model] for model in models] for row in rows]),
        cluster=[board.cohort for board in boards],
        simulated=[board.simulated for board in boards],
        left_out=sorted(somewhere - everywhere),
    )


def _known(row: dict[str, float]) -> set[str]:
    return {label for label, value in row.items() if value == value}


def ranking_of(matrix: Across) -> Ranking | None:
    """Ranks over the real cohorts of a matrix; None with fewer than two."""
    return rank_models(matrix.values, matrix.models, matrix.cluster, matrix.simulated)


def ranks_table(matrix: Across) -> tuple[list[str], list[list[str]], list[str]]:
    """Columns, rows and sentences on the models over datasets."""
    ranking = ranking_of(matrix)
    notes = [f"Entries: {', '.join(matrix.entries)}."]
    if matrix.left_out:
        notes.append(f"Not on every entry, and left out: {', '.join(matrix.left_out)}.")
    if any(matrix.simulated):
        notes.append("Simulated cohorts are no independent evidence and do not count.")
    columns = ["model", "mean rank (95 % interval)"]
    if ranking is None:
        notes.append("Fewer than two real cohorts: models are not ranked over datasets.")
        return columns, [], notes
    notes.append(ranking.said)
    if ranking.friedman is not None and ranking.iman_davenport is not None:
        notes.append(
            f"Friedman chi-squared {ranking.friedman[0]:.2f}, p = {ranking.friedman[1]:.3g}; "
            f"Iman-Davenport F {ranking.iman_davenport[0]:.2f}, "
            f"p = {ranking.iman_davenport[1]:.3g}."
        )
    apart = [f"{a} and {b} (p = {p:.3g})" for (a, b), p in ranking.p_pairs.items() if p < ALPHA]
    if ranking.p_pairs:
        notes.append(f"Told apart: {'; '.join(apart) if apart else 'no pair'}.")
    rows = [
        [model, f"{mean:.2f} ({low:.2f} to {high:.2f})"]
        for model, mean, low, high in zip(
            ranking.models, ranking.mean_ranks, ranking.low, ranking.high, strict=True
        )
    ]
    return columns, rows, notes
