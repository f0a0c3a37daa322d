"""Kafka in KRaft mode: one broker, or a quorum of three that are broker and controller at once."""

from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from .cache import Cache
from .engine import Command, Node
from .errors import EngineError
from .kafka_metadata import broker_ids
from .ports import PortChoice
from .toolchain import HERE, fetch_jars, find_java, provide_java, run

# Any id will do, as long as all nodes have the same and it never changes: 16 bytes in URL-safe base 64.
_CLUSTER_ID = "Y2hhdDRhbGwtZW5naW5lcw"


class Kafka:
    """Kafka from its jars."""

    name = "kafka"
    version = "4.1.1"
    grace = 30.0
    one_by_one = False

    def install(self, cache: Cache) -> Path:
        """Fetch the jars."""
        provide_java(cache)
        return cache.provide(
            f"{self.name}-{self.version}", lambda directory: fetch_jars(cache, self.name, self.version, directory)
        )

    def nodes(self, size: int, ports: PortChoice) -> tuple[Node, ...]:
        """Lay out one broker on 9092, or three from there in steps of two."""
        if size not in (1, 3):
            raise EngineError(f"a Kafka quorum has one or three nodes, not {size}")
        host = "127.0.0.1"
        return tuple(
            Node(
                self.name if size == 1 else f"{self.name}-{number}",
                self.name,
                host,
                {
                    "broker": ports.pick(9090 + 2 * number, (host,)),
                    "controller": ports.pick(9091 + 2 * number, (host,)),
                },
            )
            for number in range(1, size + 1)
        )

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """Write server.properties and format the data directory the first time."""
        configuration = directory / "server.properties"
        configuration.write_text(_properties(node, cluster, directory))
        if not (directory / "data" / "meta.properties").exists():
            format_storage = ["format", "--cluster-id", _CLUSTER_ID, "--config", str(configuration)]
            run([*_program(directory, home, "64m"), "kafka.tools.StorageTool", *format_storage])
        heap = "512m" if len(cluster) == 1 else "320m"
        return Command((*_program(directory, home, heap), "kafka.Kafka", str(configuration)))

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """Its metadata names itself and as many brokers as run."""
        known = broker_ids(node.host, node.ports["broker"])
        return _node_id(node) in known and len(known) >= len(running)

    def endpoint(self, cluster: Sequence[Node]) -> dict[str, Any]:
        """Return the bootstrap servers and the replication that topics can have."""
        servers = ",".join(f"{node.host}:{node.ports['broker']}" for node in cluster)
        return {"bootstrap_servers": servers, "replication_factor": len(cluster)}


def _program(directory: Path, home: Path, heap: str) -> tuple[str, ...]:
    temporary = directory / "tmp"
    temporary.mkdir(exist_ok=True)
    return (
        find_java(),
        f"-Xmx{heap}",
        "-XX:+ExitOnOutOfMemoryError",
        f"-XX:ErrorFile={directory}/hs_err_%p.log",
        # Where native libraries are unpacked; a killed process leaves them.
        f"-Djava.io.tmpdir={temporary}",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={HERE / 'conf' / 'kafka-log4j2.xml'}",
        f"-Dchat4all.log={directory / 'kafka.log'}",
        "-cp",
        f"{home}/*",
    )


def _properties(node: Node, cluster: Sequence[Node], directory: Path) -> str:
    voters = ",".join(f"{_node_id(voter)}@{voter.host}:{voter.ports['controller']}" for voter in cluster)
    return Template((HERE / "conf" / "kafka.properties").read_text()).substitute(
        node_id=_node_id(node),
        voters=voters,
        host=node.host,
        broker=node.ports["broker"],
        controller=node.ports["controller"],
        data=directory / "data",
        replicas=len(cluster),
        in_sync=1 if len(cluster) == 1 else 2,
    )


def _node_id(node: Node) -> int:
    _, _, number = node.name.partition("-")
    return int(number or 1)
