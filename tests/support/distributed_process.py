"""The distributed platform as processes of its own, started the way `make run-distributed` starts it."""

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from cassandra_keyspace import drop_keyspace, empty_keyspace
from engine_endpoints import VARIABLE, engine_endpoints
from platform_process import MakePlatform, PlatformProcess
from s3_store import remove_bucket, section_for


@contextmanager
def distributed_platforms() -> Iterator[MakePlatform]:
    """Makes platforms that share the engines of the tests with others, and nothing on them. What fills Cassandra and
    the store of files is dropped in the end."""
    names = []

    def make(data_dir: Path, settings: Mapping[str, str] | None = None) -> PlatformProcess:
        name = f"t{uuid.uuid4().hex[:12]}"
        names.append(name)
        own = {
            "CHAT4ALL_KAFKA_TOPIC_PREFIX": f"{name}.",
            "CHAT4ALL_CASSANDRA_KEYSPACE": name,
            "CHAT4ALL_REDIS_KEY_PREFIX": f"{name}:",
            "CHAT4ALL_S3_BUCKET": name,
        }
        command = ["-m", "chat4all_standalone.distributed", "--engines", os.environ[VARIABLE]]
        return PlatformProcess(data_dir, {**own, **(settings or {})}, command)

    yield make
    for name in names:
        drop_keyspace(replace(empty_keyspace(engine_endpoints()["cassandra"]), keyspace=name))
        remove_bucket(section_for(engine_endpoints()["minio"], bucket=name))
