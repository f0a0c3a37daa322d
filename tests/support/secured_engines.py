"""Kafka, Cassandra and Redis that talk to nobody without TLS and an account."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cassandra.cluster import NoHostAvailable, Session
from certificates import Certificates
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from redis import Redis as Client
from redis.exceptions import RedisError
from tools.engines.cache import Cache, user_cache
from tools.engines.cassandra import Cassandra
from tools.engines.engine import Command, Engine, Node
from tools.engines.kafka import Kafka
from tools.engines.minio import MinIO
from tools.engines.ports import FreePorts
from tools.engines.process import NodeProcess
from tools.engines.redis import Redis
from tools.engines.startup import Startup

from chat4all_core.adapters.cassandra.cluster import build_cluster
from chat4all_core.config import CassandraSection
from chat4all_core.setting import Secret

USER, PASSWORD = "chat4all", "correct-horse"
_ADMIN, _ADMIN_PASSWORD = "operator", "battery-staple"
_PATIENCE = 5.0
"""Seconds that one question to an engine that starts may take."""


class SecuredKafka(Kafka):
    """With one listener: TLS, and SCRAM for the account that `ready` makes. PLAIN is the operator's."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """See Kafka.prepare."""
        command = super().prepare(node, cluster, directory, home)
        plain, scram = ("org.apache.kafka.common.security." + name for name in ("plain.Plain", "scram.Scram"))
        account = f'username="{_ADMIN}" password="{_ADMIN_PASSWORD}" user_{_ADMIN}="{_ADMIN_PASSWORD}"'
        listener = "listener.name.secured"
        lines = [  # of two lines with one name the last counts
            f"listeners=SECURED://{node.host}:{node.ports['broker']},CONTROLLER://{node.host}:{node.ports['controller']}",
            f"advertised.listeners=SECURED://{node.host}:{node.ports['broker']}",
            "listener.security.protocol.map=SECURED:SASL_SSL,CONTROLLER:PLAINTEXT",
            "inter.broker.listener.name=SECURED",
            "sasl.mechanism.inter.broker.protocol=PLAIN",
            f"{listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512",
            f"{listener}.plain.sasl.jaas.config={plain}LoginModule required {account};",
            f"{listener}.scram-sha-512.sasl.jaas.config={scram}LoginModule required;",
            "ssl.keystore.type=PEM",
            f"ssl.keystore.location={self._certificates.both}",
            "ssl.truststore.type=PEM",
            f"ssl.truststore.location={self._certificates.authority}",
        ]
        with (directory / "server.properties").open("a") as file:
            file.write("\n".join(["", *lines, ""]))
        return command

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """The account is made."""
        admin = AdminClient(
            {
                "bootstrap.servers": f"{node.host}:{node.ports['broker']}",
                "security.protocol": "SASL_SSL",
                "ssl.ca.location": str(self._certificates.authority),
                "sasl.mechanism": "PLAIN",
                "sasl.username": _ADMIN,
                "sasl.password": _ADMIN_PASSWORD,
                "log_level": 0,
            }
        )
        made = UserScramCredentialUpsertion(
            USER, ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096), PASSWORD.encode()
        )
        try:
            for answer in admin.alter_user_scram_credentials([made], request_timeout=_PATIENCE).values():
                answer.result()
        except KafkaException:
            return False
        return True


class SecuredCassandra(Cassandra):
    """With TLS for clients, and the account that `ready` makes, which may use its keyspace alone."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """See Cassandra.prepare."""
        command = super().prepare(node, cluster, directory, home)
        with (directory / "cassandra.yaml").open("a") as file:
            file.write(
                f"""
authenticator: PasswordAuthenticator
authorizer: CassandraAuthorizer
client_encryption_options:
  enabled: true
  optional: false
  ssl_context_factory:
    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory
  keystore: "{self._certificates.both}"
  truststore: "{self._certificates.authority}"
