"""CPU time of networks' inner fits: one by one against side by side, on one cohort.

    python benchmarks/batched_networks.py [--rounds 5] [--trials 20] [--model mlp]

The cohort and the splits are those of workload W1 (300 patients, 27 analytes, 4 covariates; 5 x 2
outer folds, 3 inner), settings are drawn from the plugin's own search space, every fit trains as
many members as the plugin does. Both sides get the same encoded arrays and answer with
probabilities. One BLAS thread. On a shared machine the least CPU time of each side over the rounds
says most.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from race import about_the_machine, in_words, keep
from workload import make_cohort

from cytobench.batched.problem import Problem
from cytobench.core.declare import DECLARATION
from cytobench.core.seeds import derive_seed
from cytobench.core.space import Choice, Dimension, Int
from cytobench.registry.discover import find
from cytobench.registry.load import import_plugin

Floats = NDArray[np.float64]

SEED = 20240
OUTER, REPEATS, INNER = 5, 2, 3
LEAST = 5
"""How many times faster, all at once on a CPU."""
TIMES = {"mlp": (5, 20), "realmlp": (3, 2), "ft_transformer": (3, 2), "tabm": (3, 4)}
"""Model -> rounds and trials, where nothing else is asked for."""


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


def plugin_of(name: str) -> Any:
    """A bundled model, as its file declares it."""
    return import_plugin(find("model", name))


def trials(plugin: Any, number: int) -> tuple[list[list[Problem]], list[list[Floats]]]:
    """Every trial's problems, each outer fold with a setting of its own, and their outcomes."""
    card = getattr(plugin, DECLARATION)
    parts = inner_parts()
    problems: list[list[Problem]] = []
    for trial in range(number):
        settings = []
        for fold in range(OUTER * REPEATS):
            draw = np.random.default_rng((SEED, trial, fold))
            chosen = {key: drawn(dimension, draw) for key, dimension in card.space.items()}
            settings.append({**card.parameters, **chosen})
        problems.append(
            [
                Problem(X, y, X_new, settings[fold], derive_seed(SEED, fold, "model"))
                for fold, X, y, X_new, _ in parts
            ]
        )
    return problems, [[y_new for *_, y_new in parts] for _ in range(number)]


def one_by_one(plugin: Any, problems: Sequence[Problem]) -> list[Floats]:
    """The plugin's estimator, fitted to one problem after the other."""
    return [
        plugin(**problem.params, device="cpu", random_state=problem.random_state)
        .fit(problem.X, problem.y)
        .predict_proba(problem.X_new)[:, 1]
        for problem in problems
    ]


def side_by_side(plugin: Any, problems: Sequence[Problem]) -> list[Floats]:
    """The solver, given all of them."""
    from cytobench.torch import batch

    _, _, name = getattr(plugin, DECLARATION).solver.partition(":")
    answers: list[Floats] = getattr(batch, name)(problems, kind="classification", device="cpu")
    return answers


def clock(solve: Callable[[], list[Floats]]) -> tuple[list[Floats], float]:
    """Answers, and CPU seconds."""
    started = time.process_time()
    answers = solve()
    return answers, time.process_time() - started


def report(name: str, seconds: Mapping[str, list[float]], n: int, apart: str) -> None:
    """Print the table and keep it; the target is that of the perceptron, all at once."""
    members = getattr(plugin_of(name), DECLARATION).parameters["members"]
    about = about_the_machine()
    alone = seconds["one"]
    lines = [
        f"# Networks one by one and side by side: {name}\n",
        f"{OUTER * REPEATS} outer x {INNER} inner folds x {n // (OUTER * REPEATS * INNER)} trials, "
        f"{n} fits of {members} networks each; CPU seconds on one thread, both "
        f"sides in turn in each of {len(alone)} rounds. Shown are the least of each side, and the "
        "median of the ratios within a round.\n",
        "| | problems in a call | least, s | ratio | in each round |",
        "|---|---|---|---|---|",
        f"| one by one | 1 | {min(alone):.2f} | 1 | |",
    ]
    ratios = {}
    for label, key, size in (
        ("side by side, trial by trial", "trial", OUTER * REPEATS * INNER),
        ("side by side, folds x trials x seeds", "all", n),
    ):
        each = [a / b for a, b in zip(alone, seconds[key], strict=True)]
        ratios[key] = median(each)
        rounds = ", ".join(f"{value:.1f}" for value in each)
        least = min(seconds[key])
        lines.append(f"| {label} | {size} | {least:.2f} | **{ratios[key]:.1f}** | {rounds} |")
    lines += [
        f"\n{apart} No GPU was at hand: nothing was measured on one.\n",
        f"Made by `python benchmarks/batched_networks.py --model {name}`; {in_words(about)}",
    ]
    print("\n".join(lines))
    said = (
        f"{ratios['all']:.1f} times all at once, {ratios['trial']:.1f} times trial by trial (CPU); "
        "not measured on a GPU"
    )
    met = None if ratios["all"] >= LEAST else False
    content: dict[str, Any] = {"about": about, "seconds": dict(seconds)}
    if name == "mlp":
        content["targets"] = {"T4": {"measured": said, "met": met}}
    keep("batched_networks" if name == "mlp" else f"batched_{name}", content, "\n".join(lines))


def main() -> None:
    """Time both sides in turn, for each of the models that are asked for."""
    import torch

    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--trials", type=int)
    parser.add_argument("--model", choices=TIMES, help="default: all of them")
    options = parser.parse_args()
    for name in [options.model] if options.model else TIMES:
        rounds, number = TIMES[name]
        time_both(name, options.rounds or rounds, options.trials or number)


def time_both(name: str, rounds: int, number: int) -> None:
    """Time one model, and keep what came of it."""
    from sklearn.metrics import roc_auc_score

    plugin = plugin_of(name)
    asked, outcomes = trials(plugin, number)
    everything = [problem for trial in asked for problem in trial]
    side_by_side(plugin, asked[0][:3])
    one_by_one(plugin, asked[0][:1])
    seconds: dict[str, list[float]] = {"one": [], "trial": [], "all": []}
    for _ in range(rounds):
        alone, spent = clock(lambda: one_by_one(plugin, everything))
        seconds["one"].append(spent)
        by_trial, spent = clock(lambda: [p for t in asked for p in side_by_side(plugin, t)])
        seconds["trial"].append(spent)
        together, spent = clock(lambda: side_by_side(plugin, everything))
        seconds["all"].append(spent)
        if any(a.tobytes() != b.tobytes() for a, b in zip(by_trial, together, strict=True)):
            raise AssertionError("an answer depends on what its problem was solved with")
    n = len(everything)
    differences = [float(np.abs(a - b).max()) for a, b in zip(alone, together, strict=True)]
    flat = [y_new for trial in outcomes for y_new in trial]
    auc = [
        abs(float(roc_auc_score(y, a) - roc_auc_score(y, b)))
        for y, a, b in zip(flat, alone, together, strict=True)
    ]
    report(
        name,
        seconds,
        n,
        f"Probabilities differ by {np.median(differences):.0e} (median of problems), "
        f"{max(differences):.0e} (most), {sum(a > 1e-5 for a in differences)} of {n} by more than "
        f"1e-5; AUCs by {max(auc):.0e} at most.",
    )


if __name__ == "__main__":
    main()
