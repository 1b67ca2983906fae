"""Gradient boosting, 100 iterations, of the benchmark's workloads."""

from cytobench import Float, Int, model


@model(
    space={
        "l2_regularization": Float(1e-3, 1e1, log=True),
        "learning_rate": Float(1e-2, 3e-1, log=True),
        "max_leaf_nodes": Int(4, 24),
    }
)
def workload_hgb(l2_regularization=0.1, learning_rate=0.1, max_leaf_nodes=16):
    """Gradient boosting, 100 iterations, of the benchmark's workloads."""
    from workload import make_model

    return make_model(
        "hgb",
        l2_regularization=l2_regularization,
        learning_rate=learning_rate,
        max_leaf_nodes=max_leaf_nodes,
    )
