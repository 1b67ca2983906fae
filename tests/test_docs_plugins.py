"""The pages on plugins and networks, acted out: files are written, commands run, in their order."""

import re
import shlex
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
SMALL = ["dataset.n=80"]
"""Added to the commands that run something: the pages show them without."""


def blocks(page):
    return BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))


@pytest.mark.slow
def test_the_page_on_treatment_rules_is_true(working_directory, cytobench):
    (rule,) = [text for kind, text in blocks("benefit.md") if kind == "python"]
    path = working_directory / rule.partition("\n")[0].removeprefix("# ")
    path.parent.mkdir(parents=True)
    path.write_text(rule, encoding="utf-8")
    commands = [
        shlex.split(line.removeprefix("$ cytobench "))
        for kind, text in blocks("benefit.md")
        if kind == "console"
        for line in text.splitlines()
    ]

    composed = [cytobench(words[0], "--cfg", *words[1:]) for words in commands]
    done = cytobench(*commands[-1], *SMALL, "tracking=none")

    assert len(commands) == 5
    assert all("task:" in one.stdout for one in composed)
    assert "\nlow_il6 " in done.stdout
    assert "value: mean outcome if everybody were treated by the rule" in done.stdout


def test_the_smallest_model_has_at_most_eight_lines_of_code():
    (smallest,) = [text for _, text in blocks("plugins.md") if "smallest.py" in text]
    lines = [line for line in smallest.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) <= 8


@pytest.mark.slow
@pytest.mark.parametrize(
    ("page", "commands"), [("plugins.md", 9), ("networks.md", 1), ("limits.md", 1)]
)
def test_every_file_and_command_of_the_page_works(working_directory, cytobench, page, commands):
    pytest.importorskip("torch")
    done = []
    for kind, text in blocks(page):
        first, _, _ = text.partition("\n")
        if kind == "python" and first.startswith("# plugins/"):
            path = working_directory / first.removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif kind == "console":
            for line in text.splitlines():
                words = shlex.split(line.removeprefix("$ "))
                assert words[0] == "cytobench"
                quick = [*SMALL, "protocol.repeats=1", "tuning.trials=2", "tracking=none"]
                named = {word.partition("=")[0] for word in words}
                more = [item for item in quick if item.partition("=")[0] not in named]
                done.append(cytobench(*words[1:], *(more if words[1] == "run" else [])))

    assert len(done) == commands
    assert all("Traceback" not in run.stderr for run in done)
    assert any("AUC" in run.stdout for run in done)
