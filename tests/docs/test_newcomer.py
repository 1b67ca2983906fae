"""The README's way of a new model, from top to bottom in an empty folder: it is seen everywhere."""

import re

import pytest
from support.dom import parse
from support.pages import Reader, blocks, steps

SECTION = "Add a model"
COMMANDS = (
    "new", "check", "run", "leaderboard show", "leaderboard site", "ui", "leaderboard submit",
    "leaderboard verify",
)  # fmt: skip
PAGE = "leaderboards/site/quickstart/sim_inflamed_mdd-response.html"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def walked(tmp_path_factory):
    """The folder in which every block was done, and what each command printed, in order."""
    folder = tmp_path_factory.mktemp("newcomer")
    reader = Reader(folder, {"CYTOBENCH_TEST_TRACKING": "mlflow"})
    section = [block for block in blocks("README.md") if block.section == SECTION]
    assert all(block.reason is None for block in section), "no step of the way is left out"
    told = [
        (" ".join(step.commands), reader.act(step)) for block in section for step in steps(block)
    ]
    return folder, [(command, printed) for command, printed in told if command]


@pytest.fixture
def printed(walked):
    """``printed("leaderboard show")``: what that command of the section printed."""
    _, told = walked

    def by(words):
        (found,) = [out for command, out in told if command.startswith(f"cytobench {words} ")]
        return found

    return by


def test_the_section_goes_the_whole_way_in_order(walked):
    _, told = walked

    for (command, _), words in zip(told, COMMANDS, strict=True):
        assert command.startswith(f"cytobench {words} "), command


def test_the_model_keeps_the_contract(printed):
    assert re.search(r"\d+ passed", printed("check"))
    assert "failed" not in printed("check")


@pytest.mark.parametrize("command", ["run", "leaderboard show"])
def test_it_is_ranked_in_the_terminal_among_the_floors(printed, command):
    rows = re.findall(r"^(\w+) .* (?:tied|worse) ", printed(command), flags=re.MULTILINE)

    assert {"my_model", "clinical_only"} <= set(rows)


@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy")
def test_it_is_a_run_in_mlflow(walked):
    from mlflow import MlflowClient

    folder, _ = walked
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")

    experiment = client.get_experiment_by_name("quickstart/sim_inflamed_mdd-response")
    (run,) = client.search_runs(
        [experiment.experiment_id], filter_string="params.model = 'my_model'"
    )

    assert run.info.run_name == "my_model"
    assert 0 < run.data.metrics["AUC"] < 1


def test_it_is_a_row_on_the_site(walked):
    folder, _ = walked
    page = parse((folder / PAGE).read_text(encoding="utf-8"))

    names = [row.one("th").one("a").text for row in page.one("table", "board").every("tr", "row")]

    assert "my_model" in names
    assert "clinical_only" in names


def test_its_bundle_is_verified(printed):
    assert "my_model.zip: verified" in printed("leaderboard verify")
    assert re.search(r"fold \d+ refitted: the same predictions", printed("leaderboard verify"))
