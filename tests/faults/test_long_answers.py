"""A worker that is killed in the middle of a long answer costs that answer, not the run."""

import os
import signal
import subprocess
import sys
import time

import pytest
from support.faults import workers

WORK = '''
    """Work whose answers are longer than a pipe holds."""
    import time
    from dataclasses import dataclass


    @dataclass(frozen=True)
    class Long:
        fold: int
        key: str = "cell"

        def attempt(self, salt):
            time.sleep(0.05)
            return b"x" * 1_000_000
'''
RUN = """
    from work import Long

    from cytobench.run.engine import run_folds

    if __name__ == "__main__":
        engine = {"name": "joblib", "workers": 2}
        for spec, answer in run_folds([Long(fold) for fold in range(60)], engine, b""):
            print(spec.fold, len(answer), flush=True)
"""


@pytest.mark.slow
def test_the_run_ends_with_every_answer(working_directory):
    for name, text in {"work.py": WORK, "run.py": RUN}.items():
        (working_directory / name).write_text("\n".join(line[4:] for line in text.splitlines()))
    path = os.pathsep.join([str(working_directory), os.environ.get("PYTHONPATH", "")])
    run = subprocess.Popen(
        [sys.executable, "run.py"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    try:
        first = run.stdout.readline()
        run.send_signal(signal.SIGSTOP)
        time.sleep(1)  # who reads nothing lets a pipe fill up: a worker is in the middle of it
        os.kill(workers(run.pid)[0], signal.SIGKILL)
        run.send_signal(signal.SIGCONT)

        rest, _ = run.communicate(timeout=90)
    finally:
        run.kill()

    assert run.returncode == 0
    answers = sorted((first + rest).splitlines(), key=lambda line: int(line.split()[0]))
    assert answers == [f"{fold} 1000000" for fold in range(60)]
