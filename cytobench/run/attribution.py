"""What a fitted estimator says of itself: columns that it uses, Shapley values of its outputs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.registry.extras import absent, install_hint

Floats = NDArray[np.float64]


def unwrapped(estimator: Any) -> Any:
    """The estimator inside a transformed target, one calibration, or a pipeline that passes on."""
    inner = estimator
    while True:
        if hasattr(inner, "regressor_"):
            inner = inner.regressor_
        elif len(getattr(inner, "calibrated_classifiers_", ())) == 1:
            inner = inner.calibrated_classifiers_[0].estimator
        elif _passes_on(inner):
            inner = inner[-1]
        else:
            return inner


def _passes_on(inner: Any) -> bool:
    """Whether a pipeline hands its columns to the last step as they are."""
    steps: list[tuple[str, Any]] = getattr(inner, "steps", None) or []
    return bool(steps) and all(
        type(step).__name__ == "FunctionTransformer" and step.func is None for _, step in steps[:-1]
    )


def used_columns(estimator: Any, columns: Sequence[str]) -> tuple[dict[str, bool] | None, str]:
    """Which encoded columns a fitted model has a coefficient or a split for.

    Returns
    -------
    used : dict or None
        None where the model does not say.
    how : str
        The attribute that was read, or why there is none.
    """
    inner = unwrapped(estimator)
    for attribute in ("coef_", "feature_importances_"):
        try:
            values = getattr(inner, attribute)
        except AttributeError:  # a kernel's `coef_` is there and raises
            continue
        weights = np.atleast_2d(np.asarray(values, dtype=np.float64))
        if weights.shape[-1] == len(columns):
            used = (weights != 0).any(axis=0)
            return dict(zip(map(str, columns), map(bool, used), strict=True)), attribute
    return None, f"{type(inner).__name__} does not say which columns it uses"


def shap_values(
    estimator: Any, train: pd.DataFrame, test: pd.DataFrame
) -> tuple[Floats | None, str]:
    """Shapley values of the test part (Lundberg & Lee 2017, arXiv:1705.07874), shape (n, columns).

    Trees and linear models only, where they are exact and quick.

    Returns
    -------
    values : array or None
    how : str
        The explainer, or why there is none.
    """
    if absent("shap"):
        return None, f"needs the package shap: {install_hint('shap')}"
    inner = unwrapped(estimator)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports, about each other
        import shap

    numbers = test.to_numpy(dtype=np.float64)
    if _linear(inner, numbers.shape[1]):
        background = shap.maskers.Independent(train.to_numpy(dtype=np.float64), len(train))
        explainer: Any = shap.LinearExplainer(inner, background)
    else:
        try:
            explainer = shap.TreeExplainer(inner)
        except Exception as error:  # it raises whatever it meets in a model that it does not know
            return None, f"shap does not know {type(inner).__name__} ({type(error).__name__})"
    try:
        values = np.asarray(explainer.shap_values(numbers), dtype=np.float64)
    except Exception as error:
        return None, f"shap failed on {type(inner).__name__}: {error}"
    if values.ndim == 3:  # one layer a class
        values = values[:, :, -1] if values.shape[1] == numbers.shape[1] else values[-1]
    if values.shape != numbers.shape or not np.isfinite(values).all():
        return None, f"shap gave values of shape {values.shape} for {type(inner).__name__}"
    return values, type(explainer).__name__


def _linear(inner: Any, columns: int) -> bool:
    try:
        coefficients = np.atleast_2d(np.asarray(inner.coef_, dtype=np.float64))
    except (AttributeError, TypeError, ValueError):
        return False
    return hasattr(inner, "intercept_") and coefficients.shape == (1, columns)
