"""Support vector machine with a Gaussian kernel."""

from cytobench import Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={"C": Float(1e-2, 1e2, log=True), "gamma": Float(1e-4, 1.0, log=True)},
    excused={
        "CB203": "SVR draws a seed that it never uses from numpy's global state, and takes none"
    },
    solver="cytobench.batched.kernels:svm_rbf",
    licence="BSD-3-Clause",
    citation="10.1007/BF00994018",
)
def svm_rbf(C=1.0, gamma=0.02, kind="classification", random_state=None):
    """Support vector machine with a Gaussian kernel, Platt-scaled in the training part."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC, SVR

    if kind == "regression":
        # On the standardised outcome C and the tube's width mean the same in any unit.
        return TransformedTargetRegressor(SVR(C=C, gamma=gamma), transformer=StandardScaler())
    # The seed changes nothing; without one SVC draws from numpy's global state.
    svc = SVC(C=C, gamma=gamma, random_state=random_state)
    return CalibratedClassifierCV(svc, method="sigmoid", cv=3, ensemble=False)
