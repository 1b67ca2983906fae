"""The training loop for many problems at once: each computes what the plain trainer would.

A problem is the members of one plain fit. It keeps its own held-out rows, order of rows, dropped
units, learning rate and weight decay, and stops at its own epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from cytobench.torch.draws import Draws
from cytobench.torch.stacked import AdamW, Perceptrons, Rows, padded
from cytobench.torch.start import Start

FEWEST = 2
"""Networks in a matrix: MKL has another product for a batch of one, which rounds differently."""
LEFT = 0.85
"""The finished leave the matrix once no more than this share still trains."""


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
        n = padded(-(-starts[0].n // starts[0].steps))
        scale = [1 / (1 - s.dropout) if s.dropout < 1 else 0.0 for s in starts]
        self.networks = Perceptrons(
            starts[0].shape,
            torch.cat([s.rows() for s in starts]).to(device),
            self._each(scale).unsqueeze(2),
            n,
        )
        self.optimiser = AdamW(
            self.networks.matrix,
            self._each([s.schedule.learning_rate for s in starts]),
            self._each([s.schedule.weight_decay for s in starts]),
        )
        self.random = Draws(starts, n, device)
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
            first = position * self.members
            self.starts[position].write(self.best[first : first + self.members])

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
