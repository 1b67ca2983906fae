"""Explainable boosting machine."""

from cytobench import Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "learning_rate": Float(0.005, 0.1, log=True),
        "max_rounds": Int(50, 500, log=True),
        "min_samples_leaf": Int(4, 20),
    },
    extra="interpret",
    licence="MIT",
    citation="10.1145/2339530.2339556",
)
def explainable_boosting(
    learning_rate=0.03,
    max_rounds=200,
    min_samples_leaf=8,
    outer_bags=2,
    kind="classification",
    random_state=None,
):
    """Explainable boosting machine: a sum of curves, one for each analyte, no interactions."""
    from interpret.glassbox import ExplainableBoostingClassifier, ExplainableBoostingRegressor

    machine = (
        ExplainableBoostingRegressor if kind == "regression" else ExplainableBoostingClassifier
    )
    return machine(
        learning_rate=learning_rate,
        max_rounds=max_rounds,
        min_samples_leaf=min_samples_leaf,
        outer_bags=outer_bags,
        max_bins=32,
        interactions=0,
        random_state=random_state,
        n_jobs=1,
    )
