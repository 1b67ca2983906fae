"""R-learner."""

from cytobench import NotApplicable, estimator, model
from cytobench.effects import EffectLearner, weighted


class RLearner(EffectLearner):
    """EconML's, with one kind of regressor for outcomes and effects."""

    def __init__(self, base=None, random_state=None):
        self.base = base
        self.random_state = random_state

    def learner(self):
        """As named."""
        from econml.dml import NonParamDML
        from sklearn.linear_model import LogisticRegression

        return NonParamDML(
            model_y=self.base,
            model_t=LogisticRegression(C=0.01, max_iter=1000),
            model_final=self.base,
            discrete_treatment=True,
            cv=5,
            random_state=self.random_state,
        )


@model(
    tasks=("benefit",),
    composed="base",
    extra="econml",
    licence="MIT",
    citation="10.1093/biomet/asaa076",
)
def r_learner(base="random_forest", arms=(), random_state=None):
    """A weighted regression of residual outcome on residual treatment; two arms only."""
    if len(arms) > 2:
        raise NotApplicable(
            "E221",
            f"r_learner compares two arms, and there are {len(arms)}",
            hint="name two: task.arms=[A,B]",
        )
    regressor = estimator(base, kind="regression", random_state=random_state)
    return RLearner(weighted(regressor, base), random_state)
