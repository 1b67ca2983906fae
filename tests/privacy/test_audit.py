"""A clean store passes; each kind of leak, planted in it, is found where it is."""

import hashlib
import json
import pickle
import shutil
import sqlite3
import zipfile
from contextlib import closing
from dataclasses import replace
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cytobench.core.errors import UsageError
from cytobench.core.hashing import pseudonyms
from cytobench.privacy.audit import audit_folder
from cytobench.privacy.codes import CODES
from cytobench.privacy.knowledge import Knowledge
from cytobench.privacy.material import items

FORTY = range(40)


def codes(found):
    return {code for code, _ in found}


def rewrite(path, **columns):
    """A parquet file with some columns replaced or added; what else it says stays."""
    table = pq.read_table(path)
    metadata = table.schema.metadata
    for name, values in columns.items():
        column = pa.array(list(values)[: len(table)])
        position = table.schema.get_field_index(name)
        table = (
            table.append_column(name, column)
            if position < 0
            else table.set_column(position, name, column)
        )
    pq.write_table(table.replace_schema_metadata(metadata), path)


def test_a_store_without_its_salt_passes(audited):
    assert audited() == []


@pytest.mark.parametrize("folder", ["reports", "leaderboards", "mlartifacts", "mlflow.db"])
def test_what_is_made_of_a_store_passes_and_does_not_name_a_ward_of_three(
    folder, finished, audited
):
    made = finished / folder

    assert audited(made) == []
    texts = [item.text for item in items(made)]
    assert any("clinic" in text for text in texts)
    assert not any("Ward 7" in text for text in texts)


def test_pseudonymous_is_not_anonymous_and_the_audit_says_so(shared, clinic):
    leaks = audit_folder(Knowledge(shared, [clinic]))

    (remark,) = [leak for leak in leaks if leak.code == "P150"]
    assert remark.severity == "note"
    assert remark.sentence.startswith("k = 1: so many of 90 patients")


IDENTIFIERS = {
    "a log": ("run.log", "fold 3: patient KHB-1007, no IL-6\n"),
    "a table": ("wide.csv", "subject;auc\nKHB-1007;0.7\n"),
    "json": ("cell/explanation-009.json", '{"outliers": ["KHB-1007"]}'),
    "a page": ("page.html", "<p>See <b>KHB-1007</b>.</p>"),
    "a figure": ("figure.svg", "<svg><text>KHB-1007</text></svg>"),
    "a pooled identifier": ("notes.txt", "clinic:KHB-1007"),
    "a file's name": ("KHB-1007.txt", "nothing"),
}


@pytest.mark.parametrize("place", IDENTIFIERS)
def test_an_identifier_is_found_in(place, shared, audited):
    name, text = IDENTIFIERS[place]
    (shared / name).parent.mkdir(exist_ok=True)
    (shared / name).write_text(text, encoding="utf-8")

    assert ("P101", name) in audited()


def test_an_identifier_is_found_in_a_bundle_and_in_a_database(shared, audited):
    with zipfile.ZipFile(shared / "bundle.zip", "w") as bundle:
        bundle.writestr("folds/readme.txt", "KHB-1007")
    with sqlite3.connect(shared / "mlflow.db") as database:
        database.execute("CREATE TABLE tags (key TEXT, value TEXT)")
        database.execute("INSERT INTO tags VALUES ('note', 'KHB-1007 was left out')")
    database.close()

    assert {("P101", "bundle.zip/folds/readme.txt"), ("P101", "mlflow.db")} <= set(audited())


def test_short_numbers_are_identifiers_in_a_column_of_patients_only(shared, audited, clinic):
    table = clinic.table.copy()
    table.index = [str(number) for number in range(len(table))]
    numbered = replace(clinic, table=table)
    (shared / "folds.csv").write_text("fold,n train\n1,60\n2,60\n", encoding="utf-8")
    (shared / "list.csv").write_text("patient_id,auc\n7,0.5\n8,0.6\n", encoding="utf-8")

    found = [where for code, where in audited(cohorts=[numbered]) if code == "P101"]

    assert found == ["list.csv"]


