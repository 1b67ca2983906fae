"""Artifacts in a bucket: the server alone holds its keys, who writes a run needs none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.servers import free_port

from cytobench.tracking import Mirror, server

pytest.importorskip("moto", reason="moto stands in for S3")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:botocore"),
]
KEYS = {"AWS_ACCESS_KEY_ID": "bucket-key", "AWS_SECRET_ACCESS_KEY": "bucket-s3cret"}


@pytest.fixture
def bucket(monkeypatch):
    """A bucket of an S3 that is a process of this machine; its client."""
    import boto3
    from moto.server import ThreadedMotoServer

    s3 = ThreadedMotoServer("127.0.0.1", free_port(), verbose=False)
    s3.start()
    _, port = s3.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3", endpoint_url=address, region_name="us-east-1", aws_access_key_id="bucket-key",
        aws_secret_access_key="bucket-s3cret",
    )  # fmt: skip
    client.create_bucket(Bucket="team")
    monkeypatch.setenv("MLFLOW_S3_ENDPOINT_URL", address)
    yield client
    s3.stop()


def test_artifacts_go_to_a_bucket_and_come_back(
    bucket, store, write_cell, config, working_directory, monkeypatch
):
    database, port = f"sqlite:///{working_directory / 'mlflow.db'}", free_port()
    for name, text in KEYS.items():
        monkeypatch.setenv(name, text)
    with server.running(server.command("s3://team/cytobench", port), database, port):
        for name in (*KEYS, "MLFLOW_S3_ENDPOINT_URL"):
            monkeypatch.delenv(name)  # they were the server's
        assert "bucket-s3cret" not in os.environ.values()
        mirror = Mirror(store, {"uri": f"http://{server.HOST}:{port}", "artifacts": "unused"})

        mirror.write(write_cell("toy_ridge", "k1"), "quickstart", "toy-response")

        run = mirror.tracker.runs("1")[0].run
        mirror.tracker.download(run, "report.html", Path("back.html"))
    stored = {item["Key"].rpartition("/")[2] for item in objects(bucket)}
    assert {"report.html", "folds.csv", "numbers.csv"} <= stored
    assert "toy_ridge" in Path("back.html").read_text(encoding="utf-8")
    assert not Path("unused").exists()


def objects(client):
    return client.list_objects_v2(Bucket="team", Prefix="cytobench/")["Contents"]
