"""Stored cells of the benefit task, made up so that the better rule is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cytobench.core.result import FoldResult, Predictions
from cytobench.run.store import RunStore

ARMS = ("A", "B")
N, FOLDS = 240, 4
DRAW = np.random.default_rng(11)
MARKER = DRAW.normal(size=N)
RECEIVED = DRAW.integers(0, 2, N)
TRUTH = np.column_stack([np.full(N, 0.45), 0.55 + 0.4 * np.tanh(2 * MARKER)])
Y = (DRAW.random(N) < TRUTH[np.arange(N), RECEIVED]).astype(float)
PARTS = np.array_split(DRAW.permutation(N), FOLDS)
"""B is better where the marker is above about 0, and for all on average."""

Choice = Callable[[Any], Any]
BEST: Choice = lambda marker: (0.55 + 0.4 * np.tanh(2 * marker) > 0.45).astype(float)  # noqa: E731
ALL_B: Choice = lambda marker: np.ones(len(marker))  # noqa: E731
ALL_A: Choice = lambda marker: np.zeros(len(marker))  # noqa: E731
WORST: Choice = lambda marker: 1 - BEST(marker)  # noqa: E731


def moderation(marker: str = "CRP", verdict: str = "moderator") -> dict[str, Any]:
    """What the run's record says of one marker."""
    estimate = {"low": 0.05, "high": 0.35, "method": "least squares, HC3", "mc_se": None}
    return {
        "marker": marker, "n": N, "prognosis": {"value": 0.1, **estimate}, "p_prognosis": 0.4,
        "interaction": {"value": 0.2, **estimate}, "p_interaction": 0.01, "verdict": verdict,
    }  # fmt: skip


def about(model: str, role: str = "model", **changes: Any) -> dict[str, Any]:
    """The record of a cell."""
    made: dict[str, Any] = {
        "folds": FOLDS,
        "model": {
            "name": model, "role": role, "summary": f"About {model}", "source": "s" * 64,
            "version": "1", "inputs": ["analytes", "clinical"], "licence": "BSD-3-Clause",
            "citation": "",
        },
        "dataset": {
            "name": "trial", "summary": "A trial", "kind": "simulated", "population": "adults",
            "caveat": "", "fingerprint": "f" * 64, "patients": N + 10, "analytes": 4,
            "licence": "CC0", "origin": "/home/somebody/table.csv", "outcome": "", "treatment": "",
            "version": "1", "citation": "", "notes": [],
        },
        "task": {
            "name": "benefit", "kind": "benefit", "outcome": "response", "meaning": "responded",
            "smallest_arm": 20,
        },
        "n": N, "events": int(Y.sum()), "outcome_mean": float(Y.mean()),
        "protocol": {
            "name": "repeated_stratified", "folds": FOLDS, "repeats": 1, "inner_folds": 2,
            "claim": "new patients",
        },
        "plan": "p" * 64, "permutation": 0, "test_labels": [""] * FOLDS, "notes": [], "audit": [],
        "benefit": {
            "arms": {arm: int((k == RECEIVED).sum()) for k, arm in enumerate(ARMS)},
            "fitted": False,
            "moderation": [moderation(), moderation("IL-6", "neither shown")],
        },
        "config": {
            "model": {"name": model, "space": {}},
            "preprocess": {"name": "standard", "missing": "median", "censored": "llod_sqrt2"},
            "tuning": {"sampler": "tpe", "trials": 5, "seconds": None, "metric": "log_loss"},
            "seed": 0, "device": "auto",
        },
        "versions": {"cytobench": "0"}, "git_commit": "", "command": f"cytobench run model={model}",
    }  # fmt: skip
    return {**made, **changes}


def fold(
    number: int, choose: Choice, *, effect: bool = False, truth: bool = True, rows: Any = None
) -> FoldResult:
    """One test part under a rule; an effect is that of the truth."""
    part = PARTS[number] if rows is None else rows
    by_arm = {
        "outcome": {arm: TRUTH[part, k].tolist() for k, arm in enumerate(ARMS)},
        "propensity": {arm: [0.5] * len(part) for arm in ARMS},
    }
    if truth:
        by_arm["truth"] = by_arm["outcome"]
    if effect:
        by_arm["predicted"] = {"A": [0.0] * len(part), "B": (TRUTH[part] @ [-1, 1]).tolist()}
    return FoldResult(
        fold=number, repeat=0, n_train=N - len(part),
        predictions=Predictions(
            [f"p{i}" for i in part], Y[part].tolist(), choose(MARKER[part]).astype(float).tolist(),
            [ARMS[k] for k in RECEIVED[part]], ["north"] * len(part), [float("nan")] * len(part),
            by_arm=by_arm,
        ),
        params={}, trials=[], threshold=None, train_mean=0.5,
        timings={"tune": 0.2, "fit": 0.1, "predict": 0.0},
        arms=ARMS, best_single="B",
    )  # fmt: skip


def add(
    store: RunStore, model: str, choose: Choice, *, role: str = "model", done: int = FOLDS,
    suite: str = "suite", entry: str = "trial-benefit", effect: bool = False, truth: bool = True,
    **changes: Any,
) -> str:  # fmt: skip
    """Store a cell; its key."""
    key = f"key{model.encode().hex()}"
    store.open_cell(key, about(model, role, **changes), suite, entry, key)
    for number in range(done):
        store.write_fold(key, fold(number, choose, effect=effect, truth=truth))
    return key


def usual(store: RunStore) -> None:
    """A good model, one that is as good as one arm for all, a bad one, and the published rule."""
    add(store, "good", BEST, effect=True)
    add(store, "flat", ALL_B)
    add(store, "bad", WORST)
    add(store, "crp_rule", lambda marker: (marker > 0.5).astype(float), role="floor")
