"""A model plugin as the audit's procedure: the framework's own fold, without tuning."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.audit.findings import Finding
from cytobench.audit.invariance import PERMUTATIONS, audit_procedure
from cytobench.audit.procedure import Problem
from cytobench.core.seeds import derive_seed
from cytobench.preprocess.pipeline import baseline_frame
from cytobench.preprocess.recipe import recipe_from_config
from cytobench.registry.load import contract_of
from cytobench.run.benefit_fold import BenefitFold
from cytobench.run.cells import LoadedCell
from cytobench.run.outer_fold import OuterFold
from cytobench.splits.plan import Split
from cytobench.splits.strata import stratified_folds

Floats = NDArray[np.float64]
Index = NDArray[np.intp]
FOLDS = 3
"""Enough to tell whether one fold knows of another; every variant costs a fit for each."""


@dataclass(frozen=True)
class ModelProcedure:
    """Encode on the training part, fit with the cell's parameters, predict: as a run does.

    Attributes
    ----------
    loaded : LoadedCell
        Its factory and its estimators' module must be importable in another process, which they
        are for plugins.
    """

    loaded: LoadedCell

    def __call__(self, X: pd.DataFrame, y: Floats, train: Index, test: Index, seed: int) -> Floats:
        """Predictions for the rows `test`, see :data:`cytobench.audit.procedure.Procedure`.

        Of a model of effects that of the second arm over the first, of a rule the arm's position.
        """
        if self.chooses:
            return self._choose(X, y, train, test, seed)
        fold = OuterFold(self.loaded, 0)
        fold.frame, fold.y, fold.seed = X, y, seed
        fold.split = Split(0, 0, train, test)
        known, new = fold.encode(fold.split.train, fold.split.test)
        return fold.predict(fold.fit({}, known), new)

    @property
    def chooses(self) -> bool:
        """Whether it says effects, or arms, in place of outcomes."""
        return contract_of(self.loaded.build({}, 0)) != "outcome"

    def _choose(self, X: pd.DataFrame, y: Floats, train: Index, test: Index, seed: int) -> Floats:
        fold = BenefitFold(self.loaded, 0)
        fold.treatment = X[fold.arm].to_numpy(dtype=str)
        fold.frame, fold.y, fold.seed = X.drop(columns=[fold.arm]), y, seed
        chosen, _, _ = fold.learn({}, train, test, 0)
        if chosen.predicted is None:
            return chosen.position.astype(np.float64)
        return np.asarray(chosen.predicted[:, 1] - chosen.predicted[:, 0])


def audit_model(
    loaded: LoadedCell, *, permutations: int = PERMUTATIONS, workers: int = 1
) -> list[Finding]:
    """Test a model for what its predictions must not depend on.

    The cohort's patients with a known outcome are parted into three stratified folds, whatever the
    protocol: the question is how the model behaves, not how well it does. Floors need not find a
    planted effect.

    Parameters
    ----------
    loaded : LoadedCell
    permutations : int
        Refits on permuted labels, each three fits; 0 leaves that test out.
    workers : int
        Processes at a time.
    """
    bench, card = loaded.bench, loaded.model.card
    rows = bench.target.known
    seed = derive_seed(loaded.cell.config["seed"], "audit")
    y = bench.target.y[rows]
    arms = bench.cohort.labels("arm")
    arm = [arms[row] for row in rows.tolist()]
    folds, _ = stratified_folds(
        y, arm, FOLDS, seed, classification=bench.target.task.outcome_kind == "classification"
    )
    procedure = ModelProcedure(loaded)
    if procedure.chooses:
        permutations = 0
    recipe = None if card.raw else recipe_from_config(loaded.cell.config["preprocess"])
    frame = baseline_frame(bench.cohort, card.inputs, recipe).iloc[rows]
    if procedure.chooses and bench.cohort.arm is not None:
        frame = frame.assign(**{bench.cohort.arm: arm})
    problem = Problem(frame, y, folds, seed)
    return audit_procedure(
        procedure,
        problem,
        permutations=permutations,
        # An effect, or an arm, is no prediction of the outcome: it has no skill to be tested.
        positive_control=card.role != "floor" and not procedure.chooses,
        workers=workers,
        preload=[__name__, "cytobench.preprocess.censored", *([card.extra] if card.extra else [])],
    )
