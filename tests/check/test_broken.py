"""Deliberately broken plugins: each is red with exactly the code that names its fault."""

import textwrap
import time
from pathlib import Path

import pytest

from cytobench.check import run_checks

MODEL = '''
    """A model."""
    import numpy as np
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.linear_model import LogisticRegression

    from cytobench import Float, model

    {before}

    class Broken(LogisticRegression):
        """Logistic regression with a fault."""

        {method}


    @model({declared}licence="MIT")
    def broken({signature}):
        """Broken on purpose."""
        {body}
        return {returned}
'''


def model(
    *, before="", method="pass", declared="", signature="C=1.0, random_state=None", body="pass",
    returned="Broken(C=C, random_state=random_state)",
):  # fmt: skip
    source = textwrap.dedent(MODEL)
    for name, text in {
        "before": (before, 0), "method": (method, 4), "declared": (declared, 0),
        "signature": (signature, 0), "body": (body, 4), "returned": (returned, 0),
    }.items():  # fmt: skip
        code, indent = text
        source = source.replace(
            "{" + name + "}", textwrap.indent(textwrap.dedent(code), " " * indent).lstrip()
        )
    return source


FIT = "def fit(self, X, y, sample_weight=None):\n    {}\n    return super().fit(X, y)"
PROBA = "def predict_proba(self, X):\n    p = super().predict_proba(X)\n    {}"

MODELS = {
    "no_syntax": ("CB101", "def broken(:"),
    "undeclared": ("CB101", "def broken():\n    return None\n"),
    "computed_space": ("CB101", model(declared='space={"C": Float(10 ** -2, 1.0)}, ')),
    "parameter_without_default": ("CB101", model(signature="C, random_state=None")),
    "space_of_nothing": ("CB101", model(declared='space={"D": Float(0.1, 1.0)}, ')),
    "excuse_without_reason": ("CB101", model(declared='excused={"CB203": ""}, ')),
    "raises_on_import": ("CB102", model(before="raise RuntimeError('no licence file')")),
    "missing_package": ("CB102", model(before="import no_such_package_anywhere")),
    "exits_on_import": ("CB102", model(before="raise SystemExit(0)")),
    "prints_on_import": ("CB103", model(before="print('welcome')")),
    "sets_the_environment_on_import": (
        "CB103", model(before="__import__('os').environ['BROKEN_PLUGIN'] = '1'")),
    "seeds_on_import": ("CB103", model(before="np.random.seed(0)")),
    "no_docstring": ("CB104", model().replace('    """Broken on purpose."""\n', "").replace(
        '"""A model."""', "")),
    "no_licence": ("CB105", model().replace('licence="MIT"', "")),
    "licence_in_words": ("CB105", model().replace('"MIT"', '"free for friends"')),
    "citation_in_words": ("CB106", model(declared='citation="Smith, in press", ')),
    "raises_when_built": ("CB108", model(body="raise ValueError('bad weather')")),
    "no_estimator": ("CB108", model(returned="{'C': C}")),
    "default_outside_space": ("CB109", model(declared='space={"C": Float(2.0, 9.0)}, ')),
    "end_cannot_be_built": ("CB109", model(
        declared='space={"C": Float(0.5, 9.0)}, ', body="if C > 5:\n    raise ValueError('C')")),
    "exits_in_fit": ("CB200", model(method=FIT.format("raise SystemExit(0)"))),
    "fit_returns_nothing": ("CB200", model(
        method="def fit(self, X, y, sample_weight=None):\n    super().fit(X, y)")),
    "own_randomness": ("CB202", model(
        method=FIT.format("y = np.where(np.random.default_rng().random(len(y)) < .2, 1 - y, y)"))),
    "global_randomness": ("CB203", model(method=FIT.format("np.random.seed(0)"))),
    "seeds_pytorch": ("CB203", model(method=FIT.format("__import__('torch').manual_seed(0)"))),
    "swapped_classes": ("CB204", model(
        method=FIT.replace("return super().fit(X, y)",
                           "super().fit(X, y)\n    self.classes_ = self.classes_[::-1]\n"
                           "    return self").format("pass"))),
    "no_probabilities": ("CB204", model(method=PROBA.format("return 2 * p"))),
    "one_column": ("CB204", model(method=PROBA.format("return p[:, 1]"))),
    "not_a_number": ("CB204", model(method=PROBA.format("return p * np.nan"))),
    "writes_into_x": ("CB205", model(
        method="def predict_proba(self, X):\n    p = super().predict_proba(X)\n"
               "    X.iloc[:, 0] = 0.0\n    return p")),
    "cannot_be_sent": ("CB206", model(method=FIT.format("self.hook_ = lambda: 1"))),
    "fails_on_few": ("CB207", model(method=FIT.format(
        "if len(y) < 50:\n        raise ValueError('more patients, please')"))),
    "gaps_not_taken": ("CB208", model(declared="raw=True, ")),
    "talkative": ("CB209", model(method=FIT.format("print('fitting ...')"))),
    "talkative_in_c": ("CB209", model(
        method=FIT.format("__import__('os').write(1, b'iteration 1')"))),
    "sets_the_environment": ("CB211", model(
        method=FIT.format("__import__('os').environ['OMP_NUM_THREADS'] = '64'"))),
    "silences_numpy": ("CB211", model(method=FIT.format("np.seterr(all='ignore')"))),
    "leaves_files": ("CB209", model(method=FIT.format("open('fit.log', 'w').close()"))),
    "the_same_for_all": ("CB210", model(
        returned="__import__('sklearn.dummy', fromlist=['x']).DummyClassifier()")),
}  # fmt: skip
ALSO = {
    # What follows of necessity; checks that need a fitted model are skipped where there is none.
    "own_randomness": {"CB201", "CB206"},
    "swapped_classes": {"CB201"},
    "not_a_number": {"CB201", "CB207", "CB210"},
    "one_column": {"CB201", "CB210"},
    "writes_into_x": {"CB201"},
    "fails_on_few": {"CB201"},
    "gaps_not_taken": {"CB200"},
}  # fmt: skip


