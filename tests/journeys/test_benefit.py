"""From one command to a board of treatment rules, its report and its runs in MLflow."""

import json
import sqlite3

import pytest
from support.published import board_files

SMALL = (
    "dataset=sim_crossover", "dataset.n=180", "task=benefit", "tuning=off", "protocol.repeats=1",
    "protocol.folds=3", "protocol.inner_folds=2",
)  # fmt: skip


@pytest.mark.slow
def test_rules_are_run_ranked_reported_and_mirrored(cytobench, working_directory):
    pytest.importorskip("econml")

    done = cytobench("run", *SMALL, "model=crp_rule,s_learner,t_learner")
    cytobench("leaderboard", "build", "--output=boards")
    shown = cytobench("leaderboard", "show").stdout
    cytobench("report", "--output=reports")

    for said in (done.stdout, shown):
        for words in ("treatment for response on sim_crossover", "crp_rule", "s_learner",
                      "t_learner", "best single arm", "all: dopaminergic", "truth"):  # fmt: skip
            assert words in said
        assert "Traceback" not in said
    (path,) = board_files(working_directory / "boards")
    board = json.loads(path.read_text())
    rows = {row["label"]: row for row in board["rows"]}
    assert board["refusal"] is None
    assert set(board["benefit"]["arms"]) == {"dopaminergic", "serotonergic"}
    assert {item["marker"] for item in board["benefit"]["moderation"]} >= {"CRP", "IL-6"}
    values = [row["estimates"]["value"]["value"] for row in board["rows"]]
    assert values == sorted(values, reverse=True)
    assert rows["t_learner"]["over_rule"]["difference"]["low"] is not None
    assert rows["crp_rule"]["over_rule"] is None
    best = board["ceiling"]["estimates"]["true_value"]["value"]
    assert all(row["estimates"]["true_value"]["value"] <= best for row in board["rows"])
    assert rows["crp_rule"]["estimates"]["agreement"]["value"] > 0.8, "the rule is true here"

    page = next((working_directory / "reports").glob("**/index.html"))
    pages = {path.stem for path in page.parent.glob("**/*.html")}
    assert {"crp_rule", "s_learner", "t_learner"} <= {name.replace("-", "_") for name in pages}
    with sqlite3.connect(working_directory / "mlflow.db") as database:
        names = {name for (name,) in database.execute("select name from runs")}
        metrics = {key for (key,) in database.execute("select distinct key from latest_metrics")}
    assert {"crp_rule", "s_learner", "t_learner"} <= names
    assert {"value", "gain", "gain over CRP rule", "fold/value"} <= metrics


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        (("plan", "dataset=sim_crossover", "task=benefit"), "E123", "task=response"),
        (("run", *SMALL, "model=crp_rule", "explain=true"), "E105", "task=response"),
        (("run", *SMALL, "model=crp_rule", "permutations=3"), "E105", "gain"),
        (("run", *SMALL, "model=crp_rule", "task.arms=SSRI"), "E110", "task.arms=[A,B]"),
        (("run", *SMALL, "model=crp_rule", "task.smallest_arm=few"), "E110", ""),
        (("run", *SMALL, "model=crp_rule", "task.outcome=remision"), "E110", "remission"),
        (("run", *SMALL, "model=crp_rule", "task.arms=[serotonergic]"), "E403", "dopaminergic"),
        (("run", *SMALL, "model=crp_rule", "task.smallest_arm=150"), "E404", "smallest_arm"),
    ],
)
def test_what_has_no_answer_is_refused_with_a_code_and_a_hint(
    cytobench, working_directory, words, code, hint
):
    done = cytobench(*words, check=False)

    said = " ".join((done.stdout + done.stderr).split())
    assert done.returncode != 0
    assert code in said
    assert hint in said
    assert "Traceback" not in said
