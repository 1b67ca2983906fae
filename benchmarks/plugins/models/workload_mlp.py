"""Network of two hidden layers, of the benchmark's workloads."""

from cytobench import Float, model


@model(space={"lr": Float(1e-3, 3e-2, log=True), "weight_decay": Float(1e-5, 1e-1, log=True)})
def workload_mlp(lr=0.01, weight_decay=1e-4):
    """Network of two hidden layers, of the benchmark's workloads."""
    from workload import make_model

    return make_model("mlp", lr=lr, weight_decay=weight_decay)
