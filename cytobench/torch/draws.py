"""The units that dropout keeps, bit for bit as torch draws them, for several shares at once."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor


class Draw:
    """What one call of dropout draws from a generator.

    Torch compares a number in double precision for every unit with the share that is kept. Where
    that is so these numbers are drawn once, in half the time, for all shares; elsewhere (MKL on
    processors of Intel, CUDA) each share's units are drawn from the same state.

    Parameters
    ----------
    shape : tuple of int
    generator : Generator
    """

    def __init__(self, shape: tuple[int, ...], generator: torch.Generator) -> None:
        self.generator = generator
        self.uniform: Tensor | None = None
        self.seen: dict[float, Tensor] = {}
        if generator.device.type == "cpu" and _compares_doubles():
            self.uniform = torch.empty(shape, dtype=torch.float64).uniform_(generator=generator)
        else:
            self.state = generator.get_state()

    def keep(self, share: float, into: Tensor) -> None:
        """Write 1 for every unit that is kept and 0 for the others."""
        if share in self.seen:
            into.copy_(self.seen[share])
            return
        self.seen[share] = into
        if self.uniform is not None:
            torch.lt(self.uniform, share, out=into)
        else:
            self.generator.set_state(self.state)
            into.bernoulli_(share, generator=self.generator)


@cache
def _compares_doubles() -> bool:
    """Whether this torch, on this processor, draws as described."""
    first, second = (torch.Generator().manual_seed(0) for _ in range(2))
    drawn = torch.empty(1000).bernoulli_(0.7, generator=first)
    uniform = torch.empty(1000, dtype=torch.float64).uniform_(generator=second)
    same = torch.equal(drawn, (uniform < 0.7).float())
    return bool(same and torch.equal(first.get_state(), second.get_state()))
