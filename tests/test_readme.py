"""The README's example plugin works as it stands, and its links lead somewhere."""

import json
import re
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)[1]


@pytest.fixture
def example(write_plugin):
    write_plugin("models", "my_model", EXAMPLE)


def test_the_example_plugin_runs(example, cytobench):
    done = cytobench(
        "run", "dataset=sim_inflamed_mdd", "dataset.n=80", "model=my_model,clinical_only",
        "protocol.repeats=1", "tuning=off", "tracking=none", "engine=serial",
    )  # fmt: skip

    assert "\nmy_model " in done.stdout


def test_the_example_plugin_keeps_the_contract(example, cytobench):
    done = cytobench("check", "my_model", "--fast")

    assert "failed" not in done.stdout


def test_the_picture_shows_the_published_board():
    folder = Path(__file__).parents[1]
    picture = (folder / "docs" / "images" / "quickstart.svg").read_text(encoding="utf-8")
    board = folder / "leaderboards" / "quickstart" / "sim_inflamed_mdd-response.json"
    shown = re.sub(r"<[^>]*>|&#160;", " ", picture)

    for row in json.loads(board.read_text(encoding="utf-8"))["rows"]:
        value = f"{row['estimates']['auc']['value']:.3f}"
        said = "draw it anew: python docs/pictures.py --store FOLDER"
        assert re.search(rf"{row['label']}\s+(floor\s+)?{value}", shown), said
    assert "http" not in picture.replace("http://www.w3.org", "").replace("https://www.textual", "")


def test_every_linked_file_is_there():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    for link in links:
        assert (Path(__file__).parents[1] / link).exists(), link
