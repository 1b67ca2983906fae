"""Bundles as nobody should make them: one small function for each way to tamper with an honest one.

Each function is entered with the code that it has to be refused with. Where a forger would cover
his tracks (manifest, key, scores), so do these: what is left is the one fault that they are about.
"""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from cytobench.submission.archive import pack, unpack
from cytobench.submission.bundle import fold_member, read_bundle
from cytobench.submission.exchange import cell_key, fold_bytes, scores_of
from cytobench.submission.make import seal, written
from cytobench.submission.names import exchange_name
from cytobench.submission.table import read_table, write_table


@dataclass(frozen=True)
class Honest:
    """What tampering starts from: bundles of two models on one cohort, and of another cohort."""

    toy: bytes
    clinic: bytes
    guess: bytes


@dataclass(frozen=True)
class Tampering:
    code: str
    function: Callable[[Honest], bytes]
    refit: bool = False

    @property
    def name(self):
        return self.function.__name__


ALL: list[Tampering] = []


def refused_with(code, *, refit=False):
    def enter(function):
        ALL.append(Tampering(code, function, refit))
        return function

    return enter


def members_of(content):
    return {k: v for k, v in unpack(content, "honest").items() if k != "manifest.json"}


def with_member(content, name, value):
    """Another content of a member, the manifest made to fit."""
    return seal({**members_of(content), name: value})


def with_json(content, name, change):
    """A JSON member after `change` has been at it, the manifest made to fit."""
    document = json.loads(members_of(content)[name])
    change(document)
    return with_member(content, name, written(document))


def with_cell(content, change):
    """What is said of the cell, its key and that in every fold made to fit."""
    members = members_of(content)
    cell = json.loads(members["cell.json"])
    bundle = read_bundle(content, "honest")
    environment = json.loads(members["environment.json"])
    change(cell, environment)
    about = {**cell["about"], "model": bundle.about["model"], "versions": environment["versions"]}
    cell["key"] = cell_key(cell, about)
    members["cell.json"] = written(cell)
    members["environment.json"] = written(environment)
    for fold in bundle.folds:
        members[fold_member(fold.fold)] = fold_bytes(cell["key"], about, fold)
    return seal(members)


def with_folds(content, change, *, rescore=True):
    """Other folds: `change` takes and returns them; counts and scores made to fit."""
    members = members_of(content)
    bundle = read_bundle(content, "honest")
    folds = change(list(bundle.folds))
    for fold in folds:
        members[fold_member(fold.fold)] = fold_bytes(bundle.key, bundle.about, fold)
    if rescore:
        cell = json.loads(members["cell.json"])
        y = {
            patient: value
            for fold in folds
            for patient, value in zip(fold.predictions.patient, fold.predictions.y, strict=True)
        }
        cell["about"]["events"] = int(sum(y.values()))
        cell["about"]["outcome_mean"] = float(np.mean(list(y.values())))
        members["cell.json"] = written(cell)
        members["scores.json"] = written(scores_of(bundle.about, folds))
    return seal(members)


def predicting(fold, prediction):
    return replace(fold, predictions=replace(fold.predictions, prediction=list(prediction)))


