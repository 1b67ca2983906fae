"""Several entries of a suite as one matrix: which models are ahead over datasets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.evaluate.scores import LOWER_IS_BETTER
from cytobench.leaderboard.rank import Board

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Across:
    """The headline metric of the models that every entry has.

    Attributes
    ----------
    headline : str
    entries, models : sequence of str
    values : array, shape (entries, models)
        Higher is better: losses have their sign turned.
    cluster : sequence of str
        The cohort of each entry: two outcomes of one cohort are not independent.
    simulated : sequence of bool
    left_out : sequence of str
        Models that some entry lacks.
    """

    headline: str
    entries: Sequence[str]
    models: Sequence[str]
    values: Floats
    cluster: Sequence[str]
    simulated: Sequence[bool]
    left_out: Sequence[str]


def across(boards: Sequence[Board]) -> list[Across]:
    """One matrix for each headline metric and protocol that two entries or more share.

    Floors take part: a model that does not beat them over datasets should be seen not to. Models
    stand by their row label; protocols, which claim different things, are never mixed.
    """
    groups: dict[tuple[str, str], list[Board]] = {}
    for board in boards:
        key = (board.headline, str(board.entry.about["protocol"]["name"]))
        groups.setdefault(key, []).append(board)
    return [
        _matrix(headline, group)
        for (headline, _), group in sorted(groups.items())
        if len(group) > 1
    ]


def _matrix(headline: str, boards: Sequence[Board]) -> Across:
    rows = [{row.label: row.estimate(headline).value for row in board.rows} for board in boards]
    everywhere = set.intersection(*(_known(row) for row in rows))
    somewhere = {label for row in rows for label in row}
    models = sorted(everywhere)
    sign = -1 if headline in LOWER_IS_BETTER else 1
    return Across(
        headline=headline,
        entries=[board.entry.name for board in boards],
        models=models,
        values=sign * np.array([[row[model] for model in models] for row in rows]),
        cluster=[str(board.entry.about["dataset"]["name"]) for board in boards],
        simulated=[board.entry.about["dataset"]["kind"] == "simulated" for board in boards],
        left_out=sorted(somewhere - everywhere),
    )


def _known(row: dict[str, float]) -> set[str]:
    return {label for label, value in row.items() if value == value}
