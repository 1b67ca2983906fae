"""Completion as a shell does it: bash and zsh are typed into, fish is asked."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

import pytest

from cytobench.cli.completing import candidates
from cytobench.cli.completion_command import SHELLS
from cytobench.cli.main import COMMANDS

SECONDS = 0.3
"""What somebody at the Tab key is asked to wait."""


@pytest.fixture
def on_path(working_directory):
    """An environment in which ``cytobench`` is a command."""
    folder = working_directory / "bin"
    folder.mkdir()
    command = folder / "cytobench"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m cytobench "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "TERM": "xterm",
        "PS1": "> ", "INPUTRC": os.devnull, "HOME": str(working_directory),
    }  # fmt: skip


class Typist:
    """Somebody at an interactive shell."""

    def __init__(self, words, environment):
        self.terminal, inner = pty.openpty()
        self.shell = subprocess.Popen(
            words, stdin=inner, stdout=inner, stderr=inner, env=environment, start_new_session=True
        )
        os.close(inner)

    def types(self, text):
        os.write(self.terminal, text.encode())

    def sees(self, pattern, seconds=20):
        """Wait for a pattern; what it found."""
        shown, until = "", time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([self.terminal], [], [], 0.1)[0]:
                shown += os.read(self.terminal, 65536).decode(errors="replace")
            if found := re.search(pattern, shown):
                return found
        raise AssertionError(f"{pattern} is not in {shown!r}")

    def leaves(self):
        self.shell.kill()
        self.shell.wait()
        os.close(self.terminal)


@pytest.fixture(params=["bash", "zsh"])
def typist(request, on_path):
    words = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    person = Typist(words[request.param], on_path)
    keys = "bindkey -e; " if request.param == "zsh" else ""
    person.types(f'{keys}eval "$(cytobench completion {request.param})"; echo rea"dy"\r')
    person.sees(r"ready\r")
    yield person
    person.leaves()


def completed(person, typed):
    """The line after Tab: instead of being run it is printed, between brackets."""
    person.types(f"{typed}\t")
    # Keys wait in the terminal until the shell has completed the word.
    person.types("\x01printf '<%s>' \x05\r")  # to the start of the line, and its end
    return re.findall(r"<([^<>%]*)>", person.sees(r"(<[^<>%]+>)+(?=[^<]*> )")[0])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("cytobench lead", ["cytobench", "leaderboard"]),
        ("cytobench run model=rid", ["cytobench", "run", "model=ridge"]),
        ("cytobench run dataset=sim_gendep model=ridge,ela",
         ["cytobench", "run", "dataset=sim_gendep", "model=ridge,elastic_net"]),
        ("cytobench run suite=qui", ["cytobench", "run", "suite=quickstart"]),
        ("cytobench list mod", ["cytobench", "list", "models"]),
    ],
)  # fmt: skip
def test_tab_completes_in_an_interactive_shell(typist, typed, words):
    assert completed(typist, typed) == words


def test_a_key_waits_for_its_value_without_a_blank(typist):
    typist.types("cytobench run permut\t")

    assert completed(typist, "3") == ["cytobench", "run", "permutations=3"]


def test_fish_offers_the_same(on_path):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed")
    script = 'cytobench completion fish | source; complete -C "cytobench run model=rid"'

    done = subprocess.run(
        ["fish", "--no-config", "-c", script],
        env=on_path,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.split() == ["model=ridge"]


@pytest.mark.parametrize(
    ("line", "some"),
    [
        ("cytobench ", set(COMMANDS)),
        ("cytobench leaderboard ", {"build", "show", "site", "submit", "verify"}),
        ("cytobench leaderboard show ", {"quickstart", "zoo"}),
        ("cytobench leaderboard submit x --suite q", {"quickstart"}),
        ("cytobench info sim_gen", {"sim_gendep"}),
        ("cytobench run --c", {"--cfg"}),
        ("cytobench run dataset=sim_gendep+sim_nu", {"dataset=sim_gendep+sim_null"}),
        ("cytobench run model=svm_rbf model.C", {"model.C="}),
        ("cytobench run model=svm_rbf model.space.C.h", {"model.space.C.high="}),
        ("cytobench run protocol.f", {"protocol.folds="}),
        ("cytobench run protocol=holdout protocol.f", {"protocol.fraction="}),
        ("cytobench run dataset=gend", {"dataset=gendep"}),
        ("FOO=1 cytobench run model=our,rid", {"model=our,ridge"}),
        ("cytobench nonsense ", set()),
        ("cytobench run 'model=ri", set()),
    ],
)
def test_what_is_offered(line, some):
    found = set(candidates(line))

    assert some <= found
    assert bool(found) == bool(some)


def test_a_plugin_of_ones_own_is_offered_and_a_broken_one_does_no_harm(write_plugin):
    write_plugin("models", "ours", "import nothing_there\nfrom cytobench import model\n\n\n"
                 "@model()\ndef ours():\n    pass\n")  # fmt: skip
    write_plugin("models", "torn", "def torn(:\n")

    assert candidates("cytobench run model=our") == ["model=ours"]


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script(cytobench, shell):
    assert "completion " + shell in cytobench("completion", shell).stdout


def test_an_answer_is_quick_enough_to_wait_for(on_path):
    words = ["cytobench", "completion", "bash", "--line", "cytobench run model=rid"]

    def once():
        # CPU time of the child: what it would take on a machine that does nothing else.
        before = os.times()
        subprocess.run(words, env=on_path, check=True, capture_output=True)
        after = os.times()
        return sum(after[2:4]) - sum(before[2:4])

    assert min(once() for _ in range(5)) < SECONDS
