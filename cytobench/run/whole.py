"""The procedure of a cell carried out on every patient: the model that one would go on with.

No number comes from it. What to expect of it is what the cell's outer folds have shown.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from cytobench.core.threads import one_thread
from cytobench.run.cells import LoadedCell
from cytobench.run.outer_fold import OuterFold, Steps
from cytobench.run.parts import Part
from cytobench.splits.plan import Split


@dataclass(frozen=True)
class Whole:
    """A model that was tuned and fitted on all patients with a known outcome.

    Attributes
    ----------
    encoder : transformer or None
        From baseline columns to what the estimator takes; None for a model that takes them raw.
    params : mapping
        What tuning chose.
    threshold : float or None
        Of the decision, from inner out-of-fold predictions; None for a number as outcome.
    frame : DataFrame, shape (n, columns)
        The baseline columns that it was fitted to.
    """

    encoder: Any
    estimator: Any
    params: Mapping[str, Any]
    threshold: float | None
    frame: pd.DataFrame


def fit_whole(loaded: LoadedCell) -> Whole:
    """Tune and fit as in an outer fold whose training part is everybody."""
    bench = loaded.bench
    everybody = Split(
        0, 0, np.asarray(bench.target.known, dtype=np.intp), np.array([], dtype=np.intp)
    )
    # Last, so that its random numbers are those of no fold.
    plan = replace(bench.plan, splits=(*bench.plan.splits, everybody))
    on_all = replace(loaded, bench=replace(bench, plan=plan))
    with one_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the folds have kept the model's warnings
        found = _Everybody(on_all, len(plan.splits) - 1).run(b"")
    return Whole(**found)


class _Everybody(OuterFold):
    """The steps of a fold without a test part."""

    def steps(self, salt: bytes) -> Steps:
        """Tune, choose the threshold, fit; the fields of a :class:`Whole`."""
        del salt
        params, _, threshold = yield from self._choose()
        rows = self.split.train
        frame, encoder = self.frame.iloc[rows], None
        X = frame
        if not self.loaded.model.card.raw:
            encoder = self.encoder()
            X = encoder.fit_transform(frame)
        return {
            "encoder": encoder,
            "estimator": self.fit(params, Part(X, self.y[rows], rows)),
            "params": {**self.loaded.model.parameters, **params},
            "threshold": threshold,
            "frame": frame,
        }
