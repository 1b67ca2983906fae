"""Every block of every page is acted out, or says why it cannot be; the reasons are counted."""

import re
import shlex
from collections import Counter

import pytest
from docs.stage import STAGES
from support.pages import ACTED, REPOSITORY, Reader, blocks, pages

TOLD = [page for page in pages() if any(block.language in ACTED for block in blocks(page))]
NOT_RUN = {
    "it installs packages": 4,
    "it needs Docker": 1,
    "it needs a finished run": 1,
    "it needs a cluster": 3,
    "it needs a server": 4,
    "it needs a table or the network": 1,
    "it takes an hour": 2,
}
"""Why blocks are not run -> how many of them there are, over all pages."""
NEWCOMER = ("README.md", "Add a model")
"""The section that `test_newcomer.py` acts out, command by command."""


@pytest.fixture
def reader(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    return Reader(folder)


@pytest.mark.slow
@pytest.mark.parametrize("page", TOLD)
def test_what_a_page_says_can_be_done(reader, page):
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    reader.environment["CYTOBENCH_TEST_TRACKING"] = "mlflow" if "cytobench ui" in text else "none"
    STAGES.get(page, lambda folder: None)(reader.folder)

    for block in blocks(page):
        if block.reason is None and (page, block.section) != NEWCOMER:
            reader.act(block)


def test_blocks_that_are_not_run_say_why_and_are_counted():
    reasons = Counter(
        block.reason for page in pages() for block in blocks(page) if block.reason is not None
    )

    assert dict(reasons) == NOT_RUN


@pytest.mark.parametrize(
    ("page", "command"),
    [
        (page, command)
        for page in TOLD
        for block in blocks(page)
        if block.reason is not None
        for command in block.commands
        if command.startswith("cytobench run")
    ],
)
def test_a_run_that_is_not_acted_out_composes(cytobench, page, command):
    words = shlex.split(command.partition(" #")[0])

    done = cytobench("run", "--cfg", *words[2:])

    assert "dataset:" in done.stdout


def test_every_fence_says_what_it_is_written_in():
    bare = [
        page
        for page in pages()
        if len(re.findall(r"^ *```", (REPOSITORY / page).read_text(), flags=re.MULTILINE))
        != 2 * len(blocks(page)) + 2 * directives(page)
    ]

    assert bare == []


def directives(page):
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return len(re.findall(r"^ *```\{[\w-]+\}", text, flags=re.MULTILINE))
