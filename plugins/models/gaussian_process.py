"""Gaussian process."""

from cytobench import Float, model


@model(
    tasks=("response", "remission", "percent_change"),
    space={"length": Float(1.0, 100.0, log=True), "signal": Float(0.1, 10.0, log=True)},
    licence="BSD-3-Clause",
    citation="10.7551/mitpress/3206.001.0001",
)
def gaussian_process(length=10.0, signal=1.0, kind="classification", random_state=None):
    """Gaussian process with a Gaussian kernel; its parameters are tuned, as any model's."""
    from sklearn.gaussian_process import GaussianProcessClassifier, GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import RBF, ConstantKernel

    # Without the optimiser: inner folds choose, and no fit ends in a local optimum of its own.
    kernel = ConstantKernel(signal) * RBF(length)
    if kind == "regression":
        # On the standardised outcome; noise of variance 1, so that `signal` is relative to it.
        return GaussianProcessRegressor(
            kernel, alpha=1.0, optimizer=None, normalize_y=True, random_state=random_state
        )
    return GaussianProcessClassifier(kernel, optimizer=None, random_state=random_state)
