"""Floor: what age, sex, BMI, severity and arm predict without a blood sample."""

from cytobench import Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={"C": Float(1e-3, 1e2, log=True)},
    inputs=("clinical",),
    role="floor",
    solver="cytobench.batched.linear:ridge",
    licence="BSD-3-Clause",
    citation="10.2307/2347628",
)
def clinical_only(C=1.0, kind="classification"):
    """Ridge (logistic) regression on covariates, baseline severity and arm; no analytes."""
    from sklearn.linear_model import LogisticRegression, Ridge

    if kind == "regression":
        return Ridge(alpha=1 / C)
    return LogisticRegression(C=C, max_iter=1000)
