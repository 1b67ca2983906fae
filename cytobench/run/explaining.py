"""What one fold's model goes by: refitted as it was, asked about its test patients.

Nothing here changes a score, and nothing of a patient is kept: every number is a mean over the
test part.
"""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.core.errors import CytobenchError, PluginError
from cytobench.core.result import FoldFailure, FoldResult
from cytobench.core.seeds import derive_seed
from cytobench.core.threads import one_thread
from cytobench.data.cohort import ABOVE, BELOW
from cytobench.evaluate.cohort_facts import FEWEST
from cytobench.evaluate.metrics import auc, log_loss, mae
from cytobench.preprocess.pipeline import BATCH
from cytobench.registry.load import place
from cytobench.run.attribution import shap_values, used_columns
from cytobench.run.cells import Cell, LoadedCell
from cytobench.run.fold import load_as_planned
from cytobench.run.outer_fold import OuterFold
from cytobench.run.parts import Features, Part

Floats = NDArray[np.float64]
REPRODUCED = 1e-6
"""Within which the refitted model's predictions are those that were stored."""
MISSING_FLAG = "missingindicator_"
QUANTILES = (0.05, 0.95)
DECIMALS = 12
"""Of a cost; what is smaller is rounding, and the column has no cost at all."""
ROWS = 20_000
"""Predicted at a time: calls are what costs time, and a Gaussian process keeps rows x patients."""


@dataclass(frozen=True)
class Settings:
    """What is computed.

    Attributes
    ----------
    repeats : int
        Shuffles of each column.
    points : int
        Of each partial dependence; 0 leaves it out.
    shap : bool
        Shapley values, where the package is there and knows the model.
    """

    repeats: int = 10
    points: int = 10
    shap: bool = True

    def __post_init__(self) -> None:
        if self.repeats < 1 or self.points < 0:
            raise ValueError("repeats is 1 or more, points 0 or more")


