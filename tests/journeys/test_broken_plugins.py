"""One run with a sound model among broken ones: each costs itself, and says what is wrong."""

import re
import textwrap

import pytest

SOUND = '''
    from sklearn.linear_model import LogisticRegression

    class Broken(LogisticRegression):
        """Logistic regression with a fault."""

        def fit(self, X, y):
            """Fit."""
            {fit}
            return super().fit(X, y)

        def predict_proba(self, X):
            """Probabilities."""
            p = super().predict_proba(X)
            {proba}
            return p
'''


def source(name, *, head="", fit="pass", proba="pass", returned="Broken()"):
    body = textwrap.dedent(SOUND).format(fit=fit, proba=proba)
    return (
        f"{head}\nimport os, signal, sys\nimport numpy as np\n"
        f"from cytobench import model\n{body}\n\n"
        f'@model()\ndef {name}():\n    """Broken."""\n    return {returned}\n'
    )


BROKEN = {
    # name: (arguments of `source`, words that have to be said)
    "lacks_package": ({"head": "import no_such_package"}, "no_such_package"),
    "fails_on_import": ({"head": "raise RuntimeError('no licence')"}, "no licence"),
    "no_estimator": ({"returned": "3"}, "returned int"),
    "raises": ({"fit": "raise ValueError('bad weather')"}, "bad weather"),
    "exits": ({"fit": "sys.exit('enough')"}, "SystemExit: enough"),
    "not_a_number": ({"proba": "p = p * np.nan"}, "not finite"),
    "one_column": ({"proba": "p = p[:, 1]"}, "predict_proba returned shape"),
    "endless": ({"fit": "while True: pass"}, "[E241] the fold took longer than 6 s"),
    "hungry": ({"fit": "self.x = np.ones(2 * 10**9)"}, "[E242] needs more than the 1 GB"),
    "dies": ({"fit": "os._exit(9)"}, "[E243] its process ended with exit code 9"),
    "is_killed": ({"fit": "os.kill(os.getpid(), signal.SIGKILL)"}, "by signal SIGKILL"),
}
HARMLESS = {
    "writes_into_x": {"proba": "X.iloc[:, :] = 0.0"},
    "prints": {"fit": "print('fitting ' * 50)"},
    "moves": {"fit": "os.chdir('/')"},
    "seeds": {"fit": "np.random.seed(0)"},
    "constant": {"proba": "p = np.full(p.shape, 0.5)"},
}
TINY = ["dataset=toy", "protocol.repeats=1", "tuning=off", "tracking=none", "floors=[]"]


def auc_of(text, name):
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return re.search(r"\d\.\d{3} \(.*?\)", line)[0]


@pytest.mark.slow
def test_each_broken_model_costs_itself_only(toy_plugins, write_plugin, cytobench):
    alone = cytobench("run", *TINY, "model=toy_ridge", "store=alone")
    for name, (fault, _) in BROKEN.items():
        write_plugin("models", name, source(name, **fault))
    for name, fault in HARMLESS.items():
        write_plugin("models", name, source(name, **fault))
    write_plugin("models", "cannot_be_parsed", "def cannot_be_parsed(:")
    write_plugin("models", "two words", "x = 1")

    models = ["toy_ridge", *BROKEN, *HARMLESS, "cannot_be_parsed"]
    done = cytobench(
        "run", *TINY, f"model={','.join(models)}", "engine.workers=2", "engine.fold_seconds=6",
        "engine.fold_memory_gb=1", check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr

    assert done.returncode == 1
    assert auc_of(done.stdout, "toy_ridge") == auc_of(alone.stdout, "toy_ridge")
    assert "Traceback" not in said
    for name in HARMLESS:
        assert auc_of(done.stdout, name), f"{name} costs nothing"
    flat = " ".join(said.split())
    for name, (_, words) in BROKEN.items():
        assert f"{name}, fold" in said or f"{name} cannot run" in said, f"{name} is named"
        assert words in flat, name
    for name in ("lacks_package", "fails_on_import", "raises", "exits"):
        assert f"{toy_plugins / 'plugins' / 'models' / name}.py:" in flat, "file and line"
    assert flat.count("->") >= 5, "what to do"
    assert "constant predicts the same for every test patient in 5 folds" in said


@pytest.mark.parametrize("name", ["nan", "3", "1e5"])
def test_a_name_that_reads_as_a_number_is_a_usage_error(toy_plugins, cytobench, name):
    done = cytobench("run", "dataset=toy", f"model={name}", check=False)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_hostile_name_hides_nothing(toy_plugins, write_plugin, cytobench):
    write_plugin("models", "two words", "x = 1")
    write_plugin("models", "odd", source("odd").replace("@model()", '@model(name="<script>")'))

    listed = cytobench("list", "models", check=False)

    assert listed.returncode == 1
    assert "toy_ridge" in listed.stdout
    assert "two words" in listed.stderr
    assert "is no name" in listed.stderr
