"""``cytobench info`` on cohorts."""

import json


def test_a_cohort_is_shown_in_aggregates(cytobench):
    done = cytobench("info", "sim_inflamed_mdd", "dataset.n=150")

    assert "patients    150" in done.stdout
    assert "IL-6" in done.stdout
    assert "Outcome: Response" in done.stdout
    assert "SIM-00001" not in done.stdout


def test_the_page_is_written_where_asked(cytobench, working_directory):
    done = cytobench("info", "sim_null", "dataset.n=100", "--output", "pages")

    page = working_directory / "pages" / "cohort-sim_null.html"
    assert f"wrote {page.relative_to(working_directory)}" in done.stdout
    assert page.read_text().startswith("<!doctype html>")


def test_json_is_json(cytobench):
    facts = json.loads(cytobench("info", "--json", "sim_null", "dataset.n=100").stdout)

    assert facts["n"] == 100


def test_several_studies_are_a_cohort_too(cytobench):
    done = cytobench("info", "sim_null+sim_inflamed_mdd", "dataset.studies.sim_null.n=100")

    assert "2 studies as one" in done.stdout
    assert "analytes are common to" in done.stdout


def test_without_its_files_a_study_still_has_a_card(cytobench):
    done = cytobench("info", "canbind1", check=False, CYTOBENCH_DATA="")

    assert done.returncode == 1
    assert "access      apply to" in done.stdout
    assert "caveat" in done.stdout
    assert "[E310]" in done.stderr
