"""Personalized advantage index."""

import numpy as np

from cytobench import Float, model


def with_interactions(X, treatments=()):
    """All columns, and the product of each with every column of `treatments`."""
    names = [str(name) for name in getattr(X, "columns", ())]
    chosen = np.isin(names, treatments) if names else np.zeros(np.shape(X)[1], dtype=bool)
    values = np.asarray(X, dtype=float)
    others, arms = values[:, ~chosen], values[:, chosen]
    products = [others * arms[:, [k]] for k in range(arms.shape[1])]
    return np.hstack([others, arms, *products])


@model(
    tasks=("benefit",),
    space={"C": Float(1e-4, 1e1, log=True)},
    licence="BSD-3-Clause",
    citation="10.1371/journal.pone.0083875",
)
def personalized_advantage(C=0.01, kind="classification", arm=None, arms=()):
    """Regression with every marker by treatment; a ridge penalty in place of stepwise selection."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    treatments = [f"{arm}_{name}" for name in arms]
    crossed = FunctionTransformer(with_interactions, kw_args={"treatments": treatments})
    if kind == "regression":
        final = TransformedTargetRegressor(Ridge(alpha=1 / C), transformer=StandardScaler())
    else:
        final = LogisticRegression(C=C, max_iter=1000)
    return make_pipeline(crossed, StandardScaler(), final)
