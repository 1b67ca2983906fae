"""`.ci/verify-submission` on branches that add, change and excuse bundles."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from support.tampering import with_json

SCRIPT = Path(__file__).parents[2] / ".ci" / "verify-submission"
PLACE = Path("leaderboards") / "ours" / "submissions"


@pytest.fixture
def repository(tmp_path, made):
    """A repository whose branch `main` knows the suite, and a command that does as well."""
    from submission.conftest import FILES, write_files

    root = tmp_path / "repository"
    root.mkdir()
    known = tmp_path / "known"
    write_files(known, [name for name in FILES if "our_ridge" not in name])
    command = tmp_path / "cytobench"
    # The suite and cohorts of the tests come with no release: as if they were bundled.
    command.write_text(
        f'#!/usr/bin/env bash\ncp -rn {known}/. .\nexec {sys.executable} -m cytobench "$@"\n'
    )
    command.chmod(0o755)

    def git(*words):
        subprocess.run(
            ["git", "-c", "user.name=T", "-c", "user.email=t@example.org", *words],
            cwd=root, check=True, capture_output=True,
        )  # fmt: skip

    def commit(files, message="a change"):
        for name, content in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        git("add", "-A")
        git("commit", "-qm", message)

    def verify(*words):
        return subprocess.run(
            [str(SCRIPT), "main", *words],
            cwd=root, capture_output=True, text=True, check=False,
            env={**os.environ, "CYTOBENCH": str(command)},
        )  # fmt: skip

    verify.root, verify.command = root, command
    git("init", "-q", "-b", "main")
    commit({"README.md": b"# Ours\n"})
    git("checkout", "-q", "-b", "submission")
    return git, commit, verify


def test_an_added_bundle_is_recomputed_and_refitted_with_the_added_plugin(repository, made):
    _, commit, verify = repository
    source = (made.folder / "plugins" / "models" / "our_ridge.py").read_bytes()
    commit({PLACE / "ridge.zip": made.toy, "plugins/models/our_ridge.py": source})

    recomputed, refitted = verify(), verify("--refit", "--nonce", "1")

    assert recomputed.returncode == 0, recomputed.stdout + recomputed.stderr
    assert "submitted.zip: recomputed" in recomputed.stdout
    assert refitted.returncode == 0, refitted.stdout + refitted.stderr
    assert "submitted.zip: verified" in refitted.stdout


@pytest.mark.parametrize(("job", "state"), [("recompute", "recomputed"), ("refit", "verified")])
def test_the_workflow_of_the_page_does_so(repository, made, job, state):
    git, commit, verify = repository
    root = verify.root
    git("checkout", "-q", "main")
    commit({".ci/verify-submission": SCRIPT.read_bytes()})
    (root / ".ci" / "verify-submission").chmod(0o755)
    commit({}, "it can be called")
    git("checkout", "-q", "submission")
    git("rebase", "-q", "main")
    source = (made.folder / "plugins" / "models" / "our_ridge.py").read_bytes()
    commit({PLACE / "ridge.zip": made.toy, "plugins/models/our_ridge.py": source})
    git("update-ref", "refs/remotes/origin/main", "main")
    steps = [step["run"] for step in workflow()["jobs"][job]["steps"] if "run" in step]
    worktree, install, check = steps
    assert "pip install" in install  # its own job takes minutes: the environment is another one
    (root.parent / "venv" / "bin").mkdir(parents=True)
    (root.parent / "venv" / "bin" / "cytobench").symlink_to(verify.command)
    given = {"GITHUB_BASE_REF": "main", "GITHUB_RUN_ID": "7"}

    done = subprocess.run(
        ["bash", "-ec", f"{worktree}\n{check}"],
        cwd=root, capture_output=True, text=True, check=False, env={**os.environ, **given},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"submitted.zip: {state}" in done.stdout


def workflow():
    """The one that maintainers are told to use."""
    text = (SCRIPT.parents[1] / "docs" / "submit.md").read_text(encoding="utf-8")
    return yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])


def test_a_tampered_bundle_fails_the_pipeline(repository, made):
    _, commit, verify = repository
    better = with_json(made.toy, "scores.json", lambda scores: scores["auc"].update(value=0.99))
    commit({PLACE / "ridge.zip": better})

    done = verify()

    assert done.returncode == 1
    assert "[E740]" in done.stderr


def test_a_suite_that_the_branch_redefines_is_not_the_suite(repository, made):
    _, commit, verify = repository
    suite = (made.folder / "conf" / "suite" / "ours.yaml").read_bytes()
    easier = with_json(
        made.toy, "cell.json", lambda cell: cell["about"]["protocol"].update(inner_folds=9)
    )
    commit({
        PLACE / "ridge.zip": easier,
        "conf/suite/ours.yaml": suite.replace(b"inner_folds=3", b"inner_folds=9"),
    })  # fmt: skip

    done = verify()

    assert done.returncode == 1
    assert "[E744]" in done.stderr


def test_published_bundles_and_reviews_are_for_maintainers(repository, made):
    git, commit, verify = repository
    git("checkout", "-q", "main")
    commit({PLACE / "published.zip": made.toy})
    git("checkout", "-q", "submission")
    git("rebase", "-q", "main")
    commit({PLACE / "published.zip": made.clinic, PLACE / "reviewed.json": b"{}"})

    done = verify()

    assert done.returncode == 1
    assert "published.zip: a published bundle is never changed" in done.stderr
    assert "reviewed.json: only maintainers answer" in done.stderr
