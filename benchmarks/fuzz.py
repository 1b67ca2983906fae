"""What coverage-guided fuzzing reaches, and what gets through: Atheris changes bytes, and keeps
those that reach lines of cytobench which none before has.

    python benchmarks/fuzz.py [--seconds 20] [--only NAME [--keep]] [--findings FOLDER]

The families of `tests/hostile` are drawn from the bytes by hypothesis; readers whose input is bytes
get them as they are, from honest files on, with the seal of a stored file made to fit. Each target
has a process of its own; an input, the seconds of computing and the memory of `tests/hostile`.
Needs `pip install -e '.[fuzz]'`. Writes a table (Markdown) and the numbers (JSON).
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from race import RESULTS, ROOT, about_the_machine, environment, in_words, keep

sys.path.insert(0, str(ROOT / "tests"))

LONGEST, SEEDS, STARTING = 8192, 30, 120
"""Bytes of an input, random inputs to begin with, and seconds until a child must be at work."""
COUNTS = ("tried", "refused", "right", "read")
SEEN = re.compile(r"cov: (\d+) ft: (\d+) corp: (\d+)")


@dataclass(frozen=True)
class Target:
    """Something to throw bytes at."""

    what: str
    throw: Callable[[bytes, Any], None]
    seeds: Sequence[bytes]


def main() -> int:
    """Fuzz every target for some seconds; 1 where anything got through."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=20, help="for each")
    parser.add_argument("--only", action="append", default=[], help="only these")
    parser.add_argument("--keep", action="store_true", help="of these, beside the others' record")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--child", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return fuzz(options.child[0], Path(options.child[1]), options.seconds)
    names = targets()
    if unknown := set(options.only) - set(names):
        parser.error(f"no target {min(unknown)!r}; there are: {', '.join(names)}")
    rows: dict[str, dict[str, Any]] = {}
    for name in options.only or names:
        rows[name] = run(name, options.seconds, options.findings)
        print(line(rows[name]), flush=True)
    if options.keep:
        kept = json.loads((RESULTS / "fuzz.json").read_text(encoding="utf-8"))["targets"]
        known = {**kept, **rows}
        rows = {name: known[name] for name in names if name in known}
    if options.keep or not options.only:
        keep("fuzz", {"seconds": options.seconds, "targets": rows}, table(rows, options.seconds))
    return int(any(row["uncaught"] for row in rows.values()))


def targets() -> list[str]:
    """Readers of bytes, then families."""
    from support.hostile import everything
    from support.hostile.answers import FAMILIES
    from support.hostile.raw import READERS

    assert everything.__all__
    return [*READERS, *FAMILIES]


