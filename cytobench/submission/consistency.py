"""Whether a bundle's folds fit together, and fit what is said of them; no data needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cytobench.core.result import FoldResult
from cytobench.evaluate.scores import LEAVE_ONE_OUT
from cytobench.submission.bundle import Bundle, fold_member
from cytobench.submission.codes import BundleError, refusal
from cytobench.submission.names import exchange_name, places

CLOSE = 1e-9


def inconsistencies(bundle: Bundle) -> Iterator[BundleError]:
    """Every fault, in the order in which one explains the next; stops where others would follow."""
    for check in (_names, _outcomes, _protocol):
        found = list(check(bundle))
        yield from found
        if found:
            return
    yield from _counts(bundle)
    yield from _training_parts(bundle)
    yield from _searches(bundle)


def _names(bundle: Bundle) -> Iterator[BundleError]:
    """Patients are named by their place in the plan's order, in that order."""
    fingerprint = bundle.about["dataset"]["fingerprint"]
    found = places(bundle.folds)
    expected = [exchange_name(fingerprint, place) for place in range(len(found))]
    strangers = set(found) - {*expected, *_a_few_more(fingerprint, len(found))}
    if strangers:
        yield refusal("E733", f"{min(strangers)} is no patient of this cohort", bundle.where)
    elif list(found) != expected:
        yield refusal(
            "E738",
            "patients do not come in the order in which the plan tests them",
            bundle.where,
        )


def _a_few_more(fingerprint: str, n: int) -> list[str]:
    """Names that follow: rows that are missing must not make strangers of the others."""
    return [exchange_name(fingerprint, place) for place in range(n, 2 * n + 100)]


def _outcomes(bundle: Bundle) -> Iterator[BundleError]:
    """One outcome and one truth for each patient, whichever fold tests him."""
    binary = bundle.about["task"]["kind"] == "classification"
    for what in ("y", "truth"):
        known: dict[str, float] = {}
        for fold in bundle.folds:
            parts = fold.predictions
            values = getattr(parts, what)
            for patient, value in zip(parts.patient, values, strict=True):
                before = known.setdefault(patient, value)
                if before != value and not (before != before and value != value):
                    yield refusal(
                        "E736",
                        f"{what} of patient {patient} is {value:g}, and {before:g} in another fold",
                        bundle.at(fold_member(fold.fold)),
                    )
                    return
        if what == "truth" and bundle.about["dataset"]["kind"] == "real":
            if any(value == value for value in known.values()):
                yield refusal("E736", "states the truth about real patients", bundle.where)
            return
        if what == "y" and binary and not set(known.values()) <= {0.0, 1.0}:
            yield refusal("E736", "an outcome is neither 0 nor 1", bundle.where)
            return


def _protocol(bundle: Bundle) -> Iterator[BundleError]:
    """The test parts that the protocol promises."""
    name, folds = bundle.about["protocol"]["name"], bundle.claimed
    said = ""
    if name == "repeated_stratified":
        said = _partitions(bundle)
    elif name in LEAVE_ONE_OUT:
        tested = [patient for fold in folds for patient in fold.predictions.patient]
        said = "a patient is tested by two folds" if len(set(tested)) < len(tested) else ""
    elif name == "holdout":
        said = "" if len(folds) == 1 else f"has {len(folds)} folds, expected one"
    elif name == "bootstrap":
        resamples = bundle.about["protocol"].get("resamples")
        said = "" if resamples == len(folds) else f"has {len(folds)} folds, not {resamples}"
    else:
        said = f"there is no protocol {name!r}"
    if len(bundle.about["test_labels"]) != len(bundle.folds):
        said = said or "the folds' labels are not as many as the folds"
    if any(not len(fold.predictions.y) for fold in bundle.folds):
        said = said or "a fold tests nobody"
    if said:
        yield refusal("E738", said, bundle.where)


