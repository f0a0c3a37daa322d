"""What an engine is to the rest of this package: where it listens, how it starts, when it is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .cache import Cache
from .errors import EngineError
from .ports import PortChoice


@dataclass(frozen=True, slots=True)
class Node:
    """One process of an engine. `ports` maps a purpose ("broker", "controller") to its port on `host`."""

    name: str
    engine: str
    host: str
    ports: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Command:
    """What to execute: the program's absolute path and arguments, and what is added to its environment."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """One kind of engine.

    A node's directory is absolute, exists, and is the node's alone. Everything that a node writes lies in it.
    """

    @property
    def name(self) -> str:
        """The engine's name; a cluster's nodes are called name-1, name-2 and so on."""

    @property
    def version(self) -> str:
        """The version that `install` brings."""

    @property
    def one_by_one(self) -> bool:
        """True when a node may start only after the one before it is ready."""

    @property
    def grace(self) -> float:
        """Seconds that a node gets to stop in good order before it is killed."""

    def install(self, cache: Cache) -> Path:
        """Bring the programs here unless they are here already, verify them, and return where they lie."""

    def nodes(self, size: int, ports: PortChoice) -> tuple[Node, ...]:
        """Lay out a cluster of `size` nodes; raises EngineError when the engine can't have that many."""

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """Write the node's configuration, keep its data, and return the command that starts it."""

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """Tell whether `node` serves clients and sees all nodes of `running` (itself included). Never raises."""

    def endpoint(self, cluster: Sequence[Node]) -> dict[str, Any]:
        """Return what a client needs to connect, as JSON values."""


def single(engine: str, size: int, ports: Mapping[str, int], choice: PortChoice) -> tuple[Node, ...]:
    """Lay out an engine that has one node, on 127.0.0.1 and the default `ports`."""
    if size != 1:
        raise EngineError(f"{engine} runs as one node here, not as {size}")
    host = "127.0.0.1"
    chosen = {purpose: choice.pick(port, (host,)) for purpose, port in ports.items()}
    return (Node(engine, engine, host, chosen),)
