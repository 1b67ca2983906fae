"""Extremely randomised trees."""

from cytobench import Choice, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "max_features": Choice("sqrt", 0.33, 1.0),
        "min_samples_leaf": Int(3, 20, log=True),
    },
    solver="cytobench.batched.trees:extra_trees",
    together=False,
    licence="BSD-3-Clause",
    citation="10.1007/s10994-006-6226-1",
)
def extra_trees(
    n_estimators=100,
    max_features="sqrt",
    min_samples_leaf=5,
    kind="classification",
    random_state=None,
):
    """A hundred trees that split at random values."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    trees = ExtraTreesRegressor if kind == "regression" else ExtraTreesClassifier
    return trees(
        n_estimators=n_estimators,
        max_features=max_features,
        min_samples_leaf=min_samples_leaf,
        random_state=random_state,
        n_jobs=1,
    )
