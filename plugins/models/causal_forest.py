"""Causal forest."""

from cytobench import Int, model
from cytobench.effects import EffectLearner


class CausalForest(EffectLearner):
    """EconML's forest of honest trees on residuals."""

    def __init__(self, n_estimators=400, min_samples_leaf=5, random_state=None):
        self.n_estimators = n_estimators
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    def learner(self):
        """Nuisances are forests and a penalised logistic regression."""
        from econml.dml import CausalForestDML
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.linear_model import LogisticRegression

        return CausalForestDML(
            model_y=RandomForestRegressor(
                n_estimators=100, min_samples_leaf=5, random_state=self.random_state
            ),
            model_t=LogisticRegression(C=0.01, max_iter=1000),
            discrete_treatment=True,
            cv=5,
            n_estimators=self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            max_features="sqrt",
            inference=False,
            n_jobs=1,
            random_state=self.random_state,
        )


@model(
    tasks=("benefit",),
    space={"min_samples_leaf": Int(3, 30, log=True)},
    extra="econml",
    licence="MIT",
    citation="10.1214/18-AOS1709",
)
def causal_forest(n_estimators=400, min_samples_leaf=5, random_state=None):
    """Honest trees that split where the effect differs most."""
    return CausalForest(n_estimators, min_samples_leaf, random_state)
