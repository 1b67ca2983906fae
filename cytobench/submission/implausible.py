"""Results that no program can call false and no reader should take as they are: flagged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cytobench.evaluate.scores import HEADLINE, LOWER_IS_BETTER, Scores
from cytobench.leaderboard.collect import with_truth
from cytobench.run.store import StoredCell
from cytobench.submission.bundle import Bundle
from cytobench.submission.codes import BundleError, refusal

BEST_AUC = 0.995
BEST_R2 = 0.99
"""On real patients. The best published models of this question are far from either."""


def too_good(bundle: Bundle) -> Iterator[BundleError]:
    """What a person has to look at."""
    if all(_is_outcome(fold.predictions.prediction, fold.predictions.y) for fold in bundle.claimed):
        yield refusal("E770", "every prediction is the outcome itself", bundle.where)
        return
    kind, protocol = bundle.about["task"]["kind"], bundle.about["protocol"]["name"]
    metric = HEADLINE[kind]
    mine = Scores(kind, protocol, bundle.claimed).estimate(metric).value
    truth = with_truth(StoredCell(bundle.key, bundle.about, bundle.claimed))
    if truth is not None:
        ceiling = Scores(kind, protocol, truth).estimate(metric)
        lower = metric in LOWER_IS_BETTER
        end = ceiling.low if lower else ceiling.high
        if end is not None and (mine < end if lower else mine > end):
            yield refusal(
                "E771",
                f"has {metric} {mine:.3f}; knowing the truth has {ceiling.value:.3f}, with an "
                f"interval up to {end:.3f}",
                bundle.where,
            )
    elif kind == "classification" and mine >= BEST_AUC:
        yield refusal("E772", f"has AUC {mine:.4f}", bundle.where)
    elif kind == "regression":
        r2 = Scores(kind, protocol, bundle.claimed).estimate("r2").value
        if r2 >= BEST_R2:
            yield refusal("E772", f"has R² {r2:.4f}", bundle.where)


def _is_outcome(prediction: object, y: object) -> bool:
    return bool(np.allclose(np.asarray(prediction), np.asarray(y), rtol=0, atol=1e-6))
