"""The training loop for many problems at once: each computes what the plain trainer would.

A problem is the members of one plain fit. It keeps its own held-out rows, order of rows, dropped
units, learning rate and weight decay, and stops at its own epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from cytobench.torch.draws import Draw
from cytobench.torch.stacked import AdamW, Perceptrons, Rows, Shape, padded
from cytobench.torch.trainer import BATCH, FULL_BATCH, Holdout, Schedule

NARROW = 16
"""Hidden layers have at least so many units, the added ones always zero: products of fewer
columns are slower."""
FEWEST = 2
"""Networks in a matrix: MKL has another product for a batch of one, which rounds differently."""
LEFT = 0.85
"""The finished leave the matrix once no more than this share still trains."""


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


class SideBySide:
    """Problems that are alike, in training.

    Parameters
    ----------
    starts : sequence of Start
        With equal ``alike``.
    device : device
    """

    def __init__(self, starts: Sequence[Start], device: torch.device) -> None:
        self.members = starts[0].members
        if len(starts) * self.members < FEWEST:
            starts = [*starts] * FEWEST
        self.starts = list(starts)
        self.device = device
        self.train = self._rows([s.holdout.train for s in starts])
        self.valid = self._rows([s.holdout.valid for s in starts])
        scale = [1 / (1 - s.dropout) if s.dropout < 1 else 0.0 for s in starts]
        self.networks = Perceptrons(
            starts[0].shape,
            torch.cat([_as_rows(s) for s in starts]).to(device),
            self._each(scale).unsqueeze(2),
            padded(-(-starts[0].n // starts[0].steps)),
        )
        self.optimiser = AdamW(
            self.networks.matrix,
            self._each([s.schedule.learning_rate for s in starts]),
            self._each([s.schedule.weight_decay for s in starts]),
        )
        self.random = _Random(starts, self.networks, device)
        self.best = self.networks.matrix.clone()
        self.lowest = torch.full((len(starts),), float("inf"), device=device)
        self.since = torch.zeros(len(starts), dtype=torch.long, device=device)
        self.going = torch.ones(len(starts), dtype=torch.bool, device=device)

    def run(self) -> None:
        """Train, and leave in each start the weights of its epoch with the lowest held-out loss.

        Raises
        ------
        FloatingPointError
            Where a problem's held-out loss is finite after no epoch.
        """
        schedule = self.starts[0].schedule
        for _ in range(schedule.max_epochs):
            for rows, kept in self._steps():
                self.networks.differentiate(rows, kept)
                self.optimiser.step(self.networks.matrix, self.networks.grad)
            self._judge(schedule.patience)
            left = int(self.going.sum())
            if not left:
                break
            if left <= LEFT * len(self.starts) and left * self.members >= FEWEST:
                self._leave()
        self._write(range(len(self.starts)))

    def _steps(self) -> Iterator[tuple[Rows, Sequence[Tensor]]]:
        if self.starts[0].steps == 1:
            yield self.train, self.random.kept([s.n for s in self.starts])
            return
        for chunk, sizes in self.random.chunks():
            index = chunk.to(self.device)
            share = torch.zeros(index.shape)
            for problem, size in enumerate(sizes):
                share[problem * self.members : (problem + 1) * self.members, :size] = 1 / size
            rows = Rows(
                torch.take_along_dim(self.train.X, index.unsqueeze(2), dim=1),
                torch.take_along_dim(self.train.y, index, dim=1),
                share.to(self.device),
                self.train.start,
            )
            yield rows, self.random.kept(sizes)

    def _judge(self, patience: int) -> None:
        """Keep the weights of the lowest held-out loss; stop who has not fallen for long."""
        held_out = self.networks.loss(self.valid).view(-1, self.members).mean(dim=1)
        lower = (held_out < self.lowest) & self.going
        self.lowest = torch.where(lower, held_out, self.lowest)
        rows = lower.repeat_interleave(self.members).unsqueeze(1)
        torch.where(rows, self.networks.matrix, self.best, out=self.best)
        self.since = torch.where(lower, 0, self.since + 1)
        self.going &= self.since < patience

    def _leave(self) -> None:
        """Take the finished out."""
        self._write(torch.nonzero(~self.going).flatten().tolist())
        staying = torch.nonzero(self.going).flatten()
        members = torch.arange(self.members, device=self.device)
        rows = (staying.unsqueeze(1) * self.members + members).flatten()
        self.train, self.valid = self.train.keep(rows), self.valid.keep(rows)
        self.best = self.best[rows]
        self.networks.keep(rows)
        self.optimiser.keep(rows)
        self.lowest, self.since = self.lowest[staying], self.since[staying]
        self.going = self.going[staying]
        self.random.keep(staying.tolist())
        self.starts = [self.starts[position] for position in staying.tolist()]

    def _write(self, positions: Sequence[int]) -> None:
        lowest = self.lowest.tolist()
        for position in positions:
            if lowest[position] == float("inf"):
                raise FloatingPointError(
                    "the network's loss is not finite: standardise the inputs or lower "
                    "learning_rate"
                )
            start = self.starts[position]
            rows = self.best[position * self.members : (position + 1) * self.members]
            layers = start.shape.layers(rows)
            for (weight, bias), own, shift in zip(layers, start.weights, start.biases, strict=True):
                own.copy_(weight[:, : own.shape[1], : own.shape[2]])
                shift.copy_(bias[..., : shift.shape[2]])

    def _rows(self, taken: Sequence[Tensor]) -> Rows:
        n = padded(max(rows.shape[1] for rows in taken))
        X, y, share = [], [], []
        for start, rows in zip(self.starts, taken, strict=True):
            missing = n - rows.shape[1]
            X.append(torch.nn.functional.pad(start.X[rows], (0, 0, 0, missing)))
            y.append(torch.nn.functional.pad(start.y[rows], (0, missing)))
            one = torch.full(rows.shape, 1 / rows.shape[1])
            share.append(torch.nn.functional.pad(one, (0, missing)))
        start_at = None
        if self.starts[0].start is not None:
            start_at = self._each([float(start.start or 0) for start in self.starts])
        return Rows(
            torch.cat(X).to(self.device),
            torch.cat(y).to(self.device),
            torch.cat(share).to(self.device),
            start_at,
        )

    def _each(self, values: Sequence[float]) -> Tensor:
        """A problem's value for each of its networks, shape (networks, 1)."""
        column = torch.tensor(values, dtype=torch.float32, device=self.device)
        return column.repeat_interleave(self.members).unsqueeze(1)


class _Random:
    """What each problem draws while it trains, from a generator of its own.

    Problems with equal streams share what is drawn: seeds are often equal, and random numbers are a
    good part of a small network's time.
    """

    def __init__(
        self, starts: Sequence[Start], networks: Perceptrons, device: torch.device
    ) -> None:
        self.starts = list(starts)
        self.members = starts[0].members
        self.on_cpu = {s.stream: torch.Generator().set_state(s.state) for s in starts}
        # On the CPU one generator draws both the order of rows and the dropped units.
        self.on_device = self.on_cpu
        if device.type != "cpu":
            self.on_device = {s.stream: torch.Generator(device).manual_seed(s.seed) for s in starts}
        self.masks = [torch.ones_like(room) for room in networks.hidden]
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


def _as_rows(start: Start) -> Tensor:
    """The first weights of a problem's networks, shape (members, columns)."""
    matrix = torch.zeros(start.members, start.shape.columns)
    layers = start.shape.layers(matrix)
    for (weight, bias), own, shift in zip(layers, start.weights, start.biases, strict=True):
        weight[:, : own.shape[1], : own.shape[2]] = own
        bias[..., : shift.shape[2]] = shift
    return matrix
