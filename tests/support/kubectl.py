"""Stands in for kubectl and the cluster behind it: pods are processes of this machine.

What it was given is kept, and what a pod has ended with, in the folder ``KUBECTL``; a file
``refuses`` there has it fail with that text, one named ``starts-nothing`` leaves pods pending.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

UID = "8f1b2c1e-0000-4000-8000-000000000001"


def main() -> None:
    folder = Path(os.environ["KUBECTL"])
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    with (folder / "calls").open("a") as calls:
        calls.write(" ".join(sys.argv[1:]) + "\n")
    if (folder / "refuses").exists():
        sys.exit((folder / "refuses").read_text())
    {"create": create, "delete": delete, "get": get}[words[0]](folder)


def create(folder: Path) -> None:
    manifest = json.load(sys.stdin)
    kind = manifest["kind"].lower()
    with (folder / f"{kind}.json").open("x") as kept:
        json.dump(manifest, kept)
    if kind == "secret":
        (owner,) = manifest["metadata"]["ownerReferences"]
        assert owner["uid"] == UID
        start(folder, json.loads((folder / "job.json").read_text()), manifest)
    print(UID)


def start(folder: Path, job: dict, secret: dict) -> None:
    """Each pod's only container, with the variables of its Secret and no others of this process."""
    if (folder / "starts-nothing").exists():
        return
    (container,) = job["spec"]["template"]["spec"]["containers"]
    (variables,) = container["envFrom"]
    assert variables["secretRef"]["name"] == secret["metadata"]["name"]
    python = Path(sys.executable).parent
    for number in range(job["spec"]["parallelism"]):
        home = folder / f"pod-{number}"
        home.mkdir()
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                ["sh", "-c", '"$@"; echo $? > exit', "pod", *container["args"]],
                cwd=home, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
                env={"PATH": f"{python}{os.pathsep}{os.defpath}", **secret["stringData"]},
            )  # fmt: skip
        (home / "pid").write_text(str(process.pid))


def delete(folder: Path) -> None:
    (folder / "job.json").rename(folder / "deleted.json")
    for pid in folder.glob("pod-*/pid"):
        try:
            os.killpg(int(pid.read_text()), signal.SIGKILL)
        except ProcessLookupError:
            continue  # it has ended by itself


def get(folder: Path) -> None:
    print(
        "POD     PHASE    WAITS             WHY\npod-0   Pending  ImagePullBackOff  no such image"
    )


main()
