"""What a suite's folder holds: JSON that keeps to its schema, and a README for a code host."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml
from support.boards import HOSTILE, fill

from cytobench.leaderboard.build import boards, write, write_across, write_readmes
from cytobench.leaderboard.readme import SCHEMA, readme, without_folders
from cytobench.leaderboard.render import SCHEMA_VERSION, to_json
from cytobench.leaderboard.schema import schema_text
from cytobench.registry.discover import discover
from cytobench.run.store import RunStore

LEADERBOARDS = Path(__file__).parents[2] / "leaderboards"
CONF = LEADERBOARDS.parent / "conf"
PUBLISHED = sorted(LEADERBOARDS.rglob("*.json"))


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    (found,) = boards(fill(RunStore(tmp_path_factory.mktemp("made") / "runs")), thorough=True)
    return found


@pytest.fixture(scope="module")
def document(board):
    return json.loads(to_json(board))


def test_a_board_keeps_to_its_schema(validator, document):
    validator.validate(document)


def test_the_front_page_links_every_suite_that_is_published():
    page = (LEADERBOARDS / "README.md").read_text(encoding="utf-8")
    published = {path.parent.name for path in LEADERBOARDS.glob("*/README.md")}

    assert set(re.findall(r"\]\(([\w-]+)/README\.md\)", page)) == published


def told_as_missing(header):
    """The rows of a table of the front page, their marks of code taken off."""
    page = (LEADERBOARDS / "README.md").read_text(encoding="utf-8")
    rows = re.search(rf"^{re.escape(header)}\n\|[-|]+\n((?:\|.*\n)+)", page, flags=re.MULTILINE)[1]
    return [[word.strip(" `") for word in line[1:-1].split("|")] for line in rows.splitlines()]


def suites():
    paths = sorted((CONF / "suite").glob("*.yaml"))
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths]


def floors_of(task):
    """What runs beside every model of a task."""
    for path in (CONF / "task" / f"{task}.yaml", CONF / "config.yaml"):
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "floors" in said:
            return set(said["floors"])
    return set()


def expected_rows():
    """Suite, entry -> the models that belong on its board."""
    return {
        (suite["name"], f"{entry['dataset']}-{entry['task']}"): (
            set(suite["models"]) | floors_of(entry["task"])
        )
        for suite in suites()
        for entry in suite["entries"]
    }


def test_a_published_board_has_every_model_of_its_suite_or_says_which_was_not_run():
    absent = set()
    for (suite, entry), models in expected_rows().items():
        text = (LEADERBOARDS / suite / f"{entry}.json").read_text(encoding="utf-8")
        shown = {row["label"] for row in json.loads(text)["rows"]}
        absent |= {(suite, entry, name) for name in models - shown}

    told = told_as_missing("| suite | entry | model | why |")
    assert {tuple(row[:3]) for row in told} == absent
    assert all(row[3].startswith(("not run: ", "does not apply: ")) for row in told)


def test_every_bundled_model_is_in_a_suite_or_the_front_page_says_why_not():
    ranked = set().union(*expected_rows().values())

    told = told_as_missing("| model | why |")
    assert {row[0] for row in told} == set(discover("model")) - ranked
    assert all(why for _, why in told)


@pytest.mark.data
def test_a_cut_off_of_crp_does_not_apply_where_crp_was_not_measured(data_folder, cytobench):
    words = ("dataset=mrsa_plasma", "model=crp_cutoff", "floors=[]", f"data={data_folder}")

    done = cytobench("run", *words, "tracking=none", check=False)

    assert "left out: crp_cutoff needs CRP, which was not measured" in done.stdout


def test_the_rule_of_crp_does_not_apply_to_the_arms_of_the_null_cohort(cytobench):
    words = ("dataset=sim_null", "task=benefit", "model=crp_rule", "floors=[]")

    done = cytobench("run", *words, "tracking=none", check=False)

    assert "left out: crp_rule: which arm is below the cut-off is not plain" in done.stdout
    assert "-> name one: model.below=" in done.stdout
    assert "every model was left out" in done.stderr


def changed(document, change):
    made = copy.deepcopy(document)
    change(made)
    return made


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.update(schema_version=SCHEMA_VERSION + 1),
        lambda it: it.pop("split_plan"),
        lambda it: it.update(origin="/home/somebody"),
        lambda it: it["rows"].clear(),
        lambda it: it["rows"][0].update(rank=1),
        lambda it: it["rows"][0].update(role="winner"),
        lambda it: it["rows"][0]["estimates"]["auc"].update(value="0.7"),
        lambda it: it["rows"][0]["estimates"]["auc"].pop("low"),
        lambda it: it["rows"][0].update(p_against_best=1.5),
        lambda it: it["task"].update(kind="benefit"),
    ],
)
def test_what_the_schema_does_not_know_is_refused(validator, document, change):
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(changed(document, change))


def test_every_field_is_described_or_plain(document):
    fields = json.loads(schema_text())["$defs"]["row"]["properties"]
    assert set(document["rows"][0]) == set(fields)


@pytest.mark.parametrize(
    "path", [p for p in PUBLISHED if not p.name.endswith("schema.json")], ids=lambda p: p.stem
)
def test_published_boards_keep_to_the_schema(validator, path):
    validator.validate(json.loads(path.read_text(encoding="utf-8")))


def test_published_schemas_are_the_packages():
    copies = [path for path in PUBLISHED if path.name == SCHEMA]
    assert copies
    assert {path.read_text(encoding="utf-8") for path in copies} == {schema_text()}


def test_the_readme_leads_to_every_entry_and_says_how_to_repeat_it(board, tmp_path):
    write(board, tmp_path)
    write_across([board], tmp_path)
    write_readmes([board], tmp_path)
    text = (tmp_path / "suite" / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert {"trial-response.md", "trial-response.json", SCHEMA} <= set(links)
    assert all((tmp_path / "suite" / link).is_file() for link in links)
    best = board.rows[0].estimate("auc")
    assert f"AUC {best.value:.3f} ({best.low:.3f} to {best.high:.3f})" in text
    assert "$ cytobench run dataset.path=…/table.csv" in text
    assert "somebody" not in text


def test_a_name_in_the_readme_is_no_markup(board, tmp_path):
    row = next(row for row in board.rows if row.label == HOSTILE)
    changed_order = copy.copy(board)
    object.__setattr__(changed_order, "rows", [row])
    assert "<script" not in readme("suite", [changed_order]).replace("\\<", "")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("dataset.path=/home/a/b.csv", "dataset.path=…/b.csv"),
        ("data=~/cohorts/x", "data=…/x"),
        ("data='C:\\Users\\a\\x.csv'", "data='…/x.csv'"),
        ("cytobench run suite=zoo", "cytobench run suite=zoo"),
        ("model.a/b=1", "model.a/b=1"),
    ],
)
def test_commands_are_published_without_folders(typed, shown):
    assert without_folders(typed) == shown