def rezipped(content, write):
    """The same members in a new archive that `write` adds to; nothing else is made to fit."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, value in unpack(content, "honest").items():
            archive.writestr(name, value)
        write(archive)
    return buffer.getvalue()


# ---- the archive


@refused_with("E710")
def is_no_zip(honest):
    return b"\x80\x04\x95 this is a pickle, perhaps"


@refused_with("E710")
def is_empty(honest):
    return b""


@refused_with("E710")
def is_cut_off(honest):
    return honest.toy[: len(honest.toy) // 2]


@refused_with("E711")
def has_three_thousand_members(honest):
    return pack({f"folds/{k}.json": b"{}" for k in range(3000)})


@refused_with("E711")
def is_a_zip_bomb(honest):
    def bomb(archive):
        archive.writestr("folds/9999.parquet", bytes(70 * 2**20), zipfile.ZIP_DEFLATED)

    return rezipped(honest.toy, bomb)


@refused_with("E712")
def writes_to_an_absolute_path(honest):
    return rezipped(honest.toy, lambda archive: archive.writestr("/etc/cron.d/job", b"x"))


@refused_with("E712")
def climbs_out_of_the_archive(honest):
    return rezipped(honest.toy, lambda archive: archive.writestr("folds/../../conf.json", b"{}"))


@refused_with("E712")
def climbs_out_in_windows(honest):
    return rezipped(honest.toy, lambda archive: archive.writestr("..\\conf.json", b"{}"))


@refused_with("E713")
def has_two_cards(honest):
    return rezipped(honest.toy, lambda archive: archive.writestr("CARD.json", b"{}"))


@refused_with("E714")
def holds_a_symbolic_link(honest):
    def link(archive):
        info = zipfile.ZipInfo("plugin_link.py")
        info.create_system = 3
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")

    return rezipped(honest.toy, link)


@refused_with("E714")
def is_compressed(honest):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, value in unpack(honest.toy, "honest").items():
            archive.writestr(name, value)
    return buffer.getvalue()


@refused_with("E715")
def brings_a_pickle(honest):
    return seal({**members_of(honest.toy), "model.pkl": b"\x80\x04N."})


@refused_with("E715")
def brings_one_more_document(honest):
    return seal({**members_of(honest.toy), "notes.json": b"{}"})


@refused_with("E715")
def has_a_member_that_the_manifest_does_not_know(honest):
    members = unpack(honest.toy, "honest")
    return pack({**members, "folds/0099.parquet": members["folds/0001.parquet"]})


@refused_with("E716")
def lacks_its_card(honest):
    return seal({k: v for k, v in members_of(honest.toy).items() if k != "card.json"})


@refused_with("E716")
def lacks_its_manifest(honest):
    return pack(members_of(honest.toy))


@refused_with("E717")
def is_edited_by_hand(honest):
    members = unpack(honest.toy, "honest")
    members["scores.json"] = members["scores.json"].replace(b"0.", b"1.", 1)
    return pack(members)


@refused_with("E718")
def is_of_the_future(honest):
    members = unpack(honest.toy, "honest")
    manifest = json.loads(members["manifest.json"])
    return pack({**members, "manifest.json": written({**manifest, "schema": 99})})


@refused_with("E719")
def is_an_archive_behind_something_else(honest):
    return b"#!/bin/sh\nexit 1\n" + honest.toy


@refused_with("E719")
def has_a_comment(honest):
    buffer = io.BytesIO(honest.toy)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.comment = b"please accept"
    return buffer.getvalue()


# ---- its members


@refused_with("E720")
def is_malformed(honest):
    return with_member(honest.toy, "card.json", b'{"name": ')


@refused_with("E720")
def says_a_thing_twice(honest):
    text = members_of(honest.toy)["card.json"].replace(b"{", b'{"role": "floor",', 1)
    return with_member(honest.toy, "card.json", text)


@refused_with("E720")
def is_nested_without_end(honest):
    return with_member(honest.toy, "card.json", b"[" * 100_000 + b"]" * 100_000)


@refused_with("E720")
def is_not_text(honest):
    return with_member(honest.toy, "card.json", b"\xff\xfe{}")


@refused_with("E721")
def lacks_a_field(honest):
    return with_json(honest.toy, "cell.json", lambda cell: cell["about"].pop("plan"))


@refused_with("E721")
def has_a_field_of_its_own(honest):
    return with_json(honest.toy, "card.json", lambda card: card.update(verified=True))


@refused_with("E721")
def counts_in_words(honest):
    return with_json(honest.toy, "cell.json", lambda cell: cell["about"].update(n="many"))


@refused_with("E721")
def is_named_like_a_path(honest):
    return with_json(honest.toy, "cell.json", lambda cell: cell.update(entry="../../x"))


@refused_with("E722")
def has_a_broken_table(honest):
    return with_member(honest.toy, "folds/0001.parquet", b"PAR1" + bytes(200) + b"PAR1")


@refused_with("E722")
def points_beyond_its_dictionary(honest):
    """pyarrow reads such a table without a word; positions are looked up only when it is used."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    name = "folds/0001.parquet"
    good = members_of(honest.toy)[name]
    for place in range(4, len(good)):
        bad = good[:place] + b"\xff" + good[place + 1 :]
        try:
            table = pq.ParquetFile(pa.BufferReader(bad), read_dictionary=["patient"]).read()
        except (pa.ArrowException, OSError):
            continue
        try:
            table.validate(full=True)
        except pa.ArrowInvalid:
            return with_member(honest.toy, name, bad)
    raise AssertionError("no such byte")


