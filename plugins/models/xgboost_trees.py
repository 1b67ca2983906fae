"""XGBoost."""

from cytobench import Float, Int, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={
        "learning_rate": Float(0.01, 0.3, log=True),
        "max_depth": Int(1, 4),
        "min_child_weight": Float(1.0, 20.0, log=True),
        "colsample_bytree": Float(0.3, 1.0),
        "reg_lambda": Float(1e-2, 1e2, log=True),
    },
    extra="xgboost",
    licence="Apache-2.0",
    citation="10.1145/2939672.2939785",
)
def xgboost(
    learning_rate=0.05,
    max_depth=2,
    min_child_weight=4.0,
    colsample_bytree=0.5,
    reg_lambda=1.0,
    n_estimators=100,
    kind="classification",
    random_state=None,
):
    """XGBoost: boosted shallow trees, penalised."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer
    from xgboost import XGBClassifier, XGBRegressor

    booster = XGBRegressor if kind == "regression" else XGBClassifier
    trees = booster(
        learning_rate=learning_rate,
        max_depth=max_depth,
        min_child_weight=min_child_weight,
        colsample_bytree=colsample_bytree,
        reg_lambda=reg_lambda,
        n_estimators=n_estimators,
        tree_method="hist",
        random_state=random_state,
        n_jobs=1,
    )
    # Columns by position: it refuses names with brackets.
    return make_pipeline(FunctionTransformer(validate=True), trees)
