"""From a bundle to a row: the same numbers as where it was run, marked, beside local cells."""

import json
import shutil

import pytest
from submission.conftest import FILES, cytobench_in, write_files
from support.dom import parse
from support.tampering import _perfect, _renamed, _shifted, with_folds

from cytobench import plugins as plugin_root
from cytobench.leaderboard.build import boards
from cytobench.leaderboard.render import to_json, to_markdown
from cytobench.leaderboard.tables import table_rows
from cytobench.run.store import RunStore
from cytobench.submission.accept import REVIEWED, accept, remember
from cytobench.submission.bundle import read_bundle
from cytobench.submission.make import make_bundle
from cytobench.submission.verify import Against, verify


@pytest.fixture(scope="session")
def maintained(tmp_path_factory):
    """The maintainer's directory: the same cohorts and suite, the floor run, no model of ours."""
    folder = tmp_path_factory.mktemp("maintained")
    write_files(folder, [name for name in FILES if "our_ridge" not in name])
    done = cytobench_in(
        folder, "run", "suite=ours", "model=guess", "engine=serial", "tracking=none"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def here(maintained, working_directory, monkeypatch):
    """A copy of it as the working directory of this process."""
    folder = working_directory / "maintained"
    shutil.copytree(maintained, folder)
    monkeypatch.chdir(folder)
    plugin_root.refresh()
    return folder


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "bundles"
    path.mkdir()
    return path


def the_board(store, cells, entry="toy-response"):
    (board,) = boards(store, "ours", [entry], thorough=True, submitted=cells)
    return board


def row_of(board, name):
    return next(row for row in json.loads(to_json(board))["rows"] if row["label"] == name)


def test_a_submitted_row_has_the_numbers_that_it_has_where_it_was_run(made, here, folder):
    (folder / "ridge.zip").write_bytes(made.toy)
    accepted = accept(RunStore(here / "runs"), [folder])

    submitted = row_of(the_board(RunStore(here / "runs"), accepted.cells), "our_ridge")
    home = row_of(the_board(made.store, {}), "our_ridge")

    own = ("selection", "verification", "submission")  # inner predictions are not submitted
    for name in home.keys() - set(own):
        assert submitted[name] == home[name], name
    assert submitted["subgroups"]


def badges(board, store, out):
    """On the site's page: label -> the words and the class of the mark that the row bears."""
    from cytobench.site.write import write_site

    write_site([board], store, out)
    page = parse((out / "ours" / "toy-response.html").read_text(encoding="utf-8"))
    marks = {}
    for row in page.one("table", "board").every("tr", "row"):
        head = row.one("th")
        marks[head.one("a").text] = [
            (badge.text, [name for name in badge.classes if name != "badge"])
            for badge in head.every("span", "badge")
        ]
    return marks


def test_local_verified_and_recomputed_rows_look_different(made, here, folder, capsys, tmp_path):
    from cytobench.leaderboard.show import show

    (folder / "ridge.zip").write_bytes(made.toy)
    store = RunStore(here / "runs")

    before = the_board(store, accept(store, [folder]).cells)
    write_files(here, ["plugins/models/our_ridge.py"])
    plugin_root.refresh()
    after = the_board(store, accept(store, [folder], refits=1).cells)
    (here / "plugins" / "models" / "our_ridge.py").unlink()
    remembered = the_board(store, accept(store, [folder]).cells)

    assert [row[0] for row in table_rows(before)] == ["truth", "our_ridge ○", "guess"]
    assert [row[0] for row in table_rows(after)] == ["truth", "our_ridge ✓", "guess"]
    assert "○ submitted, not verified" in to_markdown(before)
    assert "✓ submitted and verified" in to_markdown(after)
    assert row_of(before, "our_ridge")["verification"] == "recomputed"
    assert row_of(after, "our_ridge")["verification"] == "verified"
    assert row_of(after, "guess")["verification"] == "local"
    assert {row.label: row.verification for row in remembered.rows} == {
        "our_ridge": "verified",
        "guess": "local",
    }
    assert badges(before, store, tmp_path / "before") == {
        "truth": [("ceiling", [])],
        "our_ridge": [("recomputed ○", ["recomputed"])],
        "guess": [("floor", [])],
    }
    assert badges(after, store, tmp_path / "after")["our_ridge"] == [("verified ✓", ["verified"])]
    show(after)
    assert "our_ridge ✓" in capsys.readouterr().out


def test_bundles_beside_the_boards_are_picked_up_by_build(made, here):
    submissions = here / "leaderboards" / "ours" / "submissions"
    submissions.mkdir(parents=True)
    (submissions / "ridge.zip").write_bytes(made.toy)

    built = cytobench_in(here, "leaderboard", "build", "ours")

    assert built.returncode == 0, built.stderr
    text = (here / "leaderboards" / "ours" / "toy-response.md").read_text()
    assert "our\\_ridge ○" in text


def test_a_board_can_be_made_of_bundles_alone(made, working_directory, folder):
    (folder / "ridge.zip").write_bytes(made.clinic)

    accepted = accept(RunStore(working_directory / "runs"), [folder])

    assert accepted.verdicts[0].findings[0].code == "E745"  # the suite is not known here
    assert accepted.cells == {}


def test_a_board_of_bundles_alone_ranks_them_where_the_suite_is_known(made, here, folder, tmp_path):
    (folder / "ridge.zip").write_bytes(made.clinic)
    empty = RunStore(tmp_path / "empty")

    board = the_board(empty, accept(empty, [folder]).cells, "clinic-response")

    assert [row.label for row in board.rows] == ["our_ridge"]
    assert {item.variable for item in board.rows[0].assessment.subgroups[0]} == {"sex", "arm"}


def test_a_refused_bundle_is_no_row_and_is_named(made, here, folder):
    (folder / "bad.zip").write_bytes(made.toy[:-100])
    (folder / "ridge.zip").write_bytes(made.toy)
    store = RunStore(here / "runs")

    accepted = accept(store, [folder])

    assert [verdict.state for verdict in accepted.verdicts] == ["refused", "recomputed"]
    assert [row.label for row in the_board(store, accepted.cells).rows] == ["our_ridge", "guess"]


def test_a_flagged_bundle_is_a_row_once_a_person_has_answered_for_it(made, here, folder):
    content = with_folds(made.toy, _perfect)
    (folder / "perfect.zip").write_bytes(content)
    store = RunStore(here / "runs")

    unanswered = accept(store, [folder])
    sha256 = unanswered.verdicts[0].bundle.sha256
    (folder / REVIEWED).write_text(json.dumps({sha256: {"E771": "read, and run on two seeds"}}))
    answered = accept(store, [folder])

    assert unanswered.cells == {}
    text = to_markdown(the_board(store, answered.cells)).replace("\\", "")
    assert "our_ridge was flagged, E771: read, and run on two seeds." in text


def test_rows_of_another_cohort_never_share_the_table(made, here, folder):
    from dataclasses import replace

    (folder / "ridge.zip").write_bytes(made.toy)
    store = RunStore(here / "runs")
    cells = accept(store, [folder]).cells[("ours", "toy-response")]
    other = {**cells[0].about, "dataset": {**cells[0].about["dataset"], "fingerprint": "0" * 64}}

    # Two of them: submissions do not outvote what was run here.
    strangers = [replace(cells[0], about=other, key=key) for key in ("one", "two")]
    board = the_board(store, {("ours", "toy-response"): strangers})

    assert [row.label for row in board.rows] == ["guess"]
    assert board.entry.left_out == 2


def test_a_local_model_bears_no_mark_on_the_site(made, workshop, tmp_path):
    local = the_board(made.store, {})

    assert badges(local, made.store, tmp_path / "site")["our_ridge"] == []


def test_a_cell_that_was_run_here_counts_once(made, workshop, folder):
    (folder / "ridge.zip").write_bytes(made.toy)

    board = the_board(made.store, accept(made.store, [folder]).cells)

    assert {row.label: row.verification for row in board.rows} == {
        "our_ridge": "local",
        "guess": "local",
    }


@pytest.mark.parametrize("name", ["our_ridge", "Our_Ridge", "OurRidge"])
def test_the_name_of_another_row_is_taken(name, made, here, folder):
    (folder / "first.zip").write_bytes(made.toy)
    (folder / "second.zip").write_bytes(_renamed(made.toy, name, source="ab" * 32))

    accepted = accept(RunStore(here / "runs"), [folder])

    assert [[f.code for f in v.findings] for v in accepted.verdicts] == [[], ["E743"]]


def test_a_failed_refit_is_never_remembered(made, workshop, tmp_path):
    store = RunStore(tmp_path / "elsewhere")
    verdict = verify(with_folds(made.toy, _shifted), "x.zip", Against(refits=1))

    remember(store, verdict)

    assert [item.code for item in verdict.findings] == ["E760"]
    assert not (store.root / "reproduced").exists()


def test_the_same_cell_gives_the_same_bytes(workshop):
    for key in workshop.store.entries()["ours"]["toy-response"]:
        cell = workshop.store.read_cell(key)
        if cell.about["model"]["name"] == "our_ridge":
            assert make_bundle("ours", "toy-response", cell) == workshop.toy


def test_a_bundle_holds_no_identifier_no_feature_and_nothing_of_the_machine(made, workshop):
    """Neither the patients' names, nor the store's pseudonyms, nor a level of an analyte."""
    from cytobench.run.cells import load_cohort

    cohort = load_cohort({"name": "clinic"}, None)
    (key, *_) = made.store.entries()["ours"]["clinic-response"]
    pseudonyms = {
        patient for fold in made.store.read_cell(key).folds for patient in fold.predictions.patient
    }

    assert b"Example" not in made.clinic
    assert str(made.folder).encode() not in made.clinic
    assert not [name for name in pseudonyms if name.encode() in made.clinic]
    levels = cohort.column("IL-6").to_numpy()
    assert not [x for x in levels if x.tobytes() in made.clinic or repr(x).encode() in made.clinic]


def test_two_stores_name_a_patient_alike(made, here):
    """Stores have salts of their own; bundles of one cohort can be compared all the same."""
    store = RunStore(here / "runs")
    (key, *_) = store.entries()["ours"]["toy-response"]

    theirs = read_bundle(make_bundle("ours", "toy-response", store.read_cell(key)), "theirs")
    ours = read_bundle(made.toy, "ours")

    assert store.salt() != made.store.salt()
    for mine, other in zip(ours.folds, theirs.folds, strict=True):
        assert mine.predictions.patient == other.predictions.patient
        assert mine.predictions.y == other.predictions.y


def test_a_subgroup_of_three_does_not_leave_the_machine(made):
    bundle = read_bundle(made.toy, "toy")

    assert set(bundle.folds[0].predictions.groups) == {"sex", "arm"}


def test_without_plugin_and_data_numbers_are_recomputed_and_it_says_so(made, here):
    verdict = verify(made.toy, "x.zip", Against(refits=1))

    assert verdict.state == "recomputed"
    assert verdict.notes == ["no fold was refitted: the plugin our_ridge is not installed here"]
