"""A place where something befalls a run, beside one where nothing did."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from cytobench.leaderboard.build import pages
from cytobench.run.claims import CLAIM
from cytobench.run.store import RunStore
from support.toy import TOY_MODELS, write_plugins

FOLDS = 20
OVERRIDES = (
    "dataset=toy",
    "model=toy_ridge,guess",
    "tuning.trials=6",
    "protocol.repeats=2",
    "floors=[]",
    "engine=serial",
    "tracking=none",
)
TIMES = ("seconds", "timings", "seconds_per_fold")
COMMAND = [sys.executable, "-m", "cytobench"]
GO_ON = "to go on: "
"""Before the command by which a run that ends early is completed."""


@dataclass(frozen=True)
class Seen:
    """How a process ended, and what it said."""

    code: int
    said: str

    def line(self, text):
        """The first line that contains a text."""
        return next((line for line in self.said.splitlines() if text in line), "")


class Stage:
    """A working directory with a small cohort, and the folds of `undisturbed` to compare with."""

    def __init__(self, folder: Path, undisturbed: Stage | None = None):
        self.folder = folder
        self.undisturbed = undisturbed
        self.store = folder / "runs"
        if undisturbed is not None:
            shutil.copytree(undisturbed.folder / "plugins", folder / "plugins")
            self._new_store()

    def _new_store(self):
        # The same pseudonyms: every text of the two stores can be compared.
        self.store.mkdir()
        shutil.copy(self.undisturbed.store / "salt", self.store / "salt")

    def clear(self):
        """Forget what was run."""
        shutil.rmtree(self.store)
        self._new_store()

    def start(self, *more, log="log", before=(), environment=(), **how):
        """Begin the run; its words go to a file, which no reader has to empty."""
        given = {word.partition("=")[0] for word in more}
        usual = [word for word in OVERRIDES if word.partition("=")[0] not in given]
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # under nohup
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # What a script starts in the background ignores Ctrl-C, and so would its children.
            signal.signal(signal.SIGINT, signal.default_int_handler)
        with (self.folder / log).open("wb") as stream:
            return subprocess.Popen(
                [*before, *COMMAND, "run", *usual, *more],
                **{"cwd": self.folder, "stdout": stream, "stderr": stream, **how},
                env={**os.environ, "COLUMNS": "200", **dict(environment)},
                start_new_session=True,
            )

    def ended(self, process, log="log"):
        """What became of a run that was begun."""
        return Seen(process.wait(240), (self.folder / log).read_text())

    def run(self, *more, **how):
        """The run from its beginning to its end."""
        return self.ended(self.start(*more, **how))

    def gone_on(self, seen):
        """What a shell makes of the command by which a run has said that it goes on."""
        command = seen.line(GO_ON).partition(GO_ON)[2]
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        with (self.folder / "log").open("wb") as stream:
            process = subprocess.Popen(
                ["sh", "-c", command],
                cwd=self.folder, stdout=stream, stderr=stream,
                env={**os.environ, "PATH": path, "COLUMNS": "200"},
            )  # fmt: skip
            return self.ended(process)

    def whole(self):
        """A stage on which everything is done, without doing it."""
        shutil.rmtree(self.store)
        shutil.copytree(self.undisturbed.store, self.store)

    def folds(self):
        """Finished folds' files, and what they are made of."""
        return {path: path.read_bytes() for path in self.store.glob("*/fold-*.parquet")}

    def begun(self):
        """Folds that are stored, and those that a run has claimed in order to do them."""
        stored = {(path.parent.name, path.stem[-3:]) for path in self.folds()}
        claims = self.store.glob(f"*/{CLAIM}*")
        return stored | {(path.parent.name, path.name[-3:]) for path in claims}

    def until_folds(self, count, process):
        """Wait for a number of finished folds."""
        end = time.monotonic() + 120
        while len(list(self.store.glob("*/fold-*.parquet"))) < count:
            assert process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < end
            time.sleep(0.001)

    def differences(self):
        """What is not as in the undisturbed store, by name; durations aside."""
        here, there = self.numbers(), self.undisturbed.reference
        return sorted(
            name for name in here.keys() | there.keys() if here.get(name) != there.get(name)
        )

    @cached_property
    def reference(self):
        return self.numbers()

    def numbers(self):
        """Every number and word that is stored of a fold or shown on a board, durations aside."""
        store, found = RunStore(self.store), {}
        for path in self.folds():
            key, fold = path.parent.name, int(path.stem[5:])
            found[f"{key}/{fold}"] = _timeless(asdict(store.read_fold(key, fold)))
            found[f"{key}/{fold} inner"] = _timeless(asdict(store.read_inner(key, fold)))
        for page in pages(store, "adhoc"):
            found[f"board {page.outline.name}"] = _timeless(json.loads(page.json))
        return found

    def debris(self):
        """What no finished run leaves behind."""
        hidden = [path for path in self.store.rglob("*") if path.name.startswith(".")]
        working = self.store / "working"
        kept = ("mlflow", "unmirrored")
        return hidden + [path for path in working.glob("*") if path.name not in kept]


def _timeless(value):
    return json.dumps(_without_times(value), sort_keys=True)


def _without_times(value):
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in TIMES}
    if isinstance(value, (list, tuple)):
        return [_without_times(item) for item in value]
    return value


def first_stage(folder):
    """A stage on which nothing befell the run."""
    write_plugins(folder, TOY_MODELS)
    stage = Stage(folder)
    seen = stage.run()
    assert seen.code == 0, seen.said
    assert len(stage.folds()) == FOLDS
    return stage


def descendants(pid):
    """Processes that a process has started, and they in turn."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents.setdefault(int(words[1]), []).append(int(path.parent.name))

    def below(parent):
        return [one for child in parents.get(parent, ()) for one in (child, *below(child))]

    return below(pid)


def workers(pid):
    """Processes of a run that do folds."""
    found = []
    for child in descendants(pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_text()
        except OSError:
            continue
        if "LokyProcess" in command:
            found.append(child)
    return found


def outlived(pids, seconds):
    """Those that are still there after a while."""
    end = time.monotonic() + seconds
    while (left := [pid for pid in pids if _lives(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return left


def _lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
