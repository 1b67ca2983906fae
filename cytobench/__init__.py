"""cytobench: honest benchmarks for predicting antidepressant response from baseline cytokines.

The names below are what a plugin imports; everything else may change between versions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cytobench.core.cards import DatasetCard
from cytobench.core.declare import dataset, model
from cytobench.core.errors import CytobenchError, DataError, NotApplicable, PluginError
from cytobench.core.space import Choice, Float, Int

if TYPE_CHECKING:
    from cytobench.data.cohort import Analyte, Cohort, LabelOutcome, ScaleOutcome
    from cytobench.data.signalling import signalling_network
    from cytobench.registry.load import estimator

__version__ = "0.1.0"

__all__ = [
    "Analyte",
    "Choice",
    "Cohort",
    "CytobenchError",
    "DataError",
    "DatasetCard",
    "Float",
    "Int",
    "LabelOutcome",
    "NotApplicable",
    "PluginError",
    "ScaleOutcome",
    "dataset",
    "estimator",
    "model",
    "signalling_network",
]


def __getattr__(name: str) -> Any:
    # The cohort needs pandas; a plugin file that only declares itself does not.
    if name in ("Analyte", "Cohort", "LabelOutcome", "ScaleOutcome"):
        from cytobench.data import cohort

        return getattr(cohort, name)
    if name == "signalling_network":
        from cytobench.data.signalling import signalling_network

        return signalling_network
    if name == "estimator":
        from cytobench.registry.load import estimator

        return estimator
    raise AttributeError(f"module 'cytobench' has no attribute {name!r}")