def _fold_with(honest, change):
    name = "folds/0001.parquet"
    record, columns = read_table(members_of(honest.toy)[name], "classification", name)
    return change(record, columns)


@refused_with("E723")
def hides_an_object_in_a_table(honest):
    import pickle

    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = pa.BufferOutputStream()
    objects = pa.array([pickle.dumps(print)] * 3, pa.binary())
    pq.write_table(pa.table({"patient": objects, "y": objects, "prediction": objects}), buffer)
    content = buffer.getvalue().to_pybytes()
    return with_member(honest.toy, "folds/0001.parquet", content)


@refused_with("E723")
def sends_a_feature_along(honest):
    def change(record, columns):
        return write_table(record, {**columns, "IL-6": ["1.3"] * len(columns["y"])})

    return with_member(honest.toy, "folds/0001.parquet", _fold_with(honest, change))


@refused_with("E724")
def has_a_million_rows(honest):
    def change(record, columns):
        return write_table(record, {name: values[:1] * 10**6 for name, values in columns.items()})

    return with_member(honest.toy, "folds/0001.parquet", _fold_with(honest, change))


def _with_prediction(honest, value):
    def change(folds):
        first = list(folds[0].predictions.prediction)
        return [predicting(folds[0], [value, *first[1:]]), *folds[1:]]

    return with_folds(honest.toy, change, rescore=False)


@refused_with("E725")
def predicts_nothing(honest):
    return _with_prediction(honest, float("nan"))


@refused_with("E725")
def predicts_more_than_certainty(honest):
    return _with_prediction(honest, 1.5)


@refused_with("E725")
def predicts_infinity(honest):
    return _with_prediction(honest, float("inf"))


@refused_with("E725")
def states_a_number_beyond_all_numbers(honest):
    text = members_of(honest.toy)["scores.json"].replace(b'"value": 0', b'"value": 1e999', 1)
    return with_member(honest.toy, "scores.json", text)


@refused_with("E725")
def states_a_number_of_a_thousand_digits(honest):
    def change(scores):
        scores["auc"]["value"] = 10**1000

    return with_json(honest.toy, "scores.json", change)


@refused_with("E726")
def brings_markup(honest):
    return with_json(
        honest.toy, "card.json", lambda card: card.update(summary="<script>alert(1)</script>")
    )


@refused_with("E726")
def brings_a_link(honest):
    return with_json(
        honest.toy, "card.json", lambda card: card.update(citation="[see](javascript:x)")
    )


@refused_with("E726")
def brings_a_formula(honest):
    return with_json(
        honest.toy, "card.json", lambda card: card.update(licence='=HYPERLINK("x","y")')
    )


@refused_with("E726")
def writes_backwards(honest):
    return with_json(
        honest.toy, "card.json", lambda card: card.update(summary="A model \u202emodel A")
    )


# ---- the folds


@refused_with("E730")
def leaves_a_bad_fold_out(honest):
    return seal({k: v for k, v in members_of(honest.toy).items() if k != "folds/0002.parquet"})


@refused_with("E731")
def swaps_two_folds(honest):
    members = members_of(honest.toy)
    one, two = "folds/0000.parquet", "folds/0001.parquet"
    return seal({**members, one: members[two], two: members[one]})


@refused_with("E731")
def counts_a_good_fold_twice(honest):
    members = members_of(honest.toy)
    return seal({**members, "folds/0001.parquet": members["folds/0000.parquet"]})


@refused_with("E732")
def borrows_a_fold_of_another_model(honest):
    return with_member(
        honest.toy, "folds/0001.parquet", members_of(honest.guess)["folds/0001.parquet"]
    )


@refused_with("E733")
def borrows_a_fold_of_another_cohort(honest):
    return with_member(
        honest.toy, "folds/0001.parquet", members_of(honest.clinic)["folds/0001.parquet"]
    )


def _relabelled_fold(honest, **changes):
    def change(record, columns):
        return write_table({**record, **changes}, columns)

    return with_member(honest.toy, "folds/0001.parquet", _fold_with(honest, change))


@refused_with("E734")
def mixes_split_plans(honest):
    return _relabelled_fold(honest, plan="0" * 64)


@refused_with("E733")
def takes_in_a_patient_of_nowhere(honest):
    def change(folds):
        parts = folds[0].predictions
        stranger = replace(parts, patient=["0" * 16, *parts.patient[1:]])
        return [replace(folds[0], predictions=stranger), *folds[1:]]

    return with_folds(honest.toy, change, rescore=False)


