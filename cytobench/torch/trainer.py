"""The training loop: all members of an ensemble at once, stopped early on held-out patients.

An ensemble is a module that maps inputs of shape (members, n, features) to outputs of shape
(members, n). No weight is shared, so the gradient of the summed loss is each member's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from cytobench.torch.checkpoint import Checkpoint

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
    mixed : bool
        Products in bfloat16, weights and sums in single precision.
    """

    learning_rate: float
    weight_decay: float
    max_epochs: int
    patience: int
    mixed: bool = False


@dataclass(frozen=True)
class Holdout:
    """Row numbers that each member trains on and is stopped by; shapes (members, rows)."""

    train: Tensor
    valid: Tensor

    def for_all(self, members: int) -> Holdout:
        """The rows of one member, for so many."""
        return Holdout(self.train.expand(members, -1), self.valid.expand(members, -1))

    def to(self, device: torch.device) -> Holdout:
        """The same on another device."""
        return Holdout(self.train.to(device), self.valid.to(device))


@dataclass(frozen=True)
class Training:
    """What happened, epoch by epoch, and the epoch whose weights were kept.

    Attributes
    ----------
    valid_loss : list of float
        Of the held-out rows, after the epoch.
    train_loss : list of float
        Mean over the epoch's steps, each before its update and with dropout.
    """

    valid_loss: list[float]
    best_epoch: int
    train_loss: list[float] = field(default_factory=list)


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
        twice = torch.cat([rows, rows])
        for member in range(members):
            first = member * held % len(rows)
            turned = twice[first : first + len(rows)]
            valid[member].append(turned[:held])
            train[member].append(turned[held:])
    train_rows = torch.stack([torch.cat(parts) for parts in train])
    valid_rows = torch.stack([torch.cat(parts) for parts in valid])
    return Holdout(train_rows, valid_rows if valid_rows.shape[1] else train_rows)


def train(
    ensemble: nn.Module,
    X: Tensor,
    y: Tensor,
    holdout: Holdout,
    loss: Loss,
    schedule: Schedule,
    checkpoint: Checkpoint | None = None,
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
    checkpoint : Checkpoint, optional
        Where the state is kept now and then, and taken up again.

    Raises
    ------
    FloatingPointError
        Where the held-out loss is finite after no epoch.
    """
    optimiser = _AdamW(ensemble, schedule)
    epochs = _epochs(X, y, holdout.train)
    X_valid, y_valid = X[holdout.valid], y[holdout.valid]
    precision = _Precision(X.device, schedule.mixed)
    state = _State()
    saved = None if checkpoint is None else checkpoint.load()
    if saved is not None:
        state.restore(saved, ensemble, optimiser, X.device)
    while not state.stopped and len(state.valid_loss) < schedule.max_epochs:
        ensemble.train()
        losses = []
        for X_batch, y_batch in next(epochs):
            per_member = loss(precision.outputs(ensemble, X_batch), y_batch).mean(dim=1)
            per_member.sum().backward()
            optimiser.step()
            losses.append(per_member.detach().mean())
        state.train_loss.append(float(torch.stack(losses).mean()))
        ensemble.eval()
        with torch.no_grad():
            held_out = float(loss(precision.outputs(ensemble, X_valid), y_valid).mean())
        state.judge(held_out, ensemble, schedule.patience)
        if checkpoint is not None and checkpoint.due:
            checkpoint.save(state.snapshot(ensemble, optimiser, X.device))
    if not state.best:
        raise FloatingPointError(
            "the network's loss is not finite: standardise the inputs or lower learning_rate"
        )
    ensemble.load_state_dict(state.best)
    ensemble.eval()
    if checkpoint is not None:
        checkpoint.remove()
    return Training(state.valid_loss, state.best_epoch, state.train_loss)


@dataclass
class _State:
    """How far a training has come."""

    valid_loss: list[float] = field(default_factory=list)
    train_loss: list[float] = field(default_factory=list)
    best_epoch: int = -1
    lowest: float = float("inf")
    stopped: bool = False
    best: dict[str, Tensor] = field(default_factory=dict)

    def judge(self, held_out: float, ensemble: nn.Module, patience: int) -> None:
        """Keep the weights of the lowest held-out loss; stop where it has not fallen for long."""
        epoch = len(self.valid_loss)
        self.valid_loss.append(held_out)
        if held_out < self.lowest:
            self.best_epoch, self.lowest = epoch, held_out
            self.best = {name: value.clone() for name, value in ensemble.state_dict().items()}
        elif epoch - self.best_epoch >= patience:
            self.stopped = True

    def snapshot(
        self, ensemble: nn.Module, optimiser: _AdamW, device: torch.device
    ) -> dict[str, Any]:
        """Everything that the rest of the training depends on."""
        return {
            "progress": asdict(self),
            "weights": ensemble.state_dict(),
            "optimiser": optimiser.moments(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        }

    def restore(
        self, saved: dict[str, Any], ensemble: nn.Module, optimiser: _AdamW, device: torch.device
    ) -> None:
        """Go on from a snapshot."""
        for name, value in saved["progress"].items():
            setattr(self, name, value)
        ensemble.load_state_dict(saved["weights"])
        optimiser.resume(saved["optimiser"])
        torch.set_rng_state(saved["random"])
        if device.type == "cuda":
            torch.cuda.set_rng_state(saved["random_cuda"], device)


@dataclass(frozen=True)
class _Precision:
    """In which precision outputs are computed; losses are always in single precision."""

    device: torch.device
    mixed: bool

    def outputs(self, ensemble: nn.Module, X: Tensor) -> Tensor:
        """Outputs of shape (members, n)."""
        inside = torch.autocast(self.device.type, torch.bfloat16) if self.mixed else nullcontext()
        with inside:
            outputs = ensemble(X)
        return outputs.float() if self.mixed else outputs


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

    def moments(self) -> dict[str, list[Tensor]]:
        """What it remembers of the steps so far."""
        return {"means": self.means, "squares": self.squares, "steps": self.steps}

    def resume(self, moments: dict[str, list[Tensor]]) -> None:
        """Take up what another optimiser of the same weights remembered."""
        for name, values in moments.items():
            for own, value in zip(getattr(self, name), values, strict=True):
                own.copy_(value)

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
