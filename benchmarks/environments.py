"""Virtual environments of the peers that cannot live beside our own versions."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

CACHE = Path(os.environ.get("CYTOBENCH_BENCHMARK_CACHE", Path(__file__).parent / ".environments"))
PINS = {
    "benchopt": ["benchopt", "pandas", "pyarrow", "scikit-learn"],
    "julearn": ["julearn>=0.3.4"],
    "moabb": ["moabb"],
    "photonai": ["photonai"],
    "skore": ["skore"],
}
"""What pip is asked for."""


class Uninstallable(Exception):
    """A peer cannot be had here; the message says why."""


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment, made where it is missing.

    Raises
    ------
    Uninstallable
        With pip's last word.
    """
    folder = CACHE / peer
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ready = folder / ".ready"
    if ready.exists():
        return python
    print(f"  installing {peer} in {folder}", file=sys.stderr, flush=True)
    venv.create(folder, with_pip=True)
    asked = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    ended = subprocess.run([*asked, *PINS[peer]], capture_output=True, text=True, check=False)
    if ended.returncode:
        said = [line for line in ended.stderr.splitlines() if line.strip()]
        raise Uninstallable(said[-1][:300] if said else "pip failed")
    ready.touch()
    return python


def versions_of(peer: str) -> str:
    """What stands in a peer's environment, of the packages that matter."""
    code = (
        "from importlib.metadata import version; "
        f"print('{peer}', version('{peer}') + ', scikit-learn', version('scikit-learn'))"
    )
    return subprocess.run(
        [str(python_of(peer)), "-c", code], capture_output=True, text=True, check=False
    ).stdout.strip()
