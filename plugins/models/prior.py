"""Floor: the training part's prevalence, or mean, for everybody."""

from cytobench import model


@model(
    tasks=("response", "remission", "percent_change"),
    inputs=("analytes", "clinical"),
    role="floor",
    licence="BSD-3-Clause",
)
def prior(kind="classification"):
    """Knows nothing: the training prevalence (or mean change) for every patient."""
    from sklearn.dummy import DummyClassifier, DummyRegressor

    if kind == "regression":
        return DummyRegressor(strategy="mean")
    return DummyClassifier(strategy="prior")
