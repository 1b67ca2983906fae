"""Linear discriminant analysis."""

from cytobench import Float, model


@model(
    space={"shrinkage": Float(0.0, 1.0)},
    licence="BSD-3-Clause",
    citation="10.1016/S0047-259X(03)00096-4",
)
def lda(shrinkage=0.5):
    """Linear discriminant analysis, its covariance shrunk towards a diagonal."""
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    # One-hot columns are collinear: without any shrinkage the covariance has no inverse.
    return LinearDiscriminantAnalysis(solver="eigen", shrinkage=max(shrinkage, 1e-3))
