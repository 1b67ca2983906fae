"""CPU time of the perceptron's inner fits: one by one against side by side, on one cohort.

    python benchmarks/batched_networks.py [--rounds 5] [--trials 20]

The cohort and the splits are those of workload W1 (300 patients, 27 analytes, 4 covariates; 5 x 2
outer folds, 3 inner), settings are drawn from the plugin's own search space, every fit trains three
networks from three seeds. Both sides get the same encoded arrays and answer with probabilities.
One BLAS thread. On a shared machine the least CPU time of each side over the rounds says most.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
from cytobench.plugins.models.mlp import mlp as plugin
from numpy.typing import NDArray
from workload import make_cohort

from cytobench.batched.problem import Problem
from cytobench.core.declare import DECLARATION
from cytobench.core.seeds import derive_seed
from cytobench.core.space import Choice, Dimension, Int

Floats = NDArray[np.float64]

SEED = 20240
OUTER, REPEATS, INNER = 5, 2, 3
CARD = getattr(plugin, DECLARATION)


def inner_parts() -> list[tuple[int, Floats, Floats, Floats, Floats]]:
    """Outer fold, and X, y of the training and of the validation part of each inner split."""
    from sklearn.impute import SimpleImputer
    from sklearn.model_selection import RepeatedStratifiedKFold, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, StandardScaler

    X, labels, _ = make_cohort()
    y = labels.astype(float)
    outer = RepeatedStratifiedKFold(n_splits=OUTER, n_repeats=REPEATS, random_state=SEED)
    inner = StratifiedKFold(n_splits=INNER, shuffle=True, random_state=SEED)
    parts = []
    for fold, (rows, _) in enumerate(outer.split(X, y)):
        for train, valid in inner.split(X[rows], y[rows]):
            encode = make_pipeline(
                FunctionTransformer(np.log1p), SimpleImputer(strategy="median"), StandardScaler()
            )
            X_train, X_valid = X[rows[train]], X[rows[valid]]
            encoded = encode.fit_transform(X_train), encode.transform(X_valid)
            parts.append((fold, encoded[0], y[rows[train]], encoded[1], y[rows[valid]]))
    return parts


def drawn(dimension: Dimension, draw: np.random.Generator) -> object:
    """A value of a search space."""
    if isinstance(dimension, Choice):
        return dimension.options[draw.integers(len(dimension.options))]
    if isinstance(dimension, Int):
        return int(draw.integers(dimension.low, dimension.high + 1))
    if dimension.log:
        return float(np.exp(draw.uniform(np.log(dimension.low), np.log(dimension.high))))
    return float(draw.uniform(dimension.low, dimension.high))


def trials(number: int) -> tuple[list[list[Problem]], list[list[Floats]]]:
    """Every trial's problems, each outer fold with a setting of its own, and their outcomes."""
    parts = inner_parts()
    problems: list[list[Problem]] = []
    for trial in range(number):
        settings = []
        for fold in range(OUTER * REPEATS):
            draw = np.random.default_rng((SEED, trial, fold))
            chosen = {key: drawn(dimension, draw) for key, dimension in CARD.space.items()}
            settings.append({**CARD.parameters, **chosen})
        problems.append(
            [
                Problem(X, y, X_new, settings[fold], derive_seed(SEED, fold, "model"))
                for fold, X, y, X_new, _ in parts
            ]
        )
    return problems, [[y_new for *_, y_new in parts] for _ in range(number)]


def one_by_one(problems: Sequence[Problem]) -> list[Floats]:
    """The plugin's estimator, fitted to one problem after the other."""
    return [
        plugin(**problem.params, device="cpu", random_state=problem.random_state)
        .fit(problem.X, problem.y)
        .predict_proba(problem.X_new)[:, 1]
        for problem in problems
    ]


def side_by_side(problems: Sequence[Problem]) -> list[Floats]:
    """The solver, given all of them."""
    from cytobench.torch.batch import mlp

    return mlp(problems, kind="classification", device="cpu")


def clock(solve: Callable[[], list[Floats]]) -> tuple[list[Floats], float]:
    """Answers, and CPU seconds."""
    started = time.process_time()
    answers = solve()
    return answers, time.process_time() - started


def main() -> None:
    """Time both sides in turn and print the table."""
    import torch
    from sklearn.metrics import roc_auc_score

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=20)
    options = parser.parse_args()
    asked, outcomes = trials(options.trials)
    everything = [problem for trial in asked for problem in trial]
    side_by_side(asked[0][:3])
    one_by_one(asked[0][:1])
    seconds: dict[str, list[float]] = {"one": [], "trial": [], "all": []}
    for _ in range(options.rounds):
        alone, spent = clock(lambda: one_by_one(everything))
        seconds["one"].append(spent)
        by_trial, spent = clock(lambda: [p for trial in asked for p in side_by_side(trial)])
        seconds["trial"].append(spent)
        together, spent = clock(lambda: side_by_side(everything))
        seconds["all"].append(spent)
        if any(a.tobytes() != b.tobytes() for a, b in zip(by_trial, together, strict=True)):
            raise AssertionError("an answer depends on what its problem was solved with")
    n = len(everything)
    members = CARD.parameters["members"]
    folds, inner = OUTER * REPEATS, INNER
    print(f"$ python benchmarks/batched_networks.py {' '.join(sys.argv[1:])}".rstrip())
    print(
        f"python {platform.python_version()}, torch {torch.__version__}, numpy {np.__version__}, "
        f"1 thread, CPU seconds, {options.rounds} rounds"
    )
    print(
        f"{folds} outer x {inner} inner x {options.trials} trials = {n} fits of {members} seeds\n"
    )
    print("| | problems in a call | least | ratio | ratio in each round |")
    print("|---|---|---|---|---|")
    print(f"| one by one | 1 | {min(seconds['one']):.2f} | 1 | |")
    for label, key, size in (
        ("side by side, trial by trial", "trial", folds * inner),
        ("side by side, folds x trials x seeds", "all", n),
    ):
        each = [a / b for a, b in zip(seconds["one"], seconds[key], strict=True)]
        ratio = min(seconds["one"]) / min(seconds[key])
        rounds = ", ".join(f"{value:.1f}" for value in each)
        print(f"| {label} | {size} | {min(seconds[key]):.2f} | {ratio:.1f} | {rounds} |")
    apart = [float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True)]
    flat = [y_new for trial in outcomes for y_new in trial]
    auc = [
        abs(float(roc_auc_score(y, a) - roc_auc_score(y, b)))
        for y, a, b in zip(flat, alone, together, strict=True)
    ]
    print(
        f"\nprobabilities differ by {np.median(apart):.0e} (median of problems), "
        f"{max(apart):.0e} (most), {sum(a > 1e-5 for a in apart)} of {n} by more than 1e-5; "
        f"AUCs by {max(auc):.0e} at most"
    )


if __name__ == "__main__":
    main()
