"""CatBoost."""

from cytobench import Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "learning_rate": Float(0.02, 0.3, log=True),
        "depth": Int(1, 4),
        "l2_leaf_reg": Float(1.0, 30.0, log=True),
    },
    extra="catboost",
    licence="Apache-2.0",
    citation="10.48550/arXiv.1706.09516",
)
def catboost(
    learning_rate=0.08,
    depth=2,
    l2_leaf_reg=3.0,
    iterations=100,
    kind="classification",
    random_state=None,
):
    """CatBoost: boosted symmetric trees with ordered gradients."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    booster = CatBoostRegressor if kind == "regression" else CatBoostClassifier
    return booster(
        learning_rate=learning_rate,
        depth=depth,
        l2_leaf_reg=l2_leaf_reg,
        iterations=iterations,
        random_seed=random_state,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
    )
