"""TRIPOD+AI: what the run says is filled from the run; all else is the author's and stays open."""

from __future__ import annotations

import copy

import pytest

from cytobench.report.tripod import AUTHOR, checklist

HEADLINE = "AUC 0.700 (0.600 to 0.800), n = 120; method."
HUMAN = ["1", "2", "3a", "3b", "3c", "4", "6c", "8b", "8c", "17", "18a", "18b", "18c", "18d", "19",
         "25", "26", "27a", "27b", "27c"]  # fmt: skip
"""Items that no run can know."""
UNSTATED = ["5b", "6b", "9c"]
"""Items that a data set could state; none of its card's fields do."""
ABOUT = {
    "folds": 50,
    "model": {"name": "ridge", "summary": "Ridge regression.", "version": "1",
              "source": "a1b2c3d4" * 8, "inputs": ["analytes", "clinical"]},
    "dataset": {"name": "trial", "summary": "A trial", "population": "adults", "patients": 130,
                "analytes": 24, "licence": "CC0", "citation": "10.1/x", "origin": "github.com/x"},
    "task": {"name": "response", "kind": "classification", "meaning": "HAM-D17 fell by half"},
    "n": 120, "events": 54, "outcome_mean": 0.45,
    "protocol": {"name": "repeated_stratified", "claim": "new patients"},
    "config": {
        "model": {"name": "ridge", "space": {"C": {"type": "float", "low": 0.1, "high": 9}}},
        "preprocess": {"name": "standard", "missing": "median", "censored": "llod_sqrt2"},
        "tuning": {"sampler": "tpe", "trials": 30, "metric": "log_loss"},
    },
    "versions": {"cytobench": "0.1.0"}, "git_commit": "0123456789abcdef",
    "command": "cytobench run",
}  # fmt: skip


def items(**changes):
    about = copy.deepcopy(ABOUT)
    for path, value in changes.items():
        *parents, last = path.split("__")
        node = about
        for parent in parents:
            node = node[parent]
        node[last] = value
    return {item.number: item for item in checklist(about, HEADLINE)}


def test_the_checklist_has_its_52_items_in_order():
    # 27 items with their letters, Collins et al. 2024, doi:10.1136/bmj-2023-078378
    found = list(items())
    numbers = [int("".join(filter(str.isdigit, number))) for number in found]
    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 28))
    assert len(found) == len(set(found)) == 52


def test_the_author_fills_what_no_run_can_know():
    left = [number for number, item in items().items() if not item.by_run]
    assert sorted(left) == sorted(HUMAN + UNSTATED)
    assert all(items()[number].text == AUTHOR for number in left)


def test_all_else_is_filled_from_the_run():
    filled = {number: item.text for number, item in items().items() if item.by_run}
    assert len(filled) == 52 - len(HUMAN + UNSTATED)
    assert all(text and AUTHOR not in text for text in filled.values())
    assert "A trial" in filled["5a"]
    assert "adults" in filled["6a"]
    assert "HAM-D17 fell by half" in filled["8a"]
    assert "120 patients, 54 with the outcome" in filled["10"]
    assert "median" in filled["11"]
    assert "50 outer folds" in filled["12a"]
    assert "tpe, 30 trials" in filled["12c"]
    assert "45%" in filled["13"]
    assert "CC0" in filled["18e"]
    assert "0123456789ab" in filled["18f"]
    assert "130 patients read, 120 with a known outcome" in filled["20a"]
    assert "120 patients" in filled["21"]
    assert "a1b2c3d4a1b2" in filled["22"]
    assert filled["23a"] == HEADLINE


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"dataset__population": ""}, "6a"),
        ({"dataset__licence": ""}, "18e"),
        ({"config__preprocess": {"name": "mine"}}, "11"),
        ({"dataset__summary": "", "dataset__citation": "", "dataset__origin": ""}, "5a"),
    ],
)
def test_what_the_run_was_not_told_is_not_made_up(changes, number):
    found = items(**changes)[number]
    assert (found.text, found.by_run) == (AUTHOR, False)


def test_a_number_as_outcome_is_described_as_one():
    found = items(
        task={"name": "percent_change", "kind": "regression", "meaning": "change in per cent"},
        events=None,
        outcome_mean=-45.1,
    )
    assert found["13"].text == "Not applicable: the outcome is a number."
    assert found["15"].text == "A number: change in per cent."
    assert "by mse" in found["12c"].text
    assert "with the outcome" not in found["10"].text
    assert "net benefit" not in found["12e"].text


@pytest.mark.parametrize(
    "changes",
    [
        {"config__tuning": {"sampler": "none", "trials": 0, "metric": "log_loss"}},
        {"config__model": {"name": "prior", "space": {}}},
        {"config__model": {"name": "prior"}},
    ],
)
def test_a_model_without_a_search_is_not_called_tuned(changes):
    assert items(**changes)["12c"].text == "Ridge regression. Not tuned."


def test_sites_are_spoken_of_only_where_they_were_tested():
    assert "site" not in items()["23b"].text
    assert "Each site" in items(protocol__name="leave_one_site_out")["23b"].text


def test_one_split_is_not_called_folds():
    found = items(folds=1, protocol={"name": "holdout", "claim": "one locked test set"})
    assert "one training and test part" in found["12a"].text
    assert "folds" not in found["21"].text


def test_without_a_repository_no_commit_is_named():
    found = items(git_commit="")["18f"].text
    assert found == "cytobench 0.1.0; repeat with `cytobench run`."