@pytest.mark.parametrize("kind", ["sha256", "sha1", "md5"])
def test_a_hash_without_a_salt_is_found_however_short(kind, shared, audited, cell):
    path = next(cell.glob("fold-*.parquet"))
    hashed = [hashlib.new(kind, f"KHB-{1000 + i}".encode()).hexdigest()[:16] for i in FORTY]
    rewrite(path, patient=hashed)

    assert ("P102", path.relative_to(shared).as_posix()) in audited(salt=None)


def test_a_keyed_hash_under_an_empty_key_is_found(shared, audited, clinic):
    (shared / "names.txt").write_text("\n".join(pseudonyms(clinic.patients, b"")))

    assert ("P102", "names.txt") in audited()


def test_patients_who_have_no_pseudonym_are_found_without_the_cohort(audited, cell):
    rewrite(next(cell.glob("fold-*.parquet")), patient=[f"case {i}" for i in FORTY])

    assert "P103" in codes(audited(cohorts=[], salt=None))


def test_pseudonyms_of_another_salt_are_found(audited, cell, clinic):
    rewrite(next(cell.glob("fold-*.parquet")), patient=pseudonyms(clinic.patients, b"other"))

    assert "P103" in codes(audited())


def test_the_salt_in_the_folder_is_found_and_who_can_read_it(finished, shared, audited):
    shutil.copy(finished / "runs" / "salt", shared / "salt")

    (shared / "salt").chmod(0o600)
    assert audited() == [("P104", "salt")]
    (shared / "salt").chmod(0o640)
    assert audited() == [("P104", "salt"), ("P105", "salt")]


def test_rows_that_every_user_can_read_are_found(shared, audited, cell):
    next(cell.glob("fold-*.parquet")).chmod(0o644)

    assert audited() == [("P106", ".")]


@pytest.mark.parametrize("open_one", ["", "-wal", "-journal"])
@pytest.mark.parametrize("alone", [False, True], ids=["in a folder", "named by itself"])
def test_a_database_that_every_user_can_read_is_found(open_one, alone, shared, audited):
    with closing(sqlite3.connect(shared / "mlflow.db")) as database, database:
        database.execute("CREATE TABLE tags (key TEXT)")
    for end in ("", "-wal", "-journal"):
        path = shared / f"mlflow.db{end}"
        path.touch()
        path.chmod(0o600)
    audit = partial(audited, shared / "mlflow.db" if alone else shared)

    assert ("P106", ".") not in audit()
    (shared / f"mlflow.db{open_one}").chmod(0o644)
    assert ("P106", ".") in audit()


def test_a_folder_that_every_user_can_write_is_found(shared, audited):
    shared.chmod(0o777)

    assert audited() == [("P106", ".")]


def test_features_beside_predictions_are_found(audited, cell):
    rewrite(next(cell.glob("fold-*.parquet")), leptin=[0.1 * i for i in FORTY])

    assert "P110" in codes(audited())


def test_features_beside_inner_predictions_are_found(audited, cell):
    inner = next(cell.parent.glob("*/inner-*.parquet"))
    rewrite(inner, age=[20 + 0.5 * i for i in range(200)])

    assert "P110" in codes(audited())


def test_a_table_of_raw_rows_is_found_in_every_form(shared, audited, clinic):
    rows = clinic.baseline().reset_index(drop=True)
    rows.to_csv(shared / "x.csv", index=False)
    rows.to_parquet(shared / "x.parquet")
    rows.to_html(shared / "x.html", index=False)
    rows.to_json(shared / "records.json", orient="records")
    (shared / "example.json").write_text(rows.to_json(orient="split", index=False))

    found = {where.partition(",")[0] for code, where in audited() if code == "P110"}

    assert found == {"x.csv", "x.parquet", "x.html", "records.json", "example.json"}


