"""Cassandra: one node on 127.0.0.1, or a ring of three on 127.0.0.11, .12 and .13 with the same ports."""

from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

from .cache import Cache
from .cassandra_jvm import MODULE_OPTIONS
from .cql import Consistency, answers
from .engine import Command, Node
from .errors import EngineError
from .ports import PortChoice
from .toolchain import HERE, fetch_jars, find_java, provide_java

_PORTS = {"cql": 9042, "storage": 7000}
_JMX = 7199  # always on 127.0.0.1, so each node has its own

# Cassandra's threads look for work in sleeps of some 10 us, of which each wakes the processor: with the kernel's usual
# slack of 50 us that was half of its CPU under load. With more of it, sleeps end together. The slack outlives exec.
_START = 'echo 400000 > /proc/self/timerslack_ns; exec "$0" "$@"'


class Cassandra:
    """Cassandra from its jars."""

    name = "cassandra"
    version = "5.0.6"
    grace = 30.0
    # Two nodes that join at the same moment may not see each other's tokens.
    one_by_one = True

    def install(self, cache: Cache) -> Path:
        """Fetch the jars."""
        provide_java(cache)
        return cache.provide(
            f"{self.name}-{self.version}", lambda directory: fetch_jars(cache, self.name, self.version, directory)
        )

    def nodes(self, size: int, ports: PortChoice) -> tuple[Node, ...]:
        """Lay out one node or a ring of three."""
        if size not in (1, 3):
            raise EngineError(f"Cassandra has one or three nodes here, not {size}")
        hosts = ("127.0.0.1",) if size == 1 else tuple(f"127.0.0.1{number}" for number in range(1, size + 1))
        shared = {purpose: ports.pick(port, hosts) for purpose, port in _PORTS.items()}
        return tuple(
            Node(
                self.name if size == 1 else f"{self.name}-{number}",
                self.name,
                host,
                shared | {"jmx": ports.pick(_JMX + number - 1, ("127.0.0.1",))},
            )
            for number, host in enumerate(hosts, 1)
        )

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """Write cassandra.yaml; the tokens are even shares, so that a ring needs no negotiation."""
        small = len(cluster) > 1
        configuration = directory / "cassandra.yaml"
        configuration.write_text(
            Template((HERE / "conf" / "cassandra.yaml").read_text()).substitute(
                host=node.host,
                storage=node.ports["storage"],
                cql=node.ports["cql"],
                seed=f"{cluster[0].host}:{cluster[0].ports['storage']}",
                token=-(2**63) + cluster.index(node) * (2**64 // len(cluster)),
                data=directory / "data",
                memtables="64MiB" if small else "192MiB",
            )
        )
        temporary = directory / "tmp"
        temporary.mkdir(exist_ok=True)
        return Command(
            (
                "/bin/sh",
                "-c",
                _START,
                find_java(),
                *MODULE_OPTIONS,
                f"-Xmx{'512m' if small else '1g'}",
                "-XX:MaxDirectMemorySize=256m",
                "-XX:+ExitOnOutOfMemoryError",
                f"-XX:ErrorFile={directory}/hs_err_%p.log",
                f"-Djava.io.tmpdir={temporary}",
                f"-Dcassandra.config=file://{configuration}",
                f"-Dcassandra.storagedir={directory / 'data'}",
                f"-Dcassandra.jmx.local.port={node.ports['jmx']}",
                "-Dcassandra-foreground=yes",
                # The waits that give a wide-area ring time to settle; loopback needs none or little.
                "-Dcassandra.skip_wait_for_gossip_to_settle=0",
                f"-Dcassandra.ring_delay_ms={2000 if small else 0}",
                f"-Dlogback.configurationFile={HERE / 'conf' / 'cassandra-logback.xml'}",
                f"-Dchat4all.log={directory / 'cassandra.log'}",
                "-cp",
                f"{home}/*",
                "org.apache.cassandra.service.CassandraDaemon",
            )
        )

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """A query is answered; in a ring, by all running nodes (that keyspace has three replicas)."""
        consistency = {1: Consistency.ONE, 2: Consistency.QUORUM}.get(len(running), Consistency.ALL)
        query = "SELECT view_name FROM system_distributed.view_build_status WHERE keyspace_name='-' AND view_name='-'"
        return answers(node.host, node.ports["cql"], query, consistency)

    def endpoint(self, cluster: Sequence[Node]) -> dict[str, Any]:
        """Return the contact points and the replication that keyspaces can have; there is no password."""
        return {
            "contact_points": [node.host for node in cluster],
            "port": cluster[0].ports["cql"],
            "datacenter": "datacenter1",
            "replication_factor": len(cluster),
        }
