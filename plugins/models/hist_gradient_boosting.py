"""Gradient boosting on histograms."""

from cytobench import Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "learning_rate": Float(0.01, 0.3, log=True),
        "max_leaf_nodes": Int(2, 16, log=True),
        "min_samples_leaf": Int(5, 30),
        "l2_regularization": Float(1e-3, 1e2, log=True),
    },
    solver="cytobench.batched.trees:hist_gradient_boosting",
    together=False,
    licence="BSD-3-Clause",
    citation="10.1214/aos/1013203451",
)
def hist_gradient_boosting(
    learning_rate=0.05,
    max_leaf_nodes=4,
    min_samples_leaf=15,
    l2_regularization=1.0,
    max_iter=100,
    kind="classification",
    random_state=None,
):
    """Gradient boosting of small trees on binned analytes."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    boosting = (
        HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    )
    return boosting(
        learning_rate=learning_rate,
        max_leaf_nodes=max_leaf_nodes,
        min_samples_leaf=min_samples_leaf,
        l2_regularization=l2_regularization,
        max_iter=max_iter,
        early_stopping=False,
        random_state=random_state,
    )
