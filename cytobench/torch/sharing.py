"""TabM before its first step, its members' weights multiplied out, to be trained beside others.

A member's layer takes ``x`` to ``((x * r) @ W.T) * s + b`` (BatchEnsemble, Wen 2020,
arXiv:2002.06715): one product with the matrix ``r[:, None] * W.T * s``. The members are thus
perceptrons like any others, and only their gradient is passed on to what they share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from cytobench.torch.modules import ModuleStart, Pattern
from cytobench.torch.stacked import Layers, Perceptrons, Rows, Shape
from cytobench.torch.start import Networks, Place


@dataclass(frozen=True)
class SharingStart(ModuleStart):
    """A plain fit of TabM before its first step."""

    def masks(self) -> list[tuple[int, ...]]:
        """By hidden layer, shape (1, members, rows, width)."""
        return [(1, self.members, self.room, width) for width in _sizes(self.pattern)[1:-1]]

    def places(self, masks: Sequence[Tensor], rows: int) -> list[Place]:
        """A call for each hidden layer, of shape (rows, members, width)."""
        own = [mask[0, :, :rows].transpose(0, 1) for mask in masks]
        return [Place(mask, tuple(mask.shape), self.dropout) for mask in own]

    def together(self, starts: Sequence[Self], device: torch.device) -> Networks:
        """The networks of starts that are alike, this one included."""
        matrix, scale = self.joined(starts, device)
        return Sharing(self.pattern, matrix, scale.repeat_interleave(self.members), self.room)


@dataclass(frozen=True)
class Factors:
    """What the members' weights of a hidden layer are products of: views of a matrix.

    Attributes
    ----------
    weight : Tensor of shape (problems, 1, fan in, fan out)
    r : Tensor of shape (problems, members, fan in, 1)
    s, bias : Tensor of shape (problems, members, 1, fan out)
    """

    weight: Tensor
    r: Tensor
    s: Tensor
    bias: Tensor


class Sharing:
    """The problems' factors, their gradient, and the members' perceptrons.

    Parameters
    ----------
    pattern : Pattern
        Of :class:`cytobench.torch.tabm.SharedMembers`.
    matrix : Tensor of shape (problems, columns)
    scale : Tensor of shape (problems * members,)
        What hidden units that are not dropped are multiplied by in training.
    n : int
        Most rows in a step.
    """

    def __init__(self, pattern: Pattern, matrix: Tensor, scale: Tensor, n: int) -> None:
        self.pattern = pattern
        self.matrix = matrix
        self.grad = torch.zeros_like(matrix)
        self.members = len(scale) // len(matrix)
        self._look()
        shape = Shape(_sizes(pattern))
        product = matrix.new_zeros(len(scale), shape.columns)
        self.perceptrons = Perceptrons(shape, product, scale.view(-1, 1, 1), n)

    def keep(self, rows: Tensor) -> None:
        """Drop all other rows of the matrix."""
        self.matrix = self.matrix[rows]
        self.grad = self.grad[: len(self.matrix)].zero_()
        own = torch.arange(self.members, device=rows.device)
        self.perceptrons.keep((rows.unsqueeze(1) * self.members + own).flatten())
        self._look()

    def _look(self) -> None:
        self.hidden, self.last = _parts(self.pattern, self.matrix)
        self.into, self.into_last = _parts(self.pattern, self.grad)

    def loss(self, rows: Rows) -> Tensor:
        """Mean loss of each member with nothing dropped, shape (members,)."""
        self._multiply()
        return self.perceptrons.loss(rows)

    def differentiate(self, rows: Rows, kept: Sequence[Tensor]) -> None:
        """Write the gradient of the sum of the members' mean losses.

        Parameters
        ----------
        kept : sequence of Tensor of shape (problems, members, n, width)
            By hidden layer: 1 for a unit that is kept, 0 for one that is dropped.
        """
        self._multiply()
        self.perceptrons.differentiate(rows, [mask.flatten(0, 1) for mask in kept])
        # What was multiplied out has served, and gives room for products of its size.
        *rooms, _ = self._by_problem(self.perceptrons.layers)
        *slopes, last = self._by_problem(self.perceptrons.into)
        for layer, into, (room, _), (slope, bias) in zip(
            self.hidden, self.into, rooms, slopes, strict=True
        ):
            torch.mul(layer.r, layer.s, out=room).mul_(slope)
            into.weight.copy_(room.sum(dim=1, keepdim=True))
            torch.mul(slope, layer.weight.contiguous(), out=room)
            torch.sum(torch.mul(room, layer.s, out=slope), dim=3, keepdim=True, out=into.r)
            torch.sum(torch.mul(room, layer.r, out=slope), dim=2, keepdim=True, out=into.s)
            into.bias.copy_(bias)
        for own, values in zip(self.into_last, last, strict=True):
            own.copy_(values)

    def _multiply(self) -> None:
        """Write the members' weights."""
        *hidden, last = self._by_problem(self.perceptrons.layers)
        for layer, (weight, bias) in zip(self.hidden, hidden, strict=True):
            torch.mul(layer.r, layer.s, out=weight).mul_(layer.weight.contiguous())
            bias.copy_(layer.bias)
        for own, values in zip(last, self.last, strict=True):
            own.copy_(values)

    def _by_problem(self, layers: Layers) -> Iterator[tuple[Tensor, Tensor]]:
        """Members' weights and biases, shapes (problems, members, ...)."""
        for weight, bias in layers:
            yield weight.unflatten(0, (-1, self.members)), bias.unflatten(0, (-1, self.members))


def _sizes(pattern: Pattern) -> tuple[int, ...]:
    """Widths of the layers, from the inputs to the one output."""
    first, *others = [layer.weight.shape for layer, *_ in pattern.module.tabm.backbone.blocks]
    return (first[1], first[0], *(fan_out for fan_out, _ in others), 1)


def _parts(pattern: Pattern, matrix: Tensor) -> tuple[list[Factors], tuple[Tensor, Tensor]]:
    """The hidden layers' factors, and the last layer's weights and biases, one for each member."""
    names = [name for name, _ in pattern.module.named_parameters()]
    named = dict(zip(names, pattern.parts(matrix), strict=True))
    hidden = []
    for block in range(len(pattern.module.tabm.backbone.blocks)):
        own = f"tabm.backbone.blocks.{block}.0"
        hidden.append(
            Factors(
                named[f"{own}.weight"].mT.unsqueeze(1),
                named[f"{own}.r"].unsqueeze(3),
                named[f"{own}.s"].unsqueeze(2),
                named[f"{own}.bias"].unsqueeze(2),
            )
        )
    return hidden, (named["tabm.output.weight"], named["tabm.output.bias"].unsqueeze(2))