def _partitions(bundle: Bundle) -> str:
    """Why the folds are no repeats of one partition; empty where they are."""
    protocol, folds = bundle.about["protocol"], bundle.folds
    k, repeats = protocol.get("folds"), protocol.get("repeats")
    if not isinstance(k, int) or not isinstance(repeats, int) or k * repeats != len(folds):
        return f"has {len(folds)} folds, its protocol {k} x {repeats}"
    everybody = set(places(folds))
    for repeat in range(repeats):
        mine = folds[repeat * k : (repeat + 1) * k]
        tested = [patient for fold in mine for patient in fold.predictions.patient]
        if any(fold.repeat != repeat for fold in mine):
            return f"a fold of repeat {repeat} says that it is of another"
        if len(tested) != len(everybody) or set(tested) != everybody:
            return f"repeat {repeat} does not test every patient once"
    return ""


def _counts(bundle: Bundle) -> Iterator[BundleError]:
    about = bundle.about
    y = _y(bundle.folds)
    n, events = len(y), int(sum(y.values()))
    # Protocols that leave a site or the training part untested count all patients all the same.
    exact = about["protocol"]["name"] == "repeated_stratified"
    binary = about["task"]["kind"] == "classification"
    if (exact and n != about["n"]) or n > about["n"] or about["n"] > about["dataset"]["patients"]:
        yield refusal("E737", f"tests {n} patients, states {about['n']}", bundle.where)
        return
    if binary != (about["events"] is not None):
        yield refusal("E737", "states events where there are none, or does not", bundle.where)
        return
    if binary and ((exact and events != about["events"]) or events > about["events"]):
        yield refusal("E737", f"has {events} events, states {about['events']}", bundle.where)
        return
    mean = float(np.mean(list(y.values())))
    if exact and abs(mean - about["outcome_mean"]) > CLOSE * max(1.0, abs(mean)):
        yield refusal(
            "E737", f"has mean outcome {mean:g}, states {about['outcome_mean']:g}", bundle.where
        )


def _y(folds: Sequence[FoldResult]) -> dict[str, float]:
    return {
        patient: value
        for fold in folds
        for patient, value in zip(fold.predictions.patient, fold.predictions.y, strict=True)
    }


def _training_parts(bundle: Bundle) -> Iterator[BundleError]:
    """Where everybody else is trained on, their number and mean outcome follow."""
    protocol, n = bundle.about["protocol"], bundle.about["n"]
    y = _y(bundle.folds)
    by_others = protocol["name"] in ("repeated_stratified", "leave_one_site_out")
    everybody = by_others and protocol.get("train_fraction", 1.0) == 1.0 and len(y) == n
    for fold in bundle.folds:
        tested = len(fold.predictions.y)
        at = bundle.at(fold_member(fold.fold))
        # A resample draws as many as there are, copies among them; any other part is of the rest.
        most = n if protocol["name"] == "bootstrap" else n - tested
        if not 0 < fold.n_train <= most or (everybody and fold.n_train != most):
            yield refusal("E739", f"trained on {fold.n_train} patients of {n}", at)
            return
        mean = (sum(y.values()) - sum(fold.predictions.y)) / most if everybody else None
        if mean is not None and abs(mean - fold.train_mean) > CLOSE * max(1.0, abs(mean)):
            yield refusal("E739", f"states a training mean of {fold.train_mean:g}", at)
            return
        if (fold.threshold is None) != (bundle.about["task"]["kind"] == "regression"):
            yield refusal("E739", "has no decision threshold, or one too many", at)
            return


def _searches(bundle: Bundle) -> Iterator[BundleError]:
    """Every search within its budget, and its best setting the one that was used."""
    tuning = bundle.about["config"]["tuning"]
    most = 0 if tuning["sampler"] == "none" else tuning["trials"]
    for fold in bundle.folds:
        at = bundle.at(fold_member(fold.fold))
        if len(fold.trials) > most:
            yield refusal("E748", f"tried {len(fold.trials)} settings, its budget is {most}", at)
            return
        scored = [trial for trial in fold.trials if trial.score is not None]
        if not scored:
            continue
        best = min(scored, key=lambda trial: (trial.score, trial.number))
        if any(fold.params.get(name) != value for name, value in best.params.items()):
            yield refusal("E748", f"did not use trial {best.number}, its best", at)
            return
