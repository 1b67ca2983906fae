"""Plugins and configuration files that cannot be used."""

from dataclasses import replace


def test_a_broken_plugin_is_named_with_file_and_line(situation, finding, write_plugin):
    path = write_plugin("models", "torn", "def torn(:\n")

    found = finding("D401", situation())

    assert found.where == f"{path}:1"
    assert found.severity == "breaks"


def test_two_plugins_of_one_name_are_named_with_both_places(situation, findings, toy_plugins):
    first = toy_plugins / "plugins" / "models" / "toy_ridge.py"
    second = first.with_name("another.py")
    second.write_text(first.read_text())

    (found,) = findings("D402", situation())

    assert str(first) in found.sentence
    assert str(second) in found.sentence
    assert findings("D401", situation()) == [], "said once"


def test_a_configuration_that_cannot_be_composed_says_why(situation, finding):
    broken = replace(situation(), problem="[E102] conf: there is no engine 'fast'\n  -> joblib")

    assert finding("D403", broken).sentence == "[E102] conf: there is no engine 'fast'"


def test_a_file_that_is_no_yaml_is_named(situation, finding, working_directory):
    path = working_directory / "conf" / "dataset" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("columns: [a, b\n")

    found = finding("D404", situation())

    assert found.where == str(path)
    assert "line 2" in found.sentence


def test_a_list_is_no_configuration(situation, finding, working_directory):
    path = working_directory / "conf" / "model" / "mine.yaml"
    path.parent.mkdir(parents=True)
    path.write_text("- ridge\n")

    assert "expected `key: value` pairs" in finding("D404", situation()).sentence
