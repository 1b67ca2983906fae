"""A plain fit of a perceptron before its first step, to be trained beside others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cytobench.torch.stacked import Shape, padded
from cytobench.torch.trainer import BATCH, FULL_BATCH, Holdout, Schedule

NARROW = 16
"""Hidden layers have at least so many units, the added ones always zero: products of fewer
columns are slower."""


@dataclass(frozen=True)
class Start:
    """A plain fit before its first step.

    Attributes
    ----------
    X, y : Tensor of shape (n, features) and (n,)
        In single precision; targets as the loss expects them.
    start : float or None
        Log odds that are added to the outputs; None for squared errors.
    holdout : Holdout
    weights, biases : list of Tensor
        Of each layer, shapes (members, fan in, fan out) and (members, 1, fan out); trained ones are
        written here.
    dropout : float
    schedule : Schedule
    seed : int
    state : Tensor
        Of torch's generator, after `holdout` and weights were drawn.
    """

    X: Tensor
    y: Tensor
    start: float | None
    holdout: Holdout
    weights: Sequence[Tensor]
    biases: Sequence[Tensor]
    dropout: float
    schedule: Schedule
    seed: int
    state: Tensor

    @property
    def members(self) -> int:
        """Networks of this problem."""
        return len(self.weights[0])

    @property
    def n(self) -> int:
        """Rows that each member trains on."""
        return int(self.holdout.train.shape[1])

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return 1 if self.n <= FULL_BATCH else -(-self.n // BATCH)

    @cached_property
    def shape(self) -> Shape:
        """Of its networks in a matrix."""
        hidden = [max(weight.shape[2], NARROW) for weight in self.weights[:-1]]
        return Shape((self.weights[0].shape[1], *hidden, 1))

    @cached_property
    def alike(self) -> tuple[object, ...]:
        """What problems must have in common to train side by side."""
        return (
            self.shape,
            self.members,
            self.steps,
            padded(self.n),
            padded(self.holdout.valid.shape[1]),
            self.schedule.max_epochs,
            self.schedule.patience,
            self.start is None,
        )

    @cached_property
    def stream(self) -> tuple[object, ...]:
        """Problems with equal streams drop the same units, in the same order of rows."""
        widths = tuple(weight.shape[2] for weight in self.weights)
        drops = 0 < self.dropout < 1
        return (self.state.numpy().tobytes(), self.seed, drops, self.n, widths)

    @property
    def floats(self) -> int:
        """Numbers that it takes while it trains."""
        n = padded(self.n) + padded(self.holdout.valid.shape[1])
        widths = self.shape.sizes
        rows = n * (widths[0] + (2 * len(widths) + 2) * widths[1])
        return self.members * (rows + 6 * self.shape.columns)

    def rows(self) -> Tensor:
        """Its first weights in a matrix, shape (members, columns)."""
        matrix = torch.zeros(self.members, self.shape.columns)
        layers = self.shape.layers(matrix)
        for (weight, bias), own, shift in zip(layers, self.weights, self.biases, strict=True):
            weight[:, : own.shape[1], : own.shape[2]] = own
            bias[..., : shift.shape[2]] = shift
        return matrix

    def write(self, rows: Tensor) -> None:
        """Take its weights from a matrix's rows."""
        layers = self.shape.layers(rows)
        for (weight, bias), own, shift in zip(layers, self.weights, self.biases, strict=True):
            own.copy_(weight[:, : own.shape[1], : own.shape[2]])
            shift.copy_(bias[..., : shift.shape[2]])
