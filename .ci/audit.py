"""Looks the locked versions up among known vulnerabilities, with pip-audit.

Exit code 1 where there is one that nobody has answered for. Where the service cannot be asked from
here, which a release that is known to be vulnerable tells, it says so and the step is skipped.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parents[1] / "requirements-dev.lock"
CONTROL = "jinja2==2.11.2"  # GHSA-g3rq-g295-4j3m, of 2021
ANSWERED: dict[str, str] = {}  # identifier -> why it does not concern us


def look_up(requirements, *options):
    """What pip-audit says of each package of a file of requirements, or why it cannot be asked."""
    words = [sys.executable, "-m", "pip_audit", "--disable-pip", "--progress-spinner", "off"]
    done = subprocess.run(
        [*words, "--format", "json", "-r", str(requirements), *options],
        capture_output=True,
        text=True,
    )
    if not done.stdout.strip():
        return [], done.stderr.strip().splitlines()[
            -1
        ] if done.stderr.strip() else "it says nothing"
    packages = json.loads(done.stdout)["dependencies"]
    skipped = [package["skip_reason"] for package in packages if "skip_reason" in package]
    return packages, skipped[0] if len(skipped) == len(packages) else ""


def main():
    """Ask, and say what there is."""
    with tempfile.TemporaryDirectory() as folder:
        control = Path(folder) / "control.txt"
        control.write_text(f"{CONTROL}\n", encoding="utf-8")
        known, problem = look_up(control, "--no-deps")
    if not any(package.get("vulns") for package in known):
        why = problem or f"it knows nothing of {CONTROL}"
        print(f"SKIPPED: the vulnerability service does not answer from here: {why}")
        return 0
    packages, problem = look_up(LOCK, "--require-hashes")
    found = 0
    for package in packages:
        if "skip_reason" in package:
            print(f"{package['name']}: not looked at: {package['skip_reason']}")
        for one in package.get("vulns", []):
            names = {one["id"], *one.get("aliases", [])}
            answer = next((ANSWERED[name] for name in names if name in ANSWERED), "")
            found += not answer
            fixed = ", ".join(one.get("fix_versions", [])) or "no release"
            said = answer or f"fixed in {fixed}"
            print(f"{package['name']} {package['version']}: {one['id']}: {said}")
    print(problem or f"{len(packages)} packages, {found} open vulnerabilities")
    return 1 if found or problem else 0


if __name__ == "__main__":
    sys.exit(main())
