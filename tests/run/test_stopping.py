"""A signal arrives as an exception, even where a plugin swallows it."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest

from cytobench.core.stopping import Stopped, exit_code, stoppable
from cytobench.run.limits import undisturbed

SIGNALS = [
    (signal.SIGTERM, Stopped, 143),
    (signal.SIGHUP, Stopped, 129),
    (signal.SIGINT, KeyboardInterrupt, 130),
]


@dataclass(frozen=True)
class Swallowing:
    """Work during which a signal comes, and whose plugin catches whatever there is."""

    number: int
    fold: int = 0

    def attempt(self, salt):
        try:
            os.kill(os.getpid(), self.number)
        except BaseException:
            return "nothing has happened"


@pytest.mark.parametrize(("number", "kind", "code"), SIGNALS)
def test_a_signal_ends_a_fold_whose_plugin_swallows_it(number, kind, code):
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip("these tests were told to ignore it (nohup)")
    with stoppable(), pytest.raises(kind) as caught:
        undisturbed(Swallowing(number), b"")

    assert type(caught.value) is kind
    assert exit_code(caught.value) == code


def test_what_a_process_was_told_to_ignore_it_goes_on_ignoring():
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable():
            os.kill(os.getpid(), signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_afterwards_signals_do_what_they_did_before():
    before = signal.getsignal(signal.SIGTERM)
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is not before

    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_while_python_tidies_up_after_a_command_shows_no_traceback():
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        pytest.skip("these tests were told to ignore it (a script's &)")
    late = (
        "import atexit, os, signal, sys; from cytobench.cli.main import main\n"
        "atexit.register(os.kill, os.getpid(), signal.SIGINT); sys.exit(main())"
    )

    ended = subprocess.run(
        [sys.executable, "-c", late, "--version"], capture_output=True, text=True
    )

    assert ended.returncode == -signal.SIGINT
    assert ended.stdout.startswith("cytobench ")
    assert ended.stderr == ""
