"""The command line: quick to answer, plain about mistakes, never a traceback for a typo."""

import pytest


def test_help_names_every_command(cytobench):
    text = cytobench("--help").stdout

    for command in ("run", "list", "info", "leaderboard", "track", "ui", "doctor"):
        assert f"\n  {command} " in text


def test_lists_and_cards_show_what_there_is(toy_plugins, cytobench):
    assert "Ridge logistic regression" in cytobench("list", "models").stdout
    assert "Ninety patients" in cytobench("list", "datasets").stdout
    assert "leave_one_site_out" in cytobench("list", "protocols").stdout
    card = cytobench("info", "toy_ridge").stdout
    assert "C = 1.0, tuned over Float(low=0.001, high=100.0, log=True)" in card


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["runn"], "did you mean 'run'?"),
        (["run", "dataset=tooy", "model=toy_ridge"], "did you mean 'toy'?"),
        (["run", "dataset=toy", "model=toy_rigde"], "did you mean 'toy_ridge'?"),
        (["run", "dataset=toy", "model=toy_ridge", "model.D=3"], "model.D=3"),
        (["run", "dataset=toy", "model=toy_ridge", "tuning.trails=3"], "did you mean 'trials'?"),
        (["run", "dataset=toy", "model=toy_ridge", "protocol=loso"], "leave_one_site_out"),
        (["run", "dataset=toy", "model=toy_ridge", "oops"], "write key=value"),
        (["run", "toy"], "-> write dataset=toy"),
        (["run", "dataset=toy", "model=guess,", "toy_ridge"], "no comma at an end"),
        (["run", "dataset=toy", "model=toy_ridge", "model.C=[1,2"], "close brackets"),
        (["run", "dataset=toy", "seed=one"], "[E118] seed: must be a whole number of 64 bits"),
        (["run", "dataset=toy", "model=toy_ridge", "tuning.sampler=grid"], "tpe, random, qmc"),
        (["run", "dataset=toy", "model=toy_ridge", "engine.workers=0"], "engine.workers"),
        (["run", "dataset=toy", "model=glob(zz*)"], "matches nothing"),
        (
            ["run", "dataset=toy", "model=toy_ridge", "engine.workers=1,2"],
            "[E104] engine: is one for the whole run and cannot be swept",
        ),
        (
            ["run", "suite=quickstart", "suite=zoo"],
            "[E103] suite=quickstart suite=zoo: one suite at a time",
        ),
        (["run", "suite=quick"], "did you mean 'quickstart'?"),
        (["info", "toy_rigde"], "did you mean 'toy_ridge'?"),
        (["list", "modles"], "there is no 'modles'; did you mean 'models'?"),
        (["leaderboard", "shwo"], "there is no 'shwo'; did you mean 'show'?"),
        (["info"], "the following arguments are required: name\n"),
        (["leaderboard"], "the following arguments are required: action\n"),
    ],
)
def test_a_typo_gets_a_hint_and_exit_code_2(toy_plugins, cytobench, words, said):
    done = cytobench(*words, check=False)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(toy_plugins, cytobench):
    done = cytobench("run", "dataset=toy", "model=toy_rigde", "--debug", check=False)

    assert "Traceback" in done.stderr


@pytest.mark.parametrize("uri", ["http://ann:s3cret@127.0.0.1:port", "foo://ann:s3cret@host/x"])
def test_a_traceback_shows_no_password_that_a_library_quotes(cytobench, uri):
    done = cytobench("leaderboard", "build", "--from-mlflow", uri, "--debug", check=False)

    assert done.returncode == 1
    assert "site-packages/mlflow" in done.stderr, "the library's own traceback is there"
    assert "://***@" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


def test_a_broken_plugin_costs_its_own_cells_only(toy_plugins, write_plugin, cytobench):
    path = write_plugin("models", "broken", "from cytobench import model\n@model()\ndef broken(:")

    listed = cytobench("list", "models", check=False)
    done = cytobench(
        "run",
        "dataset=toy",
        "model=broken,toy_ridge",
        "tuning=off",
        "protocol.repeats=1",
        "tracking=none",
        check=False,
    )

    assert listed.returncode == 1
    assert f"{path}:3" in listed.stderr
    assert "toy_ridge" in listed.stdout
    assert done.returncode == 1
    assert f"{path}:3" in done.stderr
    assert "\ntoy_ridge " in done.stdout


