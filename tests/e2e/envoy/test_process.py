"""Envoy as a child process."""

import asyncio
import dataclasses
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from chat4all_standalone.envoy import EnvoyProcess, EnvoySettings, EnvoyStartError

PARENT = """
import asyncio
from pathlib import Path
from chat4all_standalone.envoy import EnvoyProcess, EnvoySettings, EnvoyTimeouts

async def main():
    envoy = EnvoyProcess({settings})
    await envoy.start()
    print(envoy.pid, flush=True)
    await envoy.wait()

asyncio.run(main())
"""


async def test_start_and_stop(settings: EnvoySettings) -> None:
    """A stopped Envoy is gone, has freed its port, and can be stopped again."""
    envoy = EnvoyProcess(settings)
    await envoy.start()
    pid = envoy.pid
    await envoy.stop()
    assert await envoy.wait() == 0
    assert not psutil.pid_exists(pid)
    assert _is_free(settings.public)
    await envoy.stop()


async def test_no_orphan(settings: EnvoySettings) -> None:
    """When the parent is killed, its Envoy ends."""
    text = re.sub(r"PosixPath", "Path", repr(settings))
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT.format(settings=text), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    envoy = psutil.Process(int(await parent.stdout.readline()))
    assert envoy.is_running()
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    while not (_is_gone(envoy) and _is_free(settings.public)):
        await asyncio.sleep(0.01)


def _is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


async def test_port_taken(settings: EnvoySettings) -> None:
    """A taken port is named together with the setting that changes it, and no process is left."""
    with socket.create_server(settings.public):
        envoy = EnvoyProcess(settings)
        with pytest.raises(EnvoyStartError, match=f"port {settings.public[1]} .*CHAT4ALL_ENVOY_PORT"):
            await envoy.start()
        assert not psutil.pid_exists(envoy.pid)


async def test_port_taken_by_another_envoy(envoy: EnvoyProcess, settings: EnvoySettings, tmp_path: Path) -> None:
    """A second Envoy on the port of a first one fails, though something answers there."""
    second = EnvoyProcess(dataclasses.replace(settings, data_dir=tmp_path / "second"))
    with pytest.raises(EnvoyStartError, match="is taken"):
        await second.start()


async def test_two_at_once(envoy: EnvoyProcess, settings: EnvoySettings, tmp_path: Path) -> None:
    """Two Envoys on different ports run side by side."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        public = free.getsockname()
    second = EnvoyProcess(dataclasses.replace(settings, public=public, data_dir=tmp_path / "second"))
    await second.start()
    await second.stop()


async def test_every_address(settings: EnvoySettings) -> None:
    """An Envoy on every address, IPv6 or IPv4 only, takes IPv4 connections."""
    for host in ("::", "0.0.0.0"):
        envoy = EnvoyProcess(dataclasses.replace(settings, public=(host, settings.public[1])))
        await envoy.start()
        with socket.create_connection(settings.public):
            await envoy.stop()


async def test_refused_configuration(settings: EnvoySettings, tmp_path: Path) -> None:
    """When Envoy refuses its configuration, its own words are given."""
    broken = tmp_path / "broken.tmpl"
    broken.write_text(settings.template.read_text().replace("stat_prefix: public", "no_such_field: 1"))
    envoy = EnvoyProcess(dataclasses.replace(settings, template=broken))
    with pytest.raises(EnvoyStartError, match="no_such_field"):
        await envoy.start()


def _is_free(address: tuple[str, int]) -> bool:
    try:
        socket.create_server(address).close()
    except OSError:
        return False
    return True
