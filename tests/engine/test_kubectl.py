"""What the real kubectl makes of what it is asked, before an API that notes it."""

import json
import shutil

import pytest
import yaml
from support.errands import Errand
from support.kubernetes_api import Api, serving
from support.pages import REPOSITORY
from support.servers import LOOPBACK

from cytobench.config import compose_jobs
from cytobench.core.errors import CytobenchError
from cytobench.run.engine import run_folds

pytest.importorskip("distributed")
if shutil.which("kubectl") is None:
    pytest.skip("kubectl is not installed", allow_module_level=True)
RUN = REPOSITORY / "docs" / "cluster" / "kubernetes-run.yaml"
WAITING = {"reason": "ImagePullBackOff", "message": "no such image"}
PULLING = {
    "metadata": {"name": "cytobench-abc"},
    "status": {"phase": "Pending", "containerStatuses": [{"state": {"waiting": WAITING}}]},
}
FULL = {
    "metadata": {"name": "cytobench-def"},
    "status": {"phase": "Pending", "conditions": [{"message": "0/3 nodes: Insufficient cpu"}]},
}
QUOTA = {"metadata": {"name": "event"}, "message": "pods is forbidden: exceeded quota"}


@pytest.fixture
def api(tmp_path, monkeypatch):
    """The API that kubectl is set to."""
    api = Api()
    with serving(api) as address:
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "here",
            "clusters": [{"name": "here", "cluster": {"server": address}}],
            "users": [{"name": "me", "user": {}}],
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
        }  # fmt: skip
        (tmp_path / "config").write_text(json.dumps(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        monkeypatch.setenv("HOME", str(tmp_path))  # kubectl keeps there what it has discovered
        yield api


def given_up():
    """What a run says whose pods never come."""
    words = [
        "cluster=kubernetes", "image=any", "workers=2", "patience=0.5", "namespace=lab",
        f"interface={LOOPBACK}",
    ]  # fmt: skip
    (config,) = compose_jobs(["engine=dask", *(f"engine.{word}" for word in words)])
    with pytest.raises(CytobenchError, match="E520") as raised:
        list(run_folds(list(map(Errand, range(2))), config["engine"], b"s" * 32))
    return str(raised.value)


def test_the_job_is_made_and_owns_its_secret_and_is_deleted(api):
    given_up()

    job, secret = api.made
    (owner,) = secret["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("Job", job["metadata"]["name"])
    assert owner["uid"] == job["metadata"]["uid"]
    assert api.asked[-1] == ("delete", "batch", "jobs")


def test_why_no_pod_comes_is_said(api):
    api.items["pods"] = [PULLING, FULL]
    said = given_up()

    assert "no such image" in said
    assert "0/3 nodes: Insufficient cpu" in said


def test_why_there_is_no_pod_at_all_is_said(api):
    api.items["events"] = [QUOTA]

    assert "exceeded quota" in given_up()


def test_the_role_in_the_documentation_allows_what_is_asked(api):
    parts = {part["kind"]: part for part in yaml.safe_load_all(RUN.read_text(encoding="utf-8"))}
    allowed = {
        (verb, group, resource)
        for rule in parts["Role"]["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }

    given_up()

    assert set(api.asked) <= allowed
    assert allowed - set(api.asked) == {("delete", "", "secrets")}, "for a cluster that wants it"
