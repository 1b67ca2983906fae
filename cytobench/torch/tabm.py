"""TabM: many perceptrons in one, most of whose weights are shared."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from cytobench.torch.estimator import Network, NetworkClassifier, NetworkRegressor


class SharedMembers(nn.Module):  # type: ignore[misc]
    """The authors' module (Gorishniy 2025, arXiv:2410.24210) in our order of dimensions."""

    def __init__(self, tabm: nn.Module) -> None:
        super().__init__()
        self.tabm = tabm

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (members, n) for inputs of shape (members, n, features)."""
        # In training each member may have an order of its own; else all see the same rows.
        outputs = self.tabm(X.transpose(0, 1).contiguous() if self.training else X[0])
        return outputs.squeeze(-1).transpose(0, 1)


class _TabM(Network):
    """`depth` blocks of `width` units; `members` predictions that share most weights."""

    shares_weights = True

    def __init__(
        self, *, width: int = 64, depth: int = 2, dropout: float = 0.2, **training: Any
    ) -> None:
        super().__init__(**training)
        self.width = width
        self.depth = depth
        self.dropout = dropout

    def build_ensemble(self, n_features: int) -> nn.Module:
        """All members, as one module."""
        from tabm import TabM

        return SharedMembers(
            TabM.make(
                n_num_features=n_features,
                d_out=1,
                k=self.members,
                n_blocks=self.depth,
                d_block=self.width,
                dropout=self.dropout,
                arch_type="tabm",
            )
        )


class TabMClassifier(_TabM, NetworkClassifier):
    """TabM for two classes."""


class TabMRegressor(_TabM, NetworkRegressor):
    """TabM for a number."""
