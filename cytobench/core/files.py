"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from cytobench.core.process import left_by_the_gone, this_process

UNFINISHED = ".writing-"
"""Prefix of a file on its way; its writer's name follows."""


def write_whole(path: Path, content: bytes, *, replace: bool = True, mode: int = 0o600) -> None:
    """Write beside the target, flush to disk, then move into place in one step.

    Parameters
    ----------
    replace : bool
        False leaves a file that somebody else has put there first.
    mode : int
        Permissions; the default is for the owner alone.

    Raises
    ------
    OSError
        Where the file cannot be written; nothing is left behind then.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{UNFINISHED}{this_process()}."
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=prefix)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        if replace:
            temporary.replace(path)
        else:
            with contextlib.suppress(FileExistsError):
                os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what writers who were killed have left in a folder; nobody else's."""
    for path, _ in left_by_the_gone(folder.glob(f"{UNFINISHED}*"), UNFINISHED):
        path.unlink(missing_ok=True)


def settle(folder: Path) -> None:
    """Flush a folder's list of names to disk: a power cut then takes back no file of it."""
    if os.name != "posix":
        return  # elsewhere a folder cannot be opened
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a file system that has no such thing
            raise
    finally:
        os.close(handle)