@refused_with("E735")
def tests_an_easy_patient_twice(honest):
    def change(folds):
        parts = folds[0].predictions
        twice = replace(parts, patient=[parts.patient[1], *parts.patient[1:]])
        return [replace(folds[0], predictions=twice), *folds[1:]]

    return with_folds(honest.toy, change, rescore=False)


@refused_with("E736")
def changes_an_outcome_in_one_repeat(honest):
    def change(folds):
        parts = folds[-1].predictions
        other = replace(parts, y=[1 - parts.y[0], *parts.y[1:]])
        return [*folds[:-1], replace(folds[-1], predictions=other)]

    return with_folds(honest.toy, change, rescore=False)


@refused_with("E736")
def has_an_outcome_between_the_classes(honest):
    return with_folds(honest.toy, lambda folds: _with_outcomes(folds, lambda y: y / 2))


@refused_with("E736")
def knows_the_truth_about_real_patients(honest):
    def change(folds):
        return [
            replace(fold, predictions=replace(fold.predictions, truth=fold.predictions.prediction))
            for fold in folds[:1]
        ] + folds[1:]

    return with_folds(honest.clinic, change, rescore=False)


@refused_with("E737")
def states_more_patients(honest):
    def change(cell):
        cell["about"]["n"] += 1
        cell["about"]["dataset"]["patients"] += 1

    return with_json(honest.toy, "cell.json", change)


@refused_with("E737")
def states_more_events(honest):
    def change(cell):
        cell["about"]["events"] += 1

    return with_json(honest.toy, "cell.json", change)


@refused_with("E738")
def leaves_a_hard_patient_out_of_one_repeat(honest):
    def change(folds):
        parts = folds[-1].predictions
        fewer = replace(
            parts,
            **{
                name: list(getattr(parts, name))[:-1]
                for name in ("patient", "y", "prediction", "arm", "site", "truth")
            },
            groups={name: list(levels)[:-1] for name, levels in parts.groups.items()},
        )
        return [*folds[:-1], replace(folds[-1], predictions=fewer)]

    return with_folds(honest.toy, change)


@refused_with("E738")
def reorders_its_patients(honest):
    def change(folds):
        parts = folds[0].predictions
        turned = replace(parts, patient=list(parts.patient)[::-1])
        return [replace(folds[0], predictions=turned), *folds[1:]]

    return with_folds(honest.toy, change)


@refused_with("E739")
def makes_the_null_model_look_bad(honest):
    def change(folds):
        return [replace(fold, train_mean=0.99) for fold in folds]

    return with_folds(honest.toy, change)


@refused_with("E739")
def states_a_larger_training_part(honest):
    def change(folds):
        return [replace(fold, n_train=fold.n_train + 1) for fold in folds]

    return with_folds(honest.toy, change)


# ---- what it claims


@refused_with("E740")
def states_a_better_score(honest):
    def change(scores):
        scores["auc"]["value"] += 0.01

    return with_json(honest.toy, "scores.json", change)


@refused_with("E740")
def leaves_a_score_out(honest):
    return with_json(honest.toy, "scores.json", lambda scores: scores.pop("ici"))


@refused_with("E740")
def has_better_predictions_under_its_old_scores(honest):
    def change(folds):
        return [predicting(f, np.asarray(f.predictions.prediction) ** 2) for f in folds]

    return with_folds(honest.toy, change, rescore=False)


@refused_with("E741")
def shows_another_source(honest):
    return with_member(honest.toy, "plugin.py", members_of(honest.toy)["plugin.py"] + b"# harmless")


@refused_with("E742")
def calls_itself_like_a_bundled_plugin(honest):
    return _renamed(honest.toy, "elastic_net")


@refused_with("E742")
def calls_itself_almost_like_a_bundled_plugin(honest):
    return _renamed(honest.toy, "Elastic_Net")


