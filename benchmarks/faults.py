"""What befalls long runs, tried on real ones: how often, what was lost, what the user saw.

    python benchmarks/faults.py [--tries 6] [--slow-tries 2] [--only kill_serial,damage]

With ``--only`` the other rows stay as they are.

Every try has its own seed, which decides when the fault comes and what it hits. After it the same
command is given again, by a shell and as the run has printed it where it has, and every stored
number is compared with those of an undisturbed run. The faults are those of ``tests/faults``, which
tries each of them once.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from race import RESULTS, ROOT, about_the_machine, in_words, keep

sys.path.insert(0, str(ROOT / "tests"))

from support.faults import FOLDS, GO_ON, Stage, first_stage
from support.injected import FAULTS, Fault, tried

HEAD = f"""# What befalls a run

`python benchmarks/faults.py` makes this page: real `cytobench run` commands of {FOLDS} folds. The
seed of a try decides when the fault comes and what it hits. Then the same command is given again,
by a shell and as the run has printed it where it has.
*Lost* counts finished folds that are gone or not what they were; *wrong* counts folds and boards
of which any number differs from an undisturbed run's in any digit, durations aside.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Try them all, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tries", type=int, default=6)
    parser.add_argument("--slow-tries", type=int, default=2)
    parser.add_argument("--only", help="names of functions of tests/support/injected.py")
    options = parser.parse_args(arguments)
    chosen = [
        fault
        for fault in FAULTS
        if not options.only or fault.befall.__name__ in options.only.split(",")
    ]
    path = RESULTS / "faults.json"
    rows = json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}
    with tempfile.TemporaryDirectory() as place:
        undisturbed = first_stage(Path(place, "undisturbed"))
        for fault in chosen:
            tries = options.slow_tries if fault.slow else options.tries
            folder = Path(place, fault.befall.__name__)
            row = row_of(fault, [folder / str(seed) for seed in range(tries)], undisturbed)
            print(row, flush=True)
            # A row at a time: this takes long, and may be stopped.
            known = {**rows, fault.befall.__name__: row}
            rows = {
                one.befall.__name__: known[one.befall.__name__]
                for one in FAULTS
                if one.befall.__name__ in known
            }
            about = about_the_machine()
            keep("faults", {"rows": rows, "about": about}, page(list(rows.values()), about))
    return int(any(row["lost"] or row["wrong"] or row["broken"] for row in rows.values()))


def row_of(fault: Fault, folders: Sequence[Path], undisturbed: Stage) -> dict[str, Any]:
    """A fault, tried in each of some folders."""
    row: dict[str, Any] = {"fault": fault.name, "tries": len(folders), "finished": 0}
    row |= {"lost": 0, "wrong": 0, "broken": [], "codes": set(), "seen": {}}
    for seed, folder in enumerate(folders):
        folder.mkdir(parents=True)
        outcome = tried(fault, Stage(folder, undisturbed), seed)
        row["finished"] += outcome.finished
        row["lost"] += len(outcome.lost)
        row["wrong"] += len(outcome.differences)
        row["codes"].add(outcome.seen.code)
        line = outcome.seen.line(fault.shows) if fault.shows else ""
        row["seen"].setdefault(in_general(line, folder), None)
        wrong = {
            "exit code": outcome.seen.code not in fault.codes,
            "not said": fault.shows not in outcome.seen.said,
            "how it goes on": (GO_ON in outcome.seen.said) != fault.resumes,
            "traceback": "Traceback" in outcome.seen.said,
            "not completed": outcome.again.code != 0,
            "files left behind": bool(outcome.debris),
        }
        row["broken"] += [f"{what}, seed {seed}" for what, so in wrong.items() if so]
    return {**row, "codes": sorted(row["codes"]), "seen": [line for line in row["seen"] if line]}


def in_general(line: str, folder: Path) -> str:
    """A line without what differs from try to try."""
    line = line.replace(f"{folder}/", "")
    line = re.sub(r"\b[0-9a-f]{64}\b", "<cell>", line)
    line = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:<port>", line)
    line = re.sub(r"mlflow\.db\.\d+", "mlflow.db.<process>", line)
    return re.sub(r"\b[1-9]\d*(?= of | are left| folds computed| came | were )", "n", line)


def page(rows: Sequence[dict[str, Any]], about: dict[str, Any]) -> str:
    """The table."""
    lines = [
        "| fault | tries | folds finished before | lost | wrong | exit | what the user saw |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        seen = "<br>".join(f"`{line.strip()}`" for line in row["seen"][:2]).replace("|", "\\|")
        broken = f" **{'; '.join(row['broken'])}**" if row["broken"] else ""
        codes = ", ".join(ended(code) for code in row["codes"])
        lines.append(
            f"| {row['fault']} | {row['tries']} | {row['finished']} | {row['lost']} | "
            f"{row['wrong']} | {codes} | {seen or 'nothing'}{broken} |"
        )
    total = sum(row["tries"] for row in rows)
    lost, wrong = (sum(row[name] for row in rows) for name in ("lost", "wrong"))
    said = f"{total} tries; {lost} finished folds lost, {wrong} results wrong."
    return "\n".join([HEAD, *lines, "", said, "", in_words(about)])


def ended(code: int) -> str:
    """An exit code, or the signal that ended the process."""
    return f"signal {-code}" if code < 0 else str(code)


if __name__ == "__main__":
    sys.exit(main())
