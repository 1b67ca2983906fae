"""A stacked ensemble of other plugins."""

from cytobench import Float, estimator, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={"C": Float(1e-2, 1e1, log=True)},
    composed="members",
    licence="BSD-3-Clause",
    citation="10.1016/S0893-6080(05)80023-1",
)
def stacking(
    members=("elastic_net", "gaussian_process", "random_forest"),
    C=0.1,
    kind="classification",
    random_state=None,
):
    """Other models with their defaults, weighted by what they predict out of fold."""
    from sklearn.ensemble import StackingClassifier, StackingRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.model_selection import KFold, StratifiedKFold

    parts = [(name, estimator(name, kind=kind, random_state=random_state)) for name in members]
    if kind == "regression":
        folds = KFold(5, shuffle=True, random_state=random_state)
        return StackingRegressor(parts, Ridge(alpha=1 / C), cv=folds)
    folds = StratifiedKFold(5, shuffle=True, random_state=random_state)
    final = LogisticRegression(C=C, max_iter=1000)
    return StackingClassifier(parts, final, cv=folds, stack_method="predict_proba")