"""
            )
        *start, main = command.arguments
        return replace(command, arguments=(*start, "-Dcassandra.superuser_setup_delay_ms=0", main))

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """The account is made."""
        try:
            with self._session(node) as session:
                session.execute(f"CREATE ROLE IF NOT EXISTS {USER} WITH PASSWORD = '{PASSWORD}' AND LOGIN = true")
                session.execute(f"GRANT CREATE ON ALL KEYSPACES TO {USER}")
        except NoHostAvailable:
            return False
        return True

    @contextmanager
    def _session(self, node: Node) -> Iterator[Session]:
        section = CassandraSection(
            contact_points=(node.host,),
            port=node.ports["cql"],
            username="cassandra",  # as every new Cassandra has it
            password=Secret("cassandra"),
            tls=True,
            tls_ca_file=self._certificates.authority,
        )
        with build_cluster(section) as cluster:
            yield cluster.connect()


class SecuredRedis(Redis):
    """With TLS alone, and an account that may use its keys and channels, and nothing that is the operator's."""

    def __init__(self, certificates: Certificates) -> None:
        self._certificates = certificates

    def prepare(self, node: Node, cluster: Sequence[Node], directory: Path, home: Path) -> Command:
        """See Redis.prepare."""
        command = super().prepare(node, cluster, directory, home)
        with (directory / "redis.conf").open("a") as file:
            file.write(
                f"""
port 0
tls-port {node.ports["redis"]}
tls-cert-file {self._certificates.certificate}
tls-key-file {self._certificates.key}
tls-ca-cert-file {self._certificates.authority}
tls-auth-clients no
user default off
user {USER} on >{PASSWORD} ~chat4all:* &chat4all:* +@all -@dangerous +info
"""
            )
        return command

    def ready(self, node: Node, running: Sequence[Node]) -> bool:
        """PING is answered."""
        try:
            with Client(
                host=node.host,
                port=node.ports["redis"],
                ssl=True,
                ssl_ca_certs=str(self._certificates.authority),
                username=USER,
                password=PASSWORD,
            ) as client:
                return bool(client.ping())
        except (RedisError, OSError):
            return False


@contextmanager
def secured_engines(directory: Path, certificates: Certificates) -> Iterator[Mapping[str, str]]:
    """All three, and a MinIO without; gives the settings of a platform on them."""
    engines: Mapping[str, Engine] = {
        "kafka": SecuredKafka(certificates),
        "cassandra": SecuredCassandra(certificates),
        "redis": SecuredRedis(certificates),
        "minio": MinIO(),
    }
    cache = Cache(user_cache(), lambda _: None)
    ports = FreePorts()
    clusters = {name: engine.nodes(1, ports) for name, engine in engines.items()}
    homes = {name: engine.install(cache) for name, engine in engines.items()}
    try:
        Startup(directory, engines, homes, lambda _: None).run(clusters)
        endpoints = {name: engine.endpoint(clusters[name]) for name, engine in engines.items()}
        yield _settings(endpoints, certificates.authority)
    finally:
        for name, engine in engines.items():
            NodeProcess(directory / name).stop(engine.grace)
        shutil.rmtree(directory)


def _settings(endpoints: Mapping[str, Any], authority: Path) -> Mapping[str, str]:
    kafka, cassandra, redis, minio = (endpoints[name] for name in ("kafka", "cassandra", "redis", "minio"))
    return {
        "CHAT4ALL_KAFKA_BOOTSTRAP_SERVERS": kafka["bootstrap_servers"],
        "CHAT4ALL_KAFKA_REPLICATION": "1",
        "CHAT4ALL_KAFKA_MIN_IN_SYNC": "1",
        "CHAT4ALL_KAFKA_SECURITY": "SASL_SSL",
        "CHAT4ALL_KAFKA_TLS_CA_FILE": str(authority),
        "CHAT4ALL_KAFKA_USERNAME": USER,
        "CHAT4ALL_KAFKA_PASSWORD": PASSWORD,
        "CHAT4ALL_CASSANDRA_CONTACT_POINTS": cassandra["contact_points"][0],
        "CHAT4ALL_CASSANDRA_PORT": str(cassandra["port"]),
        "CHAT4ALL_CASSANDRA_REPLICATION": "datacenter1=1",
        "CHAT4ALL_CASSANDRA_TLS": "on",
        "CHAT4ALL_CASSANDRA_TLS_CA_FILE": str(authority),
        "CHAT4ALL_CASSANDRA_USERNAME": USER,
        "CHAT4ALL_CASSANDRA_PASSWORD": PASSWORD,
        "CHAT4ALL_REDIS_URL": redis["url"].replace("redis://", f"rediss://{USER}:{PASSWORD}@"),
        "CHAT4ALL_REDIS_TLS_CA_FILE": str(authority),
        "CHAT4ALL_S3_ENDPOINT_URL": minio["endpoint_url"],
        "CHAT4ALL_S3_REGION": minio["region"],
        "CHAT4ALL_S3_ACCESS_KEY": minio["access_key"],
        "CHAT4ALL_S3_SECRET_KEY": minio["secret_key"],
    }
