"""Nothing beats the truth, and a model of the right kind comes close to it."""

import json

import pytest
from support.published import board_files

QUICK = ("protocol.repeats=1", "protocol.inner_folds=3", "tuning.trials=4", "tracking=none")


def board_of(folder):
    (path,) = board_files(folder)
    return json.loads(path.read_text())


@pytest.mark.slow
def test_no_model_exceeds_the_ceiling_beyond_its_interval(cytobench, working_directory):
    for n in (200, 1500):
        cytobench(
            "run", "dataset=sim_inflamed_mdd", f"dataset.n={n}", "dataset.effect=2",
            "model=elastic_net,random_forest,hist_gradient_boosting", f"store=runs{n}", *QUICK,
        )  # fmt: skip
        cytobench("leaderboard", "build", f"--store=runs{n}", f"--output=boards{n}")

    small, large = (board_of(working_directory / f"boards{n}") for n in (200, 1500))

    shares = {}
    for n, board in ((200, small), (1500, large)):
        ceiling = board["ceiling"]["estimates"]["auc"]["value"]
        for row in board["rows"]:
            assert row["estimates"]["auc"]["low"] <= ceiling, row["label"]
            shares[row["label"], n] = (row["share_of_distance"] or {}).get("value")
    # With 200 patients the floor may not be told from the truth: then there is no share at all.
    assert shares["elastic_net", 1500] > 0.5
    assert shares["elastic_net", 1500] <= 1.0
    assert shares["prior", 1500] < 0