@pytest.mark.parametrize("name", MODELS)
def test_a_broken_model_is_red_with_its_code(write_plugin, name):
    code, source = MODELS[name]
    path = write_plugin("models", "broken", source)

    report = run_checks("broken", only=["CB1", "CB2"] if code > "CB2" else ["CB1"], seconds=60)

    failed = {result.code: result.message for result in report.results if result.status == "failed"}
    assert code in failed, str(report)
    assert set(failed) <= {code} | ALSO.get(name, set()), str(report)
    assert not report.ok
    if code in ("CB101", "CB102"):
        assert f"{path}" in failed[code], "file and line are named"


PROCEDURES = {
    "fails_on_a_trial": ("CB300", model(method=FIT.format("raise ValueError('not today')"))),
    "looks_up_the_test_labels": ("CB304", model(method=PROBA.format(
        "frame = __import__('sys')._getframe()\n"
        "    while frame and not {'y', 'train', 'test'} <= set(frame.f_locals):\n"
        "        frame = frame.f_back\n"
        "    if frame and len(frame.f_locals['test']) == len(p):\n"
        "        y = np.asarray(frame.f_locals['y'])[frame.f_locals['test']]\n"
        "        p = p * 0.9 + 0.1 * np.column_stack([y < 0.5, y >= 0.5])\n"
        "    return p"))),
    "minds_the_order_of_columns": ("CB307", model(method=FIT.format(
        "ordered = [*X.columns].index('CRP') < [*X.columns].index('IL-6')\n"
        "    y = y if ordered else 1 - np.asarray(y)"))),
    "ranks_the_test_part": ("CB301", model(
        method="def predict_proba(self, X):\n    X = (X - X.mean()) / (X.std() + 1e-9)\n"
               "    return super().predict_proba(X.fillna(0.0))")),
    "remembers": ("CB305", model(
        before="SEEN = []",
        method=FIT.format("SEEN.append(len(SEEN))\n    y = np.roll(y, len(SEEN))"))),
    "reads_identifiers": ("CB306", model(
        method="def predict_proba(self, X):\n    p = super().predict_proba(X)\n"
               "    shift = np.array([sum(map(ord, str(i))) % 7 for i in X.index]) / 100\n"
               "    p[:, 1] = np.clip(p[:, 1] + shift, 0, 1)\n"
               "    p[:, 0] = 1 - p[:, 1]\n    return p")),
    "learns_nothing": ("CB303", model(method=FIT.format(
        "y = np.random.default_rng(0).permutation(y)"))),
}  # fmt: skip


