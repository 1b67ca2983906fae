"""The README's commands are accepted, and its example plugin works as it stands."""

import re
import shlex
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^\$ cytobench (run .*?)(?:\s+#.*)?$", README, flags=re.MULTILINE)
EXAMPLE = re.search(r"```python\n(.*?)```", README, flags=re.DOTALL)[1]


@pytest.fixture
def example(write_plugin):
    write_plugin("models", "my_elastic_net", EXAMPLE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_composes(command, example, cytobench):
    words = shlex.split(command)

    done = cytobench(*words[:1], "--cfg", *words[1:])

    assert "dataset:" in done.stdout


def test_the_example_plugin_runs(example, cytobench):
    done = cytobench(
        "run", "dataset=sim_inflamed_mdd", "dataset.n=80", "model=my_elastic_net,clinical_only",
        "protocol.repeats=1", "tuning=off", "tracking=none", "engine=serial",
    )  # fmt: skip

    assert "\nmy_elastic_net " in done.stdout


def test_there_are_commands():
    assert len(COMMANDS) >= 4


def test_every_linked_file_is_there():
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    for link in links:
        assert (Path(__file__).parents[1] / link).exists(), link
