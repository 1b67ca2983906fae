"""PHOTONAI: a ``Hyperpipe`` for each model, nested, over settings drawn before; no threshold."""

from __future__ import annotations

import logging
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from photonai.base import Hyperpipe, OutputSettings, PipelineElement
from photonai.optimization.grid_search.grid_search import GridSearchOptimizer
from sklearn.model_selection import ParameterSampler
from workload import (
    MODELS,
    SEED,
    data_of,
    fixed,
    inner_folds,
    make_model,
    outer_folds,
    scipy_space,
    shape_of,
    steps,
)

logging.disable(logging.CRITICAL)


class Listed(GridSearchOptimizer):
    """Asks for the settings that it is given, one after the other."""

    def __init__(self, settings: list[dict[str, Any]]) -> None:
        super().__init__()
        self.settings = settings

    def prepare(self, pipeline_elements: Any, maximize_metric: bool) -> None:
        """Called by the pipe before each search."""
        del maximize_metric
        self.pipeline_elements = pipeline_elements
        self.ask = self.next_config_generator()
        self.param_grid = self.settings


def run(workload: str, folder: Path) -> dict[str, float]:
    """One process."""
    shape, found = shape_of(workload), {}
    for _, X, y in data_of(workload):
        for name in MODELS[workload]:
            for strength in shape.strengths:
                with TemporaryDirectory(dir=folder) as project:
                    scores = _scores(name, workload, shape.trials, strength, X, y, project)
                found.setdefault(name, []).append(float(np.mean(scores)))
    return {model: float(np.mean(values)) for model, values in found.items()}


def _scores(
    name: str, workload: str, trials: int, strength: float | None, X: Any, y: Any, project: str
) -> list[float]:
    space = scipy_space(name) if trials else {}
    drawn = list(ParameterSampler(space, trials, random_state=SEED)) if trials else [{}]
    pipe = Hyperpipe(
        name,
        inner_cv=inner_folds(),
        outer_cv=outer_folds(workload),
        optimizer=Listed(drawn),
        optimizer_params={},
        metrics=["auc"],
        best_config_metric="auc",
        project_folder=project,
        verbosity=-1,
        random_seed=SEED,
        raise_error=True,
        output_settings=OutputSettings(save_output=True, overwrite_results=True),
    )
    for step, transformer in steps():
        pipe += PipelineElement.create(step, transformer, hyperparameters={})
    pipe += PipelineElement.create("clf", make_model(name, **fixed(strength)), hyperparameters={})
    pipe.fit(X, y)
    return [
        fold.best_config.best_config_score.validation.metrics["auc"]
        for fold in pipe.results.outer_folds
    ]
