"""Ridge (logistic) regression."""

from cytobench import Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={"C": Float(1e-4, 1e2, log=True)},
    solver="cytobench.batched.linear:ridge",
    licence="BSD-3-Clause",
    citation="10.2307/2347628",
)
def ridge(C=0.01, kind="classification"):
    """Ridge (logistic) regression: every analyte a little."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.preprocessing import StandardScaler

    if kind == "regression":
        # On the standardised outcome C means the same in any unit.
        return TransformedTargetRegressor(Ridge(alpha=1 / C), transformer=StandardScaler())
    return LogisticRegression(C=C, max_iter=1000, tol=1e-6)
