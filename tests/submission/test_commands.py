"""`cytobench leaderboard submit` and `verify`, as a person or a pipeline runs them."""

import json
from pathlib import Path

import pytest
from submission.conftest import FILES, cytobench_in, write_files
from support.tampering import with_json

from cytobench.submission.pages import page

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def elsewhere(tmp_path, made):
    """A directory that knows the suite and the model, and has run nothing."""
    write_files(tmp_path, FILES)
    (tmp_path / "honest.zip").write_bytes(made.toy)
    return tmp_path


def test_an_honest_bundle_is_verified_in_another_directory(elsewhere):
    done = cytobench_in(elsewhere, "leaderboard", "verify", "honest.zip", "--refit", "--json")

    (verdict,) = json.loads(done.stdout)
    assert done.returncode == 0
    assert verdict["state"] == "verified"
    assert verdict["findings"] == []
    assert verdict["against"] == ["the data of toy"]
    (refitted,) = verdict["refitted"]
    assert refitted["exact"]


def test_a_tampered_bundle_is_refused_for_machines_and_for_people(elsewhere, made):
    tampered = with_json(made.toy, "scores.json", lambda scores: scores["auc"].update(value=0.99))
    (elsewhere / "bad.zip").write_bytes(tampered)

    read = cytobench_in(elsewhere, "leaderboard", "verify", "honest.zip", "bad.zip")
    parsed = cytobench_in(elsewhere, "leaderboard", "verify", "bad.zip", "--json")

    assert (read.returncode, parsed.returncode) == (1, 1)
    assert "honest.zip: recomputed" in read.stdout
    assert "bad.zip: refused" in read.stdout
    assert "[E740] bad.zip, scores.json: auc.value is 0." in read.stderr
    (finding,) = json.loads(parsed.stdout)[0]["findings"]
    assert finding["code"] == "E740"
    assert finding["hint"]
    assert "Traceback" not in read.stderr + parsed.stderr


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["verify"], "E709"),
        (["verify", "no_such.zip"], "E709"),
        (["verify", "honest.zip", "--refits", "0"], "E709"),
        (["verify", "honest.zip", "--against", "no/such/folder"], "E709"),
        (["verify", "honest.zip", "--against", "no_such_suite"], "E102"),
        (["submit"], "E703"),
        (["submit", "our_rigde"], "E703"),
        (["build", "no_such_suite"], "E701"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_no_verdict(words, code, elsewhere):
    done = cytobench_in(elsewhere, "leaderboard", *words)

    assert done.returncode == 2
    assert f"[{code}]" in done.stderr
    assert "Traceback" not in done.stderr


def test_one_file_cannot_hold_two_cells(made):
    done = cytobench_in(made.folder, "leaderboard", "submit", "our_ridge", "--out", "one.zip")

    assert done.returncode == 2
    assert "[E704]" in done.stderr
    assert not (made.folder / "one.zip").exists()


def test_a_cell_of_an_edited_plugin_is_not_submitted(made, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(made.folder, folder)
    plugin = folder / "plugins" / "models" / "our_ridge.py"
    plugin.write_text(plugin.read_text() + "\n# another revision\n")

    done = cytobench_in(folder, "leaderboard", "submit", "our_ridge", "--entry", "toy-response")

    assert done.returncode == 2
    assert "[E706]" in done.stderr
    assert "run it again" in done.stderr


def test_a_cell_that_is_not_complete_is_not_submitted(made, tmp_path):
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(made.folder, folder)
    for path in (folder / "runs").glob("*/fold-000.parquet"):
        path.unlink()

    done = cytobench_in(folder, "leaderboard", "submit", "our_ridge", "--entry", "toy-response")

    assert done.returncode == 2
    assert "[E705] our_ridge in ours/toy-response: 5 of 6 folds are done" in done.stderr
    assert "-> finish it: cytobench run suite=ours" in done.stderr


def test_submit_says_what_leaves_the_machine(made, tmp_path):
    done = cytobench_in(
        made.folder, "leaderboard", "submit", "our_ridge", "--suite", "ours",
        "--entry", "clinic-response", "--out", str(tmp_path / "mine.zip"),
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine.zip").read_bytes() == made.clinic
    assert "outcome and prediction of 72 patients in 6 folds" in done.stdout
    assert "subgroups: arm, sex" in done.stdout
    assert "the plugin's source: included" in done.stdout


def test_a_suite_can_be_demanded(elsewhere):
    as_ours = cytobench_in(elsewhere, "leaderboard", "verify", "honest.zip", "--against", "ours")
    as_zoo = cytobench_in(elsewhere, "leaderboard", "verify", "honest.zip", "--against", "zoo")

    assert as_ours.returncode == 0, as_ours.stderr
    assert as_zoo.returncode == 1
    assert "[E745]" in as_zoo.stderr


def test_the_page_of_codes_is_made_from_the_register():
    committed = (DOCS / "bundle-codes.md").read_text(encoding="utf-8")

    assert committed == page(), (
        "make it anew: python -m cytobench.submission.pages > docs/bundle-codes.md"
    )


def test_a_refit_that_takes_too_long_is_stopped(elsewhere):
    words = ["honest.zip", "--refit", "--fold-seconds", "0.01", "--json"]

    done = cytobench_in(elsewhere, "leaderboard", "verify", *words)

    (verdict,) = json.loads(done.stdout)
    (finding,) = verdict["findings"]
    assert (done.returncode, verdict["state"], finding["code"]) == (1, "refused", "E761")
    assert "took longer than 0.01 s and was stopped" in finding["message"]


def test_verifying_without_a_refit_runs_nothing_of_the_plugin(elsewhere, made):
    """The plugin of a pull request lies there, and nobody has read it."""
    plugin = elsewhere / "plugins" / "models" / "our_ridge.py"
    plugin.write_text(
        plugin.read_text() + "\nimport pathlib\npathlib.Path('i-was-here').write_text('!')\n"
    )

    done = cytobench_in(elsewhere, "leaderboard", "verify", "honest.zip")

    assert "[E742]" in done.stderr
    assert not (elsewhere / "i-was-here").exists()


def test_every_protocol_gives_bundles_that_are_verified(tmp_path):
    """Cells of no suite: a locked test set, resamples, and folds without a search."""
    write_files(tmp_path, FILES)
    for protocol in (
        ["holdout"],
        ["bootstrap", "protocol.resamples=3"],
        ["repeated_stratified", "protocol.folds=2", "protocol.repeats=1", "tuning=off"],
    ):
        ran = cytobench_in(
            tmp_path, "run", "dataset=toy", "model=our_ridge", f"protocol={protocol[0]}",
            *protocol[1:], "protocol.inner_folds=2", "tuning.trials=2", "floors=[]",
            "engine=serial", "tracking=none",
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
    sent = cytobench_in(tmp_path, "leaderboard", "submit", "our_ridge", "--out", "sent")
    assert sent.returncode == 0, sent.stderr

    bundles = [str(path) for path in sorted((tmp_path / "sent").glob("*.zip"))]
    done = cytobench_in(
        tmp_path, "leaderboard", "verify", *bundles, "--refit", "--json", "--store", "none"
    )

    assert [item["state"] for item in json.loads(done.stdout)] == ["verified"] * 3
