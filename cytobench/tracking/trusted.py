"""Classes that may be made from a model's file: decided here, in the package, never by the file.

A class is made without its ``__init__`` and handed its attributes. Those of other packages are
named one by one: what each does with its attributes was read. Boosters of LightGBM, XGBoost and
CatBoost hand bytes to their library's own reader, which runs nothing of them; one that somebody has
forged may end the process. A file that was damaged by chance is not read: its checksums tell.
"""

from __future__ import annotations

from collections.abc import Iterable

MODULES = ("cytobench.preprocess.", "sklearn.", "lightgbm.sklearn.")
"""Whatever is in them."""
BUNDLED = "cytobench.plugins.models."
"""Found in the bundled folder before any other."""
CLASSES = frozenset(
    {
        "numpy.dtype",
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "xgboost.core.Booster",
        "cytobench.torch.trainer.Training",
        f"{BUNDLED}pls_da.PlsDiscriminant",
        f"{BUNDLED}pls_da.PlsScore",
        *(
            f"{name}{kind}"
            for name in (
                "catboost.core.CatBoost",
                "interpret.glassbox._ebm._ebm.ExplainableBoosting",
                "xgboost.sklearn.XGB",
                f"{BUNDLED}knn.Neighbours",
                "cytobench.torch.conditioned.Conditioned",
                "cytobench.torch.ft_transformer.FtTransformer",
                "cytobench.torch.graph.Graph",
                "cytobench.torch.mlp.Mlp",
                "cytobench.torch.realmlp.RealMlp",
                "cytobench.torch.tabm.TabM",
            )
            for kind in ("Classifier", "Regressor")
        ),
    }
)
"""One by one."""


def refused(names: Iterable[str]) -> list[str]:
    """Those of the names of classes, with their modules, that are not made."""
    return [name for name in names if not name.startswith(MODULES) and name not in CLASSES]
