"""The simulated cluster, where its answer can be worked out by hand."""

import sys

import pytest
from support.pages import REPOSITORY

FREE = {"parent": 0.0, "scheduler": 0.0, "mirror": 0.0, "deaths": 0.0}


@pytest.fixture(scope="module")
def plan():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(REPOSITORY / "benchmarks"))
        import cluster_plan

        yield cluster_plan
    for name in ("cluster_plan", "cluster_costs", "race"):
        sys.modules.pop(name, None)


def test_where_nothing_costs_workers_share_the_folds(plan):
    done = plan.simulate([2.0] * 400, 20, 10, FREE)

    assert done.total == pytest.approx(80, rel=0.01)
    assert done.lost == done.parent == done.mirror == 0


def test_where_storing_takes_longer_than_folds_the_parent_is_what_is_waited_for(plan):
    done = plan.simulate([2.0] * 4000, 20, 100, {**FREE, "parent": 0.1})

    assert done.total == pytest.approx(2 + 4000 * 0.1, rel=0.01)
    assert done.parent / done.total > 0.9
    assert done.waited == pytest.approx(100 * (done.total - 40) - 2 * 4000, rel=0.05)


def test_a_slow_mirror_costs_nothing_but_its_own_end(plan):
    quick = plan.simulate([2.0] * 400, 20, 10, FREE)
    slow = plan.simulate([2.0] * 400, 20, 10, {**FREE, "mirror": 30.0})

    assert slow.total == quick.total
    assert slow.mirror == pytest.approx(20 * 30 - 80, rel=0.1)


def test_deaths_lose_what_was_under_way_and_no_fold(plan):
    folds = [60.0] * 20000
    done = plan.simulate(folds, 20, 10, {**FREE, "deaths": 1 / 3600})

    deaths = done.lost / (30 + plan.RESTART)
    assert deaths == pytest.approx(20000 * 60 / 3600, rel=0.2)
    assert done.total == pytest.approx((sum(folds) + done.lost) / 10, rel=0.02)