def _renamed(content, name, source=None):
    """Another name (and source), everywhere, the key made to fit."""
    members = members_of(content)
    bundle = read_bundle(content, "honest")
    card, cell = json.loads(members["card.json"]), json.loads(members["cell.json"])
    plugin = json.loads(members["plugin.json"])
    card["name"] = name
    cell["about"]["config"]["model"]["name"] = name
    if source is not None:
        plugin.update(source=source, file=source, why="its card names no open licence")
        members.pop("plugin.py", None)
    model = {**bundle.about["model"], "name": name, "source": plugin["source"]}
    about = {**bundle.about, **cell["about"], "model": model}
    cell["key"] = cell_key(cell, about)
    members |= {
        "card.json": written(card),
        "cell.json": written(cell),
        "plugin.json": written(plugin),
    }
    for fold in bundle.folds:
        members[fold_member(fold.fold)] = fold_bytes(cell["key"], about, fold)
    return seal(members)


@refused_with("E744")
def searches_longer_than_the_suite_allows(honest):
    def change(cell, _):
        cell["about"]["config"]["tuning"]["trials"] = 200

    return with_cell(honest.toy, change)


@refused_with("E744")
def has_another_seed_than_the_suite(honest):
    def change(cell, _):
        cell["about"]["config"]["seed"] = 7

    return with_cell(honest.toy, change)


@refused_with("E744")
def has_another_protocol_than_the_suite(honest):
    def change(cell, _):
        cell["about"]["protocol"]["inner_folds"] = 2

    return with_cell(honest.toy, change)


@refused_with("E744")
def has_a_parameter_of_its_own_under_the_suite(honest):
    def change(cell, _):
        cell["about"]["config"]["model"]["C"] = 0.3

    return with_cell(honest.toy, change)


@refused_with("E745")
def claims_a_suite_that_there_is_not(honest):
    return with_json(honest.toy, "cell.json", lambda cell: cell.update(suite="nobel"))


@refused_with("E745")
def claims_an_entry_that_there_is_not(honest):
    return with_json(honest.toy, "cell.json", lambda cell: cell.update(entry="zoo-response"))


@refused_with("E746")
def is_a_permutation(honest):
    def change(cell, _):
        cell["about"]["permutation"] = 3

    return with_cell(honest.toy, change)


@refused_with("E747")
def calls_itself_a_floor(honest):
    return with_json(honest.toy, "card.json", lambda card: card.update(role="floor"))


@refused_with("E747")
def sees_the_other_test_patients(honest):
    return with_json(honest.toy, "card.json", lambda card: card.update(transductive=True))


@refused_with("E748")
def tried_more_settings_than_it_says(honest):
    def change(folds):
        more = [replace(trial, number=trial.number + 2) for trial in folds[0].trials]
        return [replace(folds[0], trials=[*folds[0].trials, *more]), *folds[1:]]

    return with_folds(honest.toy, change)


@refused_with("E748")
def did_not_use_its_best_setting(honest):
    def change(folds):
        return [replace(folds[0], params={**folds[0].params, "C": 77.0}), *folds[1:]]

    return with_folds(honest.toy, change)


@refused_with("E749")
def says_something_else_of_its_cell(honest):
    def change(cell):
        cell["about"]["config"]["device"] = "cuda"

    return with_json(honest.toy, "cell.json", change)


# ---- against the reference


def _with_outcomes(folds, of):
    """Other outcomes, the same in every fold; training means made to fit."""
    y = {}
    for fold in folds:
        y.update(zip(fold.predictions.patient, fold.predictions.y, strict=True))
    names = list(y)
    values = dict(zip(names, of(np.array([y[name] for name in names])), strict=True))
    changed = []
    for fold in folds:
        mine = [float(values[patient]) for patient in fold.predictions.patient]
        mean = float((sum(values.values()) - sum(mine)) / fold.n_train)
        parts = replace(fold.predictions, y=mine)
        changed.append(replace(fold, predictions=parts, train_mean=mean))
    return changed


@refused_with("E750")
def falsifies_two_outcomes(honest):
    def of(y):
        first, second = np.flatnonzero(y == 0)[0], np.flatnonzero(y == 1)[0]
        y[first], y[second] = 1, 0
        return y

    return with_folds(honest.toy, lambda folds: _with_outcomes(folds, of))


@refused_with("E750")
def permutes_its_outcomes(honest):
    def of(y):
        return np.random.default_rng(0).permutation(y)

    return with_folds(honest.clinic, lambda folds: _with_outcomes(folds, of))