def test_analytes_of_unknown_patients_are_found_by_name(shared, audited):
    (shared / "t.csv").write_text("subject,IL-6,TNF-a\n1,2.1,3.3\n2,1.9,2.8\n", encoding="utf-8")

    assert "P110" in codes(audited(cohorts=[]))


def test_a_column_that_tells_patients_apart_is_found(audited, cell):
    rewrite(next(cell.glob("fold-*.parquet")), **{"group:ward": [f"bed {i}" for i in FORTY]})

    assert {code for code, _ in audited()} == {"P111"}


def test_free_text_is_found(audited, cell):
    said = [f"came {i} weeks after her husband left" for i in FORTY]
    rewrite(next(cell.glob("fold-*.parquet")), **{"group:remark": said})

    assert {code for code, _ in audited()} == {"P113"}


def name_features(path, *names):
    """The fold with these among the names of what its model saw."""
    table = pq.read_table(path)
    about = json.loads(table.schema.metadata[b"cytobench"])
    about["features"] = [*about["features"], *names]
    metadata = {**table.schema.metadata, b"cytobench": json.dumps(about).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


FEATURES = {
    "sentences": (["remark_came 3 weeks after her husband left"], "P113"),
    "dates": (["seen_2021-03-04"], "P112"),
    "dates as they are spoken": (["seen_4.3.2021"], "P112"),
    "identifiers": (["code_KHB-1007"], "P101"),
    "many values": ([f"sex_said {i}" for i in FORTY], "P111"),
}


@pytest.mark.parametrize("kind", FEATURES)
def test_features_that_are_named_after_patients_are_found(kind, audited, cell):
    names, code = FEATURES[kind]
    fold = next(cell.glob("fold-*.parquet"))
    name_features(fold, *names)

    assert (code, f"{cell.name}/{fold.name}, names of features") in audited()


def test_an_identifier_with_underscores_is_found_after_its_covariate(audited, cell, clinic):
    renamed = clinic.table.set_axis([f"KHB_{i}_x" for i in range(len(clinic))])
    fold = next(cell.glob("fold-*.parquet"))
    name_features(fold, "study_code_KHB_7_x")

    found = audited(cohorts=[replace(clinic, table=renamed)])

    assert ("P101", f"{cell.name}/{fold.name}, names of features") in found


def test_levels_and_analytes_are_no_words_of_a_patient(audited, cell):
    fold = next(cell.glob("fold-*.parquet"))
    name_features(fold, "drug_class_SSRI or SNRI", "IL-17A__below", "IL-12/IL-10", "visit_12-14")

    assert audited() == []


BIRTHS = {
    "titled.csv": "dob,auc\n1980-02-03,0.5\n",
    "rows.csv": "patient,seen\na,03.02.1980\nb,04.02.1980\n",
    "note.json": '{"date_of_birth": "1980-02-03"}',
    "note.txt": "she was born on 3.2.1980",
}


@pytest.mark.parametrize("name", BIRTHS)
def test_a_date_of_birth_is_found(name, shared, audited):
    (shared / name).write_text(BIRTHS[name], encoding="utf-8")

    assert "P112" in codes(audited(cohorts=[]))


CELLS = {
    "board.json": '{"rows": [{"subgroups": [{"level": "site C", "n": 3}]}]}',
    "cohorts/00ff.json": '{"covariates": [{"name": "sex", "levels": {"female": 40, "other": 2}}]}',
    "confusion.csv": "threshold,n,events\n0.5,60,4\n",
    "page.html": "<table><tr><th>site</th><th>n</th></tr><tr><td>C</td><td>3</td></tr></table>",
    "notes.md": "site 'C' has 3 patients, fewer than 10: never tested on",
}


@pytest.mark.parametrize("name", CELLS)
def test_a_small_cell_is_found(name, shared, audited):
    (shared / name).write_text(CELLS[name], encoding="utf-8")

    assert codes(audited()) == {"P120"}


def test_no_patient_and_five_patients_are_no_small_cells(shared, audited):
    (shared / "board.json").write_text('{"n": 0, "events": 5, "folds": 3, "n_test": 12}')

    assert audited() == []


TRACES = {
    "/home/somebody/study/runs": "P130",
    "/Users/somebody/study": "P130",
    r"C:\\Users\\somebody\\study": "P130",
    "/data/homes/somebody/x": "P130",
    "run on wardserver7": "P131",
    "by asmith": "P131",
    "postgresql://me:secret@db.example.org/mlflow": "P132",
    "MLFLOW_TRACKING_PASSWORD=hunter2hunter2": "P132",
    "api_key: 0123456789abcdef": "P132",
    "-----BEGIN OPENSSH PRIVATE KEY-----": "P132",
}


@pytest.mark.parametrize("text", TRACES)
def test_a_trace_of_the_machine_is_found(text, shared, audited):
    (shared / "config.yaml").write_text(f"note: '{text}'\n", encoding="utf-8")

    found = audited(people=["asmith", "wardserver7"], home="/data/homes/somebody")

    assert found == [(TRACES[text], "config.yaml")]


def test_what_holds_no_secret_is_no_credential(shared, audited):
    (shared / "a.yaml").write_text("token: null\npassword: '***'\nuri: http://host:5000/x@y\n")

    assert audited() == []


def test_a_pickle_is_found_by_name_and_by_content(shared, audited):
    (shared / "model.joblib").write_bytes(b"anything")
    (shared / "weights.bin").write_bytes(pickle.dumps({"coef": [1.0]}))
    with zipfile.ZipFile(shared / "checkpoint.zip", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([1]))

    found = audited()

    assert found == [
        ("P140", "checkpoint.zip/archive/data.pkl"),
        ("P140", "model.joblib"),
        ("P140", "weights.bin"),
    ]


def test_a_fitted_model_is_found(shared, audited):
    from sklearn.neighbors import KNeighborsClassifier
    from skops.io import dump

    rows = [[0.1 * k, 0.2 * k] for k in FORTY]
    dump(KNeighborsClassifier().fit(rows, [k % 2 for k in FORTY]), shared / "model.skops")

    assert audited() == [("P143", "model.skops")]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("core.1", b"\x00\xff\xfe\x81 binary"),
        ("half.parquet", b"PAR1 cut off"),
        ("half.db", b"SQLite format 3\0 cut off"),
        ("half.zip", b"PK\x03\x04 cut off"),
    ],
)
def test_what_cannot_be_read_is_said(name, content, shared, audited):
    (shared / name).write_bytes(content)
    (shared / name).chmod(0o600)

    assert codes(audited()) == {"P141"}


def test_a_link_is_not_followed_and_said(shared, audited, tmp_path):
    (tmp_path / "elsewhere.txt").write_text("KHB-1007")
    (shared / "link.txt").symlink_to(tmp_path / "elsewhere.txt")

    assert audited() == [("P142", "link.txt")]


def test_no_finding_repeats_what_it_found(shared, clinic):
    secrets = "KHB-1007 /home/somebody/x postgresql://me:hunter2@host/db dob: 1980-02-03"
    (shared / "log.txt").write_text(secrets, encoding="utf-8")

    said = json.dumps([vars(leak) for leak in audit_folder(Knowledge(shared, [clinic]))])

    assert not any(word in said for word in ("KHB", "somebody", "hunter2", "1980"))


def test_every_code_has_a_severity_and_a_hint():
    assert all(code.hint and code.title and code.explanation for code in CODES.values())


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="E132"):
        audit_folder(Knowledge(tmp_path / "nowhere"))
