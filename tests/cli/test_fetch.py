"""``cytobench fetch``."""

import hashlib


def test_what_cannot_be_fetched_says_why(cytobench):
    done = cytobench("fetch", "psoriasis_hads", "--to", "data", check=False)

    assert done.returncode == 1
    assert "cannot be fetched; made from an xlsx file" in done.stdout
    assert "licence: none stated" in done.stdout


def test_a_dataset_without_files_says_what_to_do(cytobench):
    simulated = cytobench("fetch", "sim_null", check=False)
    controlled = cytobench("fetch", "canbind1", check=False)

    assert simulated.returncode == controlled.returncode == 2
    assert "simulated cohorts need none" in simulated.stderr
    assert "Brain-CODE" in controlled.stderr


def test_a_table_of_one_s_own_is_not_fetched_but_looked_for(cytobench, working_directory):
    folder = working_directory / "conf" / "dataset"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("name: mine\nsource: {file: mine.csv}\n")

    done = cytobench("fetch", "mine", check=False)

    assert done.returncode == 2
    assert "a table of your own is looked for in data=FOLDER" in done.stderr


def test_a_table_of_one_s_own_can_be_pinned(cytobench, working_directory):
    content = b"id,IL-6,y\n" + b"".join(b"p%d,%d.5,%d\n" % (k, k + 1, k % 2) for k in range(40))
    (working_directory / "data").mkdir()
    (working_directory / "data" / "mine.csv").write_bytes(content)
    (working_directory / "conf" / "dataset").mkdir(parents=True)
    (working_directory / "conf" / "dataset" / "mine.yaml").write_text(
        "name: mine\nsource: {file: mine.csv}\npatient: id\n"
        "analytes: {columns: [IL-6], unit: pg/mL}\noutcome: {label: y, positive: [1]}\n"
        f"files: [{{file: mine.csv, sha256: {hashlib.sha256(content).hexdigest()}}}]\n"
    )

    fine = cytobench("info", "mine")
    (working_directory / "data" / "mine.csv").write_bytes(content + b"p40,3.5,1\n")
    changed = cytobench("info", "mine", check=False)
    accepted = cytobench("info", "mine", "++dataset.verify_files=false")

    assert "patients    40" in fine.stdout
    assert "[E371]" in changed.stderr
    assert "++dataset.verify_files=false" in changed.stderr, "the hint is what was just tried"
    assert "patients    41" in accepted.stdout


def test_several_studies_are_fetched_one_after_the_other(cytobench):
    pooled = cytobench("fetch", "mg_steroid+psoriasis_hads", "--to", "data", check=False)
    listed = cytobench("fetch", "mg_steroid,psoriasis_hads", "--to", "data", check=False)

    assert pooled.returncode == listed.returncode == 1
    assert pooled.stdout == listed.stdout
    assert "mg_steroid: " in pooled.stdout
    assert "psoriasis_hads: " in pooled.stdout
