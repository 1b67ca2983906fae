"""A plain fit of a perceptron before its first step, to be trained beside others."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import torch
from torch import Tensor

from cytobench.torch.stacked import Perceptrons, Shape, padded
from cytobench.torch.start import Networks, Place, Start

NARROW = 16
"""Hidden layers have at least so many units, the added ones always zero: products of fewer
columns are slower."""


@dataclass(frozen=True)
class PerceptronStart(Start):
    """A plain fit before its first step.

    Attributes
    ----------
    weights, biases : list of Tensor
        Of each layer, shapes (members, fan in, fan out) and (members, 1, fan out); trained ones are
        written here.
    """

    weights: Sequence[Tensor]
    biases: Sequence[Tensor]

    @cached_property
    def structure(self) -> Shape:
        """Of its networks in a matrix."""
        hidden = [max(weight.shape[2], NARROW) for weight in self.weights[:-1]]
        return Shape((self.weights[0].shape[1], *hidden, 1))

    @cached_property
    def draws(self) -> Hashable:
        """Whether something is drawn, and for which widths."""
        return (0 < self.dropout < 1, tuple(weight.shape[2] for weight in self.weights))

    @property
    def units(self) -> int:
        """One for each member."""
        return self.members

    @property
    def floats(self) -> int:
        """Numbers that it takes while it trains."""
        n = padded(self.n) + padded(self.holdout.valid.shape[1])
        widths = self.structure.sizes
        rows = n * (widths[0] + (2 * len(widths) + 2) * widths[1])
        return self.members * (rows + 6 * self.structure.columns)

    def rows(self) -> Tensor:
        """Its first weights in a matrix, shape (members, columns)."""
        matrix = torch.zeros(self.members, self.structure.columns)
        layers = self.structure.layers(matrix)
        for (weight, bias), own, shift in zip(layers, self.weights, self.biases, strict=True):
            weight[:, : own.shape[1], : own.shape[2]] = own
            bias[..., : shift.shape[2]] = shift
        return matrix

    def write(self, rows: Tensor) -> None:
        """Take its weights from a matrix's rows."""
        layers = self.structure.layers(rows)
        for (weight, bias), own, shift in zip(layers, self.weights, self.biases, strict=True):
            own.copy_(weight[:, : own.shape[1], : own.shape[2]])
            shift.copy_(bias[..., : shift.shape[2]])

    def masks(self) -> list[tuple[int, ...]]:
        """By hidden layer, shape (members, rows, width)."""
        return [(self.members, self.room, width) for width in self.structure.sizes[1:-1]]

    def places(self, masks: Sequence[Tensor], rows: int) -> list[Place]:
        """A call for each hidden layer, of all members at once."""
        own = [
            mask[:, :rows, : weight.shape[2]]
            for mask, weight in zip(masks, self.weights[:-1], strict=True)
        ]
        return [Place(mask, tuple(mask.shape), self.dropout) for mask in own]

    def together(self, starts: Sequence[Self], device: torch.device) -> Networks:
        """The networks of starts that are alike, this one included."""
        matrix, scale = self.joined(starts, device)
        each = scale.repeat_interleave(self.members)
        return Perceptrons(self.structure, matrix, each.view(-1, 1, 1), self.room)
