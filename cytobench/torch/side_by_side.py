"""The training loop for many problems at once: each computes what the plain trainer would.

A problem is the members of one plain fit. It keeps its own held-out rows, order of rows, dropped
units, learning rate and weight decay, and stops at its own epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from cytobench.torch.draws import Draws
from cytobench.torch.stacked import AdamW, Rows, padded
from cytobench.torch.start import Start

FEWEST = 2
"""Rows of a matrix: MKL has another product for a batch of one, which rounds differently."""
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
        self.members, self.units = starts[0].members, starts[0].units
        if len(starts) * self.units < FEWEST:
            starts = [*starts] * FEWEST
        self.starts = list(starts)
        self.device = device
        self.train = self._rows([s.holdout.train for s in starts])
        self.valid = self._rows([s.holdout.valid for s in starts])
        self.networks = starts[0].together(self.starts, device)
        self.optimiser = AdamW(
            self.networks.matrix,
            self._each([s.schedule.learning_rate for s in self.starts], self.units),
            self._each([s.schedule.weight_decay for s in self.starts], self.units),
        )
        self.random = Draws(self.starts, device)
        self.best = self.networks.matrix.clone()
        self.lowest = [float("inf")] * len(starts)
        self.since = [0] * len(starts)

    def run(self) -> None:
        """Train, and leave in each start the weights of its epoch with the lowest held-out loss.

        Raises
        ------
        FloatingPointError
            Where a problem's held-out loss is finite after no epoch.
        """
        schedule = self.starts[0].schedule
        patience = max(schedule.patience, 1)
        for _ in range(schedule.max_epochs):
            for rows, kept in self._steps():
                self.networks.differentiate(rows, kept)
                self.optimiser.step(self.networks.matrix, self.networks.grad)
            self._judge(patience)
            staying = [k for k, since in enumerate(self.since) if since < patience]
            if not staying:
                break
            fewer = len(staying) <= LEFT * len(self.starts)
            if fewer and len(staying) * self.units >= FEWEST:
                self._leave(staying)
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
        lower = []
        for k, value in enumerate(held_out.tolist()):
            if self.since[k] >= patience:
                continue
            self.since[k] += 1
            if value < self.lowest[k]:
                self.lowest[k], self.since[k] = value, 0
                lower.append(k)
        if lower:
            rows = self._positions(lower, self.units)
            self.best[rows] = self.networks.matrix[rows]

    def _leave(self, staying: Sequence[int]) -> None:
        """Take all but some problems out."""
        self._write([k for k in range(len(self.starts)) if k not in set(staying)])
        members = self._positions(staying, self.members)
        self.train, self.valid = self.train.keep(members), self.valid.keep(members)
        rows = self._positions(staying, self.units)
        self.best = self.best[rows]
        self.networks.keep(rows)
        self.optimiser.keep(rows)
        self.random.keep(staying)
        self.lowest = [self.lowest[k] for k in staying]
        self.since = [self.since[k] for k in staying]
        self.starts = [self.starts[k] for k in staying]

    def _write(self, positions: Sequence[int]) -> None:
        for position in positions:
            if self.lowest[position] == float("inf"):
                raise FloatingPointError(
                    "the network's loss is not finite: standardise the inputs or lower "
                    "learning_rate"
                )
            first = position * self.units
            self.starts[position].write(self.best[first : first + self.units])

    def _positions(self, problems: Sequence[int], each: int) -> Tensor:
        """Of some problems' members, or rows of the matrix, where every problem has so many."""
        rows = [problem * each + k for problem in problems for k in range(each)]
        return torch.tensor(rows, device=self.device)

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
            log_odds = [float(start.start or 0) for start in self.starts]
            start_at = self._each(log_odds, self.members)
        return Rows(
            torch.cat(X).to(self.device),
            torch.cat(y).to(self.device),
            torch.cat(share).to(self.device),
            start_at,
        )

    def _each(self, values: Sequence[float], times: int) -> Tensor:
        """A problem's value so many times, shape (problems * times, 1)."""
        column = torch.tensor(values, dtype=torch.float32, device=self.device)
        return column.repeat_interleave(times).unsqueeze(1)
