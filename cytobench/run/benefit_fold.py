"""One outer fold of the benefit task: learn on the training part whom to give which treatment."""

from __future__ import annotations

import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.cards import INPUTS
from cytobench.core.errors import NotApplicable, PluginError, PredictionWarning, SplitError
from cytobench.core.hashing import canonical_json, digest
from cytobench.core.result import Predictions
from cytobench.core.seeds import derive_seed
from cytobench.data.arms import arms_of, true_outcomes
from cytobench.data.cohort import Cohort
from cytobench.data.target import Task, is_usual
from cytobench.evaluate.benefit.scores import Trial, doubly_robust
from cytobench.preprocess.pipeline import baseline_frame, build_encoder
from cytobench.registry.load import contract_of
from cytobench.run.cells import LoadedCell
from cytobench.run.environment import environment
from cytobench.run.nuisance import Inner, Judged, fit_nuisance, kept_judgement
from cytobench.run.outer_fold import OuterFold, learning_curves
from cytobench.run.parts import Features, Part, stored_names
from cytobench.run.provenance import versions
from cytobench.tuning import search

Floats = NDArray[np.float64]
Positions = NDArray[np.intp]
NEGLIGIBLE = 1e-9
"""Predicted outcomes that differ by less are equal; the patient then gets the best single arm."""


@dataclass(frozen=True)
class Chosen:
    """What a model says of some patients.

    Attributes
    ----------
    position : array of int, shape (n,)
        Arm that each would get.
    predicted : array, shape (n, k), or None
        Outcome under each arm up to a term that all arms share; None for a rule.
    """

    position: Positions
    predicted: Floats | None


