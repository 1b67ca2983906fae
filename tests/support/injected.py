"""What may befall a run, each as a function of a stage and a random generator.

Every function does its worst, waits for what it has disturbed, and answers with what a person saw.
:data:`FAULTS` names them as the table of ``docs/faults.md`` does.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from support.faults import FOLDS, Seen, Stage, descendants, outlived, workers

FAULTS: list[Fault] = []
NOTHING_NEW = f"0 folds computed, {FOLDS} were already there"
LATE = 6.0
"""Seconds in which what a run has started is to end with it."""


@dataclass(frozen=True)
class Fault:
    """One of them.

    Attributes
    ----------
    codes : set of int
        How the disturbed run may end.
    shows : str
        What the user is to see; empty where there is nothing to be seen.
    slow : bool
        Whether it takes more than ten seconds.
    resumes : bool
        Whether the user is to be told the command that goes on.
    """

    name: str
    befall: Callable[..., Seen]
    codes: set[int]
    shows: str
    slow: bool
    resumes: bool


@dataclass(frozen=True)
class Outcome:
    """What became of a stage on which something befell the run and a second one came after.

    Attributes
    ----------
    seen, again : Seen
        The disturbed run, and the one after it.
    finished : int
        Folds that were there between the two.
    lost : sequence of str
        Those of them that are not there afterwards, or are not what they were.
    differences, debris : sequence of str
        Results that are not those of an undisturbed run, and files that no finished run leaves.
    """

    seen: Seen
    again: Seen
    finished: int
    lost: list[str]
    differences: list[str]
    debris: list[str]


def tried(fault: Fault, stage: Stage, seed: int) -> Outcome:
    """Have a fault befall a run, then give the same command again, or the one that it has said."""
    seen = fault.befall(stage, random.Random(seed))
    before = stage.folds()
    again = stage.gone_on(seen) if fault.resumes else stage.run()
    after = stage.folds()
    return Outcome(
        seen=seen,
        again=again,
        finished=len(before),
        lost=[str(path) for path, content in before.items() if after.get(path) != content],
        differences=stage.differences(),
        debris=[str(path) for path in stage.debris()],
    )


def fault(name, *, codes, shows="", slow=False, resumes=False):
    """Add a function to the catalogue."""

    def add(befall):
        FAULTS.append(Fault(name, befall, codes, shows, slow, resumes))
        return befall

    return add


def struck(stage, draw, engine, strike, settled=Stage.folds, **how):
    """A run to whose process something is done at a random moment between two folds or in one.

    At that moment not all folds are among those that `settled` counts.
    """
    process = _halted(stage, draw, engine, settled, how)
    begun = descendants(process.pid)
    strike(process)
    process.send_signal(signal.SIGCONT)
    seen = stage.ended(process)
    left = outlived(begun, LATE)
    assert not left, f"processes that outlived their run: {left}"
    return seen


def _halted(stage, draw, engine, settled, how):
    """A run that stands still with folds left to do, however busy the machine is."""
    while True:
        process = stage.start(f"engine={engine}", "engine.workers=2", **how)
        stage.until_folds(draw.randint(1, FOLDS - 8), process)
        time.sleep(draw.uniform(0, 0.15))
        process.send_signal(signal.SIGSTOP)
        if len(settled(stage)) < FOLDS:
            return process
        process.send_signal(signal.SIGCONT)  # it was faster: once more
        stage.ended(process)
        stage.clear()


@fault("SIGKILL of the run, `engine=serial`", codes={-9})
def kill_serial(stage, draw):
    return struck(stage, draw, "serial", lambda process: process.kill())


@fault("SIGKILL of the run, `engine=joblib`", codes={-9}, slow=True)
def kill_joblib(stage, draw):
    return struck(stage, draw, "joblib", lambda process: process.kill())


@fault("SIGKILL of a worker", codes={0}, shows="a worker process died", slow=True)
def kill_worker(stage, draw):
    def strike(process):
        os.kill(draw.choice(workers(process.pid)), signal.SIGKILL)

    # Results wait to be stored: a worker that dies after the last one is missed by nobody, and
    # nothing is said of it. Not so while there are folds that no worker has been given.
    return struck(stage, draw, "joblib", strike, settled=Stage.begun)


@fault("SIGTERM", codes={143}, shows="folds are stored", resumes=True)
def terminate(stage, draw):
    return struck(stage, draw, "serial", lambda process: process.terminate())


@fault("its terminal is closed (SIGHUP)", codes={129})
def hang_up(stage, draw):
    master, terminal = os.openpty()

    def strike(process):
        os.close(terminal)
        os.close(master)  # nothing can be said any more
        process.send_signal(signal.SIGHUP)

    return struck(stage, draw, "serial", strike, stdout=terminal, stderr=terminal)


@fault(
    "SIGTERM of the run and its workers",
    codes={143},
    shows="folds are stored",
    slow=True,
    resumes=True,
)
def terminate_all(stage, draw):
    def strike(process):
        os.killpg(process.pid, signal.SIGTERM)

    return struck(stage, draw, "joblib", strike)


@fault("Ctrl-C", codes={130}, shows="folds are stored", resumes=True)
def interrupt(stage, draw):
    return struck(stage, draw, "serial", _ctrl_c)


@fault("Ctrl-C, with workers", codes={130}, shows="folds are stored", slow=True, resumes=True)
def interrupt_joblib(stage, draw):
    return struck(stage, draw, "joblib", _ctrl_c)


def _ctrl_c(process):
    os.killpg(process.pid, signal.SIGINT)


@fault("full disk (a small tmpfs)", codes={1}, shows="[E512]", resumes=True)
def full_disk(stage, draw):
    size = draw.randint(90, 260)
    return _mounted(stage, f"mount -t tmpfs -o size={size}k none runs && cp salt runs")


@fault("read-only store, folds missing", codes={1}, shows="[E512]", resumes=True)
def read_only(stage, draw):
    return _mounted(stage, _read_only("runs"))


@fault("read-only store, all folds there", codes={0}, shows=NOTHING_NEW)
def read_only_whole(stage, draw):
    stage.whole()
    return _mounted(stage, _read_only("runs"))


def _mounted(stage, how):
    """The run with another file system at its store; what it has stored is there afterwards."""
    shutil.copy(stage.store / "salt", stage.folder / "salt")
    seen = stage.run(before=_within(how, "code=$?; cp -a runs saved; exit $code"))
    shutil.rmtree(stage.store)
    (stage.folder / "saved").rename(stage.store)
    return seen


def _read_only(folder):
    """How a folder comes to be a file system that nobody can write, root included."""
    return f"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder}"


def _within(how, after=""):
    """Words that put a command among file systems of its own."""
    return ("unshare", "-rm", "sh", "-c", f'{how} && "$@"; {after}', "sh")


@fault("standard output on a full disk", codes={1}, shows="not all of the output")
def full_output(stage, draw):
    with Path("/dev/full").open("wb") as full:
        return stage.run(stdout=full)


@fault("a reader who leaves (`| head -1`)", codes={0})
def left_reader(stage, draw):
    read, write = os.pipe()
    process = stage.start(stdout=write)
    os.close(write)
    os.close(read)
    return stage.ended(process)


@fault("damaged file in the store", codes={0}, shows="[E510]")
def damage(stage, draw):
    stage.whole()
    files = [path for path in sorted(stage.store.glob("*/*")) if path.parent.name not in LEFT_OUT]
    path = draw.choice([path for path in files if path.is_file() and path.name != "salt"])
    path.write_bytes(draw.choice(DAMAGES)(path.read_bytes(), draw))
    return stage.run()


LEFT_OUT = ("working", "cohorts", "index", "boards")


def _flip(content, draw):
    flipped = bytearray(content)
    for _ in range(draw.choice([1, 1, 8])):
        flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
    return bytes(flipped)


def _cut(content, draw):
    return content[: draw.randrange(len(content))]


def _zeros(content, draw):
    start = draw.randrange(len(content))
    end = min(start + 512, len(content))
    return content[:start] + b"\0" * (end - start) + content[end:]


DAMAGES = (
    _flip,
    _cut,
    _zeros,
    lambda content, draw: b"",
    lambda content, draw: draw.randbytes(300),
    lambda content, draw: b'{"folds": NaN}',
    lambda content, draw: b"[]",
)


@fault("half-written temporary files of a killed run", codes={0})
def unfinished(stage, draw):
    seen = struck(stage, draw, "serial", lambda process: process.kill())
    (cell,) = {path.parent for path in list(stage.folds())[:1]}
    working = next((stage.store / "working").iterdir()).name.rpartition(".")[0]
    (cell / f".writing-{working}.abcdefgh").write_bytes(draw.randbytes(draw.randrange(5000)))
    return Seen(0, seen.said)


@fault("files from the future or the past", codes={0}, shows=NOTHING_NEW)
def mistimed(stage, draw):
    stage.whole()
    for path in stage.store.rglob("*"):
        moment = draw.choice([-1e9, 0, 1e9, 4e9]) + draw.uniform(0, 1e8)
        os.utime(path, (moment, moment))
    return stage.run()


@fault("a clock that jumps by years", codes={0}, shows=f"{FOLDS} folds computed")
def jumping_clock(stage, draw):
    # The wall clock alone: nobody may set the monotonic one.
    (stage.folder / "clock").mkdir()
    (stage.folder / "clock" / "sitecustomize.py").write_text(
        "import random, time\n"
        f"draw = random.Random({draw.randrange(10**6)})\n"
        "true = time.time\n"
        "time.time = lambda: true() + draw.choice([-1e9, -3600, 0, 3600, 1e9])\n"
        "time.time_ns = lambda: int(time.time() * 1e9)\n"
    )
    path = os.pathsep.join([str(stage.folder / "clock"), os.environ.get("PYTHONPATH", "")])
    return stage.run(environment={"PYTHONPATH": path})


@fault("the same command twice at once", codes={0}, shows="came from another run")
def twins(stage, draw):
    return _together(stage, draw, (), ())


@fault("two commands that share cells", codes={0}, shows="came from another run", slow=True)
def cousins(stage, draw):
    return _together(stage, draw, ("model=toy_ridge",), ("engine=joblib", "engine.workers=2"))


def _together(stage, draw, first, second):
    processes = [stage.start(*first, log="log")]
    # Both are in the middle at the same time, whichever is ahead.
    time.sleep(draw.uniform(0, 0.3))
    processes.append(stage.start(*second, log="other"))
    both = [stage.ended(one, log) for one, log in zip(processes, ("log", "other"), strict=True)]
    computed = [int(seen.line(" folds computed").split()[0]) for seen in both]
    assert sum(computed) == FOLDS, f"folds computed by the two: {computed}"
    return Seen(max(seen.code for seen in both), "".join(seen.said for seen in both))


@fault("the other of two runs is killed in the middle", codes={0}, shows=" folds computed")
def bereft(stage, draw):
    other = stage.start(log="other")
    stage.until_folds(draw.randint(1, 6), other)
    process = stage.start()
    time.sleep(draw.uniform(0.5, 1.5))
    other.kill()
    other.wait()
    return stage.ended(process)


@fault("16 workers on few cores", codes={0}, shows=f"{FOLDS} folds computed", slow=True)
def crowded(stage, draw):
    return stage.run("engine=joblib", "engine.workers=16")


@fault("MLflow server that refuses", codes={0}, shows="[E601]", slow=True)
def refused(stage, draw):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, and not listened at
        return _mirrored(stage, f"http://127.0.0.1:{taken.getsockname()[1]}")


@fault("MLflow server that never answers", codes={0}, shows="[E601]", slow=True)
def hanging(stage, draw):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        return _mirrored(stage, f"http://127.0.0.1:{silent.getsockname()[1]}")


@fault("MLflow database on a read-only file system", codes={0}, shows="[E601]", slow=True)
def unwritable(stage, draw):
    (stage.folder / "share").mkdir()
    return _mirrored(stage, "sqlite:///share/mlflow.db", before=_within(_read_only("share")))


def _mirrored(stage, uri, **how):
    begun = time.monotonic()
    seen = stage.run("tracking=mlflow", f"tracking.uri={uri}", **how)
    assert seen.said.count("[E601]") == 1, seen.said
    assert time.monotonic() - begun < 60
    return seen


@fault("MLflow database that is locked", codes={0}, shows="[E601]", slow=True)
def locked(stage, draw):
    path = stage.folder / "mlflow.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("create table other (number)")
        database.execute("begin exclusive")
        return _mirrored(stage, f"sqlite:///{path}")
