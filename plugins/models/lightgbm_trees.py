"""LightGBM."""

from cytobench import Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "learning_rate": Float(0.01, 0.3, log=True),
        "num_leaves": Int(2, 16, log=True),
        "min_child_samples": Int(5, 30),
        "colsample_bytree": Float(0.3, 1.0),
        "reg_lambda": Float(1e-3, 1e2, log=True),
    },
    extra="lightgbm",
    licence="MIT",
    citation="10.5555/3294996.3295074",
)
def lightgbm(
    learning_rate=0.05,
    num_leaves=4,
    min_child_samples=15,
    colsample_bytree=0.5,
    reg_lambda=1.0,
    n_estimators=100,
    kind="classification",
    random_state=None,
):
    """LightGBM: boosted trees that grow leaf by leaf."""
    from lightgbm import LGBMClassifier, LGBMRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    booster = LGBMRegressor if kind == "regression" else LGBMClassifier
    trees = booster(
        learning_rate=learning_rate,
        num_leaves=num_leaves,
        min_child_samples=min_child_samples,
        colsample_bytree=colsample_bytree,
        reg_lambda=reg_lambda,
        n_estimators=n_estimators,
        random_state=random_state,
        deterministic=True,
        force_row_wise=True,
        n_jobs=1,
        verbosity=-1,
    )
    # Columns by position: it refuses names with brackets, quotes or colons.
    return make_pipeline(FunctionTransformer(validate=True), trees)
