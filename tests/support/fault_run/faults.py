"""What can be made to fail."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import psutil
from platform_process import PlatformProcess
from tools.engines import Engines
from tools.engines.kafka_metadata import controller_id

_COMMANDS = {
    "server": {"chat4all_server"},
    "router": {"chat4all_workers", "router"},
    "status worker": {"chat4all_workers", "status,dead_letter"},
}
"""What the command lines of each kind of process hold."""

_ENGINES = ("kafka", "cassandra", "redis")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that fails once."""

    name: str
    begin: Callable[[], Awaitable[None]]
    """Returns when it has failed, or is over already."""
    mend: Callable[[], Awaitable[None]] | None = None
    """Where nobody else brings it back."""
    serves_meanwhile: bool = False
    """Whether service must go on before it is mended."""


class Faults:
    """Of one platform and its engines, at random."""

    def __init__(
        self,
        platform: PlatformProcess,
        engines: Engines,
        sizes: Mapping[str, int],
        session: float,
        chosen: random.Random,
    ) -> None:
        """`sizes`: the nodes of Kafka and Cassandra; `session`: seconds after which a silent router is given up."""
        self._platform = platform
        self._engines = engines
        self._sizes = sizes
        self._session = session
        self._chosen = chosen

    def some(self, count: int, only: str = "") -> Iterator[Fault]:
        """So many whose names have a text in them, each kind before any comes again. With few, it is the later kinds
        that are left out."""
        kinds = [kind for kind in self._kinds() if only in kind().name]
        while count > 0:
            round_of = kinds[:count]
            self._chosen.shuffle(round_of)
            yield from (kind() for kind in round_of)
            count -= len(round_of)

    def _kinds(self) -> Sequence[Callable[[], Fault]]:
        return [
            *(partial(self._kill_process, kind) for kind in _COMMANDS),
            lambda: self._freeze_process("router", self._session + self._chosen.uniform(2, 6)),
            *(partial(self._kill_engine, engine) for engine in _ENGINES),
            *([self._kill_controller, self._kill_broker_and_node] if self._are_clusters else []),
            *(partial(self._freeze_for_a_while, kind) for kind in _COMMANDS),
            *(partial(self._freeze_engine, engine) for engine in _ENGINES),
        ]

    def _kill_process(self, kind: str) -> Fault:
        async def kill() -> None:
            self._process(kind).kill()

        return Fault(f"{kind} killed", kill)

    def _freeze_for_a_while(self, kind: str) -> Fault:
        return self._freeze_process(kind, self._chosen.uniform(1, 5))

    def _freeze_process(self, kind: str, seconds: float) -> Fault:
        async def freeze() -> None:
            process = self._process(kind)
            process.suspend()
            try:
                await asyncio.sleep(seconds)
            finally:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

        return Fault(f"{kind} frozen for {seconds:.1f} s", freeze)

    def _kill_engine(self, engine: str) -> Fault:
        node = self._node(engine)
        return self._kill_nodes(f"{node} killed", [node], serves_meanwhile=node != engine)

    def _kill_controller(self) -> Fault:
        """The broker that leads the cluster itself too: before anybody else leads its partitions, it has to be
        replaced."""
        brokers = [status.node for status in self._engines.status() if status.node.engine == "kafka"]
        known = (controller_id(broker.host, broker.ports["broker"]) for broker in brokers)
        node = f"kafka-{next(number for number in known if number is not None)}"
        return self._kill_nodes(f"{node}, the controller, killed", [node], serves_meanwhile=True)

    def _kill_broker_and_node(self) -> Fault:
        nodes = [self._node(engine) for engine in ("kafka", "cassandra")]
        return self._kill_nodes(f"{' and '.join(nodes)} killed", nodes, serves_meanwhile=True)

    def _kill_nodes(self, name: str, nodes: Sequence[str], *, serves_meanwhile: bool) -> Fault:
        async def of_each(do: Callable[[str], None]) -> None:
            await asyncio.gather(*(asyncio.to_thread(do, node) for node in nodes))

        async def start() -> None:
            for node in nodes:  # which exclude each other
                await asyncio.to_thread(self._engines.start, node)

        return Fault(name, lambda: of_each(self._engines.kill), start, serves_meanwhile)

    def _freeze_engine(self, engine: str) -> Fault:
        node, seconds = self._node(engine), self._chosen.uniform(1, 8)

        async def freeze() -> None:
            await asyncio.to_thread(self._engines.pause, node)
            try:
                await asyncio.sleep(seconds)
            finally:
                await asyncio.to_thread(self._engines.resume, node)

        return Fault(f"{node} frozen for {seconds:.1f} s", freeze)

    @property
    def _are_clusters(self) -> bool:
        return all(size > 1 for size in self._sizes.values())

    def _node(self, engine: str) -> str:
        size = self._sizes.get(engine, 1)
        return engine if size == 1 else f"{engine}-{self._chosen.randint(1, size)}"

    def _process(self, kind: str) -> psutil.Process:
        children = psutil.Process(self._platform.pid).children()
        return self._chosen.choice([child for child in children if _COMMANDS[kind] <= set(child.cmdline())])