@pytest.mark.parametrize("name", PROCEDURES)
def test_a_model_that_leaks_is_red_with_its_code(write_plugin, name):
    code, source = PROCEDURES[name]
    write_plugin("models", "broken", source)

    report = run_checks("broken", only=["CB3"], fast=True, seconds=120)

    found = {result.code for result in report.results if result.status in ("failed", "warned")}
    assert code in found, str(report)


DATASET = '''
    """A cohort."""
    import numpy as np
    import pandas as pd

    from cytobench import Analyte, Cohort, DatasetCard, LabelOutcome, dataset


    @dataset(kind="simulated", licence="CC0-1.0", caveat="invented")
    def broken(n=80, seed=0):
        """Broken on purpose."""
        draw = np.random.default_rng(seed)
        z = draw.normal(size=(n, 2))
        p = 1 / (1 + np.exp(-z[:, 0]))
        table = pd.DataFrame(np.exp(z), columns=["IL-6", "CRP"])
        table["age"] = draw.normal(40, 10, n)
        table["y"] = (draw.random(n) < p).astype(float)
        card = DatasetCard("broken", "A cohort", kind="simulated", licence="CC0-1.0", caveat="x")
        units, covariates, truth = ["pg/mL", "mg/L"], ["age"], pd.DataFrame({"response": p})
        # here
        return Cohort(
            table,
            [Analyte(a, u) for a, u in zip(["IL-6", "CRP"], units)],
            LabelOutcome("y", "responded"),
            card,
            covariates=covariates,
            truth=truth,
        )
'''
DATASETS = {
    "raises": ("CB401", "raise OSError('disk on holiday')"),
    "no_cohort": ("CB401", "return table"),
    "patients_twice": ("CB401", "table.index = [0] * n"),
    "no_unit": ("CB402", "units = ['', 'mg/L']"),
    "too_few": ("CB403", "table, truth = table[:12], truth[:12]"),
    "another_each_time": (
        "CB404",
        "table['age'] = np.random.default_rng().normal(40, 10, n)",
    ),
    "ignores_its_seed": (
        "CB405",
        "d = np.random.default_rng(1)\nz = d.normal(size=(n, 2))\n"
        "table['IL-6'], table['CRP'] = np.exp(z.T)\ntable['age'] = 40.0 + np.arange(n) % 9\n"
        "table['y'] = (d.random(n) < 0.5).astype(float)\ntruth = None",
    ),
    "no_card": ("CB406", "card = DatasetCard('broken', 'A cohort', kind='simulated')"),
    "the_outcome_in_disguise": ("CB407", "table['age'] = table['y'] * 10 + 40"),
    "truth_upside_down": ("CB408", "truth = 1 - truth"),
    "a_name_in_words_run_together": (
        "CB409", "table['patientInitials'] = np.arange(n) % 7\n"
                 "covariates = ['age', 'patientInitials']"),
    "date_of_birth": ("CB409", "table['date_of_birth'] = 1970.5 + np.arange(n) % 30\n"
                               "covariates = ['age', 'date_of_birth']"),
}  # fmt: skip


