"""Two estimators of the workloads that are not scikit-learn's as they are."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.svm import SVC


class ScoredSVC(SVC):
    """An RBF machine whose probability is a sigmoid of its margin: the same ranking, one fit."""

    takes_arrays = True

    def predict_proba(self, X: Any) -> Any:
        """Columns for class 0 and 1."""
        p = 1 / (1 + np.exp(-self.decision_function(X)))
        return np.column_stack([1 - p, p])


def scored_svc(problems: Any, **about: Any) -> list[Any]:
    """The same for many fits at once: distances are shared by all settings of a split."""
    del about
    found = []
    for one in problems:
        if "among" not in one.kept:
            one.kept["among"] = cdist(one.X, one.X, "sqeuclidean")
            one.kept["between"] = cdist(one.X_new, one.X, "sqeuclidean")
        gamma, machine = one.params["gamma"], SVC(kernel="precomputed", C=one.params["C"])
        machine.fit(np.exp(-gamma * one.kept["among"]), one.y)
        margin = machine.decision_function(np.exp(-gamma * one.kept["between"]))
        found.append(1 / (1 + np.exp(-margin)))
    return found


@cache
def network() -> type:
    """The class of W1's network; torch is imported when it is asked for."""
    import torch
    from sklearn.base import BaseEstimator, ClassifierMixin

    class Network(ClassifierMixin, BaseEstimator):
        """Two hidden layers of 64, ReLU, AdamW, 60 epochs over the whole training part."""

        takes_arrays = True

        def __init__(self, lr: float = 1e-2, weight_decay: float = 1e-4) -> None:
            self.lr = lr
            self.weight_decay = weight_decay

        def fit(self, X: Any, y: Any) -> Any:
            """Train from the same start every time."""
            torch.set_num_threads(1)
            self.classes_ = np.unique(y)
            state = torch.random.get_rng_state()
            torch.manual_seed(0)
            net = torch.nn.Sequential(
                torch.nn.Linear(X.shape[1], 64), torch.nn.ReLU(),
                torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 1),
            )  # fmt: skip
            torch.random.set_rng_state(state)
            inputs = torch.as_tensor(np.asarray(X, dtype=np.float32))
            wanted = torch.as_tensor(np.asarray(y == self.classes_[1], dtype=np.float32))
            rule = torch.optim.AdamW(net.parameters(), lr=self.lr, weight_decay=self.weight_decay)
            loss = torch.nn.BCEWithLogitsLoss()
            for _ in range(60):
                rule.zero_grad()
                loss(net(inputs).squeeze(-1), wanted).backward()
                rule.step()
            self.net_ = net
            return self

        # No decision_function: everybody ranks by probabilities, which are tied where they are 1.
        def predict(self, X: Any) -> Any:
            """Labels."""
            return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]

        def predict_proba(self, X: Any) -> Any:
            """Columns for class 0 and 1."""
            with torch.no_grad():
                logits = self.net_(torch.as_tensor(np.asarray(X, dtype=np.float32)))[:, 0].numpy()
            p = 1 / (1 + np.exp(-logits.astype(float)))
            return np.column_stack([1 - p, p])

    return Network
