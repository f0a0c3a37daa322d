"""The driver's cluster object, from the settings."""

import socket
import ssl
from typing import Any

from cassandra import ConsistencyLevel, ProtocolVersion
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile
from cassandra.policies import (
    ConstantSpeculativeExecutionPolicy,
    DCAwareRoundRobinPolicy,
    ExponentialReconnectionPolicy,
    FallthroughRetryPolicy,
    RetryPolicy,
    TokenAwarePolicy,
)
from cassandra.query import dict_factory, tuple_factory

from chat4all_core.config import CassandraSection

ORDINARY = EXEC_PROFILE_DEFAULT
"""The profile of reads, and of writes that may be repeated."""

CONDITIONAL = "conditional"
"""The profile of lightweight transactions: never repeated by the driver, for a repetition that finds the first
attempt's own effect would be told that it came too late. Their rows are dictionaries."""

_SPECULATE_AFTER = 0.25  # seconds; far above a healthy p99, so it is the stuck node that is passed over
_SECOND_ATTEMPTS = 1
_RECONNECT_AFTER = (0.2, 2.0)  # seconds: at first, at most; so long service stays away after a node is back
_HEARTBEAT = 5.0  # seconds; twice that finds out a node that is gone without a word


def build_cluster(settings: CassandraSection) -> Any:
    """Not connected yet. It looks the names of the contact points up, which may take a while."""
    least, most = _RECONNECT_AFTER
    return Cluster(
        contact_points=list(settings.contact_points),
        port=settings.port,
        protocol_version=ProtocolVersion.V5,  # Cassandra 4 and later; left to the driver, it tries newer ones first
        auth_provider=_auth(settings),
        ssl_context=_tls(settings),
        execution_profiles={
            ORDINARY: _profile(
                settings,
                retry_policy=RetryPolicy(),
                row_factory=tuple_factory,
                speculative_execution_policy=ConstantSpeculativeExecutionPolicy(_SPECULATE_AFTER, _SECOND_ATTEMPTS),
            ),
            CONDITIONAL: _profile(settings, retry_policy=FallthroughRetryPolicy(), row_factory=dict_factory),
        },
        # The driver writes large requests in pieces; without this the last one waits for an acknowledgement: 40 ms.
        sockopts=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        # Without an end: by default the driver gives a node up after 64 attempts, and never finds it again.
        reconnection_policy=ExponentialReconnectionPolicy(least, most, max_attempts=None),
        connect_timeout=settings.request_timeout_seconds,
        control_connection_timeout=settings.request_timeout_seconds,
        idle_heartbeat_interval=_HEARTBEAT,
        idle_heartbeat_timeout=_HEARTBEAT,
    )


def _profile(settings: CassandraSection, **options: Any) -> Any:
    levels = ConsistencyLevel.name_to_value
    return ExecutionProfile(
        # Not shuffled: batches are made for the first replica of their partitions.
        load_balancing_policy=TokenAwarePolicy(DCAwareRoundRobinPolicy(settings.datacenter), shuffle_replicas=False),
        consistency_level=levels[settings.consistency],
        serial_consistency_level=levels[settings.serial_consistency],
        request_timeout=settings.request_timeout_seconds,
        **options,
    )


def _auth(settings: CassandraSection) -> Any:
    if not settings.username:
        return None
    return PlainTextAuthProvider(settings.username, settings.password.value)


def _tls(settings: CassandraSection) -> ssl.SSLContext | None:
    if not settings.tls:
        return None
    context = ssl.create_default_context(cafile=None if settings.tls_ca_file is None else str(settings.tls_ca_file))
    if settings.tls_cert_file is not None:
        context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file)
    return context
