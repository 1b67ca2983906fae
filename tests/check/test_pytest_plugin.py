"""The checks in somebody else's repository, under pytest."""

import os
import subprocess
import sys

import pytest

MODEL = '''
"""Logistic regression."""
from cytobench import model


@model(licence="MIT"{excused})
def {name}(C=1.0, random_state=None):
    """Logistic regression."""
    from sklearn.linear_model import LogisticRegression
    {body}
    return LogisticRegression(C=C, random_state=random_state)
'''


def write(folder, name, *, body="pass", excused=""):
    path = folder / "plugins" / "models" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(MODEL.format(name=name, body=body, excused=excused))


def run_pytest(folder, *words, **environment):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.fixture
def repository(tmp_path):
    write(tmp_path, "sound")
    write(tmp_path, "shaky", body="import numpy; numpy.random.seed(3)")
    (tmp_path / "pytest.ini").write_text("[pytest]\ncytobench_plugins = sound\n")
    return tmp_path


def test_every_check_of_a_named_plugin_is_a_test(repository):
    done = run_pytest(repository, "--cytobench-fast", "-v")

    assert done.returncode == 0, done.stdout
    assert "check[sound-CB101] PASSED" in done.stdout
    assert "check[sound-CB302] SKIPPED" in done.stdout
    assert "check[shaky" not in done.stdout


def test_a_failure_is_told_by_its_code_without_our_traceback(repository):
    done = run_pytest(
        repository, "--cytobench-fast", "--cytobench-plugin=plugins/models/shaky.py", "-k", "shaky"
    )

    assert done.returncode == 1
    assert "CB203 global random states are left alone" in done.stdout
    assert "pytest_plugin.py" not in done.stdout


def test_an_excused_check_is_an_expected_failure(repository):
    excused = ', excused={"CB203": "it is only a test"}'
    write(repository, "shaky", body="import numpy; numpy.random.seed(3)", excused=excused)

    done = run_pytest(
        repository, "--cytobench-fast", "--cytobench-plugin=shaky", "-k", "shaky and CB203", "-rx"
    )

    assert done.returncode == 0
    assert "1 xfailed" in done.stdout
    assert "it is only a test" in done.stdout


def test_without_a_named_plugin_nothing_is_collected_and_nothing_imported(tmp_path):
    (tmp_path / "test_own.py").write_text(
        "import sys\n\n"
        "def test_light():\n"
        "    heavy = {'numpy', 'pandas', 'sklearn', 'torch', 'scipy', 'hydra'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )

    # Other packages' plugins (hydra's) import what they like.
    ours = ("-p", "cytobench.check.pytest_plugin")
    done = run_pytest(tmp_path, *ours, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
