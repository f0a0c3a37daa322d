"""A keyspace on a real Cassandra."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from chat4all_core.adapters.cassandra.cluster import build_cluster
from chat4all_core.adapters.cassandra.migration import migrate
from chat4all_core.config import CassandraSection


def empty_keyspace(endpoint: Any, **changes: Any) -> CassandraSection:
    """Settings of a keyspace that does not exist yet. `endpoint` is the one in engines.json, `changes` are settings."""
    section = CassandraSection(
        contact_points=tuple(endpoint["contact_points"]),
        port=endpoint["port"],
        datacenter=endpoint["datacenter"],
        keyspace=f"test_{uuid.uuid4().hex}",
        replication=((endpoint["datacenter"], endpoint["replication_factor"]),),
    )
    return replace(section, **changes)


@contextmanager
def migrated_keyspace(endpoint: Any, **changes: Any) -> Iterator[CassandraSection]:
    """A keyspace with all tables, dropped in the end."""
    section = empty_keyspace(endpoint, **changes)
    migrate(section)
    yield section
    drop_keyspace(section)


def drop_keyspace(section: CassandraSection) -> None:
    """Remove it with all that is in it."""
    with build_cluster(section) as cluster:
        cluster.connect().execute(f"DROP KEYSPACE IF EXISTS {section.keyspace}", timeout=60)
