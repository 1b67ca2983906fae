"""Whether n is enough for a model: its candidate parameters against Riley's criteria."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.evaluate.sample_size import (
    binary_sample_size,
    binary_shrinkage,
    continuous_sample_size,
    continuous_shrinkage,
    cox_snell_from_auc,
)

ANTICIPATED_AUC = 0.70
"""What the field hopes for; the observed AUC would be circular."""
ANTICIPATED_R2 = 0.10


@dataclass(frozen=True)
class Adequacy:
    """Sample size against the model's candidate parameters.

    Attributes
    ----------
    parameters : int
        Candidate parameters, before any selection: the median over folds.
    n, required : int
        Patients there are, and those that the criteria ask for.
    shrinkage : float
        Expected calibration slope of an unpenalised model of this size.
    events_per_parameter : float or None
        Patients with the rarer outcome for each parameter; None for a number as outcome.
    """

    parameters: int
    n: int
    required: int
    shrinkage: float
    events_per_parameter: float | None


def adequacy(folds: Sequence[FoldResult], n: int, prevalence: float | None) -> Adequacy | None:
    """Compare n with what the criteria ask for at a hoped-for performance.

    Parameters
    ----------
    prevalence : float or None
        Share with the outcome; None for a number as outcome.

    Returns
    -------
    Adequacy or None
        None where the folds do not say what the model saw.
    """
    counts = [fold.parameters for fold in folds if fold.parameters]
    if not counts:
        return None
    parameters = int(np.median(counts))
    if prevalence is None:
        size = continuous_sample_size(parameters, ANTICIPATED_R2)
        shrinkage = continuous_shrinkage(n, parameters, ANTICIPATED_R2)
        return Adequacy(parameters, n, size.required, shrinkage, None)
    r2 = cox_snell_from_auc(ANTICIPATED_AUC, prevalence)
    size = binary_sample_size(parameters, prevalence, r2)
    return Adequacy(
        parameters=parameters,
        n=n,
        required=size.required,
        shrinkage=binary_shrinkage(n, parameters, r2),
        events_per_parameter=n * min(prevalence, 1 - prevalence) / parameters,
    )
