"""T-learner."""

from cytobench import estimator, model
from cytobench.effects import EffectLearner


class TLearner(EffectLearner):
    """EconML's, with one regressor for every arm."""

    def __init__(self, base=None):
        self.base = base

    def learner(self):
        """As named."""
        from econml import metalearners

        return metalearners.TLearner(models=self.base)


@model(
    tasks=("benefit",),
    composed="base",
    extra="econml",
    licence="MIT",
    citation="10.1073/pnas.1804597116",
)
def t_learner(base="ridge", random_state=None):
    """A regression of the outcome in each arm; the effect is their difference."""
    return TLearner(estimator(base, kind="regression", random_state=random_state))
