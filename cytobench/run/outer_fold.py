"""The steps of one outer fold: tune inside, fit on the training part, predict the test part."""

from __future__ import annotations

import time
import traceback
import warnings
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cytobench.batched.problem import Problem
from cytobench.core.errors import CytobenchError, PredictionWarning
from cytobench.core.hashing import canonical_json
from cytobench.core.result import InnerPredictions, Predictions, Trial
from cytobench.core.seeds import derive_seed
from cytobench.evaluate.metrics import best_threshold, tuning_loss
from cytobench.preprocess.matrix import Matrix, is_plain
from cytobench.preprocess.pipeline import BATCH, build_encoder, left_out, uncorrected
from cytobench.preprocess.recipe import recipe_from_config
from cytobench.run.cells import InnerRows, LoadedCell
from cytobench.run.environment import environment
from cytobench.run.inner import Answer, Params, answers
from cytobench.run.parts import (
    Features,
    Part,
    Rows,
    frame_of,
    matrix_of,
    pseudonyms_of,
    stored_names,
    subgroups_of,
)
from cytobench.run.predicted import checked, predicted
from cytobench.run.provenance import versions
from cytobench.splits.plan import Split
from cytobench.splits.strata import stratified_folds
from cytobench.tuning import Scored, budget_from_config, searching

Floats = NDArray[np.float64]
Steps = Generator[Sequence[Params], Sequence[Answer], dict[str, Any]]


