"""Many perceptrons of one shape, a row each of one matrix: outputs, gradients, AdamW by hand.

Rows and their blocks are padded to whole vectors of the processor, so that no number is computed by
another instruction because of what stands beside it: a network's weights do not depend, to the last
bit, on which others share the matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

VECTOR = 32
"""Numbers that torch's loops take at once, at most: two registers of sixteen."""
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8

Layers = list[tuple[Tensor, Tensor]]
"""Weights (networks, fan in, fan out) and biases (networks, 1, fan out)."""


def padded(n: int) -> int:
    """Up to the next whole number of vectors."""
    return -(-n // VECTOR) * VECTOR


@dataclass(frozen=True)
class Shape:
    """Widths of the layers, from the inputs to the one output."""

    sizes: tuple[int, ...]

    @property
    def columns(self) -> int:
        """Numbers in a row."""
        return sum(padded(i * o) + padded(o) for i, o in pairwise(self.sizes))

    def layers(self, matrix: Tensor) -> Layers:
        """The rows of a matrix as weights and biases: views."""
        found = []
        start = 0
        for fan_in, fan_out in pairwise(self.sizes):
            weight = matrix[:, start : start + fan_in * fan_out]
            start += padded(fan_in * fan_out)
            bias = matrix[:, start : start + fan_out]
            start += padded(fan_out)
            found.append((weight.unflatten(1, (fan_in, fan_out)), bias.unsqueeze(1)))
        return found


@dataclass(frozen=True)
class Rows:
    """Rows of patients that each network sees; what is missing to equal length is zero.

    Attributes
    ----------
    X : Tensor of shape (networks, n, features)
    y : Tensor of shape (networks, n)
    share : Tensor of shape (networks, n)
        One over the number of the network's rows; 0 where there is no row.
    start : Tensor of shape (networks, 1) or None
        Added to the logits for cross-entropy; None for squared errors.
    """

    X: Tensor
    y: Tensor
    share: Tensor
    start: Tensor | None

    def keep(self, networks: Tensor) -> Rows:
        """Those of some networks."""
        start = None if self.start is None else self.start[networks]
        return Rows(self.X[networks], self.y[networks], self.share[networks], start)

    def loss(self, outputs: Tensor) -> Tensor:
        """Mean loss of each network, shape (networks,), for outputs of shape (networks, n)."""
        if self.start is None:
            each = functional.mse_loss(outputs, self.y, reduction="none")
        else:
            each = functional.binary_cross_entropy_with_logits(
                outputs + self.start, self.y, reduction="none"
            )
        return (each * self.share).sum(dim=1)


class Perceptrons:
    """The networks' weights, their gradient, and room to compute it in.

    Parameters
    ----------
    shape : Shape
    matrix : Tensor of shape (networks, shape.columns)
    scale : Tensor of shape (networks, 1, 1)
        What hidden units that are not dropped are multiplied by in training.
    n : int
        Most rows in a step.
    """

    def __init__(self, shape: Shape, matrix: Tensor, scale: Tensor, n: int) -> None:
        self.shape = shape
        self.matrix = matrix
        self.scale = scale
        self.grad = torch.zeros_like(matrix)
        width = shape.sizes[1]
        room = [matrix.new_empty(len(matrix), n, width) for _ in range(len(shape.sizes))]
        *self.hidden, self.slopes, self.back = room
        self._look()

    def keep(self, networks: Tensor) -> None:
        """Drop all other networks."""
        self.matrix, self.scale = self.matrix[networks], self.scale[networks]
        left = len(self.matrix)
        self.grad = self.grad[:left].zero_()
        self.hidden = [room[:left] for room in self.hidden]
        self.slopes, self.back = self.slopes[:left], self.back[:left]
        self._look()

    def _look(self) -> None:
        self.layers = self.shape.layers(self.matrix)
        self.into = self.shape.layers(self.grad)

    def loss(self, rows: Rows) -> Tensor:
        """Mean loss of each network with nothing dropped, shape (networks,)."""
        hidden = rows.X
        for weight, bias in self.layers[:-1]:
            hidden = torch.baddbmm(bias, hidden, weight).relu_()
        return rows.loss(_output(hidden, *self.layers[-1]))

    def differentiate(self, rows: Rows, kept: Sequence[Tensor]) -> None:
        """Write the gradient of each network's mean loss.

        Parameters
        ----------
        kept : sequence of Tensor of shape (networks, n, width)
            By hidden layer: 1 for a unit that is kept, 0 for one that is dropped.
        """
        n = rows.y.shape[1]
        layers, into = self.layers, self.into
        # A layer's inputs are units that were kept or not: its weights are scaled, being fewer.
        weights = [layers[0][0], *(weight * self.scale for weight, _ in layers[1:])]
        inputs = [rows.X, *(room[:, :n] for room in self.hidden)]
        for layer, mask in enumerate(kept):
            units = inputs[layer + 1]
            torch.baddbmm(layers[layer][1], inputs[layer], weights[layer], out=units)
            units.relu_().mul_(mask[:, :n])
        output = _output(inputs[-1], weights[-1], layers[-1][1])
        if rows.start is None:
            slope = output.sub_(rows.y).mul_(rows.share).mul_(2)
        else:
            slope = output.add_(rows.start).sigmoid_().sub_(rows.y).mul_(rows.share)
        torch.mul(torch.bmm(slope.unsqueeze(1), inputs[-1]).mT, self.scale, out=into[-1][0])
        torch.sum(slope, dim=1, out=into[-1][1][:, 0, 0])
        back = torch.mul(slope.unsqueeze(-1), weights[-1].mT, out=self.back[:, :n])
        for layer in reversed(range(len(kept))):
            slopes = torch.ops.aten.threshold_backward.grad_input(
                back, inputs[layer + 1], 0, grad_input=self.slopes[:, :n]
            )
            product = torch.bmm(inputs[layer].mT, slopes)
            torch.mul(product, self.scale if layer else 1, out=into[layer][0])
            torch.sum(slopes, dim=1, keepdim=True, out=into[layer][1])
            if layer:
                back = torch.bmm(slopes, weights[layer].mT, out=self.back[:, :n])


class AdamW:
    """Its moments for every network, each with a learning rate and a decay of its own.

    Loshchilov and Hutter 2019, arXiv:1711.05101.

    Parameters
    ----------
    matrix : Tensor of shape (networks, columns)
    learning_rate, weight_decay : Tensor of shape (networks, 1)
    """

    def __init__(self, matrix: Tensor, learning_rate: Tensor, weight_decay: Tensor) -> None:
        self.mean = torch.zeros_like(matrix)
        self.square = torch.zeros_like(matrix)
        self.root = torch.empty_like(matrix)
        self.rate = learning_rate
        self.shrink = 1 - learning_rate * weight_decay
        self.steps = 0

    def step(self, matrix: Tensor, grad: Tensor) -> None:
        """Update in place; `grad` is used up."""
        self.steps += 1
        # The root's correction stands in the step and in epsilon: one pass fewer.
        correction = (1 - BETA2**self.steps) ** 0.5
        step = self.rate * (-correction / (1 - BETA1**self.steps))
        self.mean.lerp_(grad, 1 - BETA1)
        self.square.mul_(BETA2).addcmul_(grad, grad, value=1 - BETA2)
        torch.sqrt(self.square, out=self.root).add_(EPSILON * correction)
        matrix.mul_(self.shrink).addcdiv_(torch.mul(self.mean, step, out=grad), self.root)

    def keep(self, networks: Tensor) -> None:
        """Drop all other networks."""
        self.mean, self.square = self.mean[networks], self.square[networks]
        self.rate, self.shrink = self.rate[networks], self.shrink[networks]
        self.root = self.root[: len(self.mean)]


def _output(hidden: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """The last layer's one number for every row, shape (networks, n)."""
    return torch.bmm(weight.mT, hidden.mT).squeeze(1).add_(bias.squeeze(-1))
