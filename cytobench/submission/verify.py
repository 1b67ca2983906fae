"""Verify a bundle: against itself, what it claims, a reference, and a fold that is refitted."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cytobench.core.errors import CytobenchError
from cytobench.run.store import RunStore
from cytobench.submission.bundle import Bundle, read_bundle
from cytobench.submission.claims import false_claims, false_scores
from cytobench.submission.codes import BundleError, refusal
from cytobench.submission.consistency import inconsistencies
from cytobench.submission.implausible import too_good
from cytobench.submission.references import (
    Reference,
    cell_config,
    differences,
    from_bundles,
    from_data,
    from_store,
)
from cytobench.submission.refit import Refit, refit, sampled_folds, why_not

State = Literal["verified", "recomputed", "flagged", "refused"]


@dataclass(frozen=True)
class Against:
    """What bundles are verified against, besides the data where they are at hand.

    Attributes
    ----------
    store : RunStore or None
    bundles : sequence of Path
        Other bundles.
    suite : str or None
        The bundle has to claim this suite.
    refits : int
        Folds to fit again; 0 for none.
    fold_seconds : float or None
        What fitting one of them may take.
    nonce : str
        A word that the submitter could not know, mixed into the choice of folds.
    overrides : sequence of str
        How the cohort is configured here, for cells of no suite.
    """

    store: RunStore | None = None
    bundles: Sequence[Path] = ()
    suite: str | None = None
    refits: int = 0
    fold_seconds: float | None = None
    nonce: str = ""
    overrides: Sequence[str] = ()


@dataclass(frozen=True)
class Verdict:
    """What was found.

    Attributes
    ----------
    bundle : Bundle or None
        None where it could not be read.
    findings : sequence of BundleError
        Why it is refused or flagged; empty where it is accepted.
    against : sequence of str
        What it was compared with.
    notes : sequence of str
        What could not be done, and why.
    """

    where: str
    bundle: Bundle | None
    findings: Sequence[BundleError]
    refits: Sequence[Refit] = ()
    against: Sequence[str] = ()
    notes: Sequence[str] = field(default_factory=tuple)

    @property
    def state(self) -> State:
        """``verified`` where a fold was reproduced, ``recomputed`` where only numbers were."""
        if any(item.severity == "refused" for item in self.findings):
            return "refused"
        if self.findings:
            return "flagged"
        return "verified" if self.refits else "recomputed"

    @property
    def accepted(self) -> bool:
        """Neither refused nor left to a person."""
        return self.state in ("verified", "recomputed")


def verify(content: bytes, where: str, against: Against | None = None) -> Verdict:
    """Everything that can be asked of a bundle's bytes.

    Parameters
    ----------
    where : str
        The file's name, for errors.
    """
    asked = against or Against()
    try:
        bundle = read_bundle(content, where)
    except BundleError as error:
        return Verdict(where, None, [error])
    findings = list(inconsistencies(bundle))
    if findings:
        return Verdict(where, bundle, findings)
    findings += false_claims(bundle)
    findings += _claimed_suite(bundle, asked.suite)
    findings += _scored(bundle)
    config, compared, notes, wrong = _compared(bundle, asked)
    findings += wrong
    refits: list[Refit] = []
    if asked.refits and not any(item.severity == "refused" for item in findings):
        refits, more = _refitted(bundle, config, asked)
        notes += more
        findings += [one.error for one in refits if one.error]
    return Verdict(where, bundle, _once(findings), refits, compared, notes)


def _claimed_suite(bundle: Bundle, suite: str | None) -> Iterator[BundleError]:
    if suite is not None and bundle.cell["suite"] != suite:
        yield refusal("E745", f"is of {bundle.cell['suite']}, not of {suite}", bundle.where)


def _scored(bundle: Bundle) -> list[BundleError]:
    """Recompute every number; predictions that no number can be made of are refused too."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's numbers, judged below
            return [*false_scores(bundle), *too_good(bundle)]
    except (ArithmeticError, ValueError, IndexError, np.linalg.LinAlgError) as error:
        said = f"no score can be computed of its predictions: {error}"
        return [refusal("E740", said, bundle.where)]


def _compared(
    bundle: Bundle, asked: Against
) -> tuple[dict[str, Any] | None, list[str], list[str], list[BundleError]]:
    """Hold a bundle against the data, then against the store and other bundles.

    Returns
    -------
    config : dict or None
        What runs the cell here; None without the data.
    compared, notes, findings
    """
    config, notes = _configuration(bundle, asked)
    references: list[Reference] = []
    if config is not None:
        try:
            of_data, why = from_data(bundle, config)
        except BundleError as error:
            return None, [], notes, [error]
        references += [of_data] if of_data else []
        notes += [why] if why else []
        config = config if of_data else None
    if asked.store is not None:
        in_store = from_store(bundle, asked.store)
        references += [in_store] if in_store else []
    references += from_bundles(bundle, asked.bundles)
    findings = [found for reference in references for found in differences(bundle, reference)]
    return config, [reference.where for reference in references], notes, findings


def _configuration(bundle: Bundle, asked: Against) -> tuple[dict[str, Any] | None, list[str]]:
    try:
        return cell_config(bundle, asked.overrides), []
    except CytobenchError as error:
        return None, [f"the data are not at hand: {error.message}"]


def _refitted(
    bundle: Bundle, config: dict[str, Any] | None, asked: Against
) -> tuple[list[Refit], list[str]]:
    reason = "" if config is not None else "without the data"
    reason = reason or why_not(bundle)
    if reason or config is None:
        return [], [f"no fold was refitted: {reason}"]
    folds = sampled_folds(bundle, asked.refits, asked.nonce)
    limit = asked.fold_seconds
    return [refit(bundle, fold, config, seconds=limit) for fold in folds], []


def _once(findings: Sequence[BundleError]) -> list[BundleError]:
    """One finding for each code: several references see the same fault."""
    found: dict[str, BundleError] = {}
    for item in findings:
        found.setdefault(item.code, item)
    return list(found.values())
