"""How levels move from baseline to the end point under each class of treatment.

Two accounts that disagree, and a parameter to choose between them. ``review``: the seed review
(doi:10.1038/s41398-025-03532-y) with the project's literature notes for the sizes by class, quoted
from memory there. ``meta_analysis``: Köhler 2018 (doi:10.1007/s12035-017-0632-1, abstract read; 45
studies), the same for every antidepressant because they were pooled: IL-6, TNF-α and CCL2 fall, and
IL-10, said to rise, falls too; nothing else moved.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cytobench.simulate.panel import MARKERS, in_parts

Floats = NDArray[np.float64]
STABILITY = 0.7
"""Correlation of a patient's true log level with the later one, changes aside; an assumption."""

RISING = {"IL-10": 0.2, "TGF-β1": 0.2}
POOLED = {"IL-6": -0.454, "TNF-α": -0.202, "CCL2": -1.502, "IL-10": -0.566}
ANTIDEPRESSANTS: Mapping[str, Mapping[str, float]] = {
    "SSRI": {"IL-6": -0.45, "TNF-α": -0.25, "IL-1β": -0.3, "IFN-γ": -0.2, **RISING},
    "SNRI": {"IL-6": -0.2, "TNF-α": -0.1, **RISING},
    "TCA": {"IL-6": -0.3, "TNF-α": -0.2, **RISING},
    "atypical": {"IL-6": -0.2, "TNF-α": -0.1, **RISING},
    "ketamine": {"IL-6": -0.3, "TNF-α": -0.3, **RISING},
}
"""Under ``review``, SMD, below 0 is a fall. The notes have no figure for the atypical ones: taken
as the SNRIs'."""
OTHERS: Mapping[str, Mapping[str, float]] = {
    "placebo": {},
    "anti-inflammatory": {"CRP": -0.3, "IL-6": -0.3, "TNF-α": -0.2},
    "anti-cytokine": {"CRP": -0.5, "IL-6": -0.3, "TNF-α": -0.5},
    "low-dose IL-2": {"IL-2": 0.3, **RISING},
    "vagus nerve stimulation": {"IL-6": -0.2, "TNF-α": -0.2},
    "microbiota": {"CRP": -0.2, "IL-6": -0.2, "IL-10": 0.2},
}
"""Under both accounts: assumed sizes in the direction of the mechanism; nobody pooled them."""
CLASSES = (*ANTIDEPRESSANTS, *OTHERS)
ACCOUNTS = ("review", "meta_analysis")


def shifts(classes: tuple[str, ...], account: str) -> Floats:
    """Change of each marker under each class in SDs of its logarithm as measured.

    Returns
    -------
    array, shape (n_classes, n_markers)
    """
    table = np.zeros((len(classes), len(MARKERS)))
    for row, name in enumerate(classes):
        pooled = account == "meta_analysis" and name in ANTIDEPRESSANTS
        change = POOLED if pooled else {**ANTIDEPRESSANTS, **OTHERS}[name]
        for column, marker in enumerate(MARKERS):
            table[row, column] = change.get(marker.name, 0.0)
    return table


def later(z: Floats, arm: NDArray[np.intp], shift: Floats, draw: np.random.Generator) -> Floats:
    """Standardised true log levels at the end point.

    The cohort's mean moves by the arm's shift, its spread stays; a patient keeps a share
    (:data:`STABILITY`) of the distance to the mean. Levels do not follow the symptoms: Köhler 2018
    found no evidence that they do.

    Parameters
    ----------
    z : array, shape (n, n_markers)
        Before treatment.
    arm : array of int, shape (n,)
    shift : array, shape (n_arms, n_markers)
        From :func:`shifts`.
    """
    after = np.empty_like(z)
    mean, sd = z.mean(axis=0), z.std(axis=0)
    scaled = shift * np.array([marker.log_sd / marker.true_sd for marker in MARKERS])
    for rows in in_parts(len(z)):
        for column in range(len(MARKERS)):
            level = draw.standard_normal(len(z[rows]))
            level *= np.sqrt(1 - STABILITY**2) * sd[column]
            level += STABILITY * z[rows, column]
            level += ((1 - STABILITY) * mean[column] + scaled[:, column])[arm[rows]]
            after[rows, column] = level
    return after
