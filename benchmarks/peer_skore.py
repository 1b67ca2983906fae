"""skore: ``CrossValidationReport`` with its summary, over a search or a threshold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skore
from peer_sklearn import searched, thresholded
from workload import MODELS, data_of, fixed, outer_folds, shape_of


def run(workload: str, folder: Path) -> dict[str, float]:
    """One process."""
    del folder
    shape, found = shape_of(workload), {}
    for _, X, y in data_of(workload):
        for name in MODELS[workload]:
            for strength in shape.strengths:
                model = (
                    searched(name, shape.trials)
                    if shape.trials
                    else thresholded(name, **fixed(strength))
                )
                report = skore.CrossValidationReport(
                    model, X, y, splitter=outer_folds(workload), pos_label=1
                )
                report.metrics.summarize().frame()
                scores = [part.metrics.roc_auc() for part in report.reports_]
                found.setdefault(name, []).append(float(np.mean(scores)))
    return {model: float(np.mean(values)) for model, values in found.items()}
