"""What a module drops, told from outside: calls of dropout seen, and answered with given masks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.nn import functional
from torch.overrides import TorchFunctionMode

DROPOUT = signature(functional.dropout)


class Dropping(TorchFunctionMode):  # type: ignore[misc]
    """Inside, something else is done where units would be dropped.

    Parameters
    ----------
    instead : callable
        From a call's input and share, above 0, to what the call returns.
    """

    def __init__(self, instead: Callable[[Tensor, float], Tensor]) -> None:
        super().__init__()
        self.instead = instead

    def __torch_function__(
        self,
        function: Callable[..., Any],
        types: Iterable[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a function of torch, if it is not one that drops."""
        del types
        bound = kwargs or {}
        if function is not functional.dropout:
            return function(*args, **bound)
        called = DROPOUT.bind(*args, **bound)
        called.apply_defaults()
        units, share = called.arguments["input"], called.arguments["p"]
        return self.instead(units, share) if share and called.arguments["training"] else units


def replayed(masks: Sequence[Tensor]) -> Dropping:
    """Multiply by one mask after the other."""
    left = iter(masks)

    def one(units: Tensor, share: float) -> Tensor:
        del share
        return units * next(left)

    return Dropping(one)


@dataclass(frozen=True)
class Call:
    """A call of dropout.

    Attributes
    ----------
    drawn, used : tuple of int
        Shape of its input for one row: in the plain module, and in the one that is trained. The
        latter needs no more than the first along each dimension.
    dropout : float
        Share that is dropped, above 0.
    """

    drawn: tuple[int, ...]
    used: tuple[int, ...]
    dropout: float


@dataclass(frozen=True)
class Trace:
    """What happens in a step of a module.

    Attributes
    ----------
    calls : tuple of Call
        In the order in which they are made.
    floats, fixed : int
        Numbers that are kept for the gradient: for each row, and for however many.
    """

    calls: tuple[Call, ...]
    floats: int
    fixed: int


def traced(plain: nn.Module, trained: nn.Module, row: Tensor) -> Trace:
    """See a step of both on one row of inputs.

    Parameters
    ----------
    plain, trained : Module
        Two that compute the same; the second may leave out what does not reach the outputs.
    row : Tensor
        As the modules take it.
    """
    with torch.no_grad():
        drawn, used = _calls(plain, row), _calls(trained, row)
    one, two = _kept(trained, row), _kept(trained, torch.cat([row, row], dim=-2))
    calls = [
        Call(shape, less, share) for (shape, share), (less, _) in zip(drawn, used, strict=True)
    ]
    return Trace(tuple(calls), two - one, 2 * one - two)


def _kept(module: nn.Module, rows: Tensor) -> int:
    """Numbers beside the weights that a step keeps for the gradient."""
    weights = {weight.data_ptr() for weight in module.parameters()}
    kept: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        if tensor.data_ptr() not in weights:
            kept.append(tensor.numel())
        return tensor

    noted = saved_tensors_hooks(note, lambda tensor: tensor)
    with torch.enable_grad(), noted, Dropping(lambda units, _: units * torch.ones_like(units)):
        module(rows)
    return sum(kept)


def _calls(module: nn.Module, row: Tensor) -> list[tuple[tuple[int, ...], float]]:
    """Shape of the input, and share, of each call."""
    found = []

    def note(units: Tensor, share: float) -> Tensor:
        found.append((tuple(units.shape), share))
        return units

    with Dropping(note):
        module(row)
    return found
