"""``cytobench audit NAME``: leakage in a dataset or a model; what a folder tells of patients."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cytobench import console

if TYPE_CHECKING:
    from cytobench.audit.findings import Check, Finding


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.usage = (
        "cytobench audit [--json] [--list] [--debug] NAME [OVERRIDE ...]\n"
        "       cytobench audit --privacy [--salt FILE] [--json] [FOLDER ...] [OVERRIDE ...]"
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("name", nargs="?", help="a dataset or a model; a folder to be shared")
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="as for `cytobench run`; see below"
    )
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    parser.add_argument("--list", action="store_true", help="list all checks and what they mean")
    parser.add_argument(
        "--privacy", action="store_true",
        help="what a run store (default: runs), boards, a bundle or MLflow's files give away",
    )  # fmt: skip
    parser.add_argument("--salt", metavar="FILE", help="the salt of a store that is shared without")
    parser.epilog = (
        "a dataset is probed under a task and a protocol, a model is tested on a dataset:\n"
        "  cytobench audit sim_inflamed_mdd task=remission protocol=leave_one_site_out\n"
        "  cytobench audit elastic_net dataset=sim_null\n"
        "  cytobench audit mg_steroid audit.acknowledge.A211='sorted for publication'\n"
        "a folder is searched for patients and secrets before it is shared:\n"
        "  cytobench audit --privacy shared --salt runs/salt dataset=my_cohort\n\n"
        "Exit code: 0 nothing blocks, 1 a blocking finding is open, 2 usage error."
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command.

    Raises
    ------
    UsageError
        ``E105`` where nothing is called so, ``E130`` for a wrong acknowledgement.
    """
    if options.privacy:
        from cytobench.cli import privacy

        if not options.list:
            return privacy.audit_privacy(options)
        privacy.explain(as_json=options.json)
        return 0
    if options.list:
        from cytobench.audit.findings import checks

        _explain(checks().values(), as_json=options.json)
        return 0
    from cytobench.core.errors import UsageError
    from cytobench.run.engine import one_thread_each

    if options.name is None:
        raise UsageError("E105", "say which dataset or model", hint="cytobench list datasets")
    one_thread_each()
    kind = _kind(options.name)
    from cytobench.config import compose_jobs

    reports = []
    for config in compose_jobs([f"{kind}={options.name}", *options.overrides]):
        findings = _probe(config) if kind == "dataset" else _test(config)
        reports.append(_report(config, findings, kind))
    if options.json:
        import json

        console.say(json.dumps(reports, indent=2, default=str, ensure_ascii=False))
    else:
        for report in reports:
            _show(report)
    blocked = any(item["severity"] == "block" for report in reports for item in report["open"])
    return 1 if blocked else 0


def _kind(name: str) -> str:
    from cytobench.core.errors import UsageError, did_you_mean
    from cytobench.registry.declared import declared
    from cytobench.registry.discover import discover

    datasets = {*discover("dataset"), *declared("dataset")}
    models = {*discover("model"), *declared("model")}
    if set(name.split("+")) <= datasets:  # several studies are a dataset too
        return "dataset"
    if name not in datasets | models:
        raise UsageError(
            "E105",
            f"no dataset or model is called {name!r}",
            hint=did_you_mean(name, sorted(datasets | models)),
        )
    return "model"


def _probe(config: Mapping[str, Any]) -> list[Finding]:
    from cytobench.audit.cohort import audit_bench
    from cytobench.run.cells import load_bench

    bench = load_bench(config)
    return audit_bench(
        bench.cohort, bench.target, bench.plan, seed=int(config["seed"]), thorough=True
    )


def _test(config: Mapping[str, Any]) -> list[Finding]:
    from cytobench.run.audited import audit_model
    from cytobench.run.cells import Cell, load_cell
    from cytobench.run.engine import check_engine
    from cytobench.run.jobs import CELL_NODES

    cell = Cell("audit", "audit", {node: config[node] for node in CELL_NODES})
    return audit_model(load_cell(cell), workers=check_engine(config["engine"]))


def _report(config: Mapping[str, Any], findings: Sequence[Finding], kind: str) -> dict[str, Any]:
    from cytobench.audit.findings import acknowledged

    reasons = config.get("audit", {}).get("acknowledge", {}) or {}
    still_open, answered = acknowledged(findings, reasons)
    parts = ("dataset", "task", "protocol" if kind == "dataset" else "model")
    return {
        "about": {part: config[part].get("name") for part in parts},
        "open": [{**asdict(item), "hint": item.hint} for item in still_open],
        "acknowledged": [{**asdict(item), "reason": reasons[item.code]} for item in answered],
    }


def _show(report: Mapping[str, Any]) -> None:
    console.say(", ".join(f"{part} {name}" for part, name in report["about"].items()), style="bold")
    for item in report["open"]:
        _line(item["code"], item["severity"], item["sentence"])
        if item["severity"] != "note":
            console.say(f"{'':<14}-> fix it, or say {item['hint']}", style="dim")
    if report["acknowledged"]:
        console.say("acknowledged:", style="bold")
    for item in report["acknowledged"]:
        _line(item["code"], item["severity"], f"{item['sentence']} -- because: {item['reason']}")
    counts = [
        f"{sum(item['severity'] == severity for item in report['open'])} {words}"
        for severity, words in (("block", "blocking"), ("warning", "warnings"), ("note", "notes"))
    ]
    console.say(", ".join(counts) + f", {len(report['acknowledged'])} acknowledged", style="bold")


def _explain(every: Iterable[Check], *, as_json: bool) -> None:
    listed = [
        {
            name: getattr(item, name)
            for name in ("code", "severity", "subject", "title", "explanation", "thorough")
        }
        for item in every
    ]
    if as_json:
        import json

        console.say(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    for item in listed:
        _line(item["code"], item["severity"], f"{item['title']}. {item['explanation']}")


def _line(code: str, severity: str, text: str) -> None:
    """One row of the table; sentences are too long for one that cuts."""
    import shutil
    import textwrap

    head = f"{code}  {severity:<8}"
    width = max(60, shutil.get_terminal_size((100, 24)).columns)
    console.say(textwrap.fill(text, width, initial_indent=head, subsequent_indent=" " * len(head)))
