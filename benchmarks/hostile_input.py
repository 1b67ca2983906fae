"""What comes of hostile input: each family many times, and every answer counted.

    python benchmarks/hostile_input.py [--examples 1000] [--workers 2] [--family NAME [--keep]]

The families are those of `tests/hostile`, drawn by hypothesis. Each example has 20 seconds of
CPU and the process 4 GiB; whatever is neither refused with a code nor read right is counted as
uncaught, with its first traceback. Writes a table (Markdown) and the
numbers (JSON). Ten minutes of CPU.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
import time
import warnings
from typing import Any

from race import RESULTS, ROOT, about_the_machine, in_words, keep

sys.path.insert(0, str(ROOT / "tests"))

from support.hostile import everything
from support.hostile.answers import FAMILIES
from support.hostile.trying import GIGABYTES, SECONDS, Tally, many


def main() -> int:
    """Try every family; 1 where anything got through."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=1000)
    parser.add_argument("--family", action="append", default=[], help="only these")
    parser.add_argument("--keep", action="store_true", help="of these, beside the others' record")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="families at a time")
    options = parser.parse_args()
    assert everything.__all__
    unknown = set(options.family) - set(FAMILIES)
    if unknown:
        parser.error(f"no family {sorted(unknown)[0]!r}; there are: {', '.join(FAMILIES)}")
    names = options.family or list(FAMILIES)
    jobs = [(name, options.examples, options.seed) for name in names]
    found: dict[str, tuple[Tally, float]] = {}
    with multiprocessing.Pool(options.workers, maxtasksperchild=1) as pool:
        for name, tally, seconds in pool.imap(_try, jobs, chunksize=1):
            found[name] = (tally, seconds)
            print(line({**vars(FAMILIES[name]), **vars(tally)}), flush=True)
            for traceback in tally.first.values():
                print(traceback, file=sys.stderr, flush=True)
    if options.keep or not options.family:
        known = json.loads((RESULTS / "hostile_input.json").read_text())["families"]
        rows = {name: known[name] for name in FAMILIES if name in known and name not in found}
        rows |= {
            name: {
                "what": FAMILIES[name].what,
                "seen": FAMILIES[name].seen,
                "cpu_seconds": round(seconds, 1),
                **vars(tally),
                "uncaught": dict(tally.uncaught),
            }
            for name, (tally, seconds) in found.items()
        }
        rows = {name: rows[name] for name in FAMILIES if name in rows}
        keep("hostile_input", {"seed": options.seed, "families": rows}, table(rows, options.seed))
    return int(any(tally.uncaught for tally, _ in found.values()))


def _try(job: tuple[str, int, int]) -> tuple[str, Tally, float]:
    """A family in a process of its own."""
    name, examples, seed = job
    warnings.simplefilter("error")
    begun = time.process_time()
    tally = many(FAMILIES[name], int(examples * FAMILIES[name].share), seed)
    return name, tally, time.process_time() - begun


def table(rows: dict[str, dict[str, Any]], seed: int) -> str:
    """The record as Markdown."""
    lines = [
        "# Hostile input",
        "",
        "| input | tried | refused with a code | read, and right | read | got through | what the "
        "user saw |",
        "|---|---|---|---|---|---|---|",
        *map(line, rows.values()),
        "",
        f"`python benchmarks/hostile_input.py`, seed {seed}. *Right*: compared with what had been "
        "written, to the last bit or letter. *Read*: accepted, where bytes or settings were "
        "changed anywhere and nobody knows what was meant; nothing but a CytobenchError came of "
        f"it. *Got through*: a traceback, a wrong value, more than {SECONDS} s of CPU or "
        f"{GIGABYTES} GiB.",
        "",
        in_words(about_the_machine()),
    ]
    return "\n".join(lines)


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    counts = (f"{row[name]:,}" for name in ("tried", "refused", "right", "read"))
    through = sum(row["uncaught"].values())
    cells = (row["what"], *counts, str(through or "nothing"), row["seen"])
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
