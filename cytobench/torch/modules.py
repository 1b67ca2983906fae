"""Modules of one structure, a row of weights each of one matrix, called as one by ``vmap``."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.func import functional_call

from cytobench.torch.dropping import replayed, traced
from cytobench.torch.stacked import Rows, padded
from cytobench.torch.start import Networks, Place, Start
from cytobench.torch.trainer import Ensemble

COPIES = 6
"""Of the weights: they, their gradient, the best, two moments and room for a step."""


def units_of(ensemble: nn.Module) -> list[nn.Module]:
    """An ensemble's independent networks; itself alone where its members share weights."""
    return list(ensemble.members) if isinstance(ensemble, Ensemble) else [ensemble]


class Pattern:
    """What the networks of all problems of one structure have in common.

    Parameters
    ----------
    ensemble : Module
        Of one of the problems.
    row : Tensor of shape (members, 1, features)
    narrow : callable, optional
        Changes a network so that it has the same outputs for less.
    """

    def __init__(
        self, ensemble: nn.Module, row: Tensor, narrow: Callable[[nn.Module], object] | None
    ) -> None:
        plain = deepcopy(units_of(ensemble)[0]).requires_grad_().train()
        self.module = deepcopy(plain)
        if narrow is not None:
            narrow(self.module)
        self.trace = traced(plain, self.module, row[0] if isinstance(ensemble, Ensemble) else row)
        self.columns = sum(padded(weight.numel()) for weight in plain.parameters())

    def parts(self, matrix: Tensor) -> list[Tensor]:
        """Rows of a matrix as stacked weights, in the module's order: views."""
        found = []
        start = 0
        for weight in self.module.parameters():
            found.append(matrix[:, start : start + weight.numel()].unflatten(1, weight.shape))
            start += padded(weight.numel())
        return found


@dataclass(frozen=True)
class ModuleStart(Start):
    """A plain fit before its first step.

    The networks see each patient apart from the others (no batch normalisation), have no buffers,
    and drop units by torch's dropout, of inputs whose first dimension is that of the patients.

    Attributes
    ----------
    ensemble : Module
        Inputs (members, n, features) to outputs (members, n); trained weights are written here.
    pattern : Pattern
        Shared by all problems of this structure.
    """

    ensemble: nn.Module
    pattern: Pattern

    @property
    def structure(self) -> Hashable:
        """The shared pattern."""
        return self.pattern

    @property
    def draws(self) -> Hashable:
        """Whether something is drawn."""
        return 0 < self.dropout < 1

    @property
    def units(self) -> int:
        """Networks, or one where members share weights."""
        return len(units_of(self.ensemble))

    @property
    def floats(self) -> int:
        """Numbers that it takes while it trains."""
        trace = self.pattern.trace
        each = self.room * trace.floats + trace.fixed + COPIES * self.pattern.columns
        return self.units * each

    def rows(self) -> Tensor:
        """Its first weights in a matrix, shape (units, columns)."""
        matrix = torch.zeros(self.units, self.pattern.columns)
        for weight, part in self._pairs(matrix):
            part.copy_(weight)
        return matrix

    def write(self, rows: Tensor) -> None:
        """Take its weights from a matrix's rows."""
        for weight, part in self._pairs(rows):
            weight.copy_(part)

    def _pairs(self, rows: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Every weight, and its place in a matrix's rows."""
        parts = self.pattern.parts(rows)
        for number, unit in enumerate(units_of(self.ensemble)):
            for weight, part in zip(unit.parameters(), parts, strict=True):
                yield weight, part[number]

    def masks(self) -> list[tuple[int, ...]]:
        """By call, shape (units, rows, ...)."""
        calls = self.pattern.trace.calls
        return [(self.units, call.used[0] * self.room, *call.used[1:]) for call in calls]

    def places(self, masks: Sequence[Tensor], rows: int) -> list[Place]:
        """All calls of the first network, then those of the second, ..."""
        return [
            Place(
                mask[unit, : rows * call.used[0]],
                (rows * call.drawn[0], *call.drawn[1:]),
                self.dropout,
            )
            for unit in range(self.units)
            for mask, call in zip(masks, self.pattern.trace.calls, strict=True)
        ]

    def together(self, starts: Sequence[Self], device: torch.device) -> Networks:
        """The networks of starts that are alike, this one included."""
        matrix, scale = self.joined(starts, device)
        each = scale.repeat_interleave(self.units)
        return Modules(self.pattern, matrix, each, shared=self.members // self.units)


class Modules:
    """The networks' weights and their gradient.

    Parameters
    ----------
    pattern : Pattern
    matrix : Tensor of shape (units, columns)
    scale : Tensor of shape (units,)
        What is not dropped is multiplied by it in training.
    shared : int
        Members of one row, which share its weights.
    """

    def __init__(self, pattern: Pattern, matrix: Tensor, scale: Tensor, shared: int) -> None:
        self.pattern = pattern
        self.module = pattern.module
        self.names = [name for name, _ in self.module.named_parameters()]
        self.matrix = matrix
        self.scale = scale
        self.shared = shared
        self.grad = torch.zeros_like(matrix)
        self._look()

    def keep(self, rows: Tensor) -> None:
        """Drop all other rows of the matrix."""
        self.matrix, self.scale = self.matrix[rows], self.scale[rows]
        self.grad = self.grad[: len(self.matrix)].zero_()
        self._look()

    def _look(self) -> None:
        parts = self.pattern.parts(self.matrix)
        self.weights = [part.detach().requires_grad_() for part in parts]
        self.into = self.pattern.parts(self.grad)

    def loss(self, rows: Rows) -> Tensor:
        """Mean loss of each member with nothing dropped, shape (members,)."""
        self.module.eval()
        with torch.no_grad():
            return rows.loss(self._outputs(rows.X, []))

    def differentiate(self, rows: Rows, kept: Sequence[Tensor]) -> None:
        """Write the gradient of each member's mean loss.

        Parameters
        ----------
        kept : sequence of Tensor of shape (units, ...)
            By call of dropout: 1 for a unit that is kept, 0 for one that is dropped.
        """
        scaled = [mask * self.scale.view(-1, *[1] * (mask.dim() - 1)) for mask in kept]
        self.module.train()
        with torch.enable_grad():
            loss = rows.loss(self._outputs(rows.X, scaled)).sum()
        torch._foreach_copy_(self.into, torch.autograd.grad(loss, self.weights))

    def _outputs(self, X: Tensor, masks: Sequence[Tensor]) -> Tensor:
        """Of each member, shape (members, n), for inputs of shape (members, n, features)."""

        def one(weights: Sequence[Tensor], x: Tensor, *kept: Tensor) -> Tensor:
            with replayed(kept):
                return functional_call(
                    self.module, dict(zip(self.names, weights, strict=True)), (x,)
                ).flatten()

        if self.shared > 1:
            X = X.unflatten(0, (-1, self.shared))
        outputs: Tensor = torch.vmap(one)(tuple(self.weights), X, *masks)
        return outputs.view(-1, X.shape[-2])