def test_a_parameter_of_a_broken_plugin_is_answered_with_what_is_wrong_with_it(
    toy_plugins, write_plugin, cytobench
):
    write_plugin("models", "broken", "from cytobench import model\n@model()\ndef broken(:")

    done = cytobench("run", "dataset=toy", "model=broken", "model.C=3", check=False)

    assert done.returncode == 2
    assert "[E202]" in done.stderr
    assert "broken.py:3" in done.stderr


def test_a_failing_fold_is_told_and_tried_again(toy_plugins, write_plugin, cytobench):
    source = '''
        from cytobench import model

        @model()
        def moody():
            """Fails on a whim."""
            {body}
            from sklearn.dummy import DummyClassifier

            return DummyClassifier()
    '''
    run = ["run", "dataset=toy", "model=moody", "tracking=none", "engine=serial"]
    run += ["protocol.repeats=1"]
    write_plugin("models", "moody", source.format(body="raise RuntimeError('not today')"))
    first = cytobench(*run, check=False)
    write_plugin("models", "moody", source.format(body="pass"))
    second = cytobench(*run)

    assert first.returncode == 1
    assert "moody, fold 0: [E203] RuntimeError: not today" in first.stderr
    assert "moody.py:6" in first.stderr
    assert "5 folds computed" in second.stdout


def test_a_sweep_makes_a_row_for_each_value(toy_plugins, cytobench):
    done = cytobench(
        "run", "dataset=toy", "model=toy_ridge", "model.C=1,2", "tuning=off", "tracking=none",
        "protocol.repeats=1",
    )  # fmt: skip

    assert "toy_ridge (C=1)" in done.stdout
    assert "toy_ridge (C=2)" in done.stdout


def test_a_fixed_parameter_leaves_the_space_unless_its_space_is_named(toy_plugins, cytobench):
    fixed = cytobench(
        "run", "--cfg", "dataset=toy", "model=toy_ridge", "model.C=3", "floors=[]"
    ).stdout
    moved = cytobench(
        "run", "--cfg", "dataset=toy", "model=toy_ridge", "model.space.C.high=7"
    ).stdout

    assert "high" not in fixed
    assert "high: 7" in moved


def test_changing_what_a_suite_fixes_keeps_the_results_off_its_board(toy_plugins, cytobench):
    (toy_plugins / "conf" / "suite").mkdir(parents=True)
    (toy_plugins / "conf" / "suite" / "mine.yaml").write_text(
        "name: mine\nversion: 1\nentries:\n  - {dataset: toy, task: response}\n"
        "models: [toy_ridge, guess]\noverrides: [tuning=off, protocol.repeats=1]\n"
    )
    own = cytobench("run", "suite=mine", "tracking=none")
    changed = cytobench("run", "suite=mine", "protocol.repeats=2", "tracking=none", "model=guess")
    cytobench("leaderboard", "build", "mine")

    assert "mine: response on toy" in own.stdout
    assert "the results go to 'adhoc'" in changed.stderr
    assert (toy_plugins / "leaderboards" / "mine" / "toy-response.md").exists()


def test_what_takes_longer_says_a_word_at_once(toy_plugins, cytobench):
    cytobench(
        "run", "dataset=toy", "model=guess", "tuning=off", "protocol.repeats=1", "tracking=none",
        "floors=[]", "engine=serial",
    )  # fmt: skip

    for words in (["report"], ["leaderboard", "site"]):
        assert cytobench(*words).stdout.startswith("computing every number of runs ...\nwrote ")


def test_colour_is_for_terminals(toy_plugins, cytobench):
    done = cytobench(
        "run", "dataset=toy", "model=guess", "tuning=off", "protocol.repeats=1", "tracking=none"
    )

    assert "\x1b[" not in done.stdout + done.stderr


