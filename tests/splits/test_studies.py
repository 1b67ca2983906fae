"""Leave-one-study-out, and the matrix of studies beside it."""

import numpy as np
import pytest

from cytobench.core.errors import SplitError
from cytobench.data.harmonise import harmonise
from cytobench.data.target import build_target, task_from_config
from cytobench.run.cells import load_cohort
from cytobench.splits.protocols import make_plan

PROTOCOL = {
    "name": "leave_one_study_out", "minimum_patients": 10, "pairs": True, "within_folds": 5,
    "inner_folds": 3,
}  # fmt: skip


@pytest.fixture(scope="module")
def pool():
    names = ("sim_inflamed_mdd", "sim_null")
    return harmonise([load_cohort({"name": n, "n": 120}, None) for n in names], "+".join(names))


def plan_of(cohort, **options):
    task = task_from_config({"name": "response", "kind": "classification"})
    return make_plan(cohort, build_target(cohort, task), {**PROTOCOL, **options}, 0)


def test_the_claim_rests_on_training_on_all_other_studies(pool):
    plan = plan_of(pool)
    study = np.array(pool.labels("study"))

    claimed = [split for split in plan.splits if not split.beside]

    assert plan.claim == "patients of a new study"
    assert [split.label for split in claimed] == ["sim_inflamed_mdd", "sim_null"]
    for split in claimed:
        assert set(study[split.test]) == {split.label}
        assert split.label not in study[split.train]


def test_beside_it_each_study_meets_each_other_one_and_itself(pool):
    plan = plan_of(pool)

    pairs = {(split.trained_on, split.label) for split in plan.splits if split.beside}

    names = ("sim_inflamed_mdd", "sim_null")
    assert pairs == {(one, other) for one in names for other in names}
    assert sum(split.beside for split in plan.splits) == 2 + 2 * 5


def test_the_matrix_can_be_left_out(pool):
    assert not any(split.beside for split in plan_of(pool, pairs=False).splits)


def test_a_single_study_is_refused():
    with pytest.raises(SplitError) as caught:
        plan_of(load_cohort({"name": "sim_null"}, None))

    assert caught.value.code == "E413"
    assert "dataset=" in caught.value.hint
