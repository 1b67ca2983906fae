"""Whatever the parameters, a cohort that its own rules accept; the seed decides, and all of it."""

from importlib import import_module

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as some

NAMES = (
    "sim_gendep", "sim_comed", "sim_infliximab_trd", "sim_preddict", "sim_trd", "sim_classes",
    "sim_emerging", "sim_crossover", "sim_inflamed_mdd",
)  # fmt: skip
PARAMETERS = some.fixed_dictionaries(
    {
        "n": some.integers(40, 120),
        "effect": some.floats(0, 10),
        "inflamed": some.floats(0, 1),
        "noise": some.floats(0, 2),
        "missing": some.floats(0, 0.9),
        "missingness": some.sampled_from(["mcar", "mar"]),
        "dropout": some.floats(0, 0.9),
        "dropout_mechanism": some.sampled_from(["random", "severity"]),
        "plate_shift": some.floats(0, 2),
        "modulation": some.sampled_from(["review", "meta_analysis"]),
        "seed": some.integers(0, 2**40),
    }
)


def draw(name, parameters):
    plugin = getattr(import_module(f"cytobench.plugins.datasets.{name}"), name)
    return plugin(**parameters)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(some.sampled_from(NAMES), PARAMETERS)
def test_every_cohort_is_valid(name, parameters):
    cohort = draw(name, parameters)
    truth = cohort.truth
    chances = [column for column in truth if not column.startswith("percent_change")]

    assert len(cohort) == len(truth) == len(cohort.followup) == parameters["n"]
    assert truth.notna().all(axis=None)
    assert ((truth[chances] >= 0) & (truth[chances] <= 1)).all(axis=None)
    after, before = cohort.column(cohort.outcome.endpoint), cohort.column(cohort.severity)
    assert (before > 0).all()
    assert ((after >= 0) | after.isna()).all()
    assert cohort.followup[after.isna().to_numpy()].isna().all(axis=None)
    assert set(cohort.labels("arm")) <= {
        column.removeprefix("response@") for column in truth if column.startswith("response@")
    }
    for analyte in cohort.panel:
        for values in (cohort.column(analyte.name), cohort.followup[analyte.name]):
            assert ((values >= analyte.llod) | values.isna()).all()


@settings(max_examples=15, deadline=None, derandomize=True)
@given(some.sampled_from(NAMES), PARAMETERS)
def test_the_seed_decides(name, parameters):
    parameters = {**parameters, "missing": 0.1, "dropout": 0.1}
    again, other = draw(name, parameters), draw(name, {**parameters, "seed": 2**41})
    cohort = draw(name, parameters)

    assert cohort.fingerprint == again.fingerprint
    assert cohort.fingerprint != other.fingerprint
    assert (cohort.column("MIF") != other.column("MIF")).mean() > 0.5


@settings(max_examples=15, deadline=None, derandomize=True)
@given(some.sampled_from(NAMES), PARAMETERS)
def test_another_assay_measures_the_same_patients(name, parameters):
    same = {**parameters, "dropout": 0.2, "dropout_mechanism": "random"}
    changed = {**same, "noise": 0.5, "plate_shift": 0.5, "missing": 0.5, "modulation": "review"}

    one, other = draw(name, same), draw(name, changed)

    assert one.truth.equals(other.truth)
    assert one.table[list(one.clinical)].equals(other.table[list(one.clinical)])
    endpoint = one.outcome.endpoint
    assert np.array_equal(one.column(endpoint), other.column(endpoint), equal_nan=True)
