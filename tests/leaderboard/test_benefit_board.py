"""Boards of treatment rules: value first, ties as ties, gains tested, refusals in words."""

import json

import numpy as np
import pytest
from support.rules import (
    ALL_A,
    ALL_B,
    BEST,
    RECEIVED,
    TRUTH,
    WORST,
    N,
    Y,
    about,
    add,
    fold,
    usual,
)

from cytobench.evaluate.intervals import holm
from cytobench.leaderboard.across import across
from cytobench.leaderboard.benefit import SINGLE, BenefitBoard
from cytobench.leaderboard.benefit_sheet import marker_lines, sheet
from cytobench.leaderboard.build import boards, write, write_across
from cytobench.leaderboard.render import to_json, to_markdown
from cytobench.leaderboard.show import show
from cytobench.run.store import RunStore

HOSTILE = "<script>alert('x')</script> | **b** [a](javascript:b)"


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path / "runs")


@pytest.fixture
def board(store) -> BenefitBoard:
    usual(store)
    (found,) = boards(store)
    return found


def row(board, label):
    (found,) = [item for item in board.rows if item.label == label]
    return found


def scores():
    """Doubly robust, by hand."""
    found = TRUTH.copy()
    rows = np.arange(N)
    found[rows, RECEIVED] += (Y - TRUTH[rows, RECEIVED]) / 0.5
    return found


def test_the_highest_value_comes_first(board):
    values = [item.estimate("value").value for item in board.rows]

    assert values == sorted(values, reverse=True)
    assert board.rows[0].label == "good"
    assert board.rows[-1].label == "bad"


def test_one_arm_for_all_is_on_every_board_without_a_run(board):
    for label, arm in (("all: A", 0), ("all: B", 1), (SINGLE, 1)):
        item = row(board, label)

        assert (item.role, item.cell, item.seconds, item.folds) == ("floor", None, None, 4)
        assert item.estimate("value").value == pytest.approx(scores()[:, arm].mean(), abs=1e-12)
        assert np.isnan(item.estimate("autoc").value)


def test_a_gain_is_over_the_best_single_arm_and_its_p_is_holms_over_models(board):
    models = [item for item in board.rows if item.role == "model"]

    adjusted = holm([item.gain.p for item in models])
    assert [item.p_gain for item in models] == pytest.approx(adjusted)
    assert all(item.p_gain is None for item in board.rows if item.role == "floor")
    assert row(board, "flat").gain.changed == 0
    assert row(board, "flat").p_gain == 1
    good = row(board, "good")
    each = scores()[np.arange(N), TRUTH.argmax(axis=1)] - scores()[:, 1]
    assert good.gain.difference.value == pytest.approx(each.mean(), abs=1e-12)
    assert good.gain.difference.low > 0
    assert good.p_gain < 0.05


def test_what_does_not_differ_from_the_first_is_tied_with_it(store):
    add(store, "good", BEST)
    add(store, "as_good", lambda marker: (marker > -0.2).astype(float))
    add(store, "bad", WORST)
    (board,) = boards(store)

    others = board.rows[1:]
    best = board.rows[0].assessment
    adjusted = holm([best.gain_over(item.assessment).p for item in others])
    assert [item.p_against_best for item in others] == pytest.approx(adjusted)
    assert [item.tied_with_best for item in others] == [p >= 0.05 for p in adjusted]
    assert row(board, "as_good").tied_with_best
    assert row(board, "bad").tied_with_best is False
    assert board.rows[0].p_against_best is None


def test_a_gain_over_the_published_rule_where_that_ran(board):
    rule = row(board, "crp_rule")

    assert board.rule == "crp_rule"
    assert rule.over_rule is None
    gained = row(board, "good").over_rule.difference.value
    assert gained == pytest.approx(
        row(board, "good").estimate("value").value - rule.estimate("value").value, abs=1e-12
    )
    assert "gain over crp_rule" in to_markdown(board).replace("\\", "")


def test_where_it_did_not_run_a_note_says_how_to_name_its_arms(store):
    add(store, "good", BEST)
    (board,) = boards(store)

    assert board.rule is None
    assert all(item.over_rule is None for item in board.rows)
    assert any("model.below=... model.above=..." in note for note in sheet(board).footnotes)


def test_the_truth_is_above_all_others_on_simulated_cohorts(board):
    ceiling = board.ceiling

    assert (ceiling.role, ceiling.cell, ceiling.tied_with_best) == ("ceiling", None, None)
    assert ceiling.estimate("regret").value == 0
    assert ceiling.estimate("agreement").value == 1
    assert ceiling.estimate("true_value").value == pytest.approx(TRUTH.max(axis=1).mean())
    assert sheet(board).rows[0][0] == "truth"
    assert any(f"{TRUTH.max(axis=1).mean():.3f}" in note for note in sheet(board).footnotes)
    assert "truth" not in [item.label for item in board.rows]


def test_without_a_truth_there_is_no_ceiling(store):
    add(store, "good", BEST, truth=False)
    (board,) = boards(store)

    assert board.ceiling is None
    assert "Against the truth" not in to_markdown(board)


