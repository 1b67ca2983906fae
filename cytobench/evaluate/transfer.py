"""One study against another: the headline metric of every pair, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cytobench.core.result import FoldResult
from cytobench.evaluate.cohort_facts import FEWEST
from cytobench.evaluate.intervals import Estimate
from cytobench.evaluate.scores import HEADLINE, Scores

OTHERS = "all others"
"""What a study is tested on when it is left out: training on every other one."""

Matrix = Mapping[tuple[str, str], tuple[Estimate, int]]
"""(trained on, tested on) -> metric with its interval, and the patients that were tested."""


def transfer_matrix(
    kind: str,
    folds: Sequence[FoldResult],
    beside: Sequence[FoldResult],
    test_labels: Sequence[str],
    trained_on: Mapping[str, str],
) -> Matrix:
    """Every pair of studies that was run; empty where the protocol makes none.

    Studies of fewer than five patients are left out.

    Between studies each value is of one locked test set, its interval DeLong's (1988,
    doi:10.2307/2531595) on the logit scale for an AUC, over patients for other metrics; the fitted
    model is taken as given. Within a study it is the cross-validated value with the interval that
    repeated folds get.

    Parameters
    ----------
    kind : {"classification", "regression"}
    folds, beside : sequence of FoldResult
        Leave-one-study-out, and the pairs and folds within studies.
    test_labels : sequence of str
        Study that each fold of the plan is tested on.
    trained_on : mapping
        Position of a fold beside the claim, as text -> the one study that it is trained on.
    """
    if not beside:
        return {}
    groups: dict[tuple[str, str], list[FoldResult]] = {}
    for fold in beside:
        pair = (trained_on[str(fold.fold)], test_labels[fold.fold])
        groups.setdefault(pair, []).append(fold)
    for fold in folds:
        groups[OTHERS, test_labels[fold.fold]] = [fold]
    made = {pair: _of(kind, parts) for pair, parts in groups.items()}
    return {pair: (estimate, n) for pair, (estimate, n) in made.items() if n >= FEWEST}


def _of(kind: str, folds: Sequence[FoldResult]) -> tuple[Estimate, int]:
    scores = Scores(kind, "repeated_stratified", folds)
    return scores.estimate(HEADLINE[kind]), len(scores.out_of_fold.patients)
