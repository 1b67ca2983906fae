"""``engine.cluster=ssh``: a server of SSH on this machine; keys alone, all of it encrypted."""

import asyncio
import os
import socket
import threading

import pytest
from support.bits import assert_same_bits_as_serial
from support.errands import Errand
from support.servers import free_port

from cytobench.config import compose_jobs
from cytobench.core.errors import CytobenchError
from cytobench.run.engine import run_folds

asyncssh = pytest.importorskip("asyncssh")
pytest.importorskip("distributed")
SALT = b"s" * 32


class Host:
    """A host that one may log in to with a key; what is run on it is a process of this machine."""

    def __init__(self, folder):
        self.commands = []
        self.lazy = ""
        self.port = free_port()
        self.key, self.known = folder / "id", folder / "known_hosts"
        mine, its = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        mine.write_private_key(str(self.key))
        public = its.export_public_key().decode().strip()
        self.known.write_text(f"[127.0.0.1]:{self.port} {public}\n")
        allowed = asyncssh.import_authorized_keys(mine.export_public_key().decode())
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = self._do(self._listen(its, allowed))

    async def _listen(self, key, allowed):
        return await asyncssh.listen(
            "127.0.0.1", self.port, server_host_keys=[key], authorized_client_keys=allowed,
            process_factory=self._run, encoding=None,
        )  # fmt: skip

    async def _run(self, process):
        self.commands.append(process.command)
        if self.lazy and self.lazy in process.command:
            await process.wait_closed()
            return
        child = await asyncio.create_subprocess_shell(
            process.command, stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        await process.redirect(stdout=child.stdout, stderr=child.stderr)
        ends = [asyncio.create_task(end) for end in (child.wait(), process.wait_closed())]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if child.returncode is None:
            os.killpg(child.pid, 9)
        process.exit(await child.wait())
        await asyncio.wait(ends)

    async def _close(self):
        self.server.close()
        await self.server.wait_closed()

    def _do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def stop(self):
        self._do(self._close())
        self._do(asyncio.sleep(0.5))  # for what was run to end
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


@pytest.fixture
def host(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    host = Host(tmp_path)
    yield host
    host.stop()


def engine_on(host, *overrides):
    login = f"{{port: {host.port}, known_hosts: '{host.known}', client_keys: ['{host.key}']}}"
    (config,) = compose_jobs(
        [
            "engine=dask", "engine.cluster=ssh", "engine.hosts=[127.0.0.1]",
            f"engine.login={login}", *overrides,
        ]
    )  # fmt: skip
    return config["engine"]


def test_folds_run_on_a_host_that_one_logs_in_to(host, tmp_path, pytestconfig):
    paths = f"{pytestconfig.rootpath}:{pytestconfig.rootpath / 'tests'}"
    engine = engine_on(
        host, "engine.workers=2", f"engine.env={{PYTHONPATH: '{paths}', CYTOBENCH_TEST: 'a b'}}"
    )

    found = dict(run_folds(list(map(Errand, range(6))), engine, SALT))

    assert {answer[0] for answer in found.values()} == set(range(6))
    assert all(answer[1] == SALT for answer in found.values())
    assert all(answer[2] != os.getpid() for answer in found.values())
    workers = [command for command in host.commands if "Nanny" in command]
    assert all("tls://" in command and "CYTOBENCH_TEST='a b'" in command for command in workers)
    assert workers
    assert not list((tmp_path / ".cytobench").iterdir()), "certificates go with the run"


def test_a_cell_has_the_same_bits_on_a_host_as_in_this_process(host, toy_plugins, pytestconfig):
    paths = f"engine.env={{PYTHONPATH: '{pytestconfig.rootpath}'}}"

    assert_same_bits_as_serial(engine_on(host, "engine.workers=2", paths))


def test_a_host_that_lets_nobody_in_is_said(host):
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    stranger.write_private_key(str(host.key))

    with pytest.raises(CytobenchError, match=r"E520.*could not be started.*PermissionDenied"):
        list(run_folds([Errand(0)], engine_on(host, "engine.workers=1"), SALT))


@pytest.mark.parametrize("lazy", ["distributed.Scheduler", "distributed.Nanny"])
def test_a_host_that_starts_nothing_is_not_waited_for_for_ever(host, pytestconfig, lazy):
    host.lazy = lazy
    paths = (
        f"engine.env={{PYTHONPATH: '{pytestconfig.rootpath}:{pytestconfig.rootpath / 'tests'}'}}"
    )
    engine = engine_on(host, "engine.workers=1", "engine.patience=15", paths)

    with pytest.raises(CytobenchError, match=r"E520.*127\.0\.0\.1 has started nothing within 15 s"):
        list(run_folds([Errand(0)], engine, SALT))


def test_a_host_that_accepts_and_never_speaks_is_not_waited_for_for_ever(host):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host.port = silent.getsockname()[1]

        with pytest.raises(CytobenchError, match=r"E520.*could not be started"):
            list(run_folds([Errand(0)], engine_on(host, "engine.workers=1"), SALT))
