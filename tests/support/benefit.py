"""A trial of which everything is known, for tests of the benefit task."""

from __future__ import annotations

from cytobench.run.cells import LoadedCell, load_cell
from cytobench.run.fold import run_fold
from cytobench.run.jobs import plan_jobs

SALT = b"salt"
DUEL = '''
    """A trial in which one arm is better by `shift`, and more so by `moderation` where CRP is high.

    The last arm is the better one.
    """
    from cytobench import dataset


    @dataset(kind="simulated")
    def duel(
        n=120, treatments=2, shift=0.2, moderation=0.0, assignment="randomised", confounded=False,
        nested=False, missing=0.0, seed=1,
    ):
        """Two arms or more, four analytes, three sites."""
        import numpy as np
        import pandas as pd

        from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

        draw = np.random.default_rng(seed)
        names = ["A", "B", "C", "D"][:treatments]
        z = draw.normal(size=(n, 4))
        arm = np.arange(n) % treatments
        if confounded:
            arm = (draw.random(n) < 1 / (1 + np.exp(-1.5 * z[:, 1]))).astype(int)
        side = np.linspace(-1, 1, treatments)
        p = np.clip(
            0.5 + side / 2 * (shift + moderation * np.sign(z[:, [0]])) + 0.05 * np.tanh(z[:, [1]]),
            0.02, 0.98,
        )
        table = pd.DataFrame(np.exp(z), columns=["CRP", "IL-6", "TNF-α", "IL-10"])
        if missing:
            table["IL-6"] = table["IL-6"].where(draw.random(n) >= missing)
        table["age"] = draw.normal(40, 10, n)
        table["sex"] = draw.choice(["female", "male"], n)
        table["drug"] = [names[k] for k in arm]
        table["site"] = table["drug"] if nested else [f"s{i}" for i in draw.integers(0, 3, n)]
        table["responder"] = (draw.random(n) < p[np.arange(n), arm]).astype(float)
        table.index = [f"patient-{i}" for i in range(n)]
        truth = {f"response@{name}": p[:, k] for k, name in enumerate(names)}
        return Cohort(
            table,
            [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in table.columns[:4]],
            LabelOutcome("responder", "responded"),
            DatasetCard("duel", "A duel", kind="simulated", assignment=assignment),
            covariates=["age", "sex"],
            arm="drug",
            site="site",
            truth=pd.DataFrame({"response": p[np.arange(n), arm], **truth}, index=table.index),
        )
'''
SMALL = (
    "task=benefit", "tuning=off", "protocol.repeats=1", "protocol.folds=3",
    "protocol.inner_folds=2", "floors=[]",
)  # fmt: skip


def loaded(*overrides: str, dataset: str = "duel") -> LoadedCell:
    """The one cell of a small run."""
    (cell,) = plan_jobs([f"dataset={dataset}", *SMALL, *overrides]).cells
    return load_cell(cell)


def first_fold(*overrides: str, dataset: str = "duel"):
    """Its first fold."""
    return run_fold(loaded(*overrides, dataset=dataset), 0, SALT)
