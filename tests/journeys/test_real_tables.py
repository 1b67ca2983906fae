"""Every real table runs, and the numbers do not depend on the number of workers."""

import json

import pytest
from support.published import board_files

TABLES = (
    "psoriasis_hads",
    "mrsa_serum",
    "mrsa_plasma",
    "mg_steroid",
    "postcovid_olink",
    "cytomod_flu",
    "nhanes_phq9",
    "scz_twosite",
    "liver_cirrhosis",
)
QUICK = (
    "protocol.repeats=1", "protocol.inner_folds=3", "tuning.trials=2", "tracking=none", "floors=[]",
)  # fmt: skip


def numbers(folder):
    """Everything on the boards but the timings."""
    boards = {}
    for path in board_files(folder):
        board = json.loads(path.read_text())
        for row in board["rows"]:
            row.pop("seconds_per_fold")
        boards[path.name] = board
    return boards


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_a_real_table_gives_the_same_board_with_1_and_2_workers(
    table, data_folder, working_directory, cytobench
):
    pytest.importorskip("torch", reason="the mlp needs torch")
    for workers in (1, 2):
        cytobench(
            "run", f"dataset={table}", "task=response", "model=elastic_net,random_forest,mlp",
            f"engine.workers={workers}", f"store=runs{workers}", f"data={data_folder}", *QUICK,
        )  # fmt: skip
        cytobench("leaderboard", "build", f"--store=runs{workers}", f"--output=boards{workers}")

    first, second = (numbers(working_directory / f"boards{workers}") for workers in (1, 2))

    assert first == second
    (board,) = first.values()
    assert {row["label"] for row in board["rows"]} == {"elastic_net", "random_forest", "mlp"}


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["leave_one_site_out", "holdout"])
def test_the_other_protocols_run_on_a_cohort_of_two_sites(protocol, data_folder, cytobench):
    done = cytobench(
        "run", "dataset=mrsa_serum", "model=prior,clinical_only", f"protocol={protocol}",
        "tuning=off", "tracking=none", f"data={data_folder}",
    )  # fmt: skip

    assert "\nclinical_only " in done.stdout
    assert ("at each site" in done.stdout) == (protocol == "leave_one_site_out")


@pytest.mark.data
def test_without_the_tables_the_error_says_where_they_were_looked_for(cytobench, working_directory):
    done = cytobench("run", "dataset=psoriasis_hads", "model=prior", check=False, CYTOBENCH_DATA="")

    assert done.returncode == 1
    assert "[E310] psoriasis_hads/psoriasis_il17_il23_deidentified.csv" in done.stderr
    assert "set CYTOBENCH_DATA" in done.stderr
