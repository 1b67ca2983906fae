"""With shuffled labels every model's interval holds 0.5; a planted signal is found by each."""

import json

import pytest
from support.published import board_files

MODELS = (
    "elastic_net",
    "svm_rbf",
    "random_forest",
    "hist_gradient_boosting",
    "mlp",
)
SHUFFLED = '''
"""A cohort whose labels were dealt out at random, or follow IL-6."""
from cytobench import dataset


@dataset(kind="simulated")
def dealt(n=120, planted=False, seed=1):
    """Labels without, or with, a reason."""
    import numpy as np
    import pandas as pd

    from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome

    draw = np.random.default_rng(seed)
    names = ["CRP", "IL-6", "IL-8", "TNF-α", "IL-10", "IFN-γ"]
    table = pd.DataFrame(np.exp(draw.normal(size=(n, 6))), columns=names)
    table["age"] = draw.normal(40, 10, n)
    order = np.log(table["IL-6"]) + 0.3 * draw.normal(size=n)
    label = (order > order.median()).astype(float).to_numpy()
    table["responder"] = label if planted else draw.permutation(label)
    return Cohort(
        table.set_axis([f"p{i}" for i in range(n)]),
        [Analyte(name, "mg/L" if name == "CRP" else "pg/mL") for name in names],
        LabelOutcome("responder", "responded"),
        DatasetCard("dealt", kind="simulated"),
        covariates=["age"],
    )
'''


@pytest.mark.slow
@pytest.mark.parametrize("planted", [False, True])
def test_chance_is_chance_and_a_signal_is_a_signal(
    planted, write_plugin, working_directory, cytobench
):
    pytest.importorskip("torch", reason="the mlp needs torch")
    write_plugin("datasets", "dealt", SHUFFLED)
    floors = "prior,crp_cutoff,clinical_only"
    cytobench(
        "run", "dataset=dealt", f"dataset.planted={planted}", f"model={floors},{','.join(MODELS)}",
        "protocol.repeats=2", "protocol.inner_folds=3", "tuning.trials=3", "tracking=none",
        "audit.acknowledge.A205='a planted signal, AUC 0.98'",
    )  # fmt: skip
    cytobench("leaderboard", "build")

    (path,) = board_files(working_directory / "leaderboards" / "adhoc")
    rows = {row["label"]: row["estimates"]["auc"] for row in json.loads(path.read_text())["rows"]}

    assert len(rows) == 8
    if planted:
        for name in MODELS:
            assert rows[name]["low"] > 0.75, name
        assert rows["clinical_only"]["low"] < 0.5 < rows["clinical_only"]["high"]
    else:
        for name, auc in rows.items():
            # Eight intervals of nominally 95 % (true coverage about 90 % at this n) would miss
            # 0.5 somewhere in every other run; half as wide again is about a 99.5 % interval.
            low = auc["value"] - 1.5 * (auc["value"] - auc["low"])
            high = auc["value"] + 1.5 * (auc["high"] - auc["value"])
            assert low <= 0.5 <= high, name
