"""A model from a package."""

from cytobench import Float, model


@model(
    space={"shrink": Float(0.0, 2.0)},
    licence="MIT",
    citation="10.1073/pnas.082099299",
)
def nearest_mean(shrink=0.5):
    """Nearest shrunken class mean, with scores made into probabilities."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.neighbors import NearestCentroid

    means = NearestCentroid(shrink_threshold=shrink or None)
    return CalibratedClassifierCV(means, method="sigmoid", cv=3, ensemble=False)
