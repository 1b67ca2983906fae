"""The cheap probes of the audit, once for each cohort of a run; an open block refuses its cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cytobench.audit.cohort import audit_bench
from cytobench.audit.findings import Finding, acknowledged
from cytobench.core.errors import DataError
from cytobench.data.target import Task
from cytobench.run.cells import LoadedCell
from cytobench.run.store import RunStore

Record = dict[str, Any]


@dataclass
class Vetting:
    """Audits what a run meets for the first time; finished cells keep what was found then."""

    store: RunStore
    _found: dict[tuple[str, str, Task], list[Finding]] = field(default_factory=dict)

    def records(self, loaded: LoadedCell, *, finished: bool) -> list[Record] | None:
        """Findings with their acknowledgements, as they are stored; None for permuted labels.

        Raises
        ------
        DataError
            With the finding's code, where a blocking one is not acknowledged.
        UsageError
            ``E130`` for an acknowledgement without a reason, or of no check.
        """
        if loaded.cell.permutation:
            return None
        reasons = _reasons(loaded.cell.config)
        known = self.store.known(loaded.key) if finished else None
        kept = None if known is None else known.get("audit")
        found = self._probe(loaded) if kept is None else [_finding(record) for record in kept]
        standing, answered = acknowledged(found, reasons)
        for finding in standing:
            if finding.severity == "block":
                raise DataError(
                    finding.code,
                    finding.sentence,
                    where=f"cohort {loaded.bench.cohort.name!r}",
                    hint=f"mend the data; or run with {finding.hint}",
                )
        return [_record(finding, None) for finding in standing] + [
            _record(finding, str(reasons[finding.code])) for finding in answered
        ]

    def _probe(self, loaded: LoadedCell) -> list[Finding]:
        bench = loaded.bench
        key = (bench.cohort.fingerprint, bench.plan.hash, bench.target.task)
        if key not in self._found:
            seed = int(loaded.cell.config["seed"])
            self._found[key] = audit_bench(bench.cohort, bench.target, bench.plan, seed=seed)
        return self._found[key]


def _reasons(config: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (config.get("audit") or {}).get("acknowledge") or {}
    assert isinstance(found, Mapping)
    return found


def _record(finding: Finding, reason: str | None) -> Record:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "sentence": finding.sentence,
        "where": finding.where,
        "hint": finding.hint,
        "acknowledged": reason,
    }


def _finding(record: Record) -> Finding:
    return Finding(record["code"], record["severity"], record["sentence"], record["where"])


def open_findings(records: Sequence[Record]) -> list[Record]:
    """Warnings that nobody has acknowledged."""
    return [item for item in records if item["severity"] == "warning" and not item["acknowledged"]]
