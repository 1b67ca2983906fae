"""A network whose reading of the blood depends on the treatment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from cytobench.torch.estimator import Network, NetworkClassifier, NetworkRegressor


class Conditioned(nn.Module):  # type: ignore[misc]
    """Hidden units that the treatment scales and shifts (FiLM, Perez 2018, arXiv:1709.07871).

    What all treatments have in common is learnt from all patients, what differs from each arm's.

    Parameters
    ----------
    treatment, others : Tensor of int
        Positions of the columns that say which arm, and of all others.
    """

    def __init__(self, treatment: Tensor, others: Tensor, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.register_buffer("treatment", treatment)
        self.register_buffer("others", others)
        self.shared = nn.Linear(len(others), width)
        self.film = nn.Linear(len(treatment), 2 * width) if len(treatment) else None
        self.hidden = nn.Linear(width, width)
        self.output = nn.Linear(width, 1)
        self.main = nn.Linear(len(treatment), 1, bias=False) if len(treatment) else None
        for layer in (self.output, self.main):
            if layer is not None:
                nn.init.zeros_(layer.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (n, 1) for inputs of shape (n, columns)."""
        arm = X[:, self.treatment]
        units = self.shared(X[:, self.others])
        if self.film is not None:
            scale, shift = self.film(arm).chunk(2, dim=1)
            units = units * (1 + scale) + shift
        units = functional.dropout(functional.relu(units), self.dropout, self.training)
        units = functional.dropout(functional.relu(self.hidden(units)), self.dropout, self.training)
        output = self.output(units)
        return output if self.main is None else output + self.main(arm)


class _Conditioned(Network):
    """Two layers of `width` units, the first conditioned on the columns of `arm`."""

    def __init__(
        self, *, arm: str | None = None, width: int = 32, dropout: float = 0.2, **training: Any
    ) -> None:
        super().__init__(**training)
        self.arm = arm
        self.width = width
        self.dropout = dropout

    def build(self, n_features: int) -> nn.Module:
        """One network; without an arm among the columns an ordinary perceptron."""
        names: Sequence[str] = [str(name) for name in getattr(self, "feature_names_in_", ())]
        prefix = f"{self.arm}_"
        chosen = [k for k, name in enumerate(names) if self.arm and name.startswith(prefix)]
        others = [k for k in range(n_features) if k not in chosen]
        if not others:  # nothing but the arm: it is all there is to read
            chosen, others = [], chosen
        return Conditioned(
            torch.tensor(chosen, dtype=torch.long), torch.tensor(others), self.width, self.dropout
        )


class ConditionedClassifier(_Conditioned, NetworkClassifier):
    """Treatment-conditioned network for two classes."""


class ConditionedRegressor(_Conditioned, NetworkRegressor):
    """Treatment-conditioned network for a number."""
