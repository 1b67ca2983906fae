"""Sizes of one forest or boosting from one ensemble, against an ensemble for each size.

    python benchmarks/batched_trees.py

One outer fold, 3 inner, 24 trials at random over structures and sizes, with and without the solver;
CPU seconds of tuning, final fits left out, medians over rounds.
"""

from __future__ import annotations

from statistics import median

from lockstep_race import tuning_seconds
from race import about_the_machine, in_words, keep

from cytobench.run.cells import LoadedCell, load_cell
from cytobench.run.fold import run_fold
from cytobench.run.jobs import plan_jobs

SETTING = [
    "dataset=sim_inflamed_mdd",
    "dataset.n=370",
    "protocol.repeats=1",
    "protocol.inner_folds=3",
    "tuning=random",
    "tuning.trials=24",
    "floors=[]",
]
SIZES = "{type:choice,options:[25,50,100,200]}"
FEW_LEAVES = "{type:choice,options:[5,10,20]}"
MODELS = {
    "random_forest": {"n_estimators": SIZES, "min_samples_leaf": FEW_LEAVES},
    "extra_trees": {"n_estimators": SIZES, "min_samples_leaf": FEW_LEAVES},
    "hist_gradient_boosting": {
        "max_iter": SIZES,
        "min_samples_leaf": FEW_LEAVES,
        "learning_rate": "{type:choice,options:[0.03,0.1]}",
        "max_leaf_nodes": "{type:choice,options:[4]}",
        "l2_regularization": "{type:choice,options:[1.0]}",
    },
}
ROUNDS, FOLDS = 3, 1


def main() -> None:
    """Race, write the page."""
    lines = [
        "# Ensembles that grow once",
        "",
        (__doc__ or "").split("\n\n", 2)[2].strip(),
        "",
        "| model | sizes, structures asked of a fold | one by one, s | grown once, s | ratio |",
        "|---|---|---|---|---|",
    ]
    ratios = {}
    for model, space in MODELS.items():
        cells = [_cell(model, space, batched=value) for value in (False, True)]
        run_fold(cells[1], 0, b"salt")  # imports and caches
        rounds = [[_seconds(cell) for cell in cells] for _ in range(ROUNDS)]
        plain, once = (median(column) for column in zip(*rounds, strict=True))
        ratios[model] = plain / once
        lines.append(
            f"| {model} | {_asked(cells[1], model)} | {plain:.2f} | {once:.2f} "
            f"| **{ratios[model]:.1f}** |"
        )
    machine = about_the_machine()
    page = "\n".join([*lines, "", in_words(machine)])
    print(page)
    keep("batched_trees", {"ratios": ratios, "machine": machine}, page)


def _cell(model: str, space: dict[str, str], *, batched: bool) -> LoadedCell:
    words = [f"++model.space.{name}={dimension}" for name, dimension in space.items()]
    switch = f"tuning.batched={str(batched).lower()}"
    return load_cell(plan_jobs([*SETTING, f"model={model}", *words, switch]).cells[0])


def _seconds(cell: LoadedCell) -> float:
    return tuning_seconds(lambda: [run_fold(cell, fold, b"salt") for fold in range(FOLDS)])


def _asked(cell: LoadedCell, model: str) -> str:
    size = "max_iter" if model == "hist_gradient_boosting" else "n_estimators"
    trials = [dict(trial.params) for trial in run_fold(cell, 0, b"salt").trials]
    structures = {repr(sorted((k, v) for k, v in one.items() if k != size)) for one in trials}
    return f"{len(trials)} settings, {len(structures)} structures"


if __name__ == "__main__":
    main()
