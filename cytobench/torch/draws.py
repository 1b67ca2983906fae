"""What problems draw while they train: the units that dropout keeps and the order of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import Tensor

from cytobench.torch.start import Start


class Draw:
    """What one call of dropout draws from a generator, bit for bit, for several shares at once.

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


class Draws:
    """What each problem draws while it trains, from a generator of its own.

    Problems with equal streams share what is drawn: seeds are often equal, and random numbers are a
    good part of a small network's time.

    Parameters
    ----------
    starts : sequence of Start
        That are alike.
    n : int
        Most rows in a step.
    device : device
    """

    def __init__(self, starts: Sequence[Start], n: int, device: torch.device) -> None:
        self.starts = list(starts)
        self.members = starts[0].members
        self.on_cpu = {s.stream: torch.Generator().set_state(s.state) for s in starts}
        # On the CPU one generator draws both the order of rows and the dropped units.
        self.on_device = self.on_cpu
        if device.type != "cpu":
            self.on_device = {s.stream: torch.Generator(device).manual_seed(s.seed) for s in starts}
        shape = (len(starts) * self.members, n, starts[0].shape.sizes[1])
        self.masks = [torch.ones(shape, device=device) for _ in starts[0].weights[:-1]]
        self.places: dict[tuple[int, ...], list[list[Tensor]]] = {}

    def keep(self, positions: Sequence[int]) -> None:
        """Drop all other problems."""
        self.starts = [self.starts[position] for position in positions]
        self.masks = [mask[: len(self.starts) * self.members] for mask in self.masks]
        # A place has another problem now, perhaps one of fewer units.
        for mask in self.masks:
            mask.fill_(1)
        self.places = {}

    def kept(self, sizes: Sequence[int]) -> list[Tensor]:
        """By hidden layer 1 for a unit that is kept in this step's rows, 0 for one dropped."""
        for places in self._places(tuple(sizes)):
            drawn: dict[object, Draw] = {}
            for start, place in zip(self.starts, places, strict=True):
                if start.dropout == 1:
                    place.zero_()  # without a draw, as torch
                elif start.dropout:
                    if start.stream not in drawn:
                        drawn[start.stream] = Draw(place.shape, self.on_device[start.stream])
                    drawn[start.stream].keep(1 - start.dropout, place)
        return self.masks

    def _places(self, sizes: tuple[int, ...]) -> list[list[Tensor]]:
        """By hidden layer, each problem's part of the mask."""
        if sizes not in self.places:
            self.places[sizes] = [
                [
                    mask[k * self.members :][: self.members, :size, : start.weights[layer].shape[2]]
                    for k, (start, size) in enumerate(zip(self.starts, sizes, strict=True))
                ]
                for layer, mask in enumerate(self.masks)
            ]
        return self.places[sizes]

    def chunks(self) -> Iterator[tuple[Tensor, list[int]]]:
        """Positions of each step's rows among a network's training rows, and how many count."""
        drawn: dict[object, Tensor] = {}
        for start in self.starts:
            if start.stream not in drawn:
                generator = self.on_cpu[start.stream]
                orders = [torch.randperm(start.n, generator=generator) for _ in range(self.members)]
                drawn[start.stream] = torch.stack(orders)
        parts = [drawn[s.stream].tensor_split(s.steps, dim=1) for s in self.starts]
        room = self.masks[0].shape[1]
        for step in zip(*parts, strict=True):
            sizes = [part.shape[1] for part in step]
            wide = [torch.nn.functional.pad(part, (0, room - part.shape[1])) for part in step]
            yield torch.cat(wide), sizes


@cache
def _compares_doubles() -> bool:
    """Whether this torch, on this processor, draws as described."""
    first, second = (torch.Generator().manual_seed(0) for _ in range(2))
    drawn = torch.empty(1000).bernoulli_(0.7, generator=first)
    uniform = torch.empty(1000, dtype=torch.float64).uniform_(generator=second)
    same = torch.equal(drawn, (uniform < 0.7).float())
    return bool(same and torch.equal(first.get_state(), second.get_state()))
