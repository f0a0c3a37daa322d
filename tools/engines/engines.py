"""All engines of one directory: up, down, and the faults that tests inject."""

import shutil
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .cache import Cache, exclusive, user_cache
from .cassandra import Cassandra
from .engine import Engine, Node
from .errors import EngineError
from .kafka import Kafka
from .minio import MinIO
from .ports import FixedPorts, PortChoice
from .process import NodeProcess
from .redis import Redis
from .seaweedfs import SeaweedFS
from .startup import Startup
from .state import StateFile

CATALOGUE: Mapping[str, Engine] = {
    engine.name: engine for engine in (Kafka(), Cassandra(), Redis(), MinIO(), SeaweedFS())
}


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """How a node is now; `pid` is None when it does not run."""

    node: Node
    pid: int | None
    resident_bytes: int


class Engines:
    """The engines whose data, logs and pid files lie in `directory`.

    Processes outlive this object and this program: another `Engines` of the same directory finds them.
    A name is an engine's ("kafka": all its nodes) or a node's ("kafka-2"). Whatever waits, waits until it
    is so, and raises EngineError otherwise. `up`, `down`, `start`, `stop` and `restart` exclude each other,
    across processes too; `kill`, `pause` and `resume` wait for nobody.
    """

    def __init__(self, directory: Path, *, cache: Path | None = None, report: Callable[[str], None] = print) -> None:
        self._directory = directory.absolute()
        self._state = StateFile(self._directory / "engines.json")
        self._cache = Cache(cache or user_cache(), report)
        self._report = report

    def install(self, names: Iterable[str] = CATALOGUE) -> None:
        """Bring the programs of engines to this machine, or verify that they are there."""
        for name in names:
            _engine(name).install(self._cache)

    def up(
        self,
        names: Iterable[str] = CATALOGUE,
        *,
        sizes: Mapping[str, int] | None = None,
        ports: Mapping[str, PortChoice] | None = None,
    ) -> None:
        """Start engines and return when all are ready; what runs already stays as it is.

        `sizes` gives the number of nodes of an engine (default 1), `ports` its choice of ports (default the
        usual ones). When anything fails, whatever this call started is ended before the error is raised.
        """
        with self._exclusive():
            clusters = self._state.clusters()
            wanted = {name: self._lay_out(name, clusters, sizes or {}, ports or {}) for name in names}
            homes = {name: _engine(name).install(self._cache) for name in wanted}
            self._startup(homes).run(wanted)
            clusters |= wanted
            endpoints = {name: _engine(name).endpoint(cluster) for name, cluster in clusters.items()}
            self._state.write(clusters, endpoints)

    def down(self, names: Iterable[str] | None = None, *, wipe: bool = False) -> None:
        """Stop engines (default: every process that lives in the directory); `wipe` removes their data too."""
        chosen = None if names is None else {_engine(name).name for name in names}
        with self._exclusive():
            directories = self._node_directories(chosen)
            _stop_all([NodeProcess(directory) for directory in directories])
            if wipe:
                for directory in directories:
                    shutil.rmtree(directory)
            keep = {name for name in self._state.clusters() if chosen is not None and name not in chosen}
            clusters = {name: cluster for name, cluster in self._state.clusters().items() if name in keep}
            endpoints = {name: value for name, value in self._state.endpoints().items() if name in keep}
            self._state.write(clusters, endpoints)

    def start(self, name: str) -> None:
        """Start nodes that were stopped or killed, and return when they are ready."""
        with self._exclusive():
            self._start(name)

    def stop(self, name: str) -> None:
        """Stop nodes in good order; they stay part of their cluster and keep ports and data."""
        with self._exclusive():
            self._stop(name)

    def restart(self, name: str) -> None:
        """Stop nodes in good order, start them, and return when they are ready."""
        with self._exclusive():
            self._stop(name)
            self._start(name)

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Send nodes a deadly signal and return when they are gone."""
        for node in self._nodes(name):
            self._process(node).kill(number)

    def pause(self, name: str) -> None:
        """Freeze nodes (SIGSTOP): their connections stay open and nobody answers."""
        for node in self._nodes(name):
            self._process(node).send(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let frozen nodes go on."""
        for node in self._nodes(name):
            self._process(node).send(signal.SIGCONT)

    def endpoint(self, engine: str) -> dict[str, Any]:
        """Return what a client needs to connect to an engine that is up, as engines.json has it."""
        try:
            endpoint: dict[str, Any] = self._state.endpoints()[engine]
        except KeyError:
            raise EngineError(f"{engine} is not up") from None
        return endpoint

    def status(self) -> list[NodeStatus]:
        """Return every node that was brought up and not taken down."""
        nodes = [node for cluster in self._state.clusters().values() for node in cluster]
        processes = [(node, self._process(node)) for node in nodes]
        return [NodeStatus(node, process.pid(), process.resident_bytes()) for node, process in processes]

    def _lay_out(
        self,
        name: str,
        clusters: Mapping[str, tuple[Node, ...]],
        sizes: Mapping[str, int],
        ports: Mapping[str, PortChoice],
    ) -> tuple[Node, ...]:
        """Return the cluster as it runs, or a new layout when none of it does."""
        known = clusters.get(name, ())
        size = sizes.get(name, 1)
        if not any(self._process(node).pid() for node in known):
            return _engine(name).nodes(size, ports.get(name, FixedPorts()))
        if len(known) != size:
            raise EngineError(f"{name} runs with {len(known)} node(s), not {size}: take it down first")
        return known

    def _start(self, name: str) -> None:
        nodes = self._nodes(name)
        engine = _engine(nodes[0].engine)
        startup = self._startup({engine.name: engine.install(self._cache)})
        startup.run({engine.name: self._state.clusters()[engine.name]}, only=nodes)

    def _stop(self, name: str) -> None:
        _stop_all([self._process(node) for node in self._nodes(name)])

    def _startup(self, homes: Mapping[str, Path]) -> Startup:
        return Startup(self._directory, CATALOGUE, homes, self._report)

    def _nodes(self, name: str) -> Sequence[Node]:
        clusters = self._state.clusters()
        nodes = [node for cluster in clusters.values() for node in cluster if name in (node.name, node.engine)]
        if not nodes:
            known = ", ".join(node.name for cluster in clusters.values() for node in cluster) or "none"
            raise EngineError(f"{name} is not up; these are: {known}")
        return nodes

    def _node_directories(self, engines: set[str] | None) -> list[Path]:
        """Find nodes by their directories, so that those of an `up` that was itself killed are found too."""
        found = []
        for directory in sorted(self._directory.iterdir()):
            engine = _engine_of(directory)
            if directory.is_dir() and engine in CATALOGUE and (engines is None or engine in engines):
                found.append(directory)
        return found

    def _process(self, node: Node) -> NodeProcess:
        return NodeProcess(self._directory / node.name)

    def _exclusive(self) -> Any:
        return exclusive(self._directory / "lock")


def _stop_all(processes: Sequence[NodeProcess]) -> None:
    """Stop all at the same time; raises the first error after all have been tried."""
    with ThreadPoolExecutor(max(len(processes), 1)) as pool:
        stopping = [pool.submit(process.stop, _engine(_engine_of(process.directory)).grace) for process in processes]
    for stopped in stopping:
        stopped.result()


def _engine_of(directory: Path) -> str:
    """Return the name of the engine that a node's directory belongs to."""
    return directory.name.partition("-")[0]


def _engine(name: str) -> Engine:
    try:
        return CATALOGUE[name]
    except KeyError:
        raise EngineError(f"there is no engine {name}; there are {', '.join(CATALOGUE)}") from None
