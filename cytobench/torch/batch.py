"""Solvers that fit a network's problems side by side, for tuning in lock-step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from cytobench.batched.problem import Problem
from cytobench.torch.device import reproducible, resolve_device, single_thread
from cytobench.torch.estimator import NetworkClassifier
from cytobench.torch.mlp import MlpClassifier, MlpRegressor, StackedMlp
from cytobench.torch.side_by_side import SideBySide
from cytobench.torch.start import Start

Floats = NDArray[np.float64]

BUDGET = {"cpu": 2**23, "cuda": 2**29}
"""Numbers in training at once: 32 MiB, and 2 GiB on a GPU."""


def mlp(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What ``MlpClassifier`` or ``MlpRegressor`` answers to each problem.

    Raises
    ------
    NotImplementedError
        Where mixed precision or a network without hidden layer is asked for.
    ValueError, FloatingPointError
        What the plain estimator raises for one of the problems.
    """
    network = MlpRegressor if kind == "regression" else MlpClassifier
    for problem in problems:
        if problem.params.get("precision") == "mixed" or problem.params.get("depth", 1) < 1:
            raise NotImplementedError("mixed precision, and no hidden layer, train one by one")
    resolved = resolve_device(device)
    with single_thread(), torch.no_grad():
        fits = [
            _Fit(network(**problem.params, random_state=problem.random_state), problem, resolved)
            for problem in problems
        ]
        for chunk in _chunks([fit.start for fit in fits], BUDGET.get(resolved.type, BUDGET["cpu"])):
            SideBySide(chunk, resolved).run()
        return [fit.answer() for fit in fits]


class _Fit:
    """A plain estimator up to its first step, and after its last."""

    def __init__(
        self, network: MlpClassifier | MlpRegressor, problem: Problem, device: torch.device
    ) -> None:
        self.network = network
        self.problem = problem
        self.ensemble: StackedMlp
        for what, values in (("X", problem.X), ("y", problem.y), ("X_new", problem.X_new)):
            if not np.isfinite(values).all():
                raise ValueError(f"{what} holds NaN or infinity")
        data = network._encode(problem.X, problem.y)
        network._check()
        if not 0 <= network.dropout <= 1:
            raise ValueError(f"dropout={network.dropout!r}: it is a share, from 0 to 1")
        with reproducible(problem.random_state, device):
            holdout, self.ensemble = network._untrained(data)
            state = torch.get_rng_state()
        self.ensemble.requires_grad_(False).eval()
        self.start = Start(
            X=torch.tensor(data.X, dtype=torch.float32),
            y=torch.tensor(data.y, dtype=torch.float32),
            start=network.prior_logit_ if isinstance(network, NetworkClassifier) else None,
            holdout=holdout,
            weights=list(self.ensemble.weights),
            biases=list(self.ensemble.biases),
            dropout=network.dropout,
            schedule=network._schedule(),
            seed=problem.random_state,
            state=state,
        )

    def answer(self) -> Floats:
        """Its predictions."""
        X = torch.tensor(self.problem.X_new, dtype=torch.float64)
        outputs = self.ensemble.double()(X.expand(self.start.members, *X.shape))
        return self.network._mean(outputs)


def _chunks(starts: Sequence[Start], floats: int) -> Iterator[list[Start]]:
    """Problems that train side by side: alike, and no more than fit."""
    groups: dict[object, list[Start]] = {}
    # Those that drop the same units stand together.
    for start in sorted(starts, key=lambda start: start.seed):
        groups.setdefault(start.alike, []).append(start)
    for group in groups.values():
        size = max(floats // group[0].floats, 1)
        for first in range(0, len(group), size):
            yield group[first : first + size]
