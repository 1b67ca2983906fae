"""Claims: runs that share a store share the work, and never do the same fold twice.

A run keeps one small file, ``runs/working/<process>``, and counts in it as long as it lives. A
claim of a fold is a hard link to that file: made in one step on every file system, network ones
included, and alive exactly as long as its run. A claim is void as soon as its process has ended,
where that can be seen from here; else when its run has not counted for a while by the clock of
whoever waits. No clock is compared with another one.

Claims save work and guard nothing: where two runs do the same fold after all, both write the same.
"""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from cytobench import console
from cytobench.core.errors import StoreError
from cytobench.core.files import write_whole
from cytobench.core.process import Process, left_by_the_gone, this_process

BEAT = 5.0
"""Seconds between two counts."""
SILENT = 60.0
"""Seconds without a count after which a run is taken for dead; file servers show old content for
some seconds."""
WORKING = "working"
CLAIM = ".claim-"


class Claims:
    """What one run holds of a store; a context that lets go of everything at its end.

    Parameters
    ----------
    root : Path
        The run store's folder.
    work : str
        What is done to a fold, where that is not running it: each kind of work has its own claims.

    Raises
    ------
    StoreError
        ``E512`` on entering, where nothing can be written into the store.
    """

    def __init__(self, root: Path, work: str = "") -> None:
        self.root = root
        self._claim = _begun(work)
        self._said = f"{this_process()}\n".encode()
        name = f"{this_process()}.{secrets.token_hex(4)}"
        self._own = root / WORKING / name
        self._held: set[Path] = set()
        self._seen: dict[Path, tuple[bytes, float]] = {}
        self._ended = threading.Event()
        self._unable = False
        self._pulse = threading.Thread(target=self._count, daemon=True)

    def __enter__(self) -> Claims:
        try:
            write_whole(self._own, self._said + _counted(0))
            self._forget_the_dead()
        except OSError as error:
            raise StoreError(
                "E512",
                f"cannot be written: {error.strerror or error}",
                where=str(self.root),
                hint="check space and permissions, or choose another folder with store=PATH",
            ) from error
        self._pulse.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._pulse.join()
        for path in [*self._held, self._own]:
            with suppress(OSError):
                path.unlink()

    def take(self, key: str, fold: int) -> bool:
        """Claim a fold; False where another run has it."""
        path = self._path(key, fold)
        if path in self._held:
            return True
        try:
            os.link(self._own, path)
        except FileExistsError:
            if not self._void(path):
                return False
            self._take_over(path)
        except OSError as error:
            self._without(error)
        self._held.add(path)
        return True

    def release(self, key: str, fold: int) -> None:
        """Let go of a fold that is stored, or failed."""
        path = self._path(key, fold)
        self._held.discard(path)
        with suppress(OSError):
            path.unlink()

    def holder(self, key: str, fold: int) -> Process | None:
        """Who has a fold; None where nobody has, or nobody who says so."""
        try:
            said = self._path(key, fold).read_bytes()
        except OSError:
            return None
        return claimant(said)

    def _path(self, key: str, fold: int) -> Path:
        return self.root / key / f"{self._claim}{fold:03d}"

    def _void(self, path: Path) -> bool:
        """Whether a claim's run has ended, or has been silent for too long."""
        try:
            said = path.read_bytes()
        except OSError:
            return True  # let go of in this moment
        process = claimant(said)
        if process is not None and process.gone:
            return True
        now = time.monotonic()
        before, since = self._seen.get(path, (b"", now))
        if said != before:
            self._seen[path] = (said, now)
            return False
        return now - since > SILENT

    def _take_over(self, path: Path) -> None:
        """Put the own claim in the place of a void one."""
        draft = path.with_name(f"{path.name}.{self._own.name}")
        try:
            os.link(self._own, draft)
            draft.replace(path)
        except OSError as error:
            self._without(error)

    def _without(self, error: OSError) -> None:
        """Go on, on a file system that has no hard links."""
        if not self._unable:
            self._unable = True
            console.warn(
                f"{self.root}: folds cannot be claimed ({error.strerror or error}); "
                "another run at the same time would do them as well"
            )

    def _count(self) -> None:
        """Show that this run lives, until it ends."""
        beats = 0
        with suppress(OSError), self._own.open("r+b", buffering=0) as stream:
            while not self._ended.wait(BEAT):
                beats += 1
                stream.seek(len(self._said))
                stream.write(_counted(beats))

    def _forget_the_dead(self) -> None:
        """Remove what runs have left here that were killed."""
        for path, _ in left_by_the_gone((self.root / WORKING).iterdir()):
            path.unlink(missing_ok=True)


def let_go(folder: Path, folds: Collection[int], work: str = "") -> None:
    """Remove claims of folds that are done, where who held them was killed before it could.

    Nobody asks for such a fold again, so that nobody would take its claim over.

    Parameters
    ----------
    folder : Path
        Of a cell.
    work : str
        As :class:`Claims`.
    """
    begun = _begun(work)
    for path in folder.glob(f"{begun}*"):
        number = path.name.removeprefix(begun)
        if number.isdecimal() and int(number) in folds:
            with suppress(OSError):  # a store that cannot be written has nothing to be tidied for
                process = claimant(path.read_bytes())
                if process is not None and process.gone:
                    path.unlink()


def _begun(work: str) -> str:
    """What names of claims begin with."""
    return CLAIM + (f"{work}-" if work else "")


def claimed(root: Path) -> list[Path]:
    """The claims that lie in a store, alive or not."""
    return sorted(root.glob(f"*/{CLAIM}*"))


def claimant(said: bytes) -> Process | None:
    """Whose claim it is, by what stands in it; None where nobody can be made out."""
    return Process.parse(said.partition(b"\n")[0].decode(errors="replace"))


def _counted(beats: int) -> bytes:
    """Always as long: a count takes the place of the one before."""
    return b"%020d\n" % beats
