"""Lasso (logistic) regression."""

from cytobench import Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={"C": Float(1e-2, 1e2, log=True)},
    solver="cytobench.batched.elastic:lasso",
    licence="BSD-3-Clause",
    citation="10.1111/j.2517-6161.1996.tb02080.x",
)
def lasso(C=0.1, kind="classification", random_state=None):
    """Lasso (logistic) regression: few analytes."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import Lasso, LogisticRegression
    from sklearn.preprocessing import StandardScaler

    if kind == "regression":
        # On the standardised outcome C means the same in any unit; 0.01 / C is the penalty that
        # logistic regression gives a hundred patients.
        net = Lasso(alpha=0.01 / C, max_iter=10_000, tol=1e-6, random_state=random_state)
        return TransformedTargetRegressor(net, transformer=StandardScaler())
    return LogisticRegression(
        solver="saga", l1_ratio=1.0, C=C, max_iter=5000, tol=1e-4, random_state=random_state
    )
