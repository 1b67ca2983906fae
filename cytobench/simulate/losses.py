"""Who is lost: to a share of the values or to the end point, at random or by what is observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def standardised(values: Floats) -> Floats:
    """Mean 0 and SD 1; all 0 where nothing varies."""
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0))


def chance(share: float, score: Floats | None = None) -> Floats:
    """Probability to be lost for each patient, with a mean of `share`.

    ``Phi(sqrt(2) Phi^-1(share) + score)``: for a standard normal score its mean is `share`, because
    ``E Phi(a + S) = Phi(a / sqrt(2))``. Where the score is observed, what is lost is missing at
    random (Rubin 1976, doi:10.1093/biomet/63.3.581).

    Parameters
    ----------
    score : array, shape (n,), optional
        Standardised; the higher, the likelier a loss. Without it everybody is equally likely.

    Returns
    -------
    array, shape (n,), or (1,) without a score
    """
    from scipy.special import ndtr, ndtri

    if score is None:
        return np.array([share])
    return np.asarray(ndtr(np.sqrt(2) * ndtri(share) + score))
