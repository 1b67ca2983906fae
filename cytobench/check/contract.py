"""CB2xx: an estimator behaves as scikit-learn's users expect."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from cytobench.audit.isolation import Errand, Failure, run_fresh
from cytobench.check.register import NotTestable, check
from cytobench.check.subject import ARMS, Subject, Target, spoken
from cytobench.check.witness import (
    as_at_first,
    changed,
    overheard,
    random_states,
    seed_unusually,
    settings,
    undisturbed,
)
from cytobench.registry.load import TaskKind

REQUIRED = frozenset(
    {
        "check_estimator_cloneable",
        "check_get_params_invariance",
        "check_set_params",
        "check_dict_unchanged",
        "check_fit_idempotent",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
        "check_estimators_fit_returns_self",
        "check_f_contiguous_array_estimator",
        "check_no_attributes_set_in_init",
    }
)
"""Of scikit-learn's own checks those that benchmarking relies on; the others ask for sparse
matrices, sample weights or many classes, which nobody gives to a model here."""


@check("CB200", "it can be fitted", "model", after="CB108")
def fits(subject: Subject) -> Iterator[str]:
    """``fit`` returns the estimator on ninety ordinary patients, and it predicts. Where it does
    not, or takes too long, the other checks of fitted models are not made.
    """
    for kind in subject.kinds:
        X, y = subject.problem(kind)
        with undisturbed():
            try:
                estimator = subject.build(kind)
                fitted = subject.fit(estimator, X, y)
                if fitted is estimator:
                    subject.predict(fitted, X, kind)
                    continue
            except NotTestable:
                raise
            except (Exception, SystemExit) as error:
                yield f"{kind}: {spoken(error)}"
                continue
        yield f"{kind}: fit returns {type(fitted).__name__}, expected the estimator itself"


@check("CB201", "it passes scikit-learn's own checks", "model", after="CB200")
def scikit_learn(subject: Subject) -> Iterator[str]:
    """Cloning, parameters, idempotent fits, predictions that do not depend on the order or number
    of rows: those of ``sklearn.utils.estimator_checks`` that benchmarking relies on. Not made for
    models that look at raw columns, since these checks have no column names.
    """
    from sklearn.utils.estimator_checks import estimator_checks_generator

    if subject.model.raw:
        raise NotTestable("it looks at columns by name, and scikit-learn's checks have none")
    if subject.contract != "outcome":
        raise NotTestable("it is fitted to treatments too, which scikit-learn's checks do not give")
    for kind in subject.kinds:
        for estimator, test in estimator_checks_generator(subject.build(kind)):
            title = getattr(getattr(test, "func", test), "__name__", "")
            if title not in REQUIRED:
                continue
            try:
                test(estimator)
            except Exception as error:
                if "SkipTest" in type(error).__name__:
                    continue
                first = str(error).strip().split("\n")[0][:200]
                yield f"{kind}: {title}: {type(error).__name__}: {first}"


@check("CB202", "the same seed gives the same predictions", "model", after="CB200")
def deterministic(subject: Subject) -> Iterator[str]:
    """Two fits with one seed agree to the last bit, in one process and in a fresh one: without
    that a result can be neither repeated nor audited.
    """
    for kind in subject.kinds:
        first, second = _predictions(subject, kind), _predictions(subject, kind)
        if first.tobytes() != second.tobytes():
            yield f"{kind}: two fits differ by up to {_apart(first, second):.2g}"
            continue
        (fresh,) = run_fresh([Errand(predict_anew, (subject.target, kind))])
        if isinstance(fresh, Failure):
            yield f"{kind}: fails in a fresh process ({fresh.error})"
        elif fresh.tobytes() != first.tobytes():
            yield f"{kind}: a fresh process differs by up to {_apart(first, fresh):.2g}"


def predict_anew(target: Target, kind: TaskKind) -> Any:
    """Fit and predict, in whatever process this is."""
    return _predictions(Subject(target), kind)


def _predictions(subject: Subject, kind: TaskKind) -> Any:
    X, y = subject.problem(kind)
    X_new, _ = subject.problem(kind, seed=2)
    with undisturbed():
        return subject.predict(subject.fit(subject.build(kind), X, y), X_new, kind)


def _apart(first: Any, second: Any) -> float:
    return float(np.abs(first - second).max()) if first.shape == second.shape else np.inf


@check("CB203", "global random states are left alone", "model", after="CB200")
def random_state(subject: Subject) -> Iterator[str]:
    """A model takes its randomness from ``random_state``. Drawing from the global state of numpy,
    Python or PyTorch, or seeding it, changes what other models get.
    """
    for kind in subject.kinds:
        _predictions(subject, kind)  # packages that are imported when needed are here by now
        seed_unusually()
        before = random_states()
        _predictions(subject, kind)
        for name in changed(before, random_states()):
            yield f"{kind}: {name} changes"


@check("CB204", "predictions are predictions", "model", after="CB200")
def valid(subject: Subject) -> Iterator[str]:
    """Classification: ``classes_`` is [0, 1] and ``predict_proba`` two columns between 0 and 1
    that sum to 1. Regression: one finite number for each patient. Effects: a finite number for
    each patient and arm but the first. Rules: one of the arms for each patient.
    """
    for kind in subject.kinds:
        X, y = subject.problem(kind)
        X_new, _ = subject.problem(kind, n=31, seed=2)
        with undisturbed():
            fitted = subject.fit(subject.build(kind), X, y)
            if subject.contract != "outcome":
                yield from _valid_choice(subject, kind, fitted, X_new)
                continue
            if kind == "classification":
                yield from _valid_probabilities(fitted, X_new)
                continue
            values = np.asarray(fitted.predict(X_new))
        if values.shape != (31,) or not np.isfinite(values.astype(float)).all():
            yield f"{kind}: predict gives shape {values.shape}, expected 31 finite numbers"


def _valid_choice(subject: Subject, kind: TaskKind, fitted: Any, X: pd.DataFrame) -> Iterator[str]:
    said = subject.predict(fitted, X, kind)
    if said.shape != (len(X), 1) or not np.isfinite(said).all():
        wanted = "effects" if subject.contract == "effect" else f"of {' and '.join(ARMS)}"
        yield f"{kind}: what it says has shape {said.shape}, expected {len(X)} finite {wanted}"


def _valid_probabilities(fitted: Any, X: pd.DataFrame) -> Iterator[str]:
    classes = np.asarray(fitted.classes_).tolist()
    p = np.asarray(fitted.predict_proba(X), dtype=np.float64)
    if classes != [0, 1]:
        yield f"classification: classes_ is {classes}, expected [0, 1]"
    if p.shape != (len(X), 2):
        yield f"classification: predict_proba has shape {p.shape}, expected ({len(X)}, 2)"
    elif not np.isfinite(p).all():
        yield "classification: a probability is not finite"
    elif p.min() < 0 or p.max() > 1:
        yield f"classification: probabilities reach from {p.min():.3g} to {p.max():.3g}"
    elif np.abs(p.sum(axis=1) - 1).max() > 1e-5:
        yield "classification: the two probabilities do not sum to 1"


@check("CB205", "it leaves the data as they are", "model", after="CB200")
def no_mutation(subject: Subject) -> Iterator[str]:
    """``fit`` and ``predict`` must not write into X or y: other models get the same arrays."""
    for kind in subject.kinds:
        X, y = subject.problem(kind)
        X_before, y_before = X.copy(), y.copy()
        with undisturbed():
            try:
                subject.predict(subject.fit(subject.build(kind), X, y), X, kind)
            except ValueError as error:
                if "read-only" not in str(error):
                    raise
                yield f"{kind}: it writes into its input"
                continue
        if not X.equals(X_before) or list(X.columns) != list(X_before.columns):
            yield f"{kind}: X is changed"
        if not np.array_equal(y, y_before):
            yield f"{kind}: y is changed"


@check("CB206", "a fitted model can be sent elsewhere", "model", after="CB200")
def pickles(subject: Subject) -> Iterator[str]:
    """Pickled and read in a fresh process, it predicts the same."""
    for kind in subject.kinds:
        X, y = subject.problem(kind)
        with undisturbed():
            fitted = subject.fit(subject.build(kind), X, y)
            here = subject.predict(fitted, X, kind)
        try:
            content = pickle.dumps(fitted)
        except Exception as error:
            yield f"{kind}: cannot be pickled ({type(error).__name__}: {error})"
            continue
        (there,) = run_fresh([Errand(predict_unpickled, (subject.target, kind, content))])
        if isinstance(there, Failure):
            yield f"{kind}: cannot be read in a fresh process ({there.error})"
        elif there.tobytes() != here.tobytes():
            yield f"{kind}: read in a fresh process, it differs by up to {_apart(here, there):.2g}"


def predict_unpickled(target: Target, kind: TaskKind, content: bytes) -> Any:
    """Predictions of a model that was pickled elsewhere; by ourselves, a moment ago."""
    subject = Subject(target)
    X, _ = subject.problem(kind)
    with undisturbed():
        return subject.predict(pickle.loads(content), X, kind)  # noqa: S301


@check("CB207", "small and dull data do not break it", "model", after="CB200")
def hard_data(subject: Subject) -> Iterator[str]:
    """Thirty patients, a constant column, a single row to predict, and few of one class: cohorts
    are like that, and inner folds more so.
    """
    for kind in subject.kinds:
        for title, X, y in _hard(subject, kind):
            try:
                with undisturbed():
                    fitted = subject.fit(subject.build(kind), X, y)
                    got = subject.predict(fitted, X.iloc[:1], kind)
            except Exception as error:
                yield f"{kind}, {title}: {spoken(error)}"
                continue
            if len(got) != 1 or not np.isfinite(got).all():
                yield f"{kind}, {title}: the prediction for one patient is {got.tolist()}"


def _hard(subject: Subject, kind: TaskKind) -> Iterator[tuple[str, pd.DataFrame, Any]]:
    X, y = subject.problem(kind, n=30)
    yield "30 patients", X, y
    dull = X.copy()
    dull.iloc[:, -1] = 0.0 if not subject.model.raw else 1.0
    yield "a constant column", dull, y
    if kind == "classification":
        rare = np.zeros(30, dtype=np.intp)
        rare[:5] = 1
        yield "5 of 30 in one class", X, rare


@check("CB208", "raw columns may have gaps", "model", after="CB108")
def gaps(subject: Subject) -> Iterator[str]:
    """A model that asks for raw columns gets missing values as NaN, a whole column of them too.
    Others are given a matrix without gaps.
    """
    if not subject.model.raw:
        raise NotTestable("its matrix has no gaps: they are filled inside the fold")
    for kind in subject.kinds:
        X, y = subject.problem(kind)
        X.iloc[:, -1] = np.nan
        try:
            with undisturbed():
                got = subject.predict(subject.fit(subject.build(kind), X, y), X, kind)
        except Exception as error:
            yield f"{kind}: {spoken(error)}"
            continue
        if not np.isfinite(got).all():
            yield f"{kind}: a prediction is not finite"


@check("CB209", "it says nothing and leaves no file", "model", after="CB200")
def quiet(subject: Subject) -> Iterator[str]:
    """Thousands of fits share one terminal and one folder."""
    with as_at_first(subject.start) as folder, overheard() as said:
        for kind in subject.kinds:
            _predictions(subject, kind)
        words = said()
        left = sorted(path.name for path in folder.iterdir())
    if words:
        yield f"it prints {words[:80]!r}"
    if left:
        yield f"it leaves files behind: {', '.join(left)}"


@check("CB210", "predictions differ between patients", "model", after="CB200")
def not_constant(subject: Subject) -> Iterator[str]:
    """A model that predicts the same for everybody has learnt nothing; floors may."""
    if subject.model.role == "floor":
        raise NotTestable("a floor may know nothing")
    for kind in subject.kinds:
        predictions = _predictions(subject, kind)
        if not np.ptp(predictions[:, -1] if predictions.ndim > 1 else predictions):
            yield f"{kind}: every patient gets the same prediction, though two columns matter"


@check("CB211", "settings of the process are left alone", "model", after="CB200")
def process(subject: Subject) -> Iterator[str]:
    """The working directory, the environment, the search path, the filters of warnings and numpy's
    handling of errors hold for every model of a run.
    """
    for kind in subject.kinds:
        _predictions(subject, kind)  # what packages do on their import is not the model's doing
        X, y = subject.problem(kind)
        with as_at_first(subject.start):
            before = settings()
            subject.predict(subject.fit(subject.build(kind), X, y), X, kind)
            after = settings()
        for name in changed(before, after):
            yield f"{kind}: {name} changes"
