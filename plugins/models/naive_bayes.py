"""Gaussian naive Bayes."""

from cytobench import Float, model


@model(
    space={"var_smoothing": Float(1e-9, 1.0, log=True)},
    licence="BSD-3-Clause",
    citation="10.1023/A:1007413511361",
)
def naive_bayes(var_smoothing=1e-2):
    """Gaussian naive Bayes, Platt-scaled: it takes correlated analytes for independent."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.naive_bayes import GaussianNB

    # By itself it is certain of everything, and its log-loss tells nothing about the analytes.
    return CalibratedClassifierCV(
        GaussianNB(var_smoothing=var_smoothing), method="sigmoid", cv=3, ensemble=False
    )
