"""Patients before treatment: confounders, the inflamed subtype, and true analyte levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cytobench.simulate.panel import MARKERS, NAMES, in_parts

Floats = NDArray[np.float64]
SUBTYPE_SHIFT = 1.8
"""How far apart the inflamed and the other patients are on the inflammation factor, in its SDs."""
PREVALENCE = 0.27
"""Of the subtype, where levels have their published medians; a higher one raises them."""
FACTORS = ("tnf", "chemokine", "th1", "th2")
SMOKERS, WOMEN = 0.3, 0.65
ACUTE = ("CRP", "IL-6", "TNF-α")
"""What inflammation is read off, drawn first: inclusion and failed treatments depend on it."""


@dataclass(frozen=True)
class Screened:
    """What decides about inclusion: confounders, latent factors, and the levels in :data:`ACUTE`.

    Attributes
    ----------
    inflamed : boolean array, shape (n,)
        Membership of the inflamed subtype.
    known : dict of arrays, shape (n,)
        Factors and confounders, standardised.
    acute : array, shape (n, 3)
        Standardised logarithms.
    """

    inflamed: NDArray[np.bool_]
    known: dict[str, Floats]
    acute: Floats

    @property
    def inflammation(self) -> Floats:
        """Mean of CRP, IL-6 and TNF-α on the standardised logarithmic scale, unit variance.

        The three correlate by about 0.54, 0.40 and 0.43, hence the standard deviation 0.80.
        """
        return np.asarray(self.acute.sum(axis=1) / (3 * 0.8))

    def take(self, rows: NDArray[np.intp]) -> Screened:
        """Some of the patients."""
        known = {name: values[rows] for name, values in self.known.items()}
        return Screened(self.inflamed[rows], known, self.acute[rows])


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
    inflammation : array, shape (n,)
        See :class:`Screened`.
    """

    inflamed: NDArray[np.bool_]
    z: Floats
    age: Floats
    bmi: Floats
    female: NDArray[np.bool_]
    smoker: NDArray[np.bool_]
    inflammation: Floats

    def level(self, name: str) -> Floats:
        """Standardised logarithm of one marker."""
        return self.z[:, NAMES.index(name)]


def draw_biology(n: int, inflamed: float, draw: np.random.Generator) -> Biology:
    """Draw patients without any criterion; see :func:`screen` for the parameters."""
    return complete(screen(n, inflamed, draw), draw)


def screen(n: int, inflamed: float, draw: np.random.Generator) -> Screened:
    """Draw candidates.

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
        + np.sqrt(within) * draw.standard_normal(n),
        "bmi": draw.standard_normal(n),
        "age": draw.standard_normal(n),
        "smoking": (smoker - SMOKERS) / np.sqrt(SMOKERS * (1 - SMOKERS)),
        "female": (female - WOMEN) / np.sqrt(WOMEN * (1 - WOMEN)),
    }
    for factor in FACTORS:
        known[factor] = draw.standard_normal(n)
    acute = np.empty((n, len(ACUTE)), order="F")
    for column, name in enumerate(ACUTE):
        acute[:, column] = _level(name, known, n, draw)
    return Screened(subtype, known, acute)


def pool(groups: Sequence[Screened]) -> Screened:
    """Candidates of several rounds of screening, one round after the other."""
    if len(groups) == 1:
        return groups[0]
    names = groups[0].known
    return Screened(
        np.concatenate([group.inflamed for group in groups]),
        {name: np.concatenate([group.known[name] for group in groups]) for name in names},
        np.concatenate([group.acute for group in groups]),
    )


def complete(screened: Screened, draw: np.random.Generator) -> Biology:
    """Draw the levels that screening left out."""
    known, n = screened.known, len(screened.inflamed)
    z = np.empty((n, len(MARKERS)), order="F")  # filled and read marker by marker
    for column, name in enumerate(NAMES):
        seen = name in ACUTE
        z[:, column] = (
            screened.acute[:, ACUTE.index(name)] if seen else _level(name, known, n, draw)
        )
    return Biology(
        inflamed=screened.inflamed,
        z=z,
        age=np.clip(np.round(42 + 12 * known["age"]), 18, 75),
        bmi=np.clip(np.round(27.5 + 5.5 * known["bmi"], 1), 16, 55),
        female=known["female"] > 0,
        smoker=known["smoking"] > 0,
        inflammation=screened.inflammation,
    )


def _level(name: str, known: dict[str, Floats], n: int, draw: np.random.Generator) -> Floats:
    """Standardised log level: loadings on what is known, and the marker's own variation."""
    loads = MARKERS[NAMES.index(name)].loads
    level = draw.standard_normal(n)
    own = np.sqrt(1 - sum(load**2 for load in loads.values()))
    for rows in in_parts(n):
        level[rows] *= own
        for factor, load in loads.items():
            level[rows] += load * known[factor][rows]
    return level
