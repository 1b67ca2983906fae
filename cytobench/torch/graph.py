"""A graph network over the cytokine signalling prior."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from cytobench.data.signalling import signalling_network
from cytobench.torch.estimator import Network, NetworkClassifier, NetworkRegressor


class SignallingGraph(nn.Module):  # type: ignore[misc]
    """Messages along the edges of the network; each column is a node, with edges or without.

    Each node starts as a vector made of its value; in every round it hears the mean of those that
    induce it and the mean of those that suppress it, through weights that all nodes share
    (relational graph convolution, Schlichtkrull 2018, doi:10.1007/978-3-319-93417-4_38).

    Parameters
    ----------
    adjacency : Tensor of shape (columns, columns)
        Row acts on column: +1, -1 or 0.
    """

    def __init__(self, adjacency: Tensor, width: int, rounds: int, dropout: float) -> None:
        super().__init__()
        columns = len(adjacency)
        self.dropout = dropout
        self.register_buffer("inducing", _mean_of_sources(adjacency > 0))
        self.register_buffer("suppressing", _mean_of_sources(adjacency < 0))
        self.value = nn.Parameter(torch.randn(columns, width) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(columns, width))
        self.own = nn.ModuleList(nn.Linear(width, width) for _ in range(rounds))
        self.induced = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(rounds))
        self.suppressed = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in range(rounds))
        self.readout = nn.Parameter(torch.zeros(columns, width))
        self.direct = nn.Linear(columns, 1)
        nn.init.zeros_(self.direct.weight)
        nn.init.zeros_(self.direct.bias)

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (n, 1) for inputs of shape (n, columns)."""
        nodes = X[..., None] * self.value + self.bias
        for own, induced, suppressed in zip(self.own, self.induced, self.suppressed, strict=True):
            heard = own(nodes)
            heard = heard + induced(torch.einsum("st,nsw->ntw", self.inducing, nodes))
            heard = heard + suppressed(torch.einsum("st,nsw->ntw", self.suppressing, nodes))
            nodes = nodes + functional.dropout(functional.relu(heard), self.dropout, self.training)
        read = torch.einsum("nsw,sw->n", nodes, self.readout) / self.readout.shape[1] ** 0.5
        return self.direct(X) + read[:, None]


def _mean_of_sources(edges: Tensor) -> Tensor:
    """Weights by which each node takes the mean of its sources; shape (sources, targets)."""
    weights = edges.float()
    return weights / weights.sum(dim=0).clamp(min=1)


class _Graph(Network):
    """`rounds` of messages between nodes of `width`."""

    def __init__(
        self, *, width: int = 8, rounds: int = 2, dropout: float = 0.2, **training: Any
    ) -> None:
        super().__init__(**training)
        self.width = width
        self.rounds = rounds
        self.dropout = dropout

    def build(self, n_features: int) -> nn.Module:
        """One graph network over the columns by their names; an array has none, and no edges."""
        names: Sequence[str] | None = getattr(self, "feature_names_in_", None)
        adjacency = np.zeros((n_features, n_features))
        if names is not None:
            adjacency = signalling_network([str(name) for name in names]).adjacency()
        return SignallingGraph(torch.tensor(adjacency), self.width, self.rounds, self.dropout)


class GraphClassifier(_Graph, NetworkClassifier):
    """Graph network for two classes."""


class GraphRegressor(_Graph, NetworkRegressor):
    """Graph network for a number."""
