"""A place where a run meets with something, and what an undisturbed run leaves for comparison."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from cytobench.run.store import RunStore

FOLDS = 20
OVERRIDES = (
    "dataset=toy",
    "model=toy_ridge,guess",
    "tuning.trials=6",
    "protocol.repeats=2",
    "floors=[]",
)
TIMES = ("seconds", "timings", "seconds_per_fold")
COMMAND = [sys.executable, "-m", "cytobench"]


@dataclass(frozen=True)
class Seen:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def said(self):
        return self.out + self.err


class Stage:
    """A working directory with a small cohort; `undisturbed` is one whose run nothing befell."""

    def __init__(self, folder: Path, undisturbed: Stage | None = None):
        self.folder = folder
        self.undisturbed = undisturbed
        self.store = folder / "runs"
        if undisturbed is not None:
            # The same pseudonyms: folds can be compared with those of the other store.
            shutil.copytree(undisturbed.folder / "plugins", folder / "plugins")
            self.store.mkdir()
            shutil.copy(undisturbed.store / "salt", self.store / "salt")

    def words(self, *more):
        given = {word.partition("=")[0] for word in more}
        usual = [*OVERRIDES, "engine=serial", "tracking=none"]
        return ["run", *(word for word in usual if word.partition("=")[0] not in given), *more]

    def start(self, *more, prefix=(), **how):
        """Begin a run; its output goes to files, which no reader has to empty."""
        environment = {**os.environ, "COLUMNS": "200", **how.pop("environment", {})}
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            return subprocess.Popen(
                [*prefix, *COMMAND, *self.words(*more)],
                **{"cwd": self.folder, "stdout": out, "stderr": err, **how},
                env=environment,
                start_new_session=True,
            )

    def ended(self, process, seconds=120):
        """Wait for a run that was begun."""
        code = process.wait(seconds)
        return Seen(code, (self.folder / "out").read_text(), (self.folder / "err").read_text())

    def run(self, *more, **how):
        """A run from its beginning to its end."""
        return self.ended(self.start(*more, **how))

    def folds(self):
        """Every finished fold's file."""
        return sorted(self.store.glob("*/fold-*.parquet"))

    def until(self, condition, process=None, seconds=90):
        """Wait for something to be so, while a process runs."""
        end = time.monotonic() + seconds
        while not condition():
            assert process is None or process.poll() is None, (self.folder / "err").read_text()
            assert time.monotonic() < end
            time.sleep(0.002)

    def differences(self):
        """What of the results is not as in the undisturbed store, by name; durations aside."""
        here, there = self.numbers(), self.undisturbed.numbers()
        return sorted(
            name for name in here.keys() | there.keys() if here.get(name) != there.get(name)
        )

    def numbers(self):
        """Everything that was stored and is shown, as text, without durations."""
        store = RunStore(self.store)
        found = {}
        for path in self.folds():
            key, fold = path.parent.name, int(path.stem[5:])
            found[f"{key[:8]}/{fold}"] = _text(asdict(store.read_fold(key, fold)))
            found[f"{key[:8]}/{fold} inner"] = _text(asdict(store.read_inner(key, fold)))
        subprocess.run(
            [*COMMAND, "leaderboard", "build", "--output", "boards"],
            cwd=self.folder,
            check=True,
            capture_output=True,
        )
        for path in sorted((self.folder / "boards").rglob("*.json")):
            found[path.name] = _text(json.loads(path.read_text()))
        shutil.rmtree(self.folder / "boards")
        return found

    def debris(self):
        """What no finished run leaves behind."""
        hidden = [path for path in self.store.rglob("*") if path.name.startswith(".")]
        working = self.store / "working"
        return hidden + (list(working.iterdir()) if working.exists() else [])


def _text(value):
    return json.dumps(_without_times(value), sort_keys=True)


def _without_times(value):
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in TIMES}
    if isinstance(value, (list, tuple)):
        return [_without_times(item) for item in value]
    return value


def first_stage(folder, dataset, models):
    """A stage on which an undisturbed run was done."""
    for kind, sources in (("datasets", {"toy": dataset}), ("models", models)):
        for name, source in sources.items():
            path = folder / "plugins" / kind / f"{name}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source).lstrip("\n"), encoding="utf-8")
    stage = Stage(folder)
    seen = stage.run()
    assert seen.code == 0, seen.said
    return stage


def descendants(pid):
    """Living processes that a process has started, and they in turn."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if words[0] not in "ZX":
            parents[int(path.parent.name)] = int(words[1])
    found = [child for child, parent in parents.items() if parent == pid]
    return found + [below for child in found for below in descendants(child)]


def workers(pid):
    """Processes of a run that do folds: those that work in the background are left out."""
    return [child for child in descendants(pid) if "tracker" not in _command(child)]


def _command(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""


def living(pids):
    """Those that have not ended."""
    found = []
    for pid in pids:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            found.append(pid)
    return found


def end_all(pids):
    """Whatever a test has left running."""
    for pid in living(pids):
        os.kill(pid, signal.SIGKILL)
