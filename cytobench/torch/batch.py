"""Solvers that fit a network's problems side by side, for tuning in lock-step."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cytobench.batched.problem import Problem
from cytobench.torch.device import reproducible, resolve_device, single_thread
from cytobench.torch.estimator import Network, NetworkClassifier
from cytobench.torch.ft_transformer import (
    FtTransformerClassifier,
    FtTransformerRegressor,
    first_token_only,
)
from cytobench.torch.mlp import MlpClassifier, MlpRegressor
from cytobench.torch.modules import ModuleStart, Pattern
from cytobench.torch.perceptrons import PerceptronStart
from cytobench.torch.realmlp import (
    RealMlpClassifier,
    RealMlpRegressor,
    embedded_in_one_product,
)
from cytobench.torch.sharing import SharingStart
from cytobench.torch.side_by_side import SideBySide
from cytobench.torch.start import Start
from cytobench.torch.tabm import TabMClassifier, TabMRegressor

Floats = NDArray[np.float64]

BUDGET = {"cpu": 2**23, "cuda": 2**29}
"""Numbers in training at once: 32 MiB, and 2 GiB on a GPU."""
OWN = {"dropout", "frequency", "learning_rate", "weight_decay", "random_state"}
"""Parameters on which a network's structure does not depend."""

Begin = Callable[..., Start]
"""From a network, its ensemble and the fields of a start to the start."""


def mlp(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What ``MlpClassifier`` or ``MlpRegressor`` answers to each problem.

    Raises
    ------
    NotImplementedError
        Where mixed precision or a network without hidden layer is asked for.
    ValueError, FloatingPointError
        What the plain estimator raises for one of the problems.
    """

    def begin(network: Any, ensemble: Any, **common: Any) -> Start:
        del network
        return PerceptronStart(
            **common, weights=list(ensemble.weights), biases=list(ensemble.biases)
        )

    return _solved(problems, _either(MlpClassifier, MlpRegressor, kind), device, begin)


def realmlp(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What ``RealMlpClassifier`` or ``RealMlpRegressor`` answers; raises as :func:`mlp`."""
    made = _either(RealMlpClassifier, RealMlpRegressor, kind)
    return _solved(problems, made, device, _Modules(embedded_in_one_product))


def ft_transformer(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What ``FtTransformerClassifier`` or ``...Regressor`` answers; raises as :func:`mlp`."""
    made = _either(FtTransformerClassifier, FtTransformerRegressor, kind)
    return _solved(problems, made, device, _Modules(first_token_only))


def tabm(problems: Sequence[Problem], *, kind: str, device: str) -> list[Floats]:
    """What ``TabMClassifier`` or ``TabMRegressor`` answers; raises as :func:`mlp`."""
    made = _either(TabMClassifier, TabMRegressor, kind)
    return _solved(problems, made, device, _Modules(start=SharingStart))


def _either(classifier: type[Network], regressor: type[Network], kind: str) -> type[Network]:
    return regressor if kind == "regression" else classifier


def _solved(
    problems: Sequence[Problem], made: type[Network], device: str, begin: Begin
) -> list[Floats]:
    for problem in problems:
        if problem.params.get("precision") == "mixed" or problem.params.get("depth", 1) < 1:
            raise NotImplementedError("mixed precision, and no hidden layer, train one by one")
    resolved = resolve_device(device)
    with single_thread(), torch.no_grad():
        fits = [
            _Fit(
                made(**problem.params, random_state=problem.random_state), problem, resolved, begin
            )
            for problem in problems
        ]
        for chunk in _chunks([fit.start for fit in fits], BUDGET.get(resolved.type, BUDGET["cpu"])):
            SideBySide(chunk, resolved).run()
        return [fit.answer() for fit in fits]


class _Fit:
    """A plain estimator up to its first step, and after its last."""

    def __init__(
        self, network: Network, problem: Problem, device: torch.device, begin: Begin
    ) -> None:
        self.network = network
        self.problem = problem
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
        self.start = begin(
            network,
            self.ensemble,
            X=torch.tensor(data.X, dtype=torch.float32),
            y=torch.tensor(data.y, dtype=torch.float32),
            start=network.prior_logit_ if isinstance(network, NetworkClassifier) else None,
            holdout=holdout,
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


class _Modules:
    """Starts of networks that are any module; what a structure looks like is found out once.

    Parameters
    ----------
    narrow : callable, optional
        Changes a network so that it has the same outputs for less.
    start : type of ModuleStart
    """

    def __init__(
        self,
        narrow: Callable[[nn.Module], object] | None = None,
        start: type[ModuleStart] = ModuleStart,
    ) -> None:
        self.narrow = narrow
        self.start = start
        self.patterns: dict[Hashable, Pattern] = {}

    def __call__(self, network: Any, ensemble: nn.Module, **common: Any) -> Start:
        parameters = network.get_params()
        key = (
            tuple((name, repr(parameters[name])) for name in sorted(parameters.keys() - OWN)),
            common["X"].shape[1],
            network.dropout > 0,
        )
        if key not in self.patterns:
            row = common["X"][:1].expand(network.members, -1, -1)
            self.patterns[key] = Pattern(ensemble, row, self.narrow)
        return self.start(**common, ensemble=ensemble, pattern=self.patterns[key])


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
