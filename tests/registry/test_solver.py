"""A declared solver: read without an import, refused early, part of the results' key."""

import pytest

from cytobench import PluginError, model
from cytobench.registry.discover import discover
from cytobench.registry.load import load_model

OUTSIDE = '''
    """A model with a solver in another file."""
    from cytobench import model


    @model(solver="helper_of_solved:solve")
    def solved():
        """The prevalence."""
        from sklearn.dummy import DummyClassifier

        return DummyClassifier()
'''


@pytest.mark.parametrize("wrong", ["solve", "module:", "a module:solve", 3])
def test_what_names_no_function_is_refused(wrong):
    with pytest.raises(PluginError, match="E217"):

        @model(solver=wrong)
        def solved():
            """Nothing."""


def test_raw_columns_cannot_be_given_to_a_solver():
    with pytest.raises(PluginError, match=r"E217.*raw"):

        @model(solver="module:solve", raw=True)
        def solved():
            """Nothing."""


def test_how_a_solver_is_used_needs_one():
    with pytest.raises(PluginError, match=r"E217.*together"):

        @model(together=False)
        def solved():
            """Nothing."""


def test_listing_reads_the_declaration_and_imports_nothing(write_plugin):
    write_plugin("models", "solved", OUTSIDE)

    card = discover("model")["solved"].card

    assert card.solver == "helper_of_solved:solve"


def test_a_change_of_the_solvers_file_changes_the_source(
    write_plugin, working_directory, monkeypatch
):
    write_plugin("models", "solved", OUTSIDE)
    monkeypatch.syspath_prepend(str(working_directory))
    helper = working_directory / "helper_of_solved.py"

    sources = []
    for text in ("solve = 1\n", "solve = 2\n"):
        helper.write_text(text)
        sources.append(load_model({"name": "solved"}).source)

    assert sources[0] != sources[1]


def test_a_file_that_is_not_there_is_said_in_words(write_plugin):
    write_plugin("models", "solved", OUTSIDE.replace("helper_of_solved", "nowhere.at_all"))

    with pytest.raises(PluginError, match="E220"):
        load_model({"name": "solved"})
