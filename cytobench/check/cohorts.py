"""CB4xx: a dataset is a cohort that says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from cytobench.audit.isolation import Errand, Failure, run_fresh
from cytobench.check.register import NotTestable, check
from cytobench.check.subject import Subject, Target, spoken

FEWEST = 20
IDENTIFYING = re.compile(
    r"(^|_)(name|surname|first_?name|last_?name|initials|e_?mail|phone|telephone|address|street"
    r"|post_?code|zip|zip_?code|ssn|nhs|mrn|passport|birth_?day|birth_?date|dob"
    r"|birth(?!_?(weight|order|length|control))|date_?of_?birth)(_|$)"
)
BETWEEN_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")


@check("CB401", "it loads", "dataset", after="CB102")
def loads(subject: Subject) -> Iterator[str]:
    """With its defaults it returns a :class:`cytobench.Cohort` whose card has the plugin's name.
    What a cohort must be (ids once each, known roles, plausible values) is checked when it is
    made, and said with file, column and row.
    """
    try:
        subject.cohort  # noqa: B018
    except NotTestable:
        raise
    except Exception as error:
        yield spoken(error)


def _cohort(subject: Subject) -> Any:
    try:
        return subject.cohort
    except NotTestable:
        raise
    except Exception as error:
        raise NotTestable("CB401 has failed") from error


@check("CB402", "every analyte has a unit", "dataset", severity="warning", after="CB401")
def units(subject: Subject) -> Iterator[str]:
    """Cut-offs, conversion and harmonisation with other cohorts need units."""
    without = [analyte.name for analyte in _cohort(subject).panel if not analyte.unit]
    if without:
        yield f"without a unit: {', '.join(without[:8])}"


@check("CB403", "there are patients enough, with and without the outcome", "dataset", after="CB401")
def outcome(subject: Subject) -> Iterator[str]:
    """At least twenty patients have a known outcome, and it is not the same for all."""
    from cytobench.data.target import build_target, task_from_config

    cohort = _cohort(subject)
    target = build_target(cohort, task_from_config(subject.config["task"]))
    y = target.y[target.known]
    if len(y) < FEWEST:
        yield f"{len(y)} patients have a known outcome; {FEWEST} are needed"
    if len(np.unique(y)) < 2:
        yield "the outcome is the same for all"


@check("CB404", "it is the same every time", "dataset", after="CB401")
def fingerprint(subject: Subject) -> Iterator[str]:
    """Loaded again in two fresh processes it has the same fingerprint: stored results are found
    by it.
    """
    here = _cohort(subject).fingerprint
    for other in run_fresh([Errand(fingerprint_of, (subject.target,))] * 2):
        if isinstance(other, Failure):
            yield f"fails in a fresh process ({other.error})"
        elif other != here:
            yield "a fresh process gets another cohort"
            return


def fingerprint_of(target: Target) -> str:
    """The cohort's fingerprint in this process."""
    return str(Subject(target).cohort.fingerprint)


@check("CB405", "its seed is used", "dataset", after="CB401")
def seed(subject: Subject) -> Iterator[str]:
    """A simulated cohort with another seed has other patients."""
    from cytobench.run.cells import load_cohort

    node = subject.config["dataset"]
    if "seed" not in node:
        raise NotTestable("it has no seed")
    first = _cohort(subject).fingerprint
    other = load_cohort({**node, "seed": int(node["seed"] or 0) + 1}, subject.config["data"])
    if other.fingerprint == first:
        yield "another seed gives the same patients"


@check("CB406", "its card is complete", "dataset", after="CB401")
def card(subject: Subject) -> Iterator[str]:
    """Who may use the data, where they come from, and what they must not be taken for: a licence,
    a summary, and a citation, origin or caveat.
    """
    found = _cohort(subject).card
    for field in ("summary", "licence"):
        if not getattr(found, field):
            yield f"the card has no {field}"
    if not (found.citation or found.origin or found.caveat):
        yield "the card says neither where it comes from (citation, origin) nor a caveat"


@check("CB407", "the audit finds nothing that blocks", "dataset", after="CB401")
def audit(subject: Subject) -> Iterator[str]:
    """Duplicates, disguised outcomes, confounding, contradictions: the cheap probes of ``cytobench
    audit`` that run with every cell.
    """
    from cytobench.audit.cohort import audit_bench
    from cytobench.run.cells import load_bench

    _cohort(subject)
    bench = load_bench(subject.config)
    for finding in audit_bench(bench.cohort, bench.target, bench.plan, seed=0):
        if finding.severity == "block":
            yield f"{finding.sentence} [{finding.code}]"


@check("CB408", "the truth is a probability", "dataset", after="CB401")
def truth(subject: Subject) -> Iterator[str]:
    """The Bayes-optimal prediction of a simulated cohort lies between 0 and 1 for classes, and
    predicts the outcome better than chance or not at all, never worse.
    """
    from cytobench.data.target import build_target, task_from_config
    from cytobench.evaluate.metrics import auc

    cohort = _cohort(subject)
    target = build_target(cohort, task_from_config(subject.config["task"]))
    p = target.truth[target.known]
    if np.isnan(p).all():
        raise NotTestable("it has no known truth")
    if np.isnan(p).any() or p.min() < 0 or p.max() > 1:
        yield f"the truth reaches from {np.nanmin(p):.3g} to {np.nanmax(p):.3g}"
    elif auc(target.y[target.known], p) < 0.45:
        yield "the truth predicts the opposite of the outcome"


@check("CB409", "no column names a person", "dataset", after="CB401")
def identifying(subject: Subject) -> Iterator[str]:
    """Names, addresses, dates of birth have no place in a cohort, not even unused."""
    cohort = _cohort(subject)
    columns = [str(name) for name in cohort.baseline().columns]
    named = [name for name in columns if IDENTIFYING.search(BETWEEN_WORDS.sub("_", name).lower())]
    if named:
        yield f"columns that identify patients: {', '.join(named[:5])}"
