"""What is said of a cohort under the benefit task, whatever the rule: arms, and each marker."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from cytobench.core.hashing import canonical_json
from cytobench.data.arms import arms_of
from cytobench.data.cohort import Cohort
from cytobench.data.target import Target
from cytobench.evaluate.benefit.moderation import moderation
from cytobench.preprocess.pipeline import baseline_frame, build_encoder
from cytobench.preprocess.recipe import Recipe, recipe_from_config
from cytobench.run.benefit_fold import fits_propensity
from cytobench.run.cells import LoadedCell


def benefit_facts(loaded: LoadedCell) -> dict[str, Any]:
    """Arms with their patients, how these came to them, and what each marker tells.

    The markers' tests describe the whole cohort; no model is chosen or scored by them.
    """
    bench = loaded.bench
    arms = arms_of(bench.cohort, bench.target.task.arms)
    known = ~np.isnan(bench.target.y)
    recipe = recipe_from_config(loaded.cell.config["preprocess"])
    return {
        "arms": dict(arms.counts(known)),
        "fitted": fits_propensity(bench.cohort, bench.target.task),
        "moderation": _markers(_Question(bench.cohort, bench.target, recipe)),
    }


class _Question:
    """A cohort, an outcome and a recipe, equal where their contents are."""

    def __init__(self, cohort: Cohort, target: Target, recipe: Recipe) -> None:
        self.cohort, self.target, self.recipe = cohort, target, recipe
        self.key = canonical_json([cohort.fingerprint, asdict(target.task), asdict(recipe)])

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Question) and self.key == other.key


@lru_cache(maxsize=8)
def _markers(asked: _Question) -> list[dict[str, Any]]:
    cohort, target = asked.cohort, asked.target
    if not cohort.panel:
        return []
    rows = target.known
    arm = np.array(cohort.labels("arm"), dtype=str)[rows]
    markers = _encoded(asked, "analytes")
    clinical = _encoded(asked, "clinical") if len(cohort.clinical) > 1 else None
    # A marker that was hardly detected, or made constant by imputation, tells nothing.
    varying = [name for name in cohort.analytes if name in markers]
    found = moderation(target.y[rows], list(arm), markers[varying], clinical)
    return [asdict(item) for item in found]


def _encoded(asked: _Question, kind: Any) -> pd.DataFrame:
    """Columns of all patients with a known outcome, imputed and on the models' scale."""
    frame = baseline_frame(asked.cohort, (kind,), asked.recipe)
    frame = frame.drop(columns=[asked.cohort.arm], errors="ignore").iloc[asked.target.known]
    encoded: pd.DataFrame = build_encoder(asked.cohort, (kind,), asked.recipe).fit_transform(frame)
    return encoded.loc[:, encoded.nunique() > 1]
