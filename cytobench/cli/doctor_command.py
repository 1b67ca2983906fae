"""``cytobench doctor``: looks for what is known to go wrong, and says what to do about it."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from cytobench import console

if TYPE_CHECKING:
    from cytobench.doctor import Finding, Situation

PACKAGES = (
    "torch",
    "scikit-learn",
    "hydra-core",
    "mlflow",
    "optuna",
    "numpy",
    "pandas",
    "pyarrow",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="as for `cytobench run`: store=PATH"
    )
    parser.add_argument("--json", action="store_true", help="print what is found as JSON")
    parser.add_argument("--list", action="store_true", help="list everything that is looked for")
    parser.epilog = "Exit code: 0 nothing breaks runs (there may be warnings), 1 something does."


def execute(options: argparse.Namespace) -> int:
    """Run the command; 1 where something breaks runs."""
    from cytobench.doctor import checks, examine, situation_of

    if options.list:
        from cytobench.cli.listing import list_codes

        names = ("code", "severity", "title", "explanation")
        known = [{name: getattr(check, name) for name in names} for check in checks().values()]
        list_codes(known, as_json=options.json)
        return 0
    situation = situation_of(options.overrides)
    about, found = _about(situation), examine(situation)
    if options.json:
        import json

        listed = [asdict(finding) for finding in found]
        said = {**about, "checks": len(checks()), "findings": listed}
        console.say(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        _show(about, found, len(checks()))
    return 1 if any(finding.severity == "breaks" for finding in found) else 0


def _about(situation: Situation) -> dict[str, Any]:
    """What is installed, and which folders are used."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from cytobench.plugins import bundled, folders
    from cytobench.run.cells import data_folders

    packages: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            packages[package] = version(package)
        except PackageNotFoundError:
            packages[package] = None
    data = situation.settings.get("data")
    return {
        "python": f"{platform.python_version()} on {platform.system()} {platform.machine()}",
        "packages": packages,
        "configuration": str(bundled("conf")),
        "plugin folders": [str(folder) for folder in folders()],
        "data folders": [str(folder) for folder in data_folders(data) if folder.is_dir()],
        "run store": str(situation.store),
        "tracking": str(situation.tracking.get("uri", "none")),
    }


def _show(about: dict[str, Any], found: list[Finding], checks: int) -> None:
    console.say(f"Python {about['python']}")
    for package, release in about["packages"].items():
        if release is not None:
            console.say(f"  {package} {release}")
        elif package == "torch":
            console.say("  torch is missing (optional: pip install 'cytobench[torch]')")
    console.say(f"configuration: {about['configuration']}")
    console.say("plugin folders: " + ", ".join(about["plugin folders"]))
    console.say("data folders: " + (", ".join(about["data folders"]) or "none; set CYTOBENCH_DATA"))
    console.say(f"run store: {about['run store']}")
    console.say(f"tracking: {about['tracking']}")
    for finding in found:
        say = console.fail if finding.severity == "breaks" else console.warn
        place = f"{finding.where}: " if finding.where else ""
        hint = f"\n  -> {finding.hint}" if finding.hint else ""
        say(f"[{finding.code}] {place}{finding.sentence}{hint}")
    broken = sum(finding.severity == "breaks" for finding in found)
    if found:
        console.say(
            f"{checks} checks: {broken} findings break runs, {len(found) - broken} are warnings; "
            "cytobench doctor --list explains them"
        )
    else:
        console.say(f"{checks} checks: all is well")
