"""RBF support vector machine of the benchmark's workloads."""

from cytobench import Float, model


@model(
    space={"C": Float(1e-2, 1e2, log=True), "gamma": Float(1e-4, 1.0, log=True)},
    solver="estimators:scored_svc",
)
def workload_svm(C=1.0, gamma=0.03):
    """RBF support vector machine of the benchmark's workloads."""
    from workload import make_model

    return make_model("svm", C=C, gamma=gamma)
