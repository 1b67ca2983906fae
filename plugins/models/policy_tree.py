"""Policy tree."""

import numpy as np

from cytobench import Int, model
from cytobench.effects import EffectLearner


class PolicyTree(EffectLearner):
    """EconML's tree over doubly robust scores: a rule of a few cut-offs.

    Grown greedily; the exact search of Athey & Wager 2021 has no maintained Python package.
    """

    def __init__(self, max_depth=2, min_samples_leaf=10, random_state=None):
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    def learner(self):
        """Not honest: so few patients are needed twice."""
        from econml.policy import DRPolicyTree
        from sklearn.linear_model import LogisticRegression, RidgeCV

        return DRPolicyTree(
            model_regression=RidgeCV(np.logspace(0, 5, 11)),
            model_propensity=LogisticRegression(C=0.01, max_iter=1000),
            min_propensity=0.05,
            cv=5,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            honest=False,
            random_state=self.random_state,
        )

    def recommend(self, X):
        """The arm of each patient's leaf."""
        return self.arms_[self.learner_.predict(np.asarray(X, dtype=float)).astype(int)]


@model(
    tasks=("benefit",),
    space={"max_depth": Int(1, 3), "min_samples_leaf": Int(10, 50, log=True)},
    extra="econml",
    licence="MIT",
    citation="10.3982/ECTA15732",
)
def policy_tree(max_depth=2, min_samples_leaf=20, random_state=None):
    """A shallow tree grown, greedily, for the value of the rule that it is."""
    return PolicyTree(max_depth, min_samples_leaf, random_state)
