"""What a fitted model predicts, seen to be predictions: what is none is its plugin's fault."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.core.errors import PluginError
from cytobench.registry.load import TaskKind

Floats = NDArray[np.float64]
ROUNDING = 1e-6
"""How far beyond 0 and 1 a probability may be that was computed in 32 bits."""


def predicted(estimator: Any, X: Any, kind: TaskKind, model: str) -> Floats:
    """Probabilities of the positive class, or numbers.

    Parameters
    ----------
    kind : {"classification", "regression"}
    model : str
        Its name and origin, for errors.

    Raises
    ------
    PluginError
        ``E231`` where they are none.
    """
    if kind == "regression":
        prediction = np.asarray(estimator.predict(X), dtype=np.float64)
    else:
        prediction = _of_the_positive(estimator, X, model)
    return checked(prediction, len(X), kind, model)


def checked(prediction: Floats, expected: int, kind: TaskKind, model: str) -> Floats:
    """Predictions for as many patients as were asked about.

    Raises
    ------
    PluginError
        ``E231`` where they are none.
    """
    if prediction.shape != (expected,) or not np.isfinite(prediction).all():
        raise PluginError(
            "E231",
            f"predictions of shape {prediction.shape} with "
            f"{int((~np.isfinite(prediction)).sum())} not finite, expected {expected} numbers",
            where=model,
        )
    if kind == "regression":
        return prediction
    low, high = prediction.min(initial=0.0), prediction.max(initial=1.0)
    if low < -ROUNDING or high > 1 + ROUNDING:
        raise PluginError(
            "E231", f"probabilities from {low:g} to {high:g}, expected 0 to 1", where=model
        )
    return np.clip(prediction, 0.0, 1.0)


def _of_the_positive(estimator: Any, X: Any, model: str) -> Floats:
    """The second of the two columns that `predict_proba` has to return."""
    classes = [int(label) for label in np.asarray(estimator.classes_)]
    if classes != [0, 1]:
        raise PluginError(
            "E231", f"classes_ is {classes}, expected [0, 1] in this order", where=model
        )
    prediction = np.asarray(estimator.predict_proba(X), dtype=np.float64)
    if prediction.ndim != 2 or prediction.shape[1] != 2:
        raise PluginError(
            "E231",
            f"predict_proba returned shape {prediction.shape}, expected ({len(X)}, 2)",
            where=model,
        )
    return prediction[:, 1]
