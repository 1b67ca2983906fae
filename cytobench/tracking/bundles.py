"""Predictions on the server: a run's bundle, and the bundles of all runs.

A bundle is what a submission is: outcome and prediction of each patient under names that say
nothing of him, no features, and only what the study's terms allow to leave the machine. A
leaderboard can be built from bundles alone, since every number is computed again from them.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cytobench.core.errors import CytobenchError
from cytobench.run.store import StoredCell
from cytobench.submission.make import make_bundle
from cytobench.tracking.client import Tracker, explained
from cytobench.tracking.record import BUNDLE, NO_BUNDLE

FILE = "bundle.zip"
RUN_ID = re.compile(r"[0-9a-f]{32}\Z")


def write_bundle(
    suite: str, entry: str, cell: StoredCell, folder: Path, permitted: str
) -> dict[str, str]:
    """Write a cell's bundle into a folder; the tags of its run.

    A cell that has none, such as one of a study that is shared under terms, is mirrored without it,
    and its run says why.
    """
    try:
        content = make_bundle(suite, entry, cell, permitted=permitted)
    except CytobenchError as error:
        return {NO_BUNDLE: error.code}  # the words may name a folder
    (folder / FILE).write_bytes(content)
    return {BUNDLE: hashlib.sha256(content).hexdigest()}


@dataclass(frozen=True)
class Fetched:
    """The bundles of a server, as files of a folder.

    Attributes
    ----------
    folder : Path
    without : int
        Finished runs that carry no bundle.
    """

    folder: Path
    without: int


@contextmanager
def fetched(uri: str, suites: Sequence[str]) -> Iterator[Fetched]:
    """Download the bundles of some suites, or of all, for as long as the block lasts.

    They are not believed: whoever reads them verifies them.

    Raises
    ------
    CytobenchError
        ``E601`` where the server cannot be read, ``E611`` where no run carries a bundle.
    """
    with tempfile.TemporaryDirectory(prefix="cytobench-") as name:
        folder, without = Path(name), 0
        with explained(uri, "could not be read"):
            tracker = Tracker(uri)
            for experiment, entry in sorted(tracker.experiments().items(), key=lambda x: x[1]):
                if suites and entry.partition("/")[0] not in suites:
                    continue
                for run in sorted(tracker.runs(experiment), key=lambda run: run.run):
                    if run.bundle and run.finished and RUN_ID.match(run.run):
                        tracker.download(run.run, FILE, folder / f"{run.run}.zip")
                    elif run.finished:
                        without += 1
        if not any(folder.iterdir()):
            raise CytobenchError(
                "E611",
                f"no finished run of {' and '.join(suites) or 'any suite'} carries its predictions"
                + (f"; {without} carry their results alone" if without else ""),
                where=uri,
                hint="they are written with tracking.rows=true, from the run store of whoever ran "
                "them: cytobench track --rebuild tracking.rows=true",
            )
        yield Fetched(folder, without)
