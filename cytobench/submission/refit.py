"""Refit a fold that the submitter could not choose, with the plugin that is installed here.

Nothing of the bundle is run: the plugin is found by its name among those installed, and its sha256
has to be the one that the bundle states.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cytobench.core.result import FoldFailure
from cytobench.registry.discover import discover
from cytobench.run.again import largest_difference, run_again, sampled
from cytobench.run.cells import Cell, load_cell
from cytobench.run.environment import differences
from cytobench.run.provenance import versions
from cytobench.submission.bundle import Bundle, fold_member
from cytobench.submission.claims import installed_source
from cytobench.submission.codes import BundleError, refusal

TOLERANCE = 1e-6
"""Largest difference of a prediction (relative to the outcome's scale) that counts as the same:
other processors round the last digits differently."""


@dataclass(frozen=True)
class Refit:
    """A fold that was fitted again.

    Attributes
    ----------
    fold : int
    largest : float
        Largest absolute difference of a prediction; 0 where they agree to the last bit.
    error : BundleError or None
        Where the fold was not reproduced.
    """

    fold: int
    largest: float
    error: BundleError | None = None

    @property
    def exact(self) -> bool:
        """To the last bit."""
        return self.error is None and self.largest == 0.0


def sampled_folds(bundle: Bundle, number: int, nonce: str) -> list[int]:
    """Which folds are refitted: by the bundle's own sha256 and a word of who verifies.

    Without that word a submitter could try bundle after bundle until a chosen fold is drawn.
    """
    seed = hashlib.sha256(f"{nonce}/{bundle.sha256}".encode()).hexdigest()
    return sampled(len(bundle.folds), number, seed)


def why_not(bundle: Bundle) -> str:
    """Why a bundle's model cannot be refitted here; empty where it can."""
    if "_target_" in bundle.about["config"]["model"]:
        return "the model is a configuration, no plugin: what it names is not imported"
    plugin = discover("model").get(bundle.model)
    if plugin is None:
        return f"the plugin {bundle.model} is not installed here"
    if plugin.problem:
        return f"the plugin {bundle.model} is broken here: {plugin.problem}"
    if installed_source(bundle) != bundle.plugin["source"]:
        return f"the plugin {bundle.model} has another source here"
    return ""


def refit(
    bundle: Bundle, fold: int, config: Mapping[str, Any], *, seconds: float | None = None
) -> Refit:
    """Fit one fold again and compare every prediction.

    Parameters
    ----------
    seconds : float, optional
        What it may take; a model that takes longer fails.
    """
    at = bundle.at(fold_member(fold))
    cell = Cell(bundle.cell["suite"], bundle.cell["entry"], config)
    ((_, result),) = run_again(cell, bundle.key, [fold], b"", seconds=seconds)
    if isinstance(result, FoldFailure):
        return Refit(fold, float("nan"), refusal("E761", result.error[:300], at))
    stated = bundle.folds[fold]
    largest = largest_difference(stated, result)
    scale = max(1.0, float(np.abs(result.predictions.prediction).max(initial=0.0)))
    same_threshold = _near(result.threshold, stated.threshold)
    if largest <= TOLERANCE * scale and same_threshold:
        return Refit(fold, largest)
    said = f"predictions differ by up to {largest:.3g}"
    if not same_threshold:
        said = f"the threshold is {stated.threshold}, refitted {result.threshold}"
    loaded = load_cell(cell)
    stated_versions = bundle.about["versions"]
    here = {**dict.fromkeys(stated_versions, "absent"), **versions(*loaded.model.extras)}
    other_versions = differences(stated_versions, here)
    if other_versions or loaded.key != bundle.key:
        said += f" ({'; '.join(other_versions) or 'another revision of cytobench'})"
        return Refit(fold, largest, refusal("E762", said, at))
    return Refit(fold, largest, refusal("E760", said, at))


def _near(a: float | None, b: float | None) -> bool:
    if a is None or b is None:
        return a is b
    return abs(a - b) <= TOLERANCE * max(1.0, abs(a))
