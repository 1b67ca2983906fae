"""What an assay makes of the true levels: plates, noise, limits of detection, lost samples."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.data.cohort import BELOW
from cytobench.simulate.panel import MARKERS

PLATE_SHIFT = 0.15
"""SD of plate effects on the log scale; shifts of 0.1 to 0.3 and a CV of 10 to 20 % are usual."""
NOISE = 0.08
"""Coefficient of variation within a plate; 5 to 10 % are usual."""
PER_PLATE = 80


def measure(
    z: NDArray[np.float64], plate: NDArray[np.intp], missing: float, draw: np.random.Generator
) -> pd.DataFrame:
    """Concentrations as reported; true spread, plates and noise add up to the published spread.

    Parameters
    ----------
    z : array, shape (n, n_markers)
        Standardised log levels.
    plate : array of int, shape (n,)
    missing : float
        Share of values lost completely at random.

    Returns
    -------
    DataFrame, shape (n, at most 2 * n_markers)
        Values in each marker's unit; a value below the limit carries the limit and is flagged.
    """
    shifts = PLATE_SHIFT * draw.normal(size=(int(plate.max()) + 1, len(MARKERS)))
    columns: dict[str, NDArray[np.float64] | NDArray[np.bool_]] = {}
    for position, marker in enumerate(MARKERS):
        true_sd = np.sqrt(marker.log_sd**2 - PLATE_SHIFT**2 - NOISE**2)
        logs = np.log(marker.median) + true_sd * z[:, position] + shifts[plate, position]
        observed = np.exp(logs + NOISE * draw.normal(size=len(z)))
        lost = draw.random(len(z)) < missing
        below = (observed < marker.llod) & ~lost
        columns[marker.name] = np.where(lost, np.nan, np.maximum(observed, marker.llod))
        if below.any():
            columns[marker.name + BELOW] = below
    return pd.DataFrame(columns)
