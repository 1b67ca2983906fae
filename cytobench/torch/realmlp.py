"""A perceptron in the style of RealMLP (Holzmüller 2024, arXiv:2407.04491).

Of that recipe: the smooth clip, the learnt scaling of inputs, periodic embeddings of numbers, the
neural tangent parametrisation and the parametric activation. Left out, since the trainer is the one
of all our networks: its schedules of learning rate, dropout and weight decay, and label smoothing.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytobench.torch.estimator import Network, NetworkClassifier, NetworkRegressor

CLIP = 3.0
FREQUENCIES, EMBEDDED = 8, 3
"""Cosines of each number, and what a linear layer makes of them."""


class PeriodicEmbedding(nn.Module):  # type: ignore[misc]
    """Each number beside a linear function of cosines of it (periodic bias linear DenseNet)."""

    def __init__(self, n_features: int, scale: float) -> None:
        super().__init__()
        self.frequency = nn.Parameter(scale * torch.randn(n_features, FREQUENCIES))
        self.phase = nn.Parameter(math.pi * (2 * torch.rand(n_features, FREQUENCIES) - 1))
        self.weight = nn.Parameter(torch.randn(n_features, FREQUENCIES, EMBEDDED))
        self.bias = nn.Parameter(torch.zeros(n_features, EMBEDDED))

    def forward(self, X: Tensor) -> Tensor:
        """Shape (n, features * (1 + EMBEDDED)) for inputs of shape (n, features)."""
        mixed = torch.einsum("nfk,fke->nfe", self.cosines(X), self.weight) / FREQUENCIES**0.5
        return torch.cat([X[..., None], mixed + self.bias], dim=-1).flatten(1)

    def cosines(self, X: Tensor) -> Tensor:
        """Shape (n, features, FREQUENCIES)."""
        return torch.cos(2 * math.pi * X[..., None] * self.frequency + self.phase)


class TangentLinear(nn.Module):  # type: ignore[misc]
    """A linear layer whose weights have unit variance and are divided by the root of the fan in."""

    def __init__(self, fan_in: int, fan_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(fan_in, fan_out))
        self.bias = nn.Parameter(torch.zeros(fan_out))

    def forward(self, X: Tensor) -> Tensor:
        """Shape (n, fan out)."""
        return X @ self.weight / self.weight.shape[0] ** 0.5 + self.bias


class ParametricMish(nn.Module):  # type: ignore[misc]
    """Between the identity and mish, unit by unit, as learnt."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.share = nn.Parameter(torch.ones(width))

    def forward(self, X: Tensor) -> Tensor:
        """The same shape."""
        return X + self.share * (functional.mish(X) - X)


class RealMlp(nn.Module):  # type: ignore[misc]
    """One network: inputs (n, features) to outputs (n, 1)."""

    def __init__(
        self, n_features: int, width: int, depth: int, dropout: float, frequency: float
    ) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(n_features))
        layers: list[nn.Module] = [PeriodicEmbedding(n_features, frequency)]
        fan_in = n_features * (1 + EMBEDDED)
        for _ in range(depth):
            layers += [TangentLinear(fan_in, width), ParametricMish(width), nn.Dropout(dropout)]
            fan_in = width
        self.layers = nn.Sequential(*layers)
        self.output = TangentLinear(fan_in, 1)
        nn.init.zeros_(self.output.weight)  # it starts at the training part's prior

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (n, 1)."""
        clipped = X / torch.sqrt(1 + (X / CLIP) ** 2)
        return self.output(self.layers(clipped * self.scale))


def embedded_in_one_product(network: RealMlp) -> None:
    """Multiply the embedding's weights out with those of the first layer.

    Both are linear in the cosines: one product for all columns takes the place of one for each.
    """
    embedding, first = network.layers[0], network.layers[1]

    def together(X: Tensor) -> Tensor:
        of_numbers, of_mixed = first.weight.unflatten(0, (-1, 1 + EMBEDDED)).split(
            [1, EMBEDDED], dim=1
        )
        of_cosines = embedding.weight / FREQUENCIES**0.5 @ of_mixed
        units = X @ of_numbers.squeeze(1)
        units = units + embedding.cosines(X).flatten(1) @ of_cosines.flatten(0, 1)
        units = units + embedding.bias.flatten() @ of_mixed.flatten(0, 1)
        return units / first.weight.shape[0] ** 0.5 + first.bias

    embedding.forward = lambda X: X
    first.forward = together


class _RealMlp(Network):
    """`depth` hidden layers of `width` units on embedded numbers."""

    def __init__(
        self,
        *,
        width: int = 32,
        depth: int = 2,
        dropout: float = 0.2,
        frequency: float = 0.1,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.width = width
        self.depth = depth
        self.dropout = dropout
        self.frequency = frequency

    def build(self, n_features: int) -> nn.Module:
        """One network."""
        return RealMlp(n_features, self.width, self.depth, self.dropout, self.frequency)


class RealMlpClassifier(_RealMlp, NetworkClassifier):
    """RealMLP-style network for two classes."""


class RealMlpRegressor(_RealMlp, NetworkRegressor):
    """RealMLP-style network for a number."""
