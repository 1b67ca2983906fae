"""Elastic-net (logistic) regression."""

from cytobench import Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={"C": Float(1e-3, 1e2, log=True), "l1_ratio": Float(0.0, 1.0)},
    solver="cytobench.batched.elastic:elastic_net",
    licence="BSD-3-Clause",
    citation="10.1111/j.1467-9868.2005.00503.x",
)
def elastic_net(C=0.1, l1_ratio=0.5, kind="classification", random_state=None):
    """Elastic-net (logistic) regression; few analytes or all of them, as tuned."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import ElasticNet, LogisticRegression
    from sklearn.preprocessing import StandardScaler

    if kind == "regression":
        # On the standardised outcome C means the same in any unit; 0.01 / C is the penalty that
        # logistic regression gives a hundred patients.
        net = ElasticNet(
            alpha=0.01 / C, l1_ratio=l1_ratio, max_iter=10_000, tol=1e-4, random_state=random_state
        )
        return TransformedTargetRegressor(net, transformer=StandardScaler())
    return LogisticRegression(
        solver="saga", C=C, l1_ratio=l1_ratio, max_iter=5000, tol=1e-4, random_state=random_state
    )
