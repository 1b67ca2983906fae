"""``cytobench`` as the pages' tests call it: runs on fewer patients, in fewer folds.

What a page sets itself stays. A suite is run as it is: what it fixes is what makes its rows alike.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

COMMAND = [sys.executable, "-m", "cytobench"]
FEWER = {
    "permutations": "2",
    "preprocess.draws": "2",
    "protocol.repeats": "1",
    "tuning.trials": "2",
}


def smaller(words: list[str]) -> list[str]:
    """The words of ``cytobench run``, with what makes it quick."""
    given = dict(word.partition("=")[::2] for word in words if "=" in word)
    words = [f"{key}={FEWER[key]}" if (key := w.partition("=")[0]) in FEWER else w for w in words]
    more = {"tracking": os.environ.get("CYTOBENCH_TEST_TRACKING", "none")}
    if given and "suite" not in given:
        dataset = given.get("dataset", "sim_inflamed_mdd")
        protocol = given.get("protocol", "repeated_stratified")
        if protocol == "bootstrap":
            more["protocol.resamples"] = "5"
        elif protocol == "repeated_stratified":
            more |= {"protocol.folds": "3", "protocol.repeats": "1"}
            if dataset.startswith("sim_") and "+" not in dataset and "task" not in given:
                more["dataset.n"] = "80"
        if given.get("task") == "benefit":
            more["tuning"] = "off"
            if "task.arms" not in given:
                more["dataset.n"] = "160"  # some arms of one trial would be too small
        elif not any(key.startswith(("engine", "floors")) for key in given):
            more |= {"engine": "serial", "floors": "[prior]"}
        if "off" not in (given.get("tuning"), more.get("tuning")):
            more["tuning.trials"] = "2"
    return words + [f"{key}={value}" for key, value in more.items() if key not in given]


def looked_at(words: list[str]) -> int:
    """``cytobench ui`` until the browser would have shown something, then Ctrl-C."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([*COMMAND, *words, "--port", str(port)], start_new_session=True) as ui:
        try:
            address = f"http://127.0.0.1:{port}/"
            for _ in range(120):
                if ui.poll() is not None:
                    return 1
                try:
                    with urllib.request.urlopen(address, timeout=5) as page:
                        return 0 if b"MLflow" in page.read() else 1
                except OSError:
                    time.sleep(1)
            return 1
        finally:
            os.killpg(ui.pid, signal.SIGINT)


def main() -> int:
    words = sys.argv[1:]
    if words[:1] == ["ui"]:
        return looked_at(words)
    if words[:1] == ["run"] and not {"--cfg", "--help"} & set(words):
        words = ["run", *smaller(words[1:])]
    return subprocess.run([*COMMAND, *words], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