def test_the_numbers_of_the_files_are_those_of_the_board(board):
    document = json.loads(to_json(board))

    assert document["headline"] == "value"
    assert document["refusal"] is None
    assert [item["label"] for item in document["rows"]] == [item.label for item in board.rows]
    for said, item in zip(document["rows"], board.rows, strict=True):
        for name, estimate in item.assessment.estimates.items():
            told = said["estimates"][name]["value"]
            assert (told is None) == np.isnan(estimate.value)
            assert told is None or told == pytest.approx(estimate.value, abs=1e-6)
        assert said["gain"]["changed"] == pytest.approx(item.gain.changed, abs=1e-6)
    assert "/home/somebody" not in to_json(board)


def test_every_row_has_a_cell_for_every_column(board):
    page = sheet(board)

    for table in [page, *page.tables]:
        assert {len(cells) for cells in table.rows} == {len(table.columns)}
    assert len(page.rows) == len(board.rows) + 1


def test_the_tables_say_what_they_are_of(board):
    said = to_markdown(board).replace("\\", "")

    for words in (
        "# treatment for response on trial", "randomised", "## Gain over the best single arm",
        "number needed to treat", "## Who gains most", "## Overlap", "## Prognosis or moderation",
        "moderation: who gets well on which treatment",
        "distance to the doubly robust effect",
    ):  # fmt: skip
        assert words in said


def test_an_arm_by_choice_is_called_association(store):
    observed = {**about("good")["benefit"], "fitted": True}
    add(store, "good", BEST, benefit=observed)
    (board,) = boards(store)

    assert "association, no claim about a policy" in to_markdown(board)


def test_of_a_fall_no_number_needed_to_treat_is_said(store):
    add(store, "good", BEST, events=None, outcome_mean=40.0)
    (board,) = boards(store)

    assert "number needed to treat" not in to_markdown(board)


def test_markers_are_listed_by_what_they_tell():
    assert marker_lines(about("good")) == [
        "Moderation: who gets well on which treatment: CRP.",
        "Neither shown for 1 of 2 markers.",
    ]


def test_a_refused_comparison_ranks_nobody_and_says_why(store, capsys):
    task = {**about("good")["task"], "smallest_arm": 200}
    add(store, "good", BEST, task=task)
    add(store, "crp_rule", ALL_A, role="floor", task=task)
    (board,) = boards(store)

    show(board)
    terminal = capsys.readouterr().out
    document = json.loads(to_json(board))

    assert "fewer than 200" in board.refusal
    assert all(item.gain is None and item.tied_with_best is None for item in board.rows)
    assert board.ceiling is None or board.ceiling.gain is None
    assert document["refusal"] == board.refusal
    assert {item["estimates"]["value"]["value"] for item in document["rows"]} == {None}
    for said in (to_markdown(board), terminal):
        words = " ".join(said.split())
        assert f"Refused: {board.refusal}." in words
        assert "Overlap" in words
        assert "Holm" not in words.partition("Prognosis or moderation")[0]
    assert sheet(board).rows == []


def test_the_terminal_shows_the_table_and_the_markers(board, capsys):
    show(board)

    said = " ".join(capsys.readouterr().out.split())
    for words in ("treatment for response on trial", "good", "best single arm", "all: A",
                  "Overlap", "Moderation: who gets well"):  # fmt: skip
        assert words in said


def test_names_reach_markdown_as_text(store):
    add(store, HOSTILE, BEST)
    (board,) = boards(store)

    said = to_markdown(board)

    assert "<script" not in said.replace("\\<", "")
    assert "[a](javascript" not in said
    line = next(line for line in said.splitlines() if "alert" in line)
    assert line.replace("\\|", "").count("|") == len(sheet(board).columns) + 1


def test_an_unfinished_cell_is_announced_not_ranked(store):
    add(store, "good", BEST)
    add(store, "slow", BEST, done=2)
    (board,) = boards(store)

    assert "slow" not in [item.label for item in board.rows]
    assert "slow is not shown: 2 of 4 folds are done." in to_markdown(board).replace("\\", "")


def test_an_order_of_names_breaks_equal_values(store):
    add(store, "b", ALL_B)
    add(store, "a", ALL_B)
    (board,) = boards(store)

    same = [item.label for item in board.rows if item.gain.changed == 0]
    assert same == ["a", "all: B", "b", SINGLE]
    assert all(item.tied_with_best for item in board.rows if item.label in same)


def test_a_refused_entry_does_not_hide_the_others_over_datasets(store):
    for entry, smallest in (("one", 20), ("two", 20), ("small", 200)):
        key = f"key-{entry}"
        task = {**about("good")["task"], "smallest_arm": smallest}
        store.open_cell(key, about("good", task=task), "suite", entry, key)
        for number in range(4):
            store.write_fold(key, fold(number, BEST))

    (matrix,) = across(boards(store))

    assert list(matrix.entries) == ["one", "two"]
    assert "good" in matrix.models
    assert np.isfinite(matrix.values).all()


def test_boards_are_written_and_compared_over_datasets(store, tmp_path):
    for entry in ("one", "two"):
        key = f"key-{entry}"
        store.open_cell(key, about("good"), "suite", entry, key)
        for number in range(4):
            store.write_fold(key, fold(number, BEST))
    found = boards(store)

    written = [path for board in found for path in write(board, tmp_path / "boards")]
    write_across(found, tmp_path / "boards")

    assert {path.name for path in written} == {"one.md", "one.json", "two.md", "two.json"}
    assert json.loads((tmp_path / "boards" / "suite" / "one.json").read_text())["entry"] == "one"
