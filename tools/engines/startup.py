"""Starting nodes of several engines at once, all or nothing."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from .engine import Engine, Node
from .errors import EngineError
from .ports import is_free
from .process import NodeProcess

_TIMEOUT = 600.0
"""Seconds. A start takes 3 to 6 of them, and minutes where the machine has far too much to do."""

_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Startup:
    """One attempt. Nodes that it did not start itself are left as they are, whatever happens."""

    directory: Path
    engines: Mapping[str, Engine]
    homes: Mapping[str, Path]
    report: Callable[[str], None]
    _started: list[NodeProcess] = field(default_factory=list)
    _cancelled: threading.Event = field(default_factory=threading.Event)

    def run(self, clusters: Mapping[str, Sequence[Node]], only: Iterable[Node] | None = None) -> None:
        """Start all nodes of the clusters (or `only` some of them) and return when they are ready."""
        chosen = {node.name for node in only} if only is not None else None
        try:
            with ThreadPoolExecutor(max(len(clusters), 1)) as pool:
                work = [pool.submit(self._start, name, cluster, chosen) for name, cluster in clusters.items()]
                try:
                    for finished in as_completed(work):
                        finished.result()
                except BaseException:
                    self._cancelled.set()
                    raise
        except BaseException:
            for process in self._started:
                process.stop(grace=0)
            raise

    def _start(self, name: str, cluster: Sequence[Node], chosen: set[str] | None) -> None:
        engine = self.engines[name]
        nodes = [node for node in cluster if chosen is None or node.name in chosen]
        groups = [[node] for node in nodes] if engine.one_by_one else [nodes]
        for group in groups:
            begun = time.monotonic()
            for node in group:
                self._launch(engine, node, cluster)
            for node in group:
                self._await(engine, node, cluster)
                self._announce(engine, node, time.monotonic() - begun)
        # The first ones were ready before they could see the last ones.
        for node in nodes:
            self._await(engine, node, cluster)

    def _launch(self, engine: Engine, node: Node, cluster: Sequence[Node]) -> None:
        process = self._process(node)
        if process.pid() is not None:
            return
        for port in node.ports.values():
            if not is_free(node.host, port):
                raise EngineError(f"{node.name} can't listen on {node.host}:{port}: another program does")
        process.directory.mkdir(parents=True, exist_ok=True)
        command = engine.prepare(node, cluster, process.directory, self.homes[engine.name])
        if self._cancelled.is_set():
            raise EngineError("cancelled")
        self._started.append(process)
        process.start(command)

    def _await(self, engine: Engine, node: Node, cluster: Sequence[Node]) -> None:
        process = self._process(node)
        deadline = time.monotonic() + _TIMEOUT
        while not engine.ready(node, [other for other in cluster if self._process(other).pid() is not None]):
            if process.pid() is None:
                raise EngineError(f"{node.name} ended by itself. The end of {process.log}:\n{_tail(process.log)}")
            if time.monotonic() > deadline:
                raise EngineError(f"{node.name} is not ready after {_TIMEOUT:.0f} s, see {process.directory}")
            if self._cancelled.wait(_POLL):
                raise EngineError("cancelled")

    def _announce(self, engine: Engine, node: Node, seconds: float) -> None:
        process = self._process(node)
        where = f"{node.host}:{next(iter(node.ports.values()))}"
        how_long = f"ready in {seconds:.1f} s" if process in self._started else "was running"
        self.report(f"{node.name:<12} {where:<17} version {engine.version:<10} pid {process.pid():<7} {how_long}")

    def _process(self, node: Node) -> NodeProcess:
        return NodeProcess(self.directory / node.name)


def _tail(log: Path, size: int = 2000) -> str:
    return log.read_text(errors="replace")[-size:] if log.exists() else "(no output)"
