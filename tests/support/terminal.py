"""A pseudo-terminal of a given width, and what a command writes to it."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import termios

import pytest


def in_terminal(words, columns, *, stdout=None, cwd=None, **environment):
    """What a command writes to a terminal of so many columns, and its exit code.

    `stdout` is where standard output goes instead of the terminal.
    """
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    inherited = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    with subprocess.Popen(
        words,
        stdin=follower, stdout=follower if stdout is None else stdout, stderr=follower, cwd=cwd,
        env={**inherited, "TERM": "xterm-256color", **environment},
    ) as running:  # fmt: skip
        os.close(follower)
        parts = []
        try:
            while part := os.read(leader, 65536):
                parts.append(part)
        except OSError:  # the other end is closed: how a terminal says that all was read
            pass
    os.close(leader)
    return b"".join(parts).decode(), running.returncode
