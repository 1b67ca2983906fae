"""``cytobench check NAME|PATH``: test what a plugin promises."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from cytobench import console

if TYPE_CHECKING:
    from cytobench.check.runner import Report
    from cytobench.registry.discover import Kind

STYLES = {
    "failed": "red",
    "warned": "yellow",
    "excused": "dim",
    "skipped": "dim",
    "passed": "green",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "names", nargs="*", metavar="NAME|PATH", help="plugins or their files; all unless given"
    )
    parser.add_argument("--kind", choices=("model", "dataset"), help="where both have the name")
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="CODE", help="such as CB2 or CB301"
    )
    parser.add_argument("--fast", action="store_true", help="leave out what takes longest")
    parser.add_argument(
        "--limit", type=float, default=120.0, metavar="SECONDS", help="for one check (default 120)"
    )
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--list", action="store_true", help="list all checks and what they mean")
    parser.epilog = (
        "examples:\n"
        "  cytobench check my_model\n"
        "  cytobench check plugins/models/my_model.py --only CB2 CB3\n\n"
        "Exit code: 0 nothing failed, 1 something did, 2 usage error."
    )


def execute(options: argparse.Namespace) -> int:
    """Run the command."""
    if options.list:
        _explain(as_json=options.json)
        return 0
    from cytobench.check.runner import run_checks
    from cytobench.core.errors import UsageError
    from cytobench.run.engine import one_thread_each

    if options.limit <= 0:
        raise UsageError("E146", "must be above 0", where="--limit")
    one_thread_each()
    only = [code.upper() for code in options.only]
    reports: list[Report] = []
    for name, kind in _asked(options):
        report = run_checks(name, kind=kind, fast=options.fast, only=only, seconds=options.limit)
        if not report.results and not options.names:
            continue  # none of the codes is for its kind
        reports.append(report)
        if not options.json:
            _show(report)
    if options.json:
        _print_json(reports)
    elif len(reports) > 1:
        bad = [report.name for report in reports if not report.ok]
        text = f"{len(reports) - len(bad)} of {len(reports)} plugins pass"
        console.say(text + (f"; not: {', '.join(bad)}" if bad else ""), style="bold")
    return 0 if all(report.ok for report in reports) else 1


def _asked(options: argparse.Namespace) -> Sequence[tuple[str, Kind | None]]:
    from cytobench.check.reach import every

    if options.names:
        return [(name, options.kind) for name in options.names]
    return [(target.name, target.kind) for target in every(options.kind)]


def _show(report: Report) -> None:
    console.say(f"{report.kind} {report.name}  {report.origin}", style="bold")
    follow: dict[str, list[str]] = {}
    for result in report.results:
        if result.after:
            follow.setdefault(result.after, []).append(result.code)
            continue
        console.say(
            f"  {result.code}  {result.status:<8}{result.title}"
            + (f"  ({result.seconds:.0f} s)" if result.seconds >= 2 else ""),
            style=STYLES[result.status] if result.status != "passed" else None,
        )
        if result.message:
            console.say(f"         {result.message}", style="dim")
    for cause, codes in follow.items():  # one line: what has failed is to be seen
        console.say(f"  not tested, since {cause} has failed: {', '.join(codes)}", style="dim")
    counts = [
        f"{report.count(status)} {status}"
        for status in ("passed", "failed", "warned", "excused", "skipped")
        if report.count(status)
    ]
    failed = [result.code for result in report.results if result.status == "failed"]
    if failed:  # their lines may have left the screen
        counts.append(f"see {', '.join(failed)}")
    console.say(
        "  " + (", ".join(counts) or "nothing to check"), style="green" if report.ok else "red"
    )


def _print_json(reports: Sequence[Report]) -> None:
    import json
    from dataclasses import asdict

    listed = [{**asdict(report), "ok": report.ok} for report in reports]
    console.say(json.dumps(listed, indent=2, ensure_ascii=False))


def _explain(*, as_json: bool) -> None:
    from cytobench.check.register import checks

    every = checks().values()
    if as_json:
        import json

        listed = [
            {name: getattr(item, name) for name in ("code", "title", "severity", "subject")}
            | {"explanation": item.explanation}
            for item in every
        ]
        console.say(json.dumps(listed, indent=2, ensure_ascii=False))
        return
    for item in every:
        console.say(f"{item.code}  {item.title}", style="bold")
        console.say(f"       {item.explanation}")
