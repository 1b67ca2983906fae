"""The training loop: all members of an ensemble at once, stopped early on held-out patients.

An ensemble is a module that maps inputs of shape (members, n, features) to outputs of shape
(members, n). No weight is shared, so the gradient of the summed loss is each member's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

Loss = Callable[[Tensor, Tensor], Tensor]
"""Element-wise: outputs and targets of one shape to losses of that shape."""

FULL_BATCH = 512
"""Up to so many training rows an epoch is one step."""
BATCH = 256


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Parameters
    ----------
    learning_rate, weight_decay : float
        Of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101).
    max_epochs : int
    patience : int
        Epochs without a lower held-out loss after which training stops.
    """

    learning_rate: float
    weight_decay: float
    max_epochs: int
    patience: int


@dataclass(frozen=True)
class Holdout:
    """Row numbers that each member trains on and is stopped by; shapes (members, rows)."""

    train: Tensor
    valid: Tensor

    def to(self, device: torch.device) -> Holdout:
        """The same on another device."""
        return Holdout(self.train.to(device), self.valid.to(device))


@dataclass(frozen=True)
class Training:
    """What happened: the held-out loss after each epoch and the epoch whose weights were kept."""

    valid_loss: list[float]
    best_epoch: int


class Ensemble(nn.Module):  # type: ignore[misc]
    """Independent networks side by side, one per member."""

    def __init__(self, members: list[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (members, n) for inputs of shape (members, n, features)."""
        outputs = [member(x) for member, x in zip(self.members, X, strict=True)]
        return torch.stack([output.reshape(len(output)) for output in outputs])


def hold_out(strata: Tensor, members: int, share: float = 0.2) -> Holdout:
    """Hold out `share` of every stratum, other rows for every member as far as they go.

    Strata of one or two rows train in full; where nothing is left to hold out (a handful of
    rows), the training rows themselves say when to stop.

    Parameters
    ----------
    strata : Tensor of shape (n,)
        Stratum of each row: its class, or zeros.
    members : int
    share : float
    """
    train: list[list[Tensor]] = [[] for _ in range(members)]
    valid: list[list[Tensor]] = [[] for _ in range(members)]
    for stratum in torch.unique(strata):
        rows = torch.nonzero(strata == stratum).reshape(-1)
        rows = rows[torch.randperm(len(rows))]
        held = round(share * len(rows))
        for member in range(members):
            turned = torch.roll(rows, -member * held)
            valid[member].append(turned[:held])
            train[member].append(turned[held:])
    train_rows = torch.stack([torch.cat(parts) for parts in train])
    valid_rows = torch.stack([torch.cat(parts) for parts in valid])
    return Holdout(train_rows, valid_rows if valid_rows.shape[1] else train_rows)


def train(
    ensemble: nn.Module, X: Tensor, y: Tensor, holdout: Holdout, loss: Loss, schedule: Schedule
) -> Training:
    """Train in place and leave the weights of the epoch with the lowest held-out loss.

    Parameters
    ----------
    ensemble : Module
    X : Tensor of shape (n, features)
    y : Tensor of shape (n,)
    holdout : Holdout
    loss : callable
    schedule : Schedule

    Raises
    ------
    FloatingPointError
        Where the held-out loss is finite after no epoch.
    """
    optimiser = _AdamW(ensemble, schedule)
    epochs = _epochs(X, y, holdout.train)
    X_valid, y_valid = X[holdout.valid], y[holdout.valid]
    best: dict[str, Any] = {}
    best_epoch, lowest, history = -1, float("inf"), []
    for epoch in range(schedule.max_epochs):
        ensemble.train()
        for X_batch, y_batch in next(epochs):
            loss(ensemble(X_batch), y_batch).mean(dim=1).sum().backward()
            optimiser.step()
        history.append(_evaluate(ensemble, X_valid, y_valid, loss))
        if history[-1] < lowest:
            best_epoch, lowest = epoch, history[-1]
            best = {name: value.clone() for name, value in ensemble.state_dict().items()}
        elif epoch - best_epoch >= schedule.patience:
            break
    if not best:
        raise FloatingPointError(
            "the network's loss is not finite: standardise the inputs or lower learning_rate"
        )
    ensemble.load_state_dict(best)
    ensemble.eval()
    return Training(history, best_epoch)


def _evaluate(ensemble: nn.Module, X: Tensor, y: Tensor, loss: Loss) -> float:
    ensemble.eval()
    with torch.no_grad():
        return float(loss(ensemble(X), y).mean())


def _epochs(X: Tensor, y: Tensor, rows: Tensor) -> Iterator[list[tuple[Tensor, Tensor]]]:
    """Each epoch's batches: all rows at once, or parts of an order of each member's own."""
    n = rows.shape[1]
    if n <= FULL_BATCH:
        full = [(X[rows], y[rows])]
        while True:
            yield full
    while True:
        order = torch.stack([torch.randperm(n) for _ in rows]).to(rows.device)
        chunks = torch.gather(rows, 1, order).tensor_split(-(-n // BATCH), dim=1)
        yield [(X[chunk], y[chunk]) for chunk in chunks]


class _AdamW:
    """``torch.optim.AdamW`` without the class, whose import of the compiler takes seconds."""

    def __init__(self, module: nn.Module, schedule: Schedule) -> None:
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        self.steps = [torch.zeros((), device=p.device) for p in self.parameters]
        self.options = {
            "lr": schedule.learning_rate,
            "weight_decay": schedule.weight_decay,
            "beta1": 0.9,
            "beta2": 0.999,
            "eps": 1e-8,
            "amsgrad": False,
            "maximize": False,
            "fused": True,
        }

    def step(self) -> None:
        """Update every parameter that has a gradient, and drop the gradients."""
        used = [i for i, p in enumerate(self.parameters) if p.grad is not None]
        parameters, means, squares, steps = (
            [values[i] for i in used]
            for values in (self.parameters, self.means, self.squares, self.steps)
        )
        with torch.no_grad():
            grads = [p.grad for p in parameters]
            adamw(parameters, grads, means, squares, [], steps, **self.options)
        for parameter in parameters:
            parameter.grad = None