def test_a_model_that_does_not_fit_the_cohort_is_left_out_with_a_reason(
    toy_plugins, write_plugin, cytobench
):
    write_plugin(
        "models",
        "needy",
        '''
        from cytobench import model

        @model(needs=("IL-33",))
        def needy():
            """Needs IL-33."""
        ''',
    )

    done = cytobench(
        "run",
        "dataset=toy",
        "model=needy,guess",
        "tuning=off",
        "protocol.repeats=1",
        "tracking=none",
    )

    assert "left out: needy needs IL-33, which was not measured" in done.stdout


def test_what_cannot_run_is_said_before_the_first_fold_and_at_the_end(
    toy_plugins, write_plugin, cytobench
):
    write_plugin("models", "broken", "from cytobench import model\n@model()\ndef broken(:")

    done = cytobench(
        "run", "dataset=toy", "model=broken,guess", "tuning=off", "protocol.repeats=1",
        "tracking=none", "floors=[]", check=False,
    )  # fmt: skip

    before, _, after = done.stderr.partition("folds, ")
    assert "broken cannot run: [E202]" in before
    assert "broken cannot run: [E202]" in after


@pytest.mark.parametrize(
    ("kind", "written", "said"),
    [
        ("dataset", "", "[E117] dataset=mine: expected `source:`, or `name:` of a dataset plugin"),
        ("model", "space: {}", "[E117] model=mine: expected `_target_:`, or `name:` of a model"),
    ],
)
def test_a_file_that_describes_nothing_is_refused(toy_plugins, cytobench, kind, written, said):
    folder = toy_plugins / "conf" / kind
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(written)

    run = cytobench("run", "dataset=toy", f"{kind}=mine", "tracking=none", check=False)

    assert run.returncode == 2
    assert said in run.stderr
    assert "Traceback" not in run.stderr


def test_a_model_s_file_without_a_name_is_called_as_it_was_asked_for(toy_plugins, cytobench):
    folder = toy_plugins / "conf" / "model"
    folder.mkdir(parents=True)
    (folder / "plain.yaml").write_text("_target_: sklearn.linear_model.LogisticRegression\n")

    done = cytobench(
        "run", "dataset=toy", "model=plain", "tuning=off", "protocol.repeats=1", "tracking=none"
    )

    assert "\nplain " in done.stdout


def test_a_range_that_is_none_is_said_with_its_parameter(toy_plugins, cytobench):
    done = cytobench(
        "run", "dataset=toy", "model=toy_ridge", "model.space.C.high=0", "floors=[]",
        "tracking=none", check=False,
    )  # fmt: skip

    assert "toy_ridge cannot run: [E210] model.space.C: Float(low=0.001, high=0" in done.stderr


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ("title: ${nowhere}\n", "suite=mine"),
        ("models: [guess]\n", "suite=mine, entries"),
        ("entries: [{dataset: toy}]\nmodels: [guess]\n", "suite=mine, entries.task"),
        ("entries: [{dataset: toy, task: response}]\n", "suite=mine, models"),
    ],
)
def test_a_suite_that_says_nothing_is_refused_with_its_key(toy_plugins, cytobench, written, place):
    (toy_plugins / "conf" / "suite").mkdir(parents=True)
    (toy_plugins / "conf" / "suite" / "mine.yaml").write_text(written)

    done = cytobench("run", "suite=mine", check=False)

    assert done.returncode == 2
    assert f"[E119] {place}: " in done.stderr
    assert "Traceback" not in done.stderr


def test_a_dataset_that_returns_something_else_is_refused_by_name(
    toy_plugins, write_plugin, cytobench
):
    toy = (toy_plugins / "plugins" / "datasets" / "toy.py").read_text()
    alias = write_plugin("datasets", "alias", toy.replace("def toy(", "def alias("))
    odd = write_plugin(
        "datasets", "odd", "from cytobench import dataset\n@dataset()\ndef odd():\n    return 3\n"
    )

    done = cytobench(
        "run", "dataset=odd,alias", "model=guess", "floors=[]", "tracking=none", check=False
    )

    assert done.returncode == 1
    assert f"[E207] dataset 'odd' ({odd}:3): returned int, expected" in done.stderr
    assert f"[E307] {alias}:6: the cohort's card is named 'toy', the plugin 'alias'" in done.stderr
    assert "-> write DatasetCard('alias', ...)" in done.stderr


