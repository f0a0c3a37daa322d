"""The schema of the keyspace, brought up to date by numbered scripts.

A script may only add, so that processes of the release before go on working: releases can be rolled out in any order,
as long as migrations come first.
"""

import re
import time
import uuid
from importlib import resources
from typing import Any

from chat4all_core.adapters.cassandra.cluster import CONDITIONAL, build_cluster
from chat4all_core.adapters.cassandra.errors import QueryRefusedError, start_error, unavailable
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.config import CassandraSection

_LEASE = 120  # seconds; longer than one statement can take, agreement of all nodes included
_PATIENCE = 300.0  # seconds for another process to be done
_PAUSE = 0.2
_SCHEMA_TIMEOUT = 60.0  # seconds; a change of the schema may take many times as long as a request

_TABLE = """
    CREATE TABLE IF NOT EXISTS {keyspace}.schema_migrations (
        part text, version int, script text, lock_holder text static, PRIMARY KEY (part, version)
    ) WITH id = {table_id}
"""
_APPLIED = "SELECT version FROM schema_migrations WHERE part = 'all'"
_HOLD = f"UPDATE schema_migrations USING TTL {_LEASE} SET lock_holder = %s WHERE part = 'all'"


class SchemaMissingError(Exception):
    """The keyspace lacks tables that this release needs; the text says what to do."""


async def require_schema(session: Session) -> None:
    """Make sure that every migration of this release was applied.

    Raises:
        SchemaMissingError: some were not.
        UnavailableError: it can't be found out now.
    """
    try:
        query = (await session.prepare({"applied": _APPLIED}))["applied"]
        applied = {version for (version,) in await session.execute(query.bind()) if version is not None}
    except QueryRefusedError as error:
        raise _missing(str(error)) from error
    if lacking := [name for number, name, _ in _scripts() if number not in applied]:
        raise _missing(f"not applied: {', '.join(lacking)}")


def migrate(settings: CassandraSection) -> list[str]:
    """Make the keyspace if need be and apply the scripts that it does not have yet. It blocks; several processes may
    do it at once, and it may be repeated after any failure.

    Returns:
        The names of the scripts that this call applied.

    Raises:
        UnavailableError: the cluster can't be reached, or its nodes do not agree.
        QueryRefusedError: the account may not change the schema.
    """
    try:
        cluster = build_cluster(settings)
        try:
            return _Migration(cluster.connect(), settings).run()
        finally:
            cluster.shutdown()
    except Exception as error:
        raise start_error(error) from error


class _Migration:
    def __init__(self, session: Any, settings: CassandraSection) -> None:
        self._session = session
        self._settings = settings
        self._me = str(uuid.uuid4())

    def run(self) -> list[str]:
        self._make_keyspace()
        self._lock()
        try:
            applied = {version for (version,) in self._session.execute(_APPLIED) if version is not None}
            new = [script for script in _scripts() if script[0] not in applied]
            for number, name, text in new:
                for statement in _statements(text):
                    self._renew()
                    self._change_schema(statement)
                self._conditionally(
                    "UPDATE schema_migrations SET script = %s WHERE part = 'all' AND version = %s IF lock_holder = %s",
                    (name, number, self._me),
                )
        finally:
            self._session.execute(
                "DELETE lock_holder FROM schema_migrations WHERE part = 'all' IF lock_holder = %s",
                (self._me,),
                execution_profile=CONDITIONAL,
            )
        return [name for _, name, _ in new]

    def _make_keyspace(self) -> None:
        keyspace = self._settings.keyspace
        copies = ", ".join(f"'{datacenter}': {number}" for datacenter, number in self._settings.replication)
        self._change_schema(
            f"CREATE KEYSPACE IF NOT EXISTS {keyspace}"
            f" WITH replication = {{'class': 'NetworkTopologyStrategy', {copies}}}"
        )
        # With an id of its own, two nodes that are asked at the same time make the same table.
        table_id = uuid.uuid5(uuid.NAMESPACE_OID, f"chat4all {keyspace} schema_migrations")
        self._change_schema(_TABLE.format(keyspace=keyspace, table_id=table_id))
        self._session.set_keyspace(keyspace)

    def _lock(self) -> None:
        give_up = time.monotonic() + _PATIENCE
        while not self._applied(f"{_HOLD} IF lock_holder = NULL", (self._me,)):
            if time.monotonic() > give_up:
                raise unavailable("another process has been migrating for too long")
            time.sleep(_PAUSE)

    def _renew(self) -> None:
        self._conditionally(f"{_HOLD} IF lock_holder = %s", (self._me, self._me))

    def _conditionally(self, cql: str, values: tuple[Any, ...]) -> None:
        if not self._applied(cql, values):
            raise unavailable("another process has taken the migration over")

    def _applied(self, cql: str, values: tuple[Any, ...]) -> bool:
        row = self._session.execute(cql, values, execution_profile=CONDITIONAL).one()
        return bool(row["[applied]"])

    def _change_schema(self, cql: str) -> None:
        result = self._session.execute(cql, timeout=_SCHEMA_TIMEOUT)
        if not result.response_future.is_schema_agreed:
            raise unavailable("the nodes do not agree on the schema")


def _scripts() -> list[tuple[int, str, str]]:
    """Number, name and text of each, in order."""
    folder = resources.files(__package__).joinpath("migrations")
    found = sorted((entry.name, entry.read_text("utf-8")) for entry in folder.iterdir() if entry.name.endswith(".cql"))
    return [(int(name[:4]), name, text) for name, text in found]


def _statements(script: str) -> list[str]:
    """The statements of a script. None has a semicolon, or two hyphens, in a text."""
    without_comments = re.sub("--.*", "", script)
    return [statement.strip() for statement in without_comments.split(";") if statement.strip()]


def _missing(why: str) -> SchemaMissingError:
    return SchemaMissingError(f"run `python -m chat4all_core.distributed setup` first: {why}")