@refused_with("E751")
def tests_other_patients(honest):
    def change(folds):
        one, two = folds[-2].predictions, folds[-1].predictions
        here = 0
        there = list(two.y).index(one.y[here])
        a, b = {}, {}
        for name in ("patient", "y", "prediction", "truth"):
            a[name], b[name] = list(getattr(one, name)), list(getattr(two, name))
            a[name][here], b[name][there] = b[name][there], a[name][here]
        groups = [{}, {}]
        for name in one.groups:
            first, second = list(one.groups[name]), list(two.groups[name])
            first[here], second[there] = second[there], first[here]
            groups[0][name], groups[1][name] = first, second
        return [
            *folds[:-2],
            replace(folds[-2], predictions=replace(one, **a, groups=groups[0])),
            replace(folds[-1], predictions=replace(two, **b, groups=groups[1])),
        ]

    return with_folds(honest.toy, change)


@refused_with("E752")
def raises_the_ceiling(honest):
    def change(folds):
        return [
            replace(
                fold,
                predictions=replace(
                    fold.predictions, truth=[0.01 + 0.98 * y for y in fold.predictions.y]
                ),
            )
            for fold in folds
        ]

    return with_folds(honest.toy, change)


@refused_with("E753")
def comes_from_a_cohort_of_its_own(honest):
    return _of_another_cohort(honest.toy)


@refused_with("E753")
def calls_simulated_patients_real(honest):
    def change(folds):
        return [
            replace(
                fold,
                predictions=replace(
                    fold.predictions, truth=[float("nan")] * len(fold.predictions.y)
                ),
            )
            for fold in folds
        ]

    def real(cell):
        cell["about"]["dataset"]["kind"] = "real"

    return with_json(with_folds(honest.toy, change), "cell.json", real)


def _of_another_cohort(content):
    fingerprint = "c0" * 32
    members = members_of(content)
    bundle = read_bundle(content, "honest")
    cell = json.loads(members["cell.json"])
    old = bundle.about["dataset"]["fingerprint"]
    n = bundle.about["n"]
    name = {exchange_name(old, place): exchange_name(fingerprint, place) for place in range(n)}
    cell["about"]["dataset"]["fingerprint"] = fingerprint
    about = {**bundle.about, **cell["about"]}
    cell["key"] = cell_key(cell, about)
    members["cell.json"] = written(cell)
    for fold in bundle.folds:
        parts = replace(fold.predictions, patient=[name[p] for p in fold.predictions.patient])
        moved = replace(fold, predictions=parts)
        members[fold_member(fold.fold)] = fold_bytes(cell["key"], about, moved)
    return seal(members)


# ---- the refitted fold


def _shifted(folds):
    return [predicting(f, np.asarray(f.predictions.prediction) * 0.99 + 0.001) for f in folds]


@refused_with("E760", refit=True)
def improves_its_predictions_a_little(honest):
    return with_folds(honest.toy, _shifted)


@refused_with("E760", refit=True)
def moves_its_threshold(honest):
    def change(folds):
        return [replace(fold, threshold=fold.threshold + 0.01) for fold in folds]

    return with_folds(honest.toy, change)


@refused_with("E761", refit=True)
def cannot_be_fitted(honest):
    def change(cell, _):
        cell["suite"], cell["entry"] = "adhoc", "toy-response-000000"
        cell["about"]["config"]["tuning"] = {
            "sampler": "none", "trials": 0, "seconds": None, "metric": "log_loss", "batched": True,
        }  # fmt: skip
        cell["about"]["config"]["model"] = {"name": "our_ridge", "C": "much", "space": {}}

    untuned = with_folds(honest.toy, lambda folds: [replace(f, trials=[]) for f in folds])
    return with_cell(untuned, change)


@refused_with("E762", refit=True)
def was_fitted_with_other_packages(honest):
    def change(_, environment):
        environment["versions"]["scikit-learn"] = "1.8.0"

    return with_cell(with_folds(honest.toy, _shifted), change)


# ---- too good


@refused_with("E770")
def predicts_the_outcomes(honest):
    return with_folds(honest.toy, lambda folds: [predicting(f, f.predictions.y) for f in folds])


def _perfect(folds):
    draw = np.random.default_rng(0)
    changed = []
    for fold in folds:
        y = np.asarray(fold.predictions.y)
        changed.append(predicting(fold, 0.3 + 0.3 * y + draw.uniform(0, 0.1, len(y))))
    return changed


@refused_with("E771")
def is_better_than_the_truth(honest):
    return with_folds(honest.toy, _perfect)


@refused_with("E772")
def is_perfect_on_real_patients(honest):
    return with_folds(honest.clinic, _perfect)