def run(name: str, seconds: int, findings: Path) -> dict[str, Any]:
    """A target in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, __file__, "--seconds", str(seconds), "--child", name, folder]
        try:
            ended = subprocess.run(
                words, cwd=folder, env=environment(), capture_output=True, text=True,
                errors="replace", timeout=2 * seconds + STARTING, check=False,
            )  # fmt: skip
            code, said = ended.returncode, ended.stderr
        except subprocess.TimeoutExpired as late:
            code, said = -1, (late.stderr or b"").decode(errors="replace")
        told = Path(folder) / "tally.json"
        row = json.loads(told.read_text()) if told.exists() else {"what": name, "tried": 0}
        row.setdefault("uncaught", {})
        if code:  # a crash, memory, a hang of the whole process: its last words
            row["uncaught"][f"exit code {code}"] = 1
            print(said[-3000:], file=sys.stderr)
        for found in sorted(Path(folder).glob("finding-*")):
            findings.mkdir(parents=True, exist_ok=True)
            place = findings / f"{re.sub('[^a-zA-Z0-9]+', '-', name)}-{found.name}"
            place.write_bytes(found.read_bytes())
        reached = SEEN.findall(said) or [(0, 0, 0)]
        row |= dict(zip(("edges", "features", "corpus"), map(int, reached[-1]), strict=True))
        return row


def fuzz(name: str, folder: Path, seconds: int) -> int:
    """Atheris at work, in the child; what it has done is written down as it goes."""
    import atheris

    warnings.simplefilter("error")
    with atheris.instrument_imports(include=["cytobench"]):
        from support.hostile.trying import GIGABYTES, SECONDS, Tally, memory

        # What is imported late is imported now: Atheris says so on standard error. The seeds
        # themselves count when they are thrown again, as the first of the corpus.
        early = Tally()
        target = target_of(name, early)
        corpus = folder / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(target.seeds):
            (corpus / f"seed-{number:03d}").write_bytes(seed)
            target.throw(seed, early)
        tally = Tally()
        target = target_of(name, tally)
    written = 0.0

    def one(content: bytes) -> None:
        nonlocal written
        known = len(tally.first)
        target.throw(content, tally)
        if len(tally.first) > known:
            (folder / f"finding-{known:02d}.bin").write_bytes(content)
            (folder / f"finding-{known:02d}.txt").write_text([*tally.first.values()][-1])
        if len(tally.first) > known or time.monotonic() > written + 0.5:
            written = time.monotonic()
            counts = {name: getattr(tally, name) for name in COUNTS}
            done = {"what": target.what, **counts, "uncaught": dict(tally.uncaught)}
            (folder / "tally.json").write_text(json.dumps(done))

    limits = [f"-timeout={2 * SECONDS}", f"-rss_limit_mb={1024 * GIGABYTES}"]
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", f"-max_len={LONGEST}", "-len_control=0",
         "-seed=1", *limits, str(corpus)], one,
    )  # fmt: skip
    with memory():
        atheris.Fuzz()
    return 0


def target_of(name: str, tally: Any) -> Target:
    """A reader of bytes, or a family that hypothesis draws from bytes."""
    from hypothesis import given, settings
    from hypothesis import strategies as st
    from support.hostile import everything
    from support.hostile.answers import FAMILIES
    from support.hostile.raw import READERS
    from support.hostile.trying import LATER, attempt

    assert everything.__all__  # every family is entered
    if name in READERS:
        reader = READERS[name]
        return Target(name, lambda content, to: attempt(reader.attempt, content, to),
                      reader.seeds())  # fmt: skip
    family = FAMILIES[name]

    @settings(database=None, deadline=None, suppress_health_check=LATER)
    @given(data=st.data())
    def each(data: Any) -> None:
        attempt(family.attempt, data, tally)

    drawn = random.Random(0)
    seeds = [drawn.randbytes(drawn.randrange(256, LONGEST)) for _ in range(SEEDS)]
    return Target(family.what, lambda content, _: each.hypothesis.fuzz_one_input(content), seeds)


def table(rows: dict[str, dict[str, Any]], seconds: int) -> str:
    """The record as Markdown."""
    lines = [
        "# Coverage-guided fuzzing",
        "",
        f"`python benchmarks/fuzz.py` makes this page: Atheris, {seconds} s each. *Edges* are "
        "branches of cytobench that were reached, *features* these with how often, *kept* the "
        "inputs that reached something new. *Got through*: a traceback, a wrong value, or beyond "
        "the limits.",
        "",
        "| input | tried | refused with a code | accepted | edges | features | kept "
        "| got through |",
        "|---|---|---|---|---|---|---|---|",
        *map(line, rows.values()),
        "",
        in_words(about_the_machine()),
    ]
    return "\n".join(lines)


def line(row: dict[str, Any]) -> str:
    """A row of the table."""
    accepted = row.get("right", 0) + row.get("read", 0)
    numbers = (row["tried"], row.get("refused", 0), accepted, row["edges"], row["features"],
               row["corpus"])  # fmt: skip
    through = sum(row["uncaught"].values())
    cells = (row["what"], *(f"{number:,}" for number in numbers), str(through or "nothing"))
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
