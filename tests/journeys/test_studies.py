"""Leave-one-study-out over three cohorts with one command, and the matrix of studies."""

import json

import pytest
from support.published import board_files


@pytest.mark.slow
def test_three_studies_are_pooled_left_out_in_turn_and_shown_against_each_other(
    cytobench, working_directory
):
    names = ("sim_inflamed_mdd", "sim_null", "twin")
    (working_directory / "plugins" / "datasets").mkdir(parents=True)
    (working_directory / "plugins" / "datasets" / "twin.py").write_text(TWIN)
    options = [f"dataset.studies.{name}.n=150" for name in names]

    done = cytobench(
        "run", f"dataset={'+'.join(names)}", "model=elastic_net", *options,
        "protocol=leave_one_study_out", "tuning=off", "tracking=none",
    )  # fmt: skip
    cytobench("leaderboard", "build", "--output=boards")

    assert "at each study" in done.stdout
    assert "study against study" in done.stdout
    (path,) = board_files(working_directory / "boards")
    board = json.loads(path.read_text())
    row = next(row for row in board["rows"] if row["label"] == "elastic_net")
    assert set(row["sites"]) == set(names)
    cells = {(item["trained_on"], item["tested_on"]): item for item in row["matrix"]}
    assert len(cells) == 12, "three by three, and all others on each"
    for item in cells.values():
        assert item["low"] < item["value"] < item["high"]
    assert cells["sim_inflamed_mdd", "sim_null"]["n"] == row["sites"]["sim_null"]["n"]
    assert set(board["shift"]["adversarial"]) == set(names)
    assert board["ceiling"] is not None, "the truth of every study is known"
    page = path.with_suffix(".md").read_text()
    assert "## Study against study" in page
    assert "## Shift between studies" in page


def test_a_study_that_is_not_there_is_named(cytobench):
    done = cytobench("run", "dataset=sim_null+sim_inflamd_mdd", check=False)

    assert done.returncode == 2
    assert "there is no dataset called 'sim_inflamd_mdd'" in done.stderr
    assert "sim_inflamed_mdd" in done.stderr


TWIN = '''
"""The inflamed trial once more, with other patients."""

from cytobench import DatasetCard, dataset


@dataset(kind="simulated")
def twin(n=400, seed=7):
    """The inflamed trial, drawn again."""
    from dataclasses import replace

    from cytobench.run.cells import load_cohort

    cohort = load_cohort({"name": "sim_inflamed_mdd", "n": n, "seed": seed}, None)
    return replace(cohort, card=replace(cohort.card, name="twin"))
'''
