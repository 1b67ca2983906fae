"""The benchmark's cohort, for cytobench."""

import numpy as np
import pandas as pd

from cytobench import Analyte, Cohort, LabelOutcome, dataset


@dataset(kind="simulated", licence="BSD-3-Clause", caveat="made for timings")
def workload_cohort(n=300, analytes=27, seed=20240):
    """The benchmark's cohort; log(1 + x) is taken here, once, as in the other contenders."""
    from workload import make_cohort

    X, y, names = make_cohort(n, analytes, seed)
    table = pd.DataFrame(np.log1p(X), columns=names, index=[f"p{row}" for row in range(n)])
    table["response"] = y
    panel = [Analyte(name, unit="log(1 + pg/mL)", scale="log2") for name in names[:analytes]]
    outcome = LabelOutcome("response", "response")
    return Cohort(table, panel, outcome, workload_cohort.__cytobench__, names[analytes:])
