"""Models made of other models: built by name, keyed by their parts' sources."""

import pytest

from cytobench import estimator
from cytobench.core.errors import PluginError
from cytobench.registry.load import load_model

COMPOSED = '''
    from cytobench import estimator, model


    @model(composed="members")
    def average(members=("toy_ridge", "other"), kind="classification", random_state=None):
        """Average of others."""
        from sklearn.ensemble import VotingClassifier

        parts = [(name, estimator(name, kind=kind, random_state=random_state)) for name in members]
        return VotingClassifier(parts, voting="soft")
'''
OTHER = '''
    from cytobench import model


    @model()
    def other(C=1.0):
        """Another logistic regression."""
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(C=C)
'''


@pytest.fixture
def composed(toy_plugins, write_plugin):
    write_plugin("models", "other", OTHER)
    write_plugin("models", "average", COMPOSED)
    return write_plugin


def test_an_estimator_is_built_by_its_plugins_name(toy_plugins):
    assert estimator("toy_ridge", C=0.25).C == 0.25
    assert estimator("toy_ridge").C == 1.0


def test_the_whole_is_built_from_its_parts(composed):
    built = load_model({"name": "average"}).build({}, random_state=1, kind="classification")

    assert [name for name, _ in built.estimators] == ["toy_ridge", "other"]


def test_a_change_of_a_part_changes_the_source_of_the_whole(composed):
    before = load_model({"name": "average"}).source
    composed("models", "other", OTHER.replace("C=1.0", "C=2.0"))

    assert load_model({"name": "average"}).source != before


def test_a_part_brings_its_optional_package_along(composed):
    composed("models", "other", OTHER.replace("@model()", '@model(extra="some_package")'))

    assert load_model({"name": "average"}).extras == ("some_package",)


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (["toy_ridge", "average"], "names itself"),
        (["toy_ridge", "crp_cutoff"], "crp_cutoff cannot be a part"),
        ("toy_ridge", "expected names"),
        ([], "expected names"),
        (["toy_ridge", "no_such"], "E201.*there is no model called 'no_such'"),
    ],
)
def test_parts_that_do_not_fit_are_refused(composed, members, message):
    with pytest.raises(PluginError, match=message):
        load_model({"name": "average", "members": members})


def test_composed_has_to_name_a_parameter(toy_plugins, write_plugin):
    write_plugin("models", "average", COMPOSED.replace('composed="members"', 'composed="parts"'))

    with pytest.raises(PluginError, match=r"E212.*unknown parameter in composed 'parts'"):
        load_model({"name": "average"})


def test_an_excuse_needs_a_reason(toy_plugins, write_plugin):
    excused = OTHER.replace("@model()", '@model(excused={"CB203": " "})')
    write_plugin("models", "other", excused)

    with pytest.raises(PluginError, match=r"(?s)E216.*'CB203' has no reason.*-> write"):
        load_model({"name": "other"})