@pytest.mark.parametrize(
    ("option", "code"),
    [("preprocess.features=th1_th2", "E363"), ("preprocess.batch=combat", "E366")],
)
def test_what_the_cohort_lacks_is_said_before_the_first_fold(toy_plugins, cytobench, option, code):
    done = cytobench(
        "run", "dataset=toy", "model=toy_ridge", "floors=[]", option, "tracking=none", check=False
    )

    assert done.returncode == 1
    assert f"toy_ridge on toy cannot run: [{code}] " in done.stderr
    assert "failed" not in done.stdout + done.stderr


def in_arbitrary_units(toy_plugins, write_plugin):
    """The toy cohort as ``npx``, whose CRP has no ratio to a mass."""
    toy = (toy_plugins / "plugins" / "datasets" / "toy.py").read_text()
    toy = toy.replace("def toy(", "def npx(").replace('DatasetCard("toy"', 'DatasetCard("npx"')
    write_plugin("datasets", "npx", toy.replace('"mg/L"', '"NPX"'))


def test_a_model_that_cannot_run_on_one_cohort_costs_no_other_cell(
    toy_plugins, write_plugin, cytobench
):
    in_arbitrary_units(toy_plugins, write_plugin)

    done = cytobench(
        "run", "dataset=npx,toy", "model=toy_ridge", "floors=[guess]", "tuning=off",
        "preprocess.features=crp_strata", "protocol.repeats=1", "tracking=none", check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "toy_ridge on npx cannot run: [E364] preprocess.features: " in done.stderr
    assert "15 folds computed" in done.stdout  # guess on both cohorts, toy_ridge on toy
    assert "failed" not in done.stdout + done.stderr


def test_a_cohort_that_is_at_fault_is_named_alone(toy_plugins, write_plugin, cytobench):
    write_plugin(
        "datasets", "lost",
        """
        from cytobench import dataset
        from cytobench.core.errors import DataError

        @dataset()
        def lost():
            raise DataError("E301", "there is no such file", where="lost.csv")
        """,
    )  # fmt: skip

    done = cytobench(
        "run", "dataset=lost,toy", "model=toy_ridge", "floors=[guess]", "tuning=off",
        "protocol.repeats=1", "tracking=none", check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "lost cannot run: [E301] lost.csv: there is no such file" in done.stderr
    assert "10 folds computed" in done.stdout


def test_a_rule_of_crp_is_left_out_where_its_unit_is_another(toy_plugins, write_plugin, cytobench):
    in_arbitrary_units(toy_plugins, write_plugin)

    done = cytobench(
        "run", "dataset=npx", "model=guess", "floors=[crp_cutoff]", "tuning=off",
        "protocol.repeats=1", "tracking=none",
    )  # fmt: skip

    assert "left out: crp_cutoff needs CRP in mg/L; this cohort has 'NPX'" in done.stdout
    assert "5 folds computed" in done.stdout


def test_a_report_or_a_board_that_cannot_be_written_is_said_with_its_file(toy_plugins, cytobench):
    cytobench(
        "run", "dataset=toy", "model=guess", "tuning=off", "protocol.repeats=1", "tracking=none"
    )
    (toy_plugins / "taken").touch()

    for words in (["report"], ["leaderboard", "build"]):
        done = cytobench(*words, "--output", "taken", check=False)

        assert done.returncode == 1
        assert "[E702] taken/adhoc/" in done.stderr
        assert "cannot be written: Not a directory" in done.stderr
        assert "Traceback" not in done.stderr


def test_what_the_system_refuses_is_said_with_its_file(toy_plugins, monkeypatch, capsys):
    from cytobench.cli import list_command
    from cytobench.cli.main import main

    def refused(options):
        raise PermissionError(13, "Permission denied", "/locked/folder")

    monkeypatch.setattr(list_command, "execute", refused)

    assert main(["list", "models"]) == 1
    said = capsys.readouterr().err
    assert "[E590] /locked/folder: the system refuses it: Permission denied" in said
    assert "-> --debug shows what asked" in said
