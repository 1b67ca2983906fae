"""CB3xx: predictions come from the training part and the patient's own row, and from nothing else.

The probes are those of ``cytobench audit``, on a small simulated trial.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cytobench.check.register import NotTestable, check
from cytobench.check.subject import Subject, spoken
from cytobench.data.target import BENEFIT

PATIENTS = 120
PERMUTATIONS = 10


def _findings(subject: Subject) -> dict[str, list[str]]:
    """Code of the audit -> sentences; the audit is made once for all checks."""
    if "audit" not in subject.shared:
        subject.shared["audit"] = _audit(subject)
    found = subject.shared["audit"]
    if isinstance(found, NotTestable):
        raise found
    assert isinstance(found, dict)
    return found


def _audit(subject: Subject) -> Any:
    from cytobench.config import compose_jobs
    from cytobench.core.errors import NotApplicable
    from cytobench.run.audited import audit_model
    from cytobench.run.cells import Cell, load_cell
    from cytobench.run.jobs import CELL_NODES

    subject.factory  # noqa: B018 - a missing package is said first
    task = subject.model.tasks[0]
    (config,) = compose_jobs(
        [
            f"dataset={'sim_crossover' if task == BENEFIT else 'sim_inflamed_mdd'}",
            f"dataset.n={PATIENTS}", f"task={task}", "floors=[]",
            f"model={subject.name}", "tuning=off", "device=cpu",
        ]
    )  # fmt: skip
    cell = Cell("check", "check", {node: config[node] for node in CELL_NODES})
    try:
        loaded = load_cell(cell)
    except NotApplicable as error:
        return NotTestable(spoken(error))
    permutations = 0 if subject.target.fast else PERMUTATIONS
    found: dict[str, list[str]] = {}
    for finding in audit_model(loaded, permutations=permutations):
        found.setdefault(finding.code, []).append(finding.sentence)
    return found


def _from(subject: Subject, *codes: str) -> Iterator[str]:
    found = _findings(subject)
    if "A100" in found and "A100" not in codes:
        raise NotTestable("CB300 has failed")
    for code in codes:
        yield from (f"{sentence} [{code}]" for sentence in found.get(code, []))


@check("CB300", "it runs on a small simulated trial", "model", after="CB200")
def runs(subject: Subject) -> Iterator[str]:
    """Three folds of the framework's own procedure, without tuning."""
    yield from _from(subject, "A100")


@check("CB301", "a prediction does not depend on other test patients", "model", after="CB300")
def other_rows(subject: Subject) -> Iterator[str]:
    """Values of other rows of the test part are exchanged, and rows are predicted one by one:
    scaling, imputing or ranking within the test part shows here.
    """
    yield from _from(subject, "A102")


@check("CB302", "there is no skill on shuffled labels", "model", after="CB300")
def shuffled_labels(subject: Subject) -> Iterator[str]:
    """With shuffled labels nothing can be learnt; whoever scores better than chance has seen the
    test labels. Left out with ``--fast``.
    """
    if subject.target.fast:
        raise NotTestable("left out with --fast")
    _predicts_outcomes(subject)
    yield from _from(subject, "A110")


@check("CB303", "a planted effect is found", "model", after="CB300")
def planted(subject: Subject) -> Iterator[str]:
    """An effect of 1.5 standard deviations in every numeric column: a model that learns nothing
    would pass all other probes. Floors need not find it.
    """
    _predicts_outcomes(subject)
    yield from _from(subject, "A111")


def _predicts_outcomes(subject: Subject) -> None:
    if subject.contract != "outcome":
        raise NotTestable("it predicts effects, or names arms: neither has skill for an outcome")


@check("CB304", "test labels are not used", "model", after="CB300")
def test_labels(subject: Subject) -> Iterator[str]:
    """Labels of the test part are exchanged or removed; a target encoding over all rows shows."""
    yield from _from(subject, "A101")


@check("CB305", "nothing is remembered from fold to fold", "model", after="CB300")
def memory(subject: Subject) -> Iterator[str]:
    """Folds are run in another order, each in a fresh process: module-level caches show."""
    yield from _from(subject, "A103")


@check("CB306", "identifiers and positions of rows are not used", "model", after="CB300")
def identifiers(subject: Subject) -> Iterator[str]:
    """Patients get other identifiers, or stand in other rows of the table."""
    yield from _from(subject, "A104", "A105")


@check(
    "CB307",
    "the order of rows and columns hardly matters",
    "model",
    severity="warning",
    after="CB300",
)
def order(subject: Subject) -> Iterator[str]:
    """Training rows and columns come in another order. Forests draw other trees then and solvers
    stop elsewhere; discrimination must not change much.
    """
    yield from _from(subject, "A107")