class BenefitFold(OuterFold):
    """The steps of one fold. A model answers in one of three ways, told apart by its methods.

    ``recommend(X)``
        A rule: the label of an arm for each patient. Fitted by ``fit(X, y, treatment)``.
    ``predict_effect(X)``
        The effect of every arm but the first over the first, in the order of
        ``np.unique(treatment)``, shape (n, k - 1), or (n,) for two arms. Fitted likewise.
    ``predict_proba(X)`` or ``predict(X)``
        A model of the outcome with the arm among its columns, asked once with each arm.

    In all three, higher outcomes are better.
    """

    def __init__(self, loaded: LoadedCell, fold: int) -> None:
        super().__init__(loaded, fold)
        cohort, task = loaded.bench.cohort, loaded.bench.target.task
        self.task = task
        self.arms = arms_of(cohort, task.arms)
        self.names = tuple(self.arms.names)
        self.contract = contract_of(self.build({}))
        self.treatment = np.array(cohort.labels("arm"), dtype=str)
        self.chosen: dict[str, list[Chosen]] = {}
        assert cohort.arm is not None
        self.arm: str = cohort.arm
        if self.contract != "outcome":
            self.frame = self.frame.drop(columns=[self.arm], errors="ignore")
        elif self.arm not in self.frame:
            raise NotApplicable(
                "E222",
                f"{loaded.model.card.name} looks at {' and '.join(loaded.model.card.inputs)} only, "
                "not at the arm: it says the same under every treatment",
            )
        everything = baseline_frame(cohort, INPUTS, self.recipe)
        self.known = everything.drop(columns=[self.arm])
        self.fitted = fits_propensity(cohort, task)

    def run(self, salt: bytes) -> dict[str, Any]:
        """All steps; the fields of a :class:`FoldResult` but its warnings."""
        started = time.perf_counter()
        judged = self._judged()
        inner, single = judged.inner, judged.single
        params, trials = search(
            self.loaded.model.space,
            self.loaded.model.parameters,
            partial(self._loss, inner=inner, single=single),
            self.budget,
            derive_seed(self.seed, "sampler", self.loaded.cell.model_name),
        )
        tuned = time.perf_counter()
        chosen, features, seconds = self._choose_for_test(params, single)
        categories = self._categories()
        return {
            "fold": self.index,
            "repeat": self.split.repeat,
            "n_train": len(self.split.train),
            "predictions": self._decisions(chosen, judged.test, salt),
            "params": {**self.loaded.model.parameters, **params},
            "trials": trials,
            "threshold": None,
            "train_mean": float(self.y[self.split.train].mean()),
            "timings": {"tune": tuned - started, **seconds},
            "features": stored_names(features, self.frame, categories),
            "parameters": len(features) - len(categories),
            "left_out": self.left_out,
            "curves": self.curves,
            "versions": versions(*self.loaded.model.extras),
            "environment": environment(),
            "arms": self.names,
            "best_single": self.names[single],
        }

    def _judged(self) -> Judged:
        """What every rule of this fold is judged by, computed for the first of them."""
        bench = self.loaded.bench
        asked = [
            bench.cohort.fingerprint,
            bench.cohort.card.assignment,
            asdict(self.task),
            asdict(self.recipe),
            bench.plan.hash,
            self.seed,
        ]
        return kept_judgement(digest(asked), self._judge)

    def _judge(self) -> Judged:
        inner = [
            Inner(train, valid, doubly_robust(self._trial(train, valid)))
            for train, valid in self.inner_rows()
        ]
        single = int(np.argmax(np.concatenate([part.scores for part in inner]).mean(axis=0)))
        return Judged(inner, single, self._trial(self.split.train, self.split.test))

    def _trial(self, train: Positions, other: Positions) -> Trial:
        """Patients `other` with outcomes and propensities of models fitted on `train`."""
        cohort = self.loaded.bench.cohort
        encoder = build_encoder(
            cohort, INPUTS, self.recipe, random_state=derive_seed(self.seed, "imputation")
        )
        received = self.arms.received
        for position, name in enumerate(self.names):
            if position not in received[train]:
                raise SplitError(
                    "E404",
                    f"nobody in a training part received {name!r}: what others would do under it "
                    "is a guess",
                    where=f"cohort {cohort.name!r}, fold {self.index}",
                    hint="choose another protocol, or leave the arm out with task.arms=[...]",
                )
        models = fit_nuisance(
            self.known.iloc[train],
            self.y[train],
            received[train],
            encoder,
            arms=len(self.names),
            fitted=self.fitted,
            seed=derive_seed(self.seed, "propensity"),
        )
        return models.trial(self.known.iloc[other], self.y[other], received[other], self.names)

    def _loss(self, params: Mapping[str, Any], inner: Sequence[Inner], single: int) -> float:
        """What tuning minimises: distance to the doubly robust effects, of a rule minus its value.

        The former is the mean square of differences, smallest in expectation at the true effects
        (Kennedy 2023, doi:10.1214/23-EJS2157); only differences between arms enter.
        """
        losses = []
        for part, said in zip(inner, self._out_of_part(params, inner, single), strict=True):
            if said.predicted is None:
                each = -part.scores[np.arange(len(part.valid)), said.position]
            else:
                each = (_centred(part.scores) - _centred(said.predicted)) ** 2
            losses.append(float(np.mean(each)))
        return float(np.mean(losses))

    def _out_of_part(
        self, params: Mapping[str, Any], inner: Sequence[Inner], single: int
    ) -> list[Chosen]:
        key = canonical_json(dict(params))
        if key not in self.chosen:
            self.chosen[key] = [
                self.learn(params, part.train, part.valid, single)[0] for part in inner
            ]
        return self.chosen[key]

    def learn(
        self,
        params: Mapping[str, Any],
        train: Positions,
        other: Positions,
        single: int,
        draw: int = 0,
    ) -> tuple[Chosen, Any, list[str]]:
        """Fit on `train` and choose for `other`.

        Returns
        -------
        chosen : Chosen
        estimator : object
            Fitted.
        features : list of str
            Columns that it saw.
        """
        frames = [self.frame.iloc[other]]
        if self.contract == "outcome":
            frames = [frames[0].assign(**{self.arm: name}) for name in self.names]
        X = self.frame.iloc[train]
        if not self.loaded.model.card.raw:
            encoder = self.encoder(draw)
            X = encoder.fit_transform(X)
            frames = [encoder.transform(frame) for frame in frames]
        features = [str(column) for column in X.columns]
        if self.contract == "outcome":
            estimator = self.fit(params, Part(X, self.y[train], train))
            predicted = np.column_stack(
                [self.predict(estimator, Features(frame)) for frame in frames]
            )
            return self._best(predicted, single), estimator, features
        estimator = self.build(params).fit(X, self.y[train], self.treatment[train])
        if self.contract == "rule":
            return Chosen(self._recommended(estimator, frames[0]), None), estimator, features
        return self._best(self._effects(estimator, frames[0]), single), estimator, features

    def _best(self, predicted: Floats, single: int) -> Chosen:
        """The arm with the highest outcome; the best single one where it is not beaten."""
        position = predicted.argmax(axis=1)
        unbeaten = predicted[:, single] >= predicted.max(axis=1) - NEGLIGIBLE
        return Chosen(np.where(unbeaten, single, position).astype(np.intp), predicted)

    def _recommended(self, estimator: Any, X: pd.DataFrame) -> Positions:
        labels = np.asarray(estimator.recommend(X)).astype(str)
        where = {name: position for position, name in enumerate(self.names)}
        unknown = sorted(set(labels.ravel().tolist()) - set(where))
        if labels.shape != (len(X),) or unknown:
            wrong = f", {unknown[0]!r} among them" if unknown else ""
            raise PluginError(
                "E231",
                f"recommend returned shape {labels.shape}{wrong}; expected one of "
                f"{', '.join(self.names)} for each of {len(X)} patients",
                where=self._where,
            )
        return np.array([where[label] for label in labels.tolist()], dtype=np.intp)

    def _effects(self, estimator: Any, X: pd.DataFrame) -> Floats:
        effects = np.asarray(estimator.predict_effect(X), dtype=np.float64)
        if effects.ndim == 1:
            effects = effects[:, None]
        expected = (len(X), len(self.names) - 1)
        if effects.shape != expected or not np.isfinite(effects).all():
            raise PluginError(
                "E231",
                f"predict_effect returned shape {effects.shape} with "
                f"{int((~np.isfinite(effects)).sum())} not finite, expected {expected}: the effect "
                "of each arm over the first",
                where=self._where,
            )
        return np.column_stack([np.zeros(len(X)), effects])

    @property
    def _where(self) -> str:
        card = self.loaded.model.card
        return f"model {card.name!r} ({card.origin})"

    def _choose_for_test(
        self, params: Mapping[str, Any], single: int
    ) -> tuple[Chosen, list[str], dict[str, float]]:
        """Fit on the whole training part; averaged over imputations, rules by majority."""
        started = time.perf_counter()
        said: list[Chosen] = []
        features: list[str] = []
        for draw in range(1 if self.loaded.model.card.raw else self.recipe.draws):
            one, estimator, features = self.learn(
                params, self.split.train, self.split.test, single, draw
            )
            said.append(one)
            self.curves = learning_curves(estimator)
        chosen = said[0] if len(said) == 1 else self._pooled(said, single)
        flat = (
            chosen.predicted is not None and np.ptp(_centred(chosen.predicted), axis=0).max() == 0
        )
        if self.loaded.model.card.role == "model" and len(chosen.position) > 1 and flat:
            warnings.warn(
                "predicts the same effect for every test patient", PredictionWarning, stacklevel=2
            )
        return chosen, features, {"fit": time.perf_counter() - started, "predict": 0.0}

    def _pooled(self, said: Sequence[Chosen], single: int) -> Chosen:
        predicted = [one.predicted for one in said if one.predicted is not None]
        if predicted:
            return self._best(np.mean(predicted, axis=0), single)
        votes = np.array([one.position for one in said])
        count = np.array([(votes == arm).sum(axis=0) for arm in range(len(self.names))])
        position = np.where(count[single] == count.max(axis=0), single, count.argmax(axis=0))
        return Chosen(position.astype(np.intp), None)

    def _decisions(self, chosen: Chosen, trial: Trial, salt: bytes) -> Predictions:
        plain = self._predictions(chosen.position.astype(float), salt)
        cohort = self.loaded.bench.cohort
        by_arm = {"outcome": trial.outcomes, "propensity": trial.propensity}
        truth = true_outcomes(cohort, self.task.outcome, self.arms)[self.split.test]
        if is_usual(cohort, self.task) and not np.isnan(truth).any():
            by_arm["truth"] = self.task.sign * truth
        if chosen.predicted is not None:
            by_arm["predicted"] = chosen.predicted
        return replace(
            plain,
            by_arm={
                what: {name: values[:, k].tolist() for k, name in enumerate(self.names)}
                for what, values in by_arm.items()
            },
        )


def fits_propensity(cohort: Cohort, task: Task) -> bool:
    """Whether propensities come from a model of the baseline, not from the design."""
    if task.propensity == "auto":
        return cohort.card.assignment != "randomised"
    return task.propensity == "fitted"


def _centred(values: Floats) -> Floats:
    found: Floats = values - values.mean(axis=1, keepdims=True)
    return found
