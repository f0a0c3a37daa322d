"""The platform that files go to, in either form, and the processes that it is made of."""

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
from distributed_process import distributed_platforms
from engine_endpoints import VARIABLE
from platform_process import MakePlatform, PlatformProcess
from tools.engines import Engines, FreePorts

from bench.platforms import SETTINGS

FORMS = ("standalone", "distributed")
_ENGINES = ("kafka", "cassandra", "redis", "minio")
_STORE = "minio"
_ROLES = {_STORE: "store", "cassandra": "Cassandra"}


@dataclass(frozen=True, slots=True)
class Target:
    """A platform that serves."""

    platform: PlatformProcess
    folder: Path
    """For whatever else is to lie on the same disk; removed in the end."""
    store: Mapping[str, Any] | None
    """How the S3 store is reached; None where a folder holds the files."""
    engines: Engines | None

    def processes(self) -> Mapping[str, Sequence[psutil.Process]]:
        """What works on files, by what it is."""
        parent = psutil.Process(self.platform.pid)
        roles: dict[str, list[psutil.Process]] = {"server": [], "Envoy": [], "store": [], "Cassandra": []}
        for process in (parent, *parent.children(recursive=True)):
            command = " ".join(process.cmdline())
            if "envoy.yaml" in command:
                roles["Envoy"].append(process)
            elif "chat4all_server" in command or command.endswith("-m chat4all_standalone"):
                roles["server"].append(process)
        for node in self.engines.status() if self.engines is not None else ():
            role = _ROLES.get(node.node.engine)
            if role is not None and node.pid:
                roles[role].append(psutil.Process(node.pid))
        return roles


@asynccontextmanager
async def open_target(form: str) -> AsyncIterator[Target]:
    """A platform with its data on the disk of this folder, and engines that are started if need be."""
    engines = _engines_up() if form == "distributed" else None
    with TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder, _platforms(form) as make:
        platform = make(Path(folder) / "data", SETTINGS)
        platform.start()
        try:
            store = None if engines is None else engines.endpoint(_STORE)
            yield Target(platform, Path(folder), store, engines)
        finally:
            platform.stop()


def _engines_up() -> Engines:
    directory = Path(os.environ.get("CHAT4ALL_ENGINES_DIR", ".engines"))
    engines = Engines(directory)
    engines.up(_ENGINES, ports=dict.fromkeys(_ENGINES, FreePorts()))
    os.environ.setdefault(VARIABLE, str(directory.absolute() / "engines.json"))
    return engines


@contextmanager
def _platforms(form: str) -> Iterator[MakePlatform]:
    if form == "standalone":
        yield PlatformProcess
        return
    with distributed_platforms() as make:
        yield make