FOLLOWS = {"another_each_time": {"CB404", "CB405"}, "too_few": {"CB407"}}


@pytest.mark.parametrize("name", DATASETS)
def test_a_broken_dataset_is_red_with_its_code(write_plugin, name):
    code, fault = DATASETS[name]
    indented = textwrap.indent(fault, " " * 8).strip()
    write_plugin("datasets", "broken", DATASET.replace("# here", indented))

    report = run_checks("broken", only=["CB4"], seconds=60)

    marked = {r.code for r in report.results if r.status in ("failed", "warned")}
    assert code in marked, str(report)
    assert marked <= {code} | FOLLOWS.get(name, set()), str(report)


def test_an_endless_fit_is_stopped_and_costs_its_own_checks(write_plugin):
    write_plugin("models", "broken", model(method=FIT.format("while len(y) > 60: pass")))

    report = run_checks("broken", only=["CB204", "CB207", "CB208"], seconds=3)

    assert [r.status for r in report.results] == ["failed", "passed", "skipped"]
    assert "it took longer than 3 s and was stopped" in str(report)


def test_a_model_that_ends_its_process_costs_its_own_check(write_plugin):
    write_plugin(
        "models", "broken", model(method=FIT.format("if len(y) > 60: __import__('os')._exit(3)"))
    )

    report = run_checks("broken", only=["CB204", "CB207"], seconds=60)

    assert [r.status for r in report.results] == ["failed", "passed"]
    assert "its process ended with exit code 3" in str(report)


def test_an_excused_failure_is_shown_with_its_reason_and_fails_nothing(write_plugin):
    source = model(
        method=FIT.format("np.random.seed(0)"),
        declared='excused={"CB203": "a test of excuses"}, ',
    )
    write_plugin("models", "broken", source)

    report = run_checks("broken", only=["CB203"])

    (result,) = report.results
    assert report.ok
    assert result.status == "excused"
    assert "a test of excuses" in result.message


def test_excuses_that_excuse_nothing_are_found(write_plugin):
    declared = 'excused={"CB104": "has one by now", "CB999": "no such check"}, '
    write_plugin("models", "broken", model(declared=declared))

    report = run_checks("broken", only=["CB104"])
    assert [r.code for r in report.results if r.status == "failed"] == ["CB111"]

    complete = run_checks("broken", fast=True)
    assert [r.code for r in complete.results if r.status == "warned"] == ["CB110"]


def test_what_needs_a_fitted_model_is_skipped_where_fitting_fails(write_plugin):
    write_plugin("models", "broken", model(method=FIT.format("raise ValueError('no')")))

    report = run_checks("broken", only=["CB2"], seconds=60)

    by_code = {result.code: result for result in report.results}
    assert by_code["CB200"].status == "failed"
    assert by_code["CB204"].status == "skipped"
    assert by_code["CB204"].message == "CB200 has failed"


def test_a_process_that_a_check_started_ends_with_it(write_plugin, tmp_path):
    noted = tmp_path / "pid"
    start = (
        f"p = __import__('subprocess').Popen(['sleep', '600'])\n"
        f"    open({str(noted)!r}, 'w').write(str(p.pid))\n    while True: pass"
    )
    write_plugin("models", "broken", model(method=FIT.format(start)))

    run_checks("broken", only=["CB200"], seconds=5)

    assert gone(int(noted.read_text()))


def gone(pid, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("package", ["colorsys", "pebble"])
def test_a_file_that_hides_a_package_is_found(write_plugin, monkeypatch, package):
    path = write_plugin("models", package, model().replace("def broken", f"def {package}"))
    monkeypatch.syspath_prepend(path.parent)

    report = run_checks(str(path), only=["CB107"])

    (result,) = report.results
    assert result.status == "warned"
    assert f"hides the package '{package}'" in result.message
