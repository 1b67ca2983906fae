"""Loading a plugin either works or says what is wrong, with file and line."""

import pickle
import subprocess
import sys

import pytest

from cytobench.core.errors import PluginError
from cytobench.registry.discover import Plugin, find
from cytobench.registry.load import import_plugin, load_model

BUILD = {"random_state": 1, "kind": "classification"}


def test_parameters_reach_the_estimator_and_a_trial_overrides_them(toy_plugins):
    model = load_model({"name": "toy_ridge", "C": 3.0, "space": {}})

    assert model.build({}, **BUILD).C == 3.0
    assert model.build({"C": 0.1}, **BUILD).C == 0.1


def test_a_parameter_that_does_not_exist_is_refused(toy_plugins):
    with pytest.raises(PluginError, match=r"E205.*no parameter 'D'"):
        load_model({"name": "toy_ridge", "D": 3.0, "space": {}})


def test_an_exception_in_the_factory_names_file_and_line(write_plugin):
    path = write_plugin(
        "models",
        "faulty",
        '''
        from cytobench import model

        @model()
        def faulty():
            """Divides by zero."""
            return 1 / 0
        ''',
    )
    model = load_model({"name": "faulty"})

    with pytest.raises(PluginError, match=rf"{path}:6.*ZeroDivisionError"):
        model.build({}, **BUILD)


def test_an_exception_while_importing_names_file_and_line(write_plugin):
    path = write_plugin(
        "models",
        "faulty",
        '''
        from cytobench import model

        raise RuntimeError("no licence")

        @model()
        def faulty():
            """Never defined."""
        ''',
    )

    with pytest.raises(PluginError, match=rf"{path}:3.*no licence"):
        load_model({"name": "faulty"}).factory  # noqa: B018 - imported where it is asked for


def test_a_missing_package_says_what_to_install(write_plugin):
    write_plugin(
        "models",
        "heavy",
        '''
        from cytobench import model

        @model(extra="torch")
        def heavy():
            """Needs what is not there."""
            import package_that_does_not_exist
        ''',
    )

    with pytest.raises(PluginError, match=r"E220.*\n.*cytobench\[torch\]"):
        load_model({"name": "heavy"}).build({}, **BUILD)


def test_what_is_no_estimator_is_refused(write_plugin):
    write_plugin(
        "models",
        "odd",
        '''
        from cytobench import model

        @model()
        def odd():
            """Returns a word."""
            return "estimator"
        ''',
    )

    with pytest.raises(PluginError, match=r"E204.*returned str, which has no method fit"):
        load_model({"name": "odd"}).build({}, **BUILD)


def test_anything_importable_is_a_model(working_directory):
    model = load_model(
        {"_target_": "sklearn.linear_model.LogisticRegression", "name": "plain", "C": 2.0}
    )

    assert model.card.name == "plain"
    assert model.build({}, **BUILD).C == 2.0


def test_a_class_from_a_drop_in_file_unpickles_in_a_fresh_process(write_plugin, working_directory):
    write_plugin(
        "models",
        "own",
        '''
        from sklearn.base import BaseEstimator

        from cytobench import model

        class Own(BaseEstimator):
            """An estimator."""

        @model()
        def own():
            """Returns its own class."""
            return Own()
        ''',
    )
    estimator = import_plugin(find("model", "own"))()
    (working_directory / "own.pickle").write_bytes(pickle.dumps(estimator))

    script = "import pickle, cytobench; print(pickle.load(open('own.pickle', 'rb')))"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=working_directory,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "Own()\n"


def test_a_declaration_that_is_refused_while_importing_keeps_its_code_and_its_line(
    working_directory, monkeypatch
):
    """Of an installed package, whose declaration nobody has read before."""
    path = working_directory / "their_models.py"
    path.write_text(
        "from cytobench import model\n\n\n@model(tasks=('cure',))\ndef theirs():\n    'A model.'\n"
    )
    monkeypatch.syspath_prepend(str(working_directory))
    plugin = Plugin("model", "theirs", "their_models", "theirs", "package theirs")

    with pytest.raises(PluginError) as caught:
        import_plugin(plugin)

    assert caught.value.code == "E212"
    assert f"{path}:4" in caught.value.where
    assert "unknown task 'cure'; there are: response" in caught.value.message
