"""X-learner."""

from cytobench import estimator, model
from cytobench.effects import EffectLearner


class XLearner(EffectLearner):
    """EconML's, with one kind of regressor for outcomes and effects."""

    def __init__(self, base=None):
        self.base = base

    def learner(self):
        """As named."""
        from econml import metalearners
        from sklearn.linear_model import LogisticRegression

        return metalearners.XLearner(
            models=self.base, propensity_model=LogisticRegression(C=0.01, max_iter=1000)
        )


@model(
    tasks=("benefit",),
    composed="base",
    extra="econml",
    licence="MIT",
    citation="10.1073/pnas.1804597116",
)
def x_learner(base="ridge", random_state=None):
    """Regressions of what each patient gained against a prediction for the other arm."""
    return XLearner(estimator(base, kind="regression", random_state=random_state))
