"""Random forest of 300 trees, of the benchmark's workloads."""

from cytobench import Choice, Int, model


@model(space={"max_features": Choice("sqrt", 0.33), "min_samples_leaf": Int(1, 8)})
def workload_rf(max_features="sqrt", min_samples_leaf=1):
    """Random forest of 300 trees, of the benchmark's workloads."""
    from workload import make_model

    return make_model("rf", max_features=max_features, min_samples_leaf=min_samples_leaf)
