"""The register of everything for which a bundle is refused; docs/bundle-codes.md is made from it.

A code is stable. Most refuse; a few flag what no program can judge, for a person to look at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cytobench.core.errors import CytobenchError

Severity = Literal["refused", "flagged"]


@dataclass(frozen=True)
class Code:
    """One entry of the register.

    Attributes
    ----------
    title : str
        What is wrong with a bundle that gets this code.
    hint : str
        What to do about it.
    severity : {"refused", "flagged"}
        A flagged bundle is not accepted until a person has answered for it.
    """

    code: str
    title: str
    hint: str
    severity: Severity = "refused"


AREAS: Mapping[str, str] = {
    "E71": "The archive",
    "E72": "Its members",
    "E73": "The folds",
    "E74": "What it claims",
    "E75": "Against the reference",
    "E76": "The refitted fold",
    "E77": "Too good: for a person to look at",
}
AGAIN = "make it anew with `cytobench leaderboard submit`, and do not edit it"
_ALL = (
    Code("E710", "is no zip archive, or is cut off", AGAIN),
    Code("E711", "is larger than a bundle may be, or has too many members", AGAIN),
    Code("E712", "a member's name leads out of the archive, or is no plain name", AGAIN),
    Code("E713", "two members have one name", AGAIN),
    Code("E714", "a member is no plain, uncompressed, unencrypted file", AGAIN),
    Code("E715", "has a member that no bundle has", AGAIN),
    Code("E716", "a member is missing", AGAIN),
    Code("E717", "a member differs from what the manifest says of it", AGAIN),
    Code(
        "E718",
        "is of a schema version that is not known here",
        "make it and verify it with the same release of cytobench",
    ),
    Code("E719", "holds bytes that belong to no member, or members out of order", AGAIN),
    Code("E720", "a JSON member cannot be read, or repeats a key", AGAIN),
    Code("E721", "a field is missing, unknown, or of the wrong kind", AGAIN),
    Code("E722", "a parquet member cannot be read", AGAIN),
    Code("E723", "a parquet member has columns or types that no bundle has", AGAIN),
    Code("E724", "a parquet member is larger than a fold can be", AGAIN),
    Code(
        "E725",
        "a number is not finite, or no probability, or beyond every scale",
        "a model that predicts such numbers fails `cytobench check`",
    ),
    Code(
        "E726",
        "a text of the card holds markup, control characters, or begins like a formula",
        "write name, summary, licence and citation of the plugin as plain words",
    ),
    Code("E730", "a fold of the plan is missing", AGAIN),
    Code("E731", "a fold is there twice, or stands under another fold's name", AGAIN),
    Code("E732", "a fold belongs to another cell", AGAIN),
    Code("E733", "a fold belongs to another cohort", AGAIN),
    Code("E734", "a fold belongs to another split plan", AGAIN),
    Code("E735", "a patient is tested twice in one fold", AGAIN),
    Code("E736", "a patient has two outcomes, or one that the task does not know", AGAIN),
    Code("E737", "the number of patients or of events is not the one that is stated", AGAIN),
    Code("E738", "the test parts are not those of the protocol that is claimed", AGAIN),
    Code("E739", "what is said of a training part does not follow from the others", AGAIN),
    Code("E740", "a stated score is not the one that its predictions have", AGAIN),
    Code(
        "E741",
        "the plugin's source is not the one whose sha256 is stated",
        "run the cell again with the plugin as it is now, then submit",
    ),
    Code(
        "E742",
        "bears the name of an installed plugin whose source is another",
        "rename the plugin; a bundled one: update cytobench and run it again",
    ),
    Code(
        "E743",
        "bears the name of another row, or one too much like it, with another source",
        "rename the plugin",
    ),
    Code(
        "E744",
        "claims a suite, and differs in what the suite fixes",
        "cytobench run suite=NAME model=YOURS, with nothing else, then submit",
    ),
    Code("E745", "claims a suite or an entry that does not exist", "cytobench list suites"),
    Code(
        "E746",
        "was made on permuted labels",
        "submit the cell itself; permutations are no rows",
    ),
    Code(
        "E747",
        "claims a role that a submission cannot have",
        "a submission is a model: no floor, no ceiling, and never sees other test patients",
    ),
    Code("E748", "searched longer than the budget that it states", AGAIN),
    Code("E749", "the cell's key does not follow from what is said of the cell", AGAIN),
    Code(
        "E750",
        "patients have other outcomes than in the reference",
        "run the suite on the published cohort, then submit",
    ),
    Code(
        "E751",
        "other patients are tested than in the reference",
        "run the suite on the published cohort, then submit",
    ),
    Code(
        "E752",
        "the truth that is stated is not that of the reference",
        "run the suite on the published cohort, then submit",
    ),
    Code(
        "E753",
        "cohort or splits are not those that the same settings give here",
        "run the suite on the published cohort with this release, then submit",
    ),
    Code(
        "E760",
        "the refitted fold has other predictions",
        "is the plugin deterministic? `cytobench check NAME --only CB2`",
    ),
    Code(
        "E761",
        "the model fails where the fold is refitted",
        "`cytobench check NAME` shows why, where it fails there too",
    ),
    Code(
        "E762",
        "the refitted fold has other predictions, and packages differ",
        "verify with the versions of the bundle's environment.json",
        "flagged",
    ),
    Code(
        "E770",
        "the predictions are the outcomes",
        "look for the outcome among the features: `cytobench audit NAME`",
        "flagged",
    ),
    Code(
        "E771",
        "is better than the truth allows, beyond the ceiling's interval",
        "look for leakage: `cytobench audit NAME`; or ask for the seed of another cohort",
        "flagged",
    ),
    Code(
        "E772",
        "is better than anybody has been on real patients",
        "look for leakage: `cytobench audit NAME`; refit it on another cohort",
        "flagged",
    ),
)
CODES: Mapping[str, Code] = {item.code: item for item in _ALL}


class BundleError(CytobenchError):
    """A bundle is refused, or flagged for a person."""

    @property
    def severity(self) -> Severity:
        """Whether it is refused for good."""
        return CODES[self.code].severity


def refusal(code: str, sentence: str, where: str) -> BundleError:
    """The error of a code, with its hint.

    Parameters
    ----------
    sentence : str
        What was found, and what was expected.
    where : str
        Bundle, member and field.
    """
    return BundleError(code, sentence, where=where, hint=CODES[code].hint)
