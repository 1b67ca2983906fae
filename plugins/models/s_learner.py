"""S-learner."""

from cytobench import estimator, model


@model(
    tasks=("benefit",), composed="base", licence="BSD-3-Clause", citation="10.1073/pnas.1804597116"
)
def s_learner(
    base="random_forest", kind="classification", device="auto", arm=None, random_state=None
):
    """One model of the outcome with the arm among its columns, asked once with each arm."""
    return estimator(base, kind=kind, device=device, arm=arm, random_state=random_state)
