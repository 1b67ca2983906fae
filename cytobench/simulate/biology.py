"""Patients before treatment: confounders, the inflamed subtype, and true analyte levels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.simulate.panel import MARKERS

Floats = NDArray[np.float64]
SUBTYPE_SHIFT = 1.8
"""How far apart the inflamed and the other patients are on the inflammation factor, in its SDs."""
PREVALENCE = 0.27
"""Of the subtype, where levels have their published medians; a higher one raises them."""
FACTORS = ("tnf", "chemokine", "th1", "th2")
SMOKERS, WOMEN = 0.3, 0.65


@dataclass(frozen=True)
class Biology:
    """True state before treatment, one entry per patient; what no assay sees without error.

    Attributes
    ----------
    inflamed : boolean array, shape (n,)
        Membership of the inflamed subtype.
    z : array, shape (n, n_markers)
        Standardised logarithm of every marker.
    age, bmi : arrays, shape (n,)
        Years; kg/m².
    """

    inflamed: NDArray[np.bool_]
    z: Floats
    age: Floats
    bmi: Floats
    female: NDArray[np.bool_]
    smoker: NDArray[np.bool_]

    def level(self, name: str) -> Floats:
        """Standardised logarithm of one marker."""
        return self.z[:, [marker.name for marker in MARKERS].index(name)]

    @property
    def inflammation(self) -> Floats:
        """Mean of CRP, IL-6 and TNF-α on the standardised logarithmic scale, unit variance.

        The three correlate by about 0.54, 0.40 and 0.43, hence the standard deviation 0.80.
        """
        return (self.level("CRP") + self.level("IL-6") + self.level("TNF-α")) / (3 * 0.8)


def draw_biology(n: int, inflamed: float, draw: np.random.Generator) -> Biology:
    """Draw patients.

    Parameters
    ----------
    n : int
    inflamed : float
        Prevalence of the inflamed subtype; CRP exceeds 3 mg/L in 27 % (95 % CI 21 to 34) of
        depressed patients (Osimo 2019, doi:10.1017/S0033291719001454, abstract read).
    """
    subtype = draw.random(n) < inflamed
    smoker, female = draw.random(n) < SMOKERS, draw.random(n) < WOMEN
    within = 1 - SUBTYPE_SHIFT**2 * PREVALENCE * (1 - PREVALENCE)
    known: dict[str, Floats] = {
        "inflammation": SUBTYPE_SHIFT * (subtype - PREVALENCE)
        + np.sqrt(within) * draw.normal(size=n),
        "bmi": draw.normal(size=n),
        "age": draw.normal(size=n),
        "smoking": (smoker - SMOKERS) / np.sqrt(SMOKERS * (1 - SMOKERS)),
        "female": (female - WOMEN) / np.sqrt(WOMEN * (1 - WOMEN)),
    }
    for factor in FACTORS:
        known[factor] = draw.normal(size=n)
    return Biology(
        inflamed=subtype,
        z=_levels(known, n, draw),
        age=np.clip(np.round(42 + 12 * known["age"]), 18, 75),
        bmi=np.clip(np.round(27.5 + 5.5 * known["bmi"], 1), 16, 55),
        female=female,
        smoker=smoker,
    )


def _levels(known: dict[str, Floats], n: int, draw: np.random.Generator) -> Floats:
    """Standardised log levels: loadings on what is known, and each marker's own variation."""
    z = np.empty((n, len(MARKERS)), order="F")  # filled and read marker by marker
    for position, marker in enumerate(MARKERS):
        own = 1 - sum(load**2 for load in marker.loads.values())
        z[:, position] = np.sqrt(own) * draw.normal(size=n)
        for factor, load in marker.loads.items():
            z[:, position] += load * known[factor]
    return z
