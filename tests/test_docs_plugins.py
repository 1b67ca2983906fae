"""The page on plugins, acted out: its files are written, its commands run, in its order."""

import re
import shlex
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
SMALL = "dataset.n=80"
"""Added to the commands that run something: the page shows them without."""


def test_the_smallest_model_has_at_most_eight_lines_of_code():
    (smallest,) = [text for kind, text in BLOCK.findall(PAGE) if "smallest.py" in text]
    lines = [line for line in smallest.splitlines() if line.strip() and not line.startswith("#")]

    assert len(lines) <= 8


@pytest.mark.slow
def test_every_file_and_command_of_the_page_works(working_directory, cytobench):
    pytest.importorskip("torch")
    done = []
    for kind, text in BLOCK.findall(PAGE):
        first, _, _ = text.partition("\n")
        if kind == "python" and first.startswith("# plugins/"):
            path = working_directory / first.removeprefix("# ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif kind == "console":
            for line in text.splitlines():
                words = shlex.split(line.removeprefix("$ "))
                assert words[0] == "cytobench"
                more = [SMALL] if words[1] == "run" else []
                done.append(cytobench(*words[1:], *more))

    assert len(done) == 9
    assert all("Traceback" not in run.stderr for run in done)
    assert any("my_model" in run.stdout for run in done if "AUC" in run.stdout)
