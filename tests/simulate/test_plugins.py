"""The bundled simulated datasets: what they declare, and what they hand over."""

from importlib import import_module
from pathlib import Path

import pytest

from cytobench.core.declare import DECLARATION
from cytobench.registry.discover import discover
from cytobench.simulate.panel import NAMES

FOLDER = Path(__file__).parents[2] / "plugins" / "datasets"
PLUGINS = sorted(path.stem for path in FOLDER.glob("sim_*.py"))
ARMS = {
    "sim_gendep": ["escitalopram", "nortriptyline"],
    "sim_comed": ["escitalopram", "escitalopram + bupropion"],
    "sim_infliximab_trd": ["infliximab", "placebo"],
    "sim_preddict": ["vortioxetine + celecoxib", "vortioxetine + placebo"],
    "sim_trd": ["antidepressant + minocycline", "antidepressant + placebo"],
    "sim_classes": ["SNRI", "SSRI", "TCA", "atypical", "ketamine"],
    "sim_emerging": [
        "anti-cytokine", "low-dose IL-2", "microbiota-targeted", "usual treatment",
        "vagus nerve stimulation",
    ],
    "sim_crossover": ["dopaminergic", "serotonergic"],
    "sim_inflamed_mdd": ["SSRI", "SSRI + anti-inflammatory"],
    "sim_null": ["SSRI", "SSRI + anti-inflammatory"],
}  # fmt: skip
PUBLISHED = {
    "sim_gendep": (241, "MADRS"), "sim_comed": (106, "QIDS-SR16"), "sim_preddict": (119, "MADRS"),
    "sim_infliximab_trd": (60, "HAM-D17"),
}  # fmt: skip


def plugin_of(name):
    return getattr(import_module(f"cytobench.plugins.datasets.{name}"), name)


def test_every_simulated_dataset_is_tested_here():
    assert sorted(ARMS) == PLUGINS


@pytest.mark.parametrize("name", PLUGINS)
def test_the_cohort_says_of_itself_what_the_plugin_declares(name):
    declared, cohort = getattr(plugin_of(name), DECLARATION), plugin_of(name)(n=60)

    assert cohort.name == declared.name == name
    for field in ("summary", "kind", "licence", "citation", "caveat"):
        assert getattr(cohort.card, field) == getattr(declared, field)
    for field in ("population", "outcome", "treatment", "caveat", "summary"):
        assert getattr(cohort.card, field), field


@pytest.mark.parametrize("name", PLUGINS)
def test_the_plugin_is_found_without_importing_it(name):
    found = discover("dataset")[name]

    assert found.problem == ""
    assert {"n", "seed", "missing", "dropout", "noise", "plate_shift"} <= set(found.parameters)


@pytest.mark.parametrize("name", PLUGINS)
def test_the_cohort_has_all_roles_and_the_truth(name):
    cohort = plugin_of(name)(n=100)

    assert len(cohort) == 100
    assert cohort.patients[0] == "SIM-00001"
    assert cohort.analytes == NAMES
    assert cohort.describe()["arms"] == ARMS[name]
    tasks = ("response", "remission", "percent_change")
    under_each = {f"{task}@{arm}" for task in tasks for arm in ARMS[name]}
    assert list(cohort.truth)[:3] == list(tasks)
    assert set(cohort.truth) == {*tasks, *under_each}
    assert list(cohort.truth.index) == list(cohort.followup.index) == cohort.patients


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_trial_has_its_published_size_and_scale(name):
    cohort = plugin_of(name)()

    assert (len(cohort), cohort.outcome.scale) == PUBLISHED[name]


def test_the_emerging_interventions_are_declared_a_hypothesis():
    assert "hypothesis" in getattr(plugin_of("sim_emerging"), DECLARATION).caveat


def test_the_control_is_the_trial_without_marker_effects():
    control = plugin_of("sim_null")(n=100, seed=7)
    trial = plugin_of("sim_inflamed_mdd")(n=100, effect=0, seed=7)

    assert control.fingerprint == trial.fingerprint
