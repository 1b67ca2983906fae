"""Logistic regression of the benchmark's workloads."""

from cytobench import Float, model


@model(space={"C": Float(1e-3, 1e2, log=True)}, solver="cytobench.batched.linear:ridge")
def workload_lr(C=1.0):
    """Logistic regression of the benchmark's workloads."""
    from workload import make_model

    return make_model("lr", C=C)
