"""FT-Transformer: every column a token."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from cytobench.torch.estimator import Network, NetworkClassifier, NetworkRegressor


class NumbersOnly(nn.Module):  # type: ignore[misc]
    """The authors' module (Gorishniy 2021, arXiv:2106.11959) on columns that are all numbers."""

    def __init__(self, transformer: nn.Module) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, X: Tensor) -> Tensor:
        """Outputs of shape (n, 1) for inputs of shape (n, features)."""
        return self.transformer(X, None)


def first_token_only(network: NumbersOnly) -> None:
    """Leave out of the last block what it computes for tokens that no output is made of.

    The authors' block adds the first token's attention to all tokens, and goes on with all.
    """
    last = network.transformer.backbone.blocks[-1]
    last["ffn_normalization"].register_forward_pre_hook(lambda _, tokens: tokens[0][:, :1])


class _FtTransformer(Network):
    """`depth` blocks over tokens of `width`, with `heads` heads."""

    def __init__(
        self,
        *,
        width: int = 16,
        depth: int = 1,
        heads: int = 2,
        dropout: float = 0.2,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.width = width
        self.depth = depth
        self.heads = heads
        self.dropout = dropout

    def build(self, n_features: int) -> nn.Module:
        """One transformer."""
        from rtdl_revisiting_models import FTTransformer

        return NumbersOnly(
            FTTransformer(
                n_cont_features=n_features,
                cat_cardinalities=[],
                d_out=1,
                n_blocks=self.depth,
                d_block=self.width,
                attention_n_heads=self.heads,
                attention_dropout=self.dropout,
                ffn_d_hidden_multiplier=4 / 3,
                ffn_dropout=self.dropout,
                residual_dropout=0.0,
            )
        )


class FtTransformerClassifier(_FtTransformer, NetworkClassifier):
    """FT-Transformer for two classes."""


class FtTransformerRegressor(_FtTransformer, NetworkRegressor):
    """FT-Transformer for a number."""