class OuterFold:
    """The steps of one fold, with what they share."""

    def __init__(self, loaded: LoadedCell, fold: int) -> None:
        self.loaded = loaded
        self.index = fold
        self.split: Split = loaded.bench.plan.splits[fold]
        self.kind = loaded.bench.target.task.outcome_kind
        self.budget = budget_from_config(loaded.cell.config["tuning"])
        self.recipe = recipe_from_config(loaded.cell.config["preprocess"])
        card = loaded.model.card
        self.frame = frame_of(loaded.bench.cohort, card.inputs, None if card.raw else self.recipe)
        self.left_out: dict[str, float] = {}
        self.curves: dict[str, list[float]] = {}
        self.y = loaded.bench.target.y
        self.inner: list[tuple[Part, Part]] = []
        self.seen: dict[str, Answer] = {}
        # Not the model's name: every model gets the same inner splits.
        self.seed = derive_seed(loaded.cell.config["seed"], loaded.bench.plan.hash, fold)

    def run(self, salt: bytes) -> dict[str, Any]:
        """All steps; the fields of a :class:`FoldResult` but its warnings."""
        steps = self.steps(salt)
        try:
            asked = next(steps)
            while True:
                asked = steps.send(answers([(self, asked)])[0])
        except StopIteration as end:
            found: dict[str, Any] = end.value
            return found

    def steps(self, salt: bytes) -> Steps:
        """All steps; yields settings whose inner predictions it is then sent.

        Returns
        -------
        dict
            The fields of a :class:`FoldResult` but its warnings.
        """
        started = time.perf_counter()
        params, trials, threshold = yield from self._choose()
        tune = time.perf_counter() - started - self.waited
        prediction, train, seconds = self._refit(params)
        categories = self._categories()
        return {
            "fold": self.index,
            "repeat": self.split.repeat,
            "n_train": len(self.split.train),
            "predictions": self._predictions(prediction, salt),
            "params": {**self.loaded.model.parameters, **params},
            "trials": trials,
            "threshold": threshold,
            "train_mean": float(self.y[self.split.train].mean()),
            "timings": {"tune": tune, **seconds},
            "features": stored_names(train.columns, self.frame, categories),
            # A category has a level that the others leave nothing to say about.
            "parameters": len(train.columns) - len(categories),
            "left_out": self.left_out,
            "curves": self.curves,
            "inner": self._inner(trials),
            "versions": versions(*self.loaded.model.extras),
            "environment": environment(),
        }

    def _choose(self) -> Generator[Sequence[Params], Sequence[Answer], Any]:
        """All that is chosen inside the training part: parameters, with the trials, and threshold.

        The threshold is None where the outcome is a number.
        """
        self.waited = 0.0
        self.inner = self._inner_parts()
        params, trials = yield from self._tune()
        # The best trial's inner predictions are there already; untuned defaults have none yet.
        threshold = None
        if self.kind == "classification":
            yield from self._ask([params])
            threshold = self._threshold(params)
        return params, trials, threshold

    def _tune(self) -> Generator[Sequence[Params], Sequence[Answer], Any]:
        """Search the model's space; the best parameters and the trials."""
        tuning = searching(
            self.loaded.model.space,
            self.loaded.model.parameters,
            self.budget,
            derive_seed(self.seed, "sampler", self.loaded.cell.model_name),
        )
        loss = tuning_loss(self.budget.metric, self.kind)
        try:
            settings = next(tuning)
            while True:
                yield from self._ask(settings)
                settings = tuning.send([self._scored(params, loss) for params in settings])
        except StopIteration as end:
            return end.value

    def _ask(
        self, settings: Sequence[Params]
    ) -> Generator[Sequence[Params], Sequence[Answer], None]:
        """Have the inner predictions of settings that are not there yet."""
        new = {key: one for one in settings if (key := canonical_json(dict(one))) not in self.seen}
        if new:
            before = time.perf_counter()
            found = yield list(new.values())
            self.waited += time.perf_counter() - before - sum(one.seconds for one in found)
            self.seen.update(zip(new, found, strict=True))

    def _answer(self, params: Params) -> Answer:
        return self.seen[canonical_json(dict(params))]

    def _scored(self, params: Params, loss: Any) -> Scored:
        """The mean loss over the inner validation parts.

        Raises
        ------
        CytobenchError
            What is wrong with the plugin itself.
        """
        answer = self._answer(params)
        if isinstance(answer.error, CytobenchError):
            raise answer.error
        if answer.error is not None:
            lines = traceback.format_exception(answer.error, limit=-2)
            return Scored(None, answer.seconds, "".join(lines))
        losses = [
            loss(valid.y, prediction)
            for (_, valid), prediction in zip(self.inner, answer.predictions, strict=True)
        ]
        score = float(np.mean(losses))
        if score != score:
            return Scored(None, answer.seconds, "the score is NaN")
        return Scored(score, answer.seconds)

    def _refit(self, params: Mapping[str, Any]) -> tuple[Floats, Part, dict[str, float]]:
        """Fit on the whole training part and predict the test part; averaged over imputations."""
        seconds = {"fit": 0.0, "predict": 0.0}
        predictions: list[Floats] = []
        parts: list[Part] = []
        for draw in range(1 if self.loaded.model.card.raw else self.recipe.draws):
            started = time.perf_counter()
            train, test = self.encode(self.split.train, self.split.test, draw)
            estimator = self.fit(params, train)
            fitted = time.perf_counter()
            self.curves = learning_curves(estimator)
            predictions.append(self.predict(estimator, test))
            parts.append(train)
            seconds["fit"] += fitted - started
            seconds["predict"] += time.perf_counter() - fitted
        prediction = np.mean(predictions, axis=0)
        if (
            self.loaded.model.card.role == "model"
            and len(prediction) > 1
            and not np.ptp(prediction)
        ):
            warnings.warn(
                "predicts the same for every test patient", PredictionWarning, stacklevel=2
            )
        return prediction, parts[0], seconds

    def _categories(self) -> list[str]:
        """Columns of text that are encoded, each as a column for each of its levels."""
        if self.loaded.model.card.raw:
            return []
        dtypes = self.frame.dtypes.items()
        return [str(name) for name, dtype in dtypes if dtype.kind == "O" and name != BATCH]

    def _inner_parts(self) -> list[tuple[Part, Part]]:
        """Inner training and validation parts, encoded once and shared by all trials."""
        nothing_to_do = self.kind == "regression" and (
            self.budget.off or not self.loaded.model.space
        )
        if nothing_to_do:
            return []
        return [self.encode(train, valid) for train, valid in self.inner_rows()]

    def inner_rows(self) -> InnerRows:
        """Positions of each inner training and validation part, the same for every model."""
        rows = self.split.train
        key = (self.seed, rows.tobytes(), self.y[rows].tobytes())
        return self.loaded.bench.inner.get(key, self._split_inside)

    def _split_inside(self) -> InnerRows:
        rows = self.split.train
        arm = self.loaded.bench.cohort.labels("arm")
        splits, _ = stratified_folds(
            self.y[rows],
            [arm[row] for row in rows],
            self.loaded.bench.plan.inner_folds,
            derive_seed(self.seed, "inner"),
            classification=self.kind == "classification",
            patients=rows if len(np.unique(rows)) < len(rows) else None,
        )
        return [(rows[train], rows[valid]) for train, valid in splits]

    def encode(self, train: Rows, other: Rows, draw: int = 0) -> tuple[Part, Part]:
        """Fit the preprocessing on `train` and apply it to both."""
        if self.matrix is not None:
            known, new = self.matrix.encode(train, [other])
            return Part(known, self.y[train], train), Part(new, self.y[other], other)
        X_train, X_other = self.frame.iloc[train], self.frame.iloc[other]
        if not self.loaded.model.card.raw:
            encoder = self.encoder(draw)
            raw = X_other
            X_train = encoder.fit_transform(X_train)
            X_other = encoder.transform(raw)
            self.left_out = dict(left_out(encoder))
            for said in uncorrected(encoder, raw):
                warnings.warn(said, stacklevel=2)
        return Part(X_train, self.y[train], train), Part(X_other, self.y[other], other)

    @property
    def matrix(self) -> Matrix | None:
        """What encodes a plain recipe; None for others, which take a Pipeline."""
        card = self.loaded.model.card
        if card.raw or not is_plain(self.recipe):
            return None
        return matrix_of(self.frame, self.loaded.bench.cohort, card.inputs, self.recipe)

    def encoder(self, draw: int = 0) -> Any:
        """The preprocessing of this fold, not fitted."""
        return build_encoder(
            self.loaded.bench.cohort,
            self.loaded.model.card.inputs,
            self.recipe,
            random_state=derive_seed(self.seed, "imputation"),
            draw=draw,
        )

    def problems(self, params: Params) -> list[Problem]:
        """A setting's fits to the inner training parts, as a solver is given them."""
        return [
            Problem(
                train.values,
                train.y,
                valid.values,
                {**self.loaded.model.parameters, **params},
                derive_seed(self.seed, "model"),
                train.kept,
            )
            for train, valid in self.inner
        ]

    def _threshold(self, params: Params) -> float:
        """The decision threshold, from out-of-fold predictions inside the training part."""
        answer = self._answer(params)
        if answer.error is not None:
            raise answer.error
        outcomes = np.concatenate([valid.y for _, valid in self.inner])
        return best_threshold(outcomes, np.concatenate(answer.predictions))

    def _inner(self, trials: Sequence[Trial]) -> InnerPredictions | None:
        """Every trial's inner predictions: what a bootstrap of the selection needs later."""
        if not self.inner:
            return None
        settings = {trial.number: trial.params for trial in trials if trial.score is not None}
        return InnerPredictions(
            np.concatenate([valid.y for _, valid in self.inner]).tolist(),
            {
                number: np.concatenate(self._answer(params).predictions).tolist()
                for number, params in (settings or {0: {}}).items()
            },
        )

    def fit(self, params: Mapping[str, Any], part: Part) -> Any:
        """The model with these parameters, fitted to an encoded part."""
        y = part.y.astype(np.intp) if self.kind == "classification" else part.y
        estimator = self.build(params)
        return estimator.fit(part.of(estimator), y)

    def build(self, params: Mapping[str, Any]) -> Any:
        """The model with these parameters, not fitted."""
        return self.loaded.build(params, derive_seed(self.seed, "model"))

    def predict(self, estimator: Any, features: Features) -> Floats:
        """What a fitted model predicts, see :func:`cytobench.run.predicted.predicted`."""
        return predicted(estimator, features.of(estimator), self.kind, self._model)

    def checked(self, prediction: Floats, expected: int) -> Floats:
        """What a solver predicts, see :func:`cytobench.run.predicted.checked`."""
        return checked(prediction, expected, self.kind, self._model)

    @property
    def _model(self) -> str:
        """The model's name and origin, for errors."""
        card = self.loaded.model.card
        return f"model {card.name!r} ({card.origin})"

    def _predictions(self, prediction: Floats, salt: bytes) -> Predictions:
        bench, test = self.loaded.bench, self.split.test
        patients = pseudonyms_of(bench.cohort, salt)
        arm, site = bench.cohort.labels("arm"), bench.cohort.labels("site")
        groups = subgroups_of(bench.cohort)
        return Predictions(
            patient=[patients[row] for row in test],
            y=self.y[test].tolist(),
            prediction=prediction.tolist(),
            arm=[arm[row] for row in test],
            site=[site[row] for row in test],
            truth=bench.target.truth[test].tolist(),
            groups={name: [level[row] for row in test] for name, level in groups.items()},
        )


def learning_curves(estimator: Any) -> dict[str, list[float]]:
    """What a fitted estimator says of its training in ``learning_curves_``, one value an epoch."""
    found = getattr(estimator, "learning_curves_", None) or {}
    return {str(name): [float(value) for value in values] for name, values in found.items()}
