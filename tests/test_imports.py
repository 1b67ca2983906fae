"""Import hygiene: answers that need no science import none, and plugins use public names only."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
HEAVY = {"torch", "sklearn", "mlflow", "optuna", "pandas", "numpy", "scipy", "matplotlib"}
PUBLIC = {"cytobench", "cytobench.effects", "cytobench.simulate", "cytobench.torch"}


def imported_by(*words):
    script = (
        "import sys\n"
        "from cytobench.cli.main import main\n"
        f"main({list(words)!r})\n"
        "print('modules:', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=REPOSITORY
    )
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["list", "models"],
        ["list", "datasets"],
        ["info", "mlp"],
        ["completion", "bash", "--line", "cytobench run model=mlp model."],
        ["completion", "bash", "--line", "cytobench leaderboard submit --"],
    ],
)
def test_a_quick_answer_imports_nothing_heavy(words):
    assert imported_by(*words) & HEAVY == set()


def test_the_public_package_imports_nothing_heavy():
    script = "import sys, cytobench; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert set(done.stdout.split()) & HEAVY == set()


PLUGINS = sorted((REPOSITORY / "plugins").glob("*/*.py"))


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.stem)
def test_a_bundled_plugin_imports_only_public_names(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    own = {name for name in imported if name.partition(".")[0] == "cytobench"}

    assert {".".join(name.split(".")[:2]) for name in own} <= PUBLIC


def test_there_are_bundled_plugins():
    assert len(PLUGINS) >= 9
