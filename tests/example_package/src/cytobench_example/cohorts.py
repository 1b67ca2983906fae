"""A cohort from a package."""

from cytobench import dataset


@dataset(kind="simulated", licence="CC0-1.0", caveat="invented, to show how a cohort is shipped")
def example_cohort(n=120, seed=0):
    """A hundred and twenty patients; high IL-6 responds less often."""
    import numpy as np
    import pandas as pd

    from cytobench import Analyte, Cohort, LabelOutcome

    draw = np.random.default_rng(seed)
    log = draw.normal(size=(n, 3))
    p = 1 / (1 + np.exp(1.5 * log[:, 0]))
    names = ["IL-6", "CRP", "TNF-α"]
    table = pd.DataFrame(np.exp(log), columns=names, index=[f"e{i}" for i in range(n)])
    table["responder"] = (draw.random(n) < p).astype(float)
    return Cohort(
        table,
        [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in names],
        LabelOutcome("responder", "half of the symptoms gone at week 8"),
        example_cohort.__cytobench__,
        truth=pd.DataFrame({"response": p}, index=table.index),
    )
