"""Finding plugins imports none of them, and a broken one never hides the others."""

import sys

import pytest

from cytobench.core.errors import PluginError
from cytobench.core.space import Choice, Float, Int
from cytobench.registry.discover import discover, find

GOOD = '''
    """A model."""
    import package_that_does_not_exist
    from cytobench import Choice, Float, Int, model

    @model(
        tasks=("response",),
        space={"C": Float(1e-3, 10, log=True), "k": Int(1, 5), "kernel": Choice("rbf", None)},
        citation="10.1000/1",
    )
    def good(C=1.0, k=3, *, kernel="rbf", random_state=None):
        """Does something.

        At length.
        """
'''


def test_a_plugin_is_described_without_being_imported(write_plugin):
    write_plugin("models", "good", GOOD)

    plugin = discover("model")["good"]

    assert "cytobench.plugins.models.good" not in sys.modules
    assert plugin.problem == ""
    assert plugin.card.summary == "Does something"
    assert plugin.card.tasks == ("response",)
    assert plugin.parameters == {"C": 1.0, "k": 3, "kernel": "rbf"}
    assert plugin.card.space == {
        "C": Float(1e-3, 10, log=True),
        "k": Int(1, 5),
        "kernel": Choice("rbf", None),
    }
    assert plugin.origin.endswith("good.py:10")


@pytest.mark.parametrize(
    ("source", "code", "problem"),
    [
        ("def broken(:", "E202", "cannot be parsed"),
        ("x = 1", "E202", "declares no @model"),
        (
            "from cytobench import model\n@model\ndef broken(): ...",
            "E202",
            "@model stands there without parentheses",
        ),
        (
            "from cytobench import model\n@model(space={'C': make()})\ndef broken(C=1): ...",
            "E215",
            "'make()' is not a plain value",
        ),
        (
            "from cytobench import model\n@model(space={'D': Float(0, 1)})\ndef broken(C=1): ...",
            "E212",
            "unknown parameter in space 'D'; there are: C",
        ),
        (
            "from cytobench import model\n@model(tasks=('cure',))\ndef broken(C=1): ...",
            "E212",
            "unknown task 'cure'",
        ),
        (
            "from cytobench import model\n@model()\ndef broken(C): ...",
            "E213",
            "'C' has no default value",
        ),
        (
            "from cytobench import model\n@model(name='my model')\ndef broken(): ...",
            "E214",
            "'my model' is no name",
        ),
        (
            "from cytobench import model\n@model(excused={'CB203': ''})\ndef broken(): ...",
            "E216",
            "excused check 'CB203' has no reason",
        ),
        ("from cytobench import model\n@model(colour=1)\ndef broken(): ...", "E202", "colour"),
        (
            "from cytobench import model\n@model(space={'C': Float(3, 1)})\ndef broken(C=1): ...",
            "E210",
            "low",
        ),
    ],
)
def test_a_broken_plugin_says_why_and_leaves_the_others_alone(write_plugin, source, code, problem):
    path = write_plugin("models", "broken", source)
    write_plugin("models", "good", GOOD)

    found = discover("model")

    assert problem in found["broken"].problem
    assert str(path) in found["broken"].origin
    assert found["good"].problem == ""
    with pytest.raises(PluginError) as caught:
        find("model", "broken")
    assert caught.value.code == code
    assert str(path) in caught.value.where


def test_two_plugins_of_one_name_are_an_error_that_names_both(write_plugin):
    first = write_plugin("models", "one", GOOD)
    second = write_plugin("models", "two", GOOD)

    with pytest.raises(PluginError) as caught:
        find("model", "good")

    assert str(first) in str(caught.value)
    assert str(second) in str(caught.value)


def test_an_init_file_that_would_hide_other_folders_is_reported(write_plugin, working_directory):
    write_plugin("models", "good", GOOD)
    (working_directory / "plugins" / "models" / "__init__.py").touch()

    problems = [plugin.problem for plugin in discover("model").values() if plugin.problem]

    assert any("__init__.py here hides" in problem for problem in problems)


def test_a_file_name_that_python_cannot_import_is_reported(write_plugin):
    write_plugin("models", "my-model", GOOD)

    assert "letters, digits and underscores" in discover("model")["my-model"].problem


def test_an_unknown_name_gets_the_nearest_spelling(write_plugin):
    write_plugin("models", "good", GOOD)

    with pytest.raises(PluginError, match=r"(?s)E201.*did you mean 'good'"):
        find("model", "goood")


def test_folders_of_the_environment_are_searched(working_directory, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "models").mkdir()
    (elsewhere / "models" / "far.py").write_text(
        "from cytobench import model\n@model()\ndef far():\n    'Far away.'\n"
    )
    monkeypatch.setenv("CYTOBENCH_PLUGINS", str(elsewhere))

    assert discover("model")["far"].problem == ""


def test_a_broken_declaration_is_listed_with_code_place_and_hint(write_plugin, cytobench):
    path = write_plugin(
        "datasets",
        "bare",
        "from cytobench import dataset\n\n\n@dataset()\ndef bare(n):\n    'A cohort.'\n",
    )

    listed = cytobench("list", "datasets", check=False)
    asked = cytobench("info", "bare", check=False)

    assert listed.returncode == asked.returncode == 1
    assert f"[E213] {path}:5: parameter 'n' has no default value" in listed.stderr
    assert "-> give every parameter a default" in listed.stderr
    assert f"[E213] {path}:5: " in asked.stderr
    assert "Traceback" not in asked.stderr
