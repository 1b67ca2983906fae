"""The multilayer perceptron, its members stacked into one batched product per layer."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytobench.torch.estimator import Network, NetworkClassifier, NetworkRegressor


class StackedMlp(nn.Module):  # type: ignore[misc]
    """Perceptrons of one shape with weights of shape (members, fan in, fan out).

    Parameters
    ----------
    sizes : sequence of int
        Width of each layer, from the inputs to the one output.
    members : int
    dropout : float
        Share of hidden units that is dropped in training.
    """

    def __init__(self, sizes: tuple[int, ...], members: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for fan_in, fan_out in pairwise(sizes):
            bound = fan_in**-0.5  # as nn.Linear
            self.weights.append(torch.empty(members, fan_in, fan_out).uniform_(-bound, bound))
            self.biases.append(torch.empty(members, 1, fan_out).uniform_(-bound, bound))
        # Every member starts at the training part's prior.
        nn.init.zeros_(self.weights[-1])
        nn.init.zeros_(self.biases[-1])

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (members, n) for inputs of shape (members, n, features)."""
        hidden = X
        last = len(self.weights) - 1
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            hidden = torch.baddbmm(bias, hidden, weight)
            if layer < last:
                hidden = functional.dropout(functional.relu(hidden), self.dropout, self.training)
        return hidden.squeeze(-1)


class _Mlp(Network):
    """Shape of the perceptron: `depth` hidden layers of `width` units with dropout."""

    def __init__(
        self, *, width: int = 32, depth: int = 1, dropout: float = 0.3, **training: Any
    ) -> None:
        super().__init__(**training)
        self.width = width
        self.depth = depth
        self.dropout = dropout

    def build_ensemble(self, n_features: int) -> nn.Module:
        """All members as one module."""
        sizes = (n_features, *[self.width] * self.depth, 1)
        return StackedMlp(sizes, self.members, self.dropout)


class MlpClassifier(_Mlp, NetworkClassifier):
    """Multilayer perceptron for two classes."""


class MlpRegressor(_Mlp, NetworkRegressor):
    """Multilayer perceptron for a number."""
