"""DR-learner."""

from cytobench import estimator, model
from cytobench.effects import EffectLearner


class DRLearner(EffectLearner):
    """EconML's, with one kind of regressor for outcomes and effects."""

    def __init__(self, base=None, random_state=None):
        self.base = base
        self.random_state = random_state

    def learner(self):
        """As named."""
        from econml.dr import DRLearner
        from sklearn.linear_model import LogisticRegression

        return DRLearner(
            model_propensity=LogisticRegression(C=0.01, max_iter=1000),
            model_regression=self.base,
            model_final=self.base,
            min_propensity=0.05,
            cv=5,
            random_state=self.random_state,
        )


@model(
    tasks=("benefit",),
    composed="base",
    extra="econml",
    licence="MIT",
    citation="10.1214/23-EJS2157",
)
def dr_learner(base="ridge", random_state=None):
    """A regression of doubly robust scores."""
    return DRLearner(estimator(base, kind="regression", random_state=random_state), random_state)
