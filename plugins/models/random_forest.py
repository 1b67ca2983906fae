"""Random forest."""

from cytobench import Choice, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "max_features": Choice("sqrt", 0.33),
        "min_samples_leaf": Int(3, 20, log=True),
    },
    solver="cytobench.batched.trees:random_forest",
    together=False,
    licence="BSD-3-Clause",
    citation="10.1023/A:1010933404324",
)
def random_forest(
    n_estimators=100,
    max_features="sqrt",
    min_samples_leaf=5,
    kind="classification",
    random_state=None,
):
    """Random forest of 100 trees."""
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    forest = RandomForestRegressor if kind == "regression" else RandomForestClassifier
    return forest(
        n_estimators=n_estimators,
        max_features=max_features,
        min_samples_leaf=min_samples_leaf,
        random_state=random_state,
        n_jobs=1,
    )
