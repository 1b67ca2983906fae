"""What is the package's own to test; the checks of cytobench come by `cytobench_plugins`."""

from cytobench_example.cohorts import example_cohort


def test_another_seed_gives_other_patients():
    assert example_cohort(seed=0).fingerprint != example_cohort(seed=1).fingerprint
