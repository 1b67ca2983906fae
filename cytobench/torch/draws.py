"""What problems draw while they train: the units that dropout keeps and the order of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import torch
from torch import Tensor

from cytobench.torch.start import Place, Start


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
        self.shape = shape
        self.generator = generator
        self.uniform: Tensor | None = None
        self.seen: dict[float, Tensor] = {}
        if generator.device.type == "cpu" and _compares_doubles():
            self.uniform = torch.empty(shape, dtype=torch.float64).uniform_(generator=generator)
        else:
            self.state = generator.get_state()

    def keep(self, share: float, into: Tensor) -> None:
        """Write 1 for every unit that is kept and 0 for the others.

        Of less than `shape` these are the first along each dimension.
        """
        if share in self.seen:
            into.copy_(self.seen[share])
            return
        self.seen[share] = into
        first = tuple(slice(size) for size in into.shape)
        if self.uniform is not None:
            torch.lt(self.uniform[first], share, out=into)
        else:
            self.generator.set_state(self.state)
            whole = torch.empty(self.shape, device=into.device)
            into.copy_(whole.bernoulli_(share, generator=self.generator)[first])


class Draws:
    """What each problem draws while it trains, from a generator of its own.

    Problems with equal streams share what is drawn: seeds are often equal, and random numbers are a
    good part of a small network's time.

    Parameters
    ----------
    starts : sequence of Start
        That are alike.
    device : device
    """

    def __init__(self, starts: Sequence[Start], device: torch.device) -> None:
        self.starts = list(starts)
        self.members, self.units = starts[0].members, starts[0].units
        self.on_cpu = {s.stream: torch.Generator().set_state(s.state) for s in starts}
        # On the CPU one generator draws both the order of rows and the dropped units.
        self.on_device = self.on_cpu
        if device.type != "cpu":
            self.on_device = {s.stream: torch.Generator(device).manual_seed(s.seed) for s in starts}
        self.masks = [
            torch.ones(len(starts) * units, *shape, device=device)
            for units, *shape in starts[0].masks()
        ]
        self.places: dict[tuple[int, ...], list[tuple[Place, ...]]] = {}

    def keep(self, positions: Sequence[int]) -> None:
        """Drop all other problems."""
        self.starts = [self.starts[position] for position in positions]
        self.masks = [mask[: len(self.starts) * self.units] for mask in self.masks]
        # A place has another problem now, perhaps one of fewer units.
        for mask in self.masks:
            mask.fill_(1)
        self.places = {}

    def kept(self, sizes: Sequence[int]) -> list[Tensor]:
        """By call of dropout 1 for what is kept in this step's rows, 0 for what is dropped."""
        for places in self._places(tuple(sizes)):
            drawn: dict[object, Draw] = {}
            for start, place in zip(self.starts, places, strict=True):
                if place.dropout == 1:
                    place.mask.zero_()  # without a draw, as torch
                elif place.dropout:
                    if start.stream not in drawn:
                        drawn[start.stream] = Draw(place.drawn, self.on_device[start.stream])
                    drawn[start.stream].keep(1 - place.dropout, place.mask)
        return self.masks

    def _places(self, sizes: tuple[int, ...]) -> list[tuple[Place, ...]]:
        """By call of a plain step, what each problem draws for so many rows."""
        if sizes not in self.places:
            each = [
                start.places([mask[k * self.units :][: self.units] for mask in self.masks], size)
                for k, (start, size) in enumerate(zip(self.starts, sizes, strict=True))
            ]
            self.places[sizes] = list(zip(*each, strict=True))
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
        room = self.starts[0].room
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
