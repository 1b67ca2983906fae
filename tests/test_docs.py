"""Pages name what there is; `docs/test_pages.py` acts out what they say."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def test_every_preprocessing_option_is_documented():
    from dataclasses import fields

    from cytobench.preprocess.features import GROUPS
    from cytobench.preprocess.recipe import CHOICES, Recipe

    text = (DOCS / "preprocessing.md").read_text()
    words = [field.name for field in fields(Recipe) if field.name != "name"]
    words += [*GROUPS, *CHOICES["censored"]]

    assert [word for word in words if f"`{word}" not in text] == []


def test_every_configured_table_is_in_the_page_of_cohorts_with_how_to_get_it():
    import yaml

    text = (DOCS / "cohorts.md").read_text()
    for path in sorted((DOCS.parent / "conf" / "dataset").glob("*.yaml")):
        rows = [line for line in text.splitlines() if line.startswith("| `")]
        (line,) = [row for row in rows if f"`{path.stem}`" in row.split("|")[1]]
        config = yaml.safe_load(path.read_text())
        if "access" in config:
            continue
        fetched = all("url" in item for item in config["files"])
        assert ("cytobench fetch" in line) == fetched, path.stem


def test_the_snippet_on_leaderboards_reads_what_is_published(monkeypatch):
    monkeypatch.chdir(DOCS.parent)
    (snippet,) = re.findall(
        r"```python\n(.*?)```", (DOCS / "leaderboards.md").read_text(), flags=re.DOTALL
    )
    found: dict[str, object] = {}

    exec(snippet, found)

    assert found["tied"]


def test_the_page_on_leaderboards_names_the_actions_that_there_are():
    from cytobench.cli.leaderboard_command import ACTIONS

    text = (DOCS / "leaderboards.md").read_text()
    named = set(re.findall(r"^\$ cytobench leaderboard (\w+)", text, flags=re.MULTILINE))

    assert named == set(ACTIONS)
