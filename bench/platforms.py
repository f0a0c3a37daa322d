"""The platforms under measurement, and the processor time that their processes use."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
from cassandra_keyspace import drop_keyspace
from platform_process import PlatformProcess
from s3_store import remove_bucket
from tools.engines import Engines

from chat4all_core.config import CassandraSection, load_settings
from chat4all_standalone.distributed.engines_file import engine_settings

EMBEDDED, DISTRIBUTED = "embedded", "distributed"

_ENGINES = ("kafka", "cassandra", "redis")
"""Those that messages pass through."""

SETTINGS = {
    "CHAT4ALL_TELEMETRY_LOG_LEVEL": "WARNING",
    # One user sends it all.
    "CHAT4ALL_LIMIT_USER_PER_SECOND": "0",
    "CHAT4ALL_LIMIT_ADDRESS_PER_SECOND": "0",
}


@dataclass(frozen=True, slots=True)
class Target:
    """A platform that serves."""

    pid: int
    """Of the process that was started, and has the others as its children."""
    envoy_port: int
    grpc_port: int
    processes: Mapping[str, Sequence[psutil.Process]]
    """What it consists of, engines included, by what they are."""
    stores: CassandraSection | None = None
    """Where those of a distributed platform lie."""

    def cpu_seconds(self) -> Mapping[str, float]:
        """What processes of each kind have used since they started, the load generator too."""
        processes = {**self.processes, "load generator": [psutil.Process()]}
        return {name: sum(sum(p.cpu_times()[:2]) for p in some) for name, some in processes.items()}


def by_process(amounts: Mapping[str, float]) -> str:
    """What each kind of process took, and all."""
    each = ", ".join(f"{name} {amount:.3f}" for name, amount in amounts.items())
    return f"{each}; all {sum(amounts.values()):.3f}"


@contextmanager
def serving(platform: str, engines: Path, settings: Mapping[str, str] | None = None) -> Iterator[Target]:
    """A platform with data of its own, on the disk of this folder. `engines` is the engines.json that a distributed
    one uses; its keyspace and bucket are dropped in the end. `settings`: by environment variable, beside those of all
    measurements."""
    with TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        make = _embedded if platform == EMBEDDED else _distributed
        with make(Path(folder), engines, settings or {}) as target:
            yield target


@contextmanager
def _embedded(folder: Path, _engines: Path, settings: Mapping[str, str]) -> Iterator[Target]:
    process = PlatformProcess(folder, {**SETTINGS, **settings})
    with _running(process) as main:
        processes = {"server and workers": [main], "Envoy": main.children(recursive=True)}
        yield Target(process.pid, process.envoy_port, process.grpc_port, processes)


@contextmanager
def _distributed(folder: Path, engines: Path, settings: Mapping[str, str]) -> Iterator[Target]:
    with settings_on(engines) as environ:
        one_of_each = ("--servers", "1", "--routers", "1", "--status-workers", "1")
        program = ("-m", "chat4all_standalone.distributed", *one_of_each)
        process = PlatformProcess(folder, {**environ, **settings}, program)
        with _running(process) as main:
            processes: dict[str, list[psutil.Process]] = {}
            for child in main.children(recursive=True):
                processes.setdefault(_role(child), []).append(child)
            for node in Engines(engines.parent).status():
                if node.pid and node.node.engine in _ENGINES:
                    processes.setdefault(node.node.engine.capitalize(), []).append(psutil.Process(node.pid))
            stores = load_settings(environ).cassandra
            yield Target(process.pid, process.envoy_port, process.grpc_port, processes, stores)


@contextmanager
def settings_on(engines: Path) -> Iterator[Mapping[str, str]]:
    """What the environment of a distributed platform's processes says, for names of its own on these engines (an
    engines.json); its keyspace and bucket are dropped in the end."""
    name = f"bench{uuid.uuid4().hex[:12]}"
    environ = {
        **SETTINGS,
        **engine_settings(engines),
        "CHAT4ALL_KAFKA_TOPIC_PREFIX": f"{name}.",
        "CHAT4ALL_CASSANDRA_KEYSPACE": name,
        "CHAT4ALL_REDIS_KEY_PREFIX": f"{name}:",
        "CHAT4ALL_S3_BUCKET": name,
    }
    loaded = load_settings(environ)
    try:
        yield environ
    finally:
        drop_keyspace(loaded.cassandra)
        remove_bucket(loaded.s3)


@contextmanager
def _running(process: PlatformProcess) -> Iterator[psutil.Process]:
    process.start()
    try:
        yield psutil.Process(process.pid)
    finally:
        process.stop()


def _role(child: psutil.Process) -> str:
    arguments = child.cmdline()
    if "--roles" in arguments:
        return arguments[arguments.index("--roles") + 1].partition(",")[0]
    return "server" if "chat4all_server" in arguments else "Envoy"