@dataclass(frozen=True)
class Explanation:
    """One fold's explanation, as plain data.

    Attributes
    ----------
    importance : mapping
        Loss (``auc``, ``log_loss`` or ``mae``) -> baseline column -> how much worse the loss gets
        when the column is shuffled among the test patients, mean over shuffles.
    used : mapping or None
        Baseline column -> whether the fitted model has a coefficient or a split for it; None where
        it does not say.
    used_by : str
        How that was seen, or why not.
    shap : mapping or None
        Baseline column -> mean absolute Shapley value over the test patients, in the model's own
        output (log odds for most).
    shap_by : str
        The explainer, or why there is none.
    dependence : mapping
        Baseline column -> ``grid``, its ``unit``, and ``prediction``, the mean over the test
        patients were all of them at that value.
    """

    fold: int
    repeat: int
    n_train: int
    n_test: int
    importance: Mapping[str, Mapping[str, float]]
    used: Mapping[str, bool] | None
    used_by: str
    shap: Mapping[str, float] | None
    shap_by: str
    dependence: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class ExplainSpec:
    """A unit of work: which finished fold is explained, and how."""

    cell: Cell
    key: str
    fold: int
    stored: FoldResult
    settings: Settings

    def attempt(self, salt: bytes) -> Explanation | FoldFailure:
        """Explain; what goes wrong becomes a :class:`FoldFailure`."""
        del salt
        try:
            loaded = load_as_planned(self.cell, self.key)
            with one_thread(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # the fold has kept the model's warnings
                return explain_fold(loaded, self.stored, self.settings)
        except CytobenchError as error:
            text = f"[{error.code}] {error.message}"
            return FoldFailure(self.fold, text, error.where, traceback.format_exc(), error.hint)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            return FoldFailure(self.fold, text, place(error), traceback.format_exc())


def explain_fold(loaded: LoadedCell, stored: FoldResult, settings: Settings) -> Explanation:
    """Refit a fold with the parameters that were chosen, and ask the model about its test part.

    Parameters
    ----------
    stored : FoldResult
        The fold as it was run.

    Raises
    ------
    PluginError
        ``E245`` where the refitted model predicts something else.
    """
    fitted = _Fitted(loaded, stored)
    fitted.check(stored)
    used, used_by = used_columns(fitted.estimator, list(fitted.train.columns))
    shap, shap_by = None, "not asked for"
    if settings.shap:
        shap, shap_by = shap_values(fitted.estimator, fitted.train, fitted.test)
    roots = fitted.roots
    return Explanation(
        fold=stored.fold,
        repeat=stored.repeat,
        n_train=stored.n_train,
        n_test=len(fitted.y),
        importance=_importance(fitted, settings.repeats),
        used=None if used is None else _any_by_root(used, roots),
        used_by=used_by,
        shap=None if shap is None else _mean_absolute(shap, list(fitted.train.columns), roots),
        shap_by=shap_by,
        dependence=_dependence(fitted, settings.points),
    )


class _Fitted:
    """A fold's model, fitted again, with its raw and its encoded test part."""

    def __init__(self, loaded: LoadedCell, stored: FoldResult) -> None:
        self.outer = OuterFold(loaded, stored.fold)
        self.loaded = loaded
        split = self.outer.split
        self.seed = derive_seed(self.outer.seed, "explain")
        self.raw = self.outer.frame.iloc[split.test]
        self.everybody = self.outer.frame
        self.y: Floats = self.outer.y[split.test]
        self.encoder = None
        raw_train = self.outer.frame.iloc[split.train]
        if not loaded.model.card.raw:
            self.encoder = self.outer.encoder().fit(raw_train)
        self.train = self.encode(raw_train)
        self.test = self.encode(self.raw)
        self.estimator = self._fit(stored)

    def _fit(self, stored: FoldResult) -> Any:
        own = set(self.loaded.model.card.parameters)
        params = {name: value for name, value in stored.params.items() if name in own}
        y = self.outer.y[self.outer.split.train]
        return self.outer.fit(params, Part(self.train, y, self.outer.split.train))

    def encode(self, X: pd.DataFrame) -> pd.DataFrame:
        """As the model sees it."""
        return X if self.encoder is None else self.encoder.transform(X)

    def predict(self, X: pd.DataFrame) -> Floats:
        """Predictions for raw rows."""
        return self.outer.predict(self.estimator, Features(self.encode(X)))

    def predict_each(self, frames: Iterable[pd.DataFrame]) -> Iterator[Floats]:
        """Predictions for each frame of raw rows, with few calls of the model."""
        waiting: list[pd.DataFrame] = []
        for frame in frames:
            waiting.append(frame)
            if sum(map(len, waiting)) >= ROWS:
                yield from self._predict_together(waiting)
                waiting = []
        if waiting:
            yield from self._predict_together(waiting)

    def _predict_together(self, frames: Sequence[pd.DataFrame]) -> list[Floats]:
        ends = np.cumsum([len(frame) for frame in frames])
        return np.split(self.predict(pd.concat(frames, ignore_index=True)), ends[:-1])

    def check(self, stored: FoldResult) -> None:
        """Refuse to explain another model than the one that was scored."""
        if not self.loaded.model.card.raw and self.outer.recipe.draws > 1:
            return  # the stored ones are a mean over imputations; the first is explained
        now = self.outer.predict(self.estimator, Features(self.test))
        apart = float(np.abs(now - np.asarray(stored.predictions.prediction)).max(initial=0.0))
        if apart > REPRODUCED:
            raise PluginError(
                "E245",
                f"fitted again, fold {stored.fold} predicts otherwise, by up to {apart:.2g}; "
                "another model than the one that was scored is not explained",
                where=f"model {self.loaded.model.card.name!r}",
                hint=f"does it repeat itself? cytobench check {self.loaded.model.card.name}",
            )

    @cached_property
    def columns(self) -> dict[str, list[str]]:
        """Baseline column -> itself and the flags that go with it."""
        names = [str(name) for name in self.raw.columns if name != BATCH]
        flags = {name for name in names if name.endswith((BELOW, ABOVE))}
        return {
            name: [name, *(name + end for end in (BELOW, ABOVE) if name + end in flags)]
            for name in names
            if name not in flags
        }

    @cached_property
    def roots(self) -> dict[str, str]:
        """Encoded column -> the baseline column that it comes from, itself where there is none."""
        names = sorted(self.columns, key=len, reverse=True)
        return {str(column): _root(str(column), names) for column in self.train.columns}


def _root(column: str, names: Sequence[str]) -> str:
    bare = column.removeprefix(MISSING_FLAG)
    if bare in names:
        return bare
    return next((name for name in names if bare.startswith(name + "_")), column)


def _losses(kind: str) -> dict[str, Callable[[Floats, Floats], float]]:
    """Each is lower where the prediction is better."""
    if kind == "regression":
        return {"mae": mae}
    return {"auc": lambda y, p: -auc(y, p), "log_loss": log_loss}


def _importance(fitted: _Fitted, repeats: int) -> dict[str, dict[str, float]]:
    """Permutation importance (Breiman 2001, doi:10.1023/A:1010933404324) of baseline columns.

    A column is shuffled before it is encoded, together with its flags, so that everything that was
    derived from it goes with it.
    """
    losses = _losses(fitted.outer.kind)
    before = {name: loss(fitted.y, fitted.predict(fitted.raw)) for name, loss in losses.items()}
    n = len(fitted.y)
    frames = (_shuffled(fitted, column, repeats) for column in fitted.columns)
    found: dict[str, dict[str, float]] = {name: {} for name in losses}
    for column, flat in zip(fitted.columns, fitted.predict_each(frames), strict=True):
        predictions = flat.reshape(repeats, n)
        for name, loss in losses.items():
            after = np.mean([loss(fitted.y, prediction) for prediction in predictions])
            found[name][column] = round(float(after - before[name]), DECIMALS) + 0.0
    return {name: _without_nan(values) for name, values in found.items()}


def _shuffled(fitted: _Fitted, column: str, repeats: int) -> pd.DataFrame:
    """The raw test part so many times, each with the column in another order."""
    n = len(fitted.y)
    draw = np.random.default_rng(derive_seed(fitted.seed, column))
    order = np.concatenate([n * k + draw.permutation(n) for k in range(repeats)])
    frame = pd.concat([fitted.raw] * repeats, ignore_index=True)
    for name in fitted.columns[column]:
        frame[name] = frame[name].to_numpy()[order]
    return frame


def _without_nan(values: Mapping[str, float]) -> dict[str, float]:
    """A test part of one class has no AUC."""
    return {name: value for name, value in values.items() if value == value}


def _dependence(fitted: _Fitted, points: int) -> dict[str, dict[str, Any]]:
    """Partial dependence (Friedman 2001, doi:10.1214/aos/1013203451) on numeric columns."""
    grids = _grids(fitted, points)
    frames = (_moved(fitted, column, grid) for column, grid in grids.items())
    units = {analyte.name: analyte.unit for analyte in fitted.loaded.bench.cohort.panel}
    found: dict[str, dict[str, Any]] = {}
    for (column, grid), flat in zip(grids.items(), fitted.predict_each(frames), strict=True):
        means = flat.reshape(len(grid), -1).mean(axis=1)
        unit = units.get(column, "")
        found[column] = {"grid": grid, "unit": unit, "prediction": means.tolist()}
    return found


def _grids(fitted: _Fitted, points: int) -> dict[str, list[float]]:
    """Numeric column -> evenly spaced quantiles, where most patients are, few digits of each.

    They are those of the whole cohort, so that folds share them; no outcome is looked at.
    """
    found: dict[str, list[float]] = {}
    for column in fitted.columns:
        values = fitted.everybody[column]
        if not points or values.dtype.kind != "f":
            continue
        known = int(values.notna().sum())
        if known < 2 * FEWEST:
            continue
        # With at least five patients beyond either end: no number is the value of one of them.
        end = max(QUANTILES[0], FEWEST / known)
        at = values.quantile(np.linspace(end, 1 - end, points)).dropna()
        grid = sorted({float(f"{value:.3g}") for value in at})
        if len(grid) > 1:
            found[column] = grid
    return found


def _moved(fitted: _Fitted, column: str, grid: Sequence[float]) -> pd.DataFrame:
    """The raw test part once for each point of the grid, everybody at that point and measured."""
    frame = pd.concat([fitted.raw] * len(grid), ignore_index=True)
    frame[column] = np.repeat(grid, len(fitted.raw))
    for flag in fitted.columns[column][1:]:
        frame[flag] = frame[flag].to_numpy() * 0
    return frame


def _any_by_root(used: Mapping[str, bool], roots: Mapping[str, str]) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for column, root in roots.items():
        found[root] = found.get(root, False) or bool(used.get(column, False))
    return found


def _mean_absolute(
    values: Floats, columns: Sequence[str], roots: Mapping[str, str]
) -> dict[str, float]:
    """Values of encoded columns are summed for each patient first, as they are additive."""
    summed: dict[str, Floats] = {}
    for position, column in enumerate(columns):
        root = roots[str(column)]
        summed[root] = summed.get(root, np.zeros(len(values))) + values[:, position]
    return {root: float(np.abs(total).mean()) for root, total in summed.items()}
