"""A run store with made-up cells: known strengths, a known truth, names that want to be markup."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cytobench.core.hashing import digest
from cytobench.core.result import FoldResult, Predictions, Trial

HOSTILE = "<script>alert('x')</script> \"q\" & **b** $\\frac{1}$ ../../x"
PATIENTS, REPEATS, PARTS = 120, 2, 5


def about(model, *, dataset="trial", kind="simulated", fingerprint="f" * 64, **changes):
    """What ``cell.json`` says, hostile wherever a plugin speaks."""
    return {
        "folds": REPEATS * PARTS,
        "model": {
            "name": model, "role": "model", "summary": f"About {HOSTILE}", "source": "5" * 64,
            "version": "1", "inputs": ["analytes", "clinical"], "licence": HOSTILE, "citation": "",
            **changes.pop("card", {}),
        },
        "dataset": {
            "name": dataset, "summary": HOSTILE, "kind": kind, "population": "adults",
            "caveat": HOSTILE, "fingerprint": fingerprint, "patients": 130, "analytes": 4,
            "licence": "CC0", "origin": "/home/somebody/secret/table.csv",
        },
        "task": {"name": "response", "kind": "classification", "meaning": HOSTILE,
                 "thresholds": [0.2, 0.8], "decide_at": 0.5},
        "n": PATIENTS, "events": PATIENTS // 2, "outcome_mean": 0.5,
        "protocol": {"name": "repeated_stratified", "claim": "new patients", "folds": PARTS,
                     "repeats": REPEATS, "train_fraction": 1.0, **changes.pop("protocol", {})},
        "plan": "9" * 64, "permutation": 0, "test_labels": [""] * REPEATS * PARTS,
        "notes": [HOSTILE], "audit": [], "shift": None, "beside": {},
        "config": {
            "model": {"name": model, "C": 1.0,
                      "space": {"C": {"type": "float", "low": 0.1, "high": 9.0, "log": True}}},
            "preprocess": {"name": "standard", "max_below": None},
            "tuning": {"sampler": "tpe", "trials": 5, "seconds": None, "metric": "log_loss"},
            "seed": 0,
        },
        "versions": {"cytobench": "0"}, "git_commit": "",
        "command": "cytobench run dataset.path=/home/somebody/secret/table.csv",
        **changes,
    }  # fmt: skip


def add(store, model, strength, *, suite="suite", entry="trial-response", seed=0, **changes):
    """A complete cell whose predictions know the outcome as well as `strength` says."""
    told = about(model, **changes)
    key = digest([suite, entry, model, seed, changes])
    store.open_cell(key, told, suite, entry, key[-16:])
    draw = np.random.default_rng(seed)
    y = (np.arange(PATIENTS) % 2).astype(float)
    truth = 1 / (1 + np.exp(-3.0 * (y - 0.5) - draw.normal(size=PATIENTS)))
    site = np.array(["north", "south"])[np.arange(PATIENTS) // 2 % 2]
    fraction = told["protocol"]["train_fraction"]
    for repeat in range(REPEATS):
        score = strength * (y - 0.5) + 1.2 * np.random.default_rng([seed, repeat]).normal(
            size=PATIENTS
        )
        order = np.random.default_rng(repeat).permutation(PATIENTS // 2)
        for part in range(PARTS):
            pairs = order[part::PARTS]
            rows = np.sort(np.r_[2 * pairs, 2 * pairs + 1])
            known = told["dataset"]["kind"] == "simulated"
            predictions = Predictions(
                [f"p{row}" for row in rows],
                y[rows].tolist(),
                (1 / (1 + np.exp(-score[rows]))).tolist(),
                [""] * len(rows),
                site[rows].tolist(),
                truth[rows].tolist() if known else [float("nan")] * len(rows),
                {"site": site[rows].tolist()},
            )
            store.write_fold(
                key,
                FoldResult(
                    repeat * PARTS + part, repeat, round(fraction * (PATIENTS - len(rows))),
                    predictions, {"C": 0.5 + part}, [Trial(0, {"C": 0.5 + part}, 0.6, 0.1)], 0.5,
                    0.5, {"fit": 0.1},
                ),
            )  # fmt: skip
    return key


def fill(store):
    """Two equal models, one of a hostile name, a useless one, and both floors; all on one entry."""
    add(store, "strong", 2.2, seed=1)
    add(store, "as_strong", 2.2, seed=2)
    add(store, HOSTILE, 1.2, seed=3)
    add(store, "useless", 0.0, seed=4)
    add(store, "clinical_only", 0.8, seed=5, card={"role": "floor", "inputs": ["clinical"]})
    add(store, "prior", 0.0, seed=6, card={"role": "floor", "inputs": ["clinical"]})
    return store


def tell(store, key):
    """What a network tells of its training, and what a finished cell goes by; both hostile."""
    for fold in store.read_cell(key).folds:
        epochs = 4 + fold.fold
        losses = [0.7 - 0.02 * epoch for epoch in range(epochs)]
        store.write_fold(key, replace(fold, curves={f"loss {HOSTILE}": losses}))
        costs = {HOSTILE: 0.2 + 0.01 * fold.fold, "IL-6": 0.05, "CRP": 0.0}
        explanation = {
            "fold": fold.fold, "repeat": fold.repeat, "n_train": fold.n_train, "n_test": 24,
            "importance": {"auc": costs}, "used": None, "used_by": HOSTILE,
            "shap": None, "shap_by": HOSTILE, "dependence": {},
            "settings": {"repeats": 10, "points": 0, "shap": False},
        }  # fmt: skip
        store.write_explanation(key, fold.fold, explanation)
