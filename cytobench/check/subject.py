"""What is checked: a plugin by name, and what the checks of it share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cytobench.check.register import NotTestable
from cytobench.check.witness import Start, undisturbed
from cytobench.core.cards import BINARY_TASKS, DatasetCard, ModelCard
from cytobench.core.declare import DECLARATION
from cytobench.core.errors import CytobenchError
from cytobench.data.target import BENEFIT
from cytobench.registry.discover import Kind, Plugin, discover
from cytobench.registry.extras import absent, install_hint
from cytobench.registry.load import (
    Contract,
    LoadedModel,
    TaskKind,
    contract_of,
    import_plugin,
    load_model,
)
from cytobench.run.parts import Features

Floats = NDArray[np.float64]
PATIENTS, COLUMNS = 90, 8
SEED = 7
ARMS = ("escitalopram", "nortriptyline")
"""Between which made-up patients are to choose."""


@dataclass(frozen=True)
class Target:
    """A plugin as named; plain data, so that another process can look it up again.

    Attributes
    ----------
    table : bool
        A dataset that a YAML file declares.
    fast : bool
        Leave out what takes longest.
    """

    kind: Kind
    name: str
    table: bool = False
    fast: bool = False


class Subject:
    """A plugin under test, with what several checks need loaded once."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.kind, self.name = target.kind, target.name
        self.shared: dict[str, Any] = {}
        self.start = Start()

    @cached_property
    def plugin(self) -> Plugin:
        """As discovered, without an import."""
        found = discover(self.kind)
        if self.name not in found:
            raise NotTestable("it is declared in a YAML file: there is no code to import")
        return found[self.name]

    @cached_property
    def factory(self) -> Any:
        """The imported function or class; what is wrong with it is CB102's to say."""
        try:
            return self.imported()
        except NotTestable:
            raise
        except (Exception, SystemExit) as error:
            raise NotTestable("CB102 has failed") from error

    def imported(self) -> Any:
        """Import the function or class.

        Raises
        ------
        NotTestable
            Where its file cannot be read, or its optional package is not installed.
        """
        if self.plugin.problem:
            raise NotTestable("CB101 has failed")
        extra = self.plugin.card.extra if isinstance(self.plugin.card, ModelCard) else None
        if extra is not None and absent(extra):
            raise NotTestable(f"needs the package {extra!r}: {install_hint(extra)}")
        with undisturbed():
            return import_plugin(self.plugin)

    @property
    def card(self) -> ModelCard | DatasetCard:
        """As the decorator made it."""
        card = getattr(self.factory, DECLARATION)
        assert isinstance(card, (ModelCard, DatasetCard))
        return card

    @property
    def model(self) -> ModelCard:
        """The card of a model."""
        card = self.card
        assert isinstance(card, ModelCard)
        return card

    @cached_property
    def loaded(self) -> LoadedModel:
        """The model with its defaults."""
        self.factory  # noqa: B018 - a missing package is said first
        loaded = load_model({"name": self.name, **self.model.parameters})
        for extra in loaded.extras:
            if absent(extra):
                raise NotTestable(f"needs the package {extra!r}: {install_hint(extra)}")
        return loaded

    @property
    def kinds(self) -> list[TaskKind]:
        """The forms that its tasks ask for."""
        tasks = self.model.tasks
        found: list[TaskKind] = []
        if any(task in BINARY_TASKS for task in tasks):
            found.append("classification")
        if "percent_change" in tasks:
            found.append("regression")
        # A treatment may be chosen for either.
        return ["classification", "regression"] if self.only_benefit else found

    def build(self, kind: TaskKind, params: Mapping[str, Any] | None = None) -> Any:
        """A fresh estimator with the defaults, or with these parameters over them."""
        units = dict.fromkeys(self.columns, "pg/mL") | {"CRP": "mg/L"}
        return self.loaded.build(
            params or {},
            random_state=SEED,
            kind=kind,
            device="cpu",
            units=units,
            arms=ARMS if self.only_benefit else (),
        )

    @property
    def only_benefit(self) -> bool:
        """Whether it chooses treatments and does nothing else."""
        return tuple(self.model.tasks) == (BENEFIT,)

    @cached_property
    def contract(self) -> Contract:
        """What it predicts: an outcome, an effect, or a rule."""
        return contract_of(self.build(self.kinds[0]))

    def fit(self, estimator: Any, X: pd.DataFrame, y: NDArray[Any]) -> Any:
        """Fit to made-up patients, half of them on each of two treatments where that is asked.

        Under the second the outcome is turned round, so that there is something to choose by.
        """
        if self.contract == "outcome":
            return estimator.fit(Features(X).of(estimator), y)
        second = np.random.default_rng(len(X)).permutation(len(X)) % len(ARMS)
        outcome = np.where(second, y.max() + y.min() - y, y).astype(np.float64)
        return estimator.fit(X, outcome, np.array(ARMS)[second])

    @property
    def columns(self) -> list[str]:
        """Names of the made-up problem: what the model needs, then others."""
        needs = list(self.model.needs)
        return (needs + [name for name in ANALYTES if name not in needs])[:COLUMNS]

    def problem(
        self, kind: TaskKind, n: int = PATIENTS, seed: int = 1, signal: float = 1.5
    ) -> tuple[pd.DataFrame, NDArray[Any]]:
        """Patients whose outcome follows the first two columns.

        Encoded as the framework encodes them (mean 0, standard deviation 1), or for a raw model as
        concentrations with a few gaps.
        """
        draw = np.random.default_rng(seed)
        z = draw.normal(size=(n, COLUMNS))
        score = signal * (z[:, 0] + z[:, 1])
        X = pd.DataFrame(z, columns=self.columns, index=[f"p{i}" for i in range(n)])
        if self.model.raw:
            raw = np.exp(z)
            raw[draw.random(raw.shape) < 0.05] = np.nan
            X = pd.DataFrame(raw, columns=X.columns, index=X.index)
        if kind == "regression":
            return X, 40 + 15 * score + draw.normal(0, 10, n)
        y = (draw.random(n) < 1 / (1 + np.exp(-score))).astype(np.intp)
        y[:4] = (0, 0, 1, 1)
        return X, y

    def predict(self, estimator: Any, X: pd.DataFrame, kind: TaskKind) -> Floats:
        """Probabilities of response, numbers, effects or positions of arms, as they come."""
        if self.contract == "rule":
            chosen = np.asarray(estimator.recommend(X)).astype(str)
            where = [ARMS.index(arm) if arm in ARMS else np.nan for arm in chosen.ravel()]
            return np.array(where, dtype=np.float64).reshape(*chosen.shape, 1)
        if self.contract == "effect":
            effect = np.asarray(estimator.predict_effect(X), dtype=np.float64)
            return effect[:, None] if effect.ndim == 1 else effect
        given = Features(X).of(estimator)
        if kind == "regression":
            return np.asarray(estimator.predict(given), dtype=np.float64)
        return np.asarray(estimator.predict_proba(given), dtype=np.float64)

    @cached_property
    def config(self) -> Mapping[str, Any]:
        """The composed configuration of a dataset."""
        from cytobench.config import compose_jobs

        (config,) = compose_jobs([f"dataset={self.name}"])
        return config

    @cached_property
    def cohort(self) -> Any:
        """The dataset's cohort."""
        from cytobench.run.cells import load_cohort

        if not self.target.table:
            self.factory  # noqa: B018 - what is wrong with the file is said first
        try:
            return load_cohort(self.config["dataset"], self.config["data"])
        except CytobenchError as error:
            if error.code == "E310":
                raise NotTestable(f"its file is not here: {error.message}") from error
            raise

    def file(self) -> Path | None:
        """The plugin's file."""
        origin = self.plugin.origin.rpartition(":")[0] or self.plugin.origin
        return Path(origin) if Path(origin).is_file() else None


ANALYTES = ("IL-6", "CRP", "TNF-α", "IL-10", "IFN-γ", "IL-1β", "IL-8", "IL-4", "IL-2", "IL-17A")


def spoken(error: BaseException) -> str:
    """An error in one sentence, with its place where that is known."""
    if isinstance(error, CytobenchError):
        where = f" ({error.where})" if error.where else ""
        hint = f"; {error.hint}" if error.hint else ""
        return f"[{error.code}] {error.message}{where}{hint}"
    from cytobench.registry.load import place

    return f"{type(error).__name__}: {error} ({place(error)})"
