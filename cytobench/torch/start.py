"""A plain fit before its first step, to be trained beside others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import torch
from torch import Tensor

from cytobench.torch.stacked import Rows, padded
from cytobench.torch.trainer import BATCH, FULL_BATCH, Holdout, Schedule


class Networks(Protocol):
    """Many networks of one shape, a row each of one matrix.

    Attributes
    ----------
    matrix, grad : Tensor of shape (rows, columns)
    """

    matrix: Tensor
    grad: Tensor

    def keep(self, rows: Tensor) -> None:
        """Drop all other rows of the matrix."""

    def loss(self, rows: Rows) -> Tensor:
        """Mean loss of each member with nothing dropped, shape (members,)."""

    def differentiate(self, rows: Rows, kept: Sequence[Tensor]) -> None:
        """Write the gradient of each member's mean loss.

        Parameters
        ----------
        kept : sequence of Tensor
            Masks as of :meth:`Start.masks`: 1 for what is kept, 0 for what is dropped.
        """


@dataclass(frozen=True)
class Place:
    """What a plain fit's call of dropout writes.

    Attributes
    ----------
    mask : Tensor
        Where 1 or 0 goes: the first of what is drawn, along each dimension.
    drawn : tuple of int
        Shape of what the call draws.
    dropout : float
        Share that is dropped; nothing is drawn at 0 and 1.
    """

    mask: Tensor
    drawn: tuple[int, ...]
    dropout: float


@dataclass(frozen=True)
class Start(ABC):
    """A plain fit before its first step.

    Attributes
    ----------
    X, y : Tensor of shape (n, features) and (n,)
        In single precision; targets as the loss expects them.
    start : float or None
        Log odds that are added to the outputs; None for squared errors.
    holdout : Holdout
    dropout : float
        Share, of every call that drops.
    schedule : Schedule
    seed : int
    state : Tensor
        Of torch's generator, after `holdout` and weights were drawn.
    """

    X: Tensor
    y: Tensor
    start: float | None
    holdout: Holdout
    dropout: float
    schedule: Schedule
    seed: int
    state: Tensor

    @property
    def members(self) -> int:
        """Networks of this problem."""
        return len(self.holdout.train)

    @property
    def n(self) -> int:
        """Rows that each member trains on."""
        return int(self.holdout.train.shape[1])

    @property
    def steps(self) -> int:
        """Of an epoch."""
        return 1 if self.n <= FULL_BATCH else -(-self.n // BATCH)

    @property
    def scale(self) -> float:
        """What is not dropped is multiplied by it in training."""
        return 1 / (1 - self.dropout) if self.dropout < 1 else 0.0

    @classmethod
    def joined(cls, starts: Sequence[Self], device: torch.device) -> tuple[Tensor, Tensor]:
        """First weights of all in a matrix, and each one's scale, shape (problems,)."""
        scale = torch.tensor([start.scale for start in starts], device=device)
        return torch.cat([start.rows() for start in starts]).to(device), scale

    @property
    def room(self) -> int:
        """Rows of a step, up to whole vectors."""
        return padded(-(-self.n // self.steps))

    @cached_property
    def alike(self) -> Hashable:
        """What problems must have in common to train side by side."""
        return (
            self.structure,
            self.members,
            self.steps,
            padded(self.n),
            padded(self.holdout.valid.shape[1]),
            self.schedule.max_epochs,
            self.schedule.patience,
            self.start is None,
        )

    @cached_property
    def stream(self) -> Hashable:
        """Problems alike with equal streams drop the same units, in the same order of rows."""
        return (self.state.numpy().tobytes(), self.seed, self.n, self.draws)

    @property
    @abstractmethod
    def structure(self) -> Hashable:
        """Of the networks: with equal ones, rows of a matrix mean the same."""

    @property
    @abstractmethod
    def draws(self) -> Hashable:
        """What the numbers that dropout draws depend on, beside generator and rows."""

    @property
    @abstractmethod
    def units(self) -> int:
        """Rows of the matrix: one for each member, or one for all that share weights."""

    @property
    @abstractmethod
    def floats(self) -> int:
        """Numbers that it takes while it trains."""

    @abstractmethod
    def rows(self) -> Tensor:
        """Its first weights in a matrix, shape (units, columns)."""

    @abstractmethod
    def write(self, rows: Tensor) -> None:
        """Take its weights from a matrix's rows."""

    @abstractmethod
    def masks(self) -> list[tuple[int, ...]]:
        """Shapes (units, ...) of what each call of dropout keeps, in a step of `room` rows."""

    @abstractmethod
    def places(self, masks: Sequence[Tensor], rows: int) -> list[Place]:
        """What a plain step of so many rows draws, in this order, and where in `masks` it goes."""

    @abstractmethod
    def together(self, starts: Sequence[Self], device: torch.device) -> Networks:
        """The networks of starts that are alike, this one included."""
