"""The distributed platform as processes of its own, started the way `make run-distributed` starts it."""

import os
import uuid
from collections.abc import Mapping
from pathlib import Path

from engine_endpoints import VARIABLE
from platform_process import PlatformProcess


def distributed_platform(data_dir: Path, settings: Mapping[str, str] | None = None, *arguments: str) -> PlatformProcess:
    """A platform that shares the engines of the tests with others, and nothing on them."""
    name = f"t{uuid.uuid4().hex[:12]}"
    own = {
        "CHAT4ALL_KAFKA_TOPIC_PREFIX": f"{name}.",
        "CHAT4ALL_CASSANDRA_KEYSPACE": name,
        "CHAT4ALL_REDIS_KEY_PREFIX": f"{name}:",
    }
    command = ["-m", "chat4all_standalone.distributed", "--engines", os.environ[VARIABLE], *arguments]
    return PlatformProcess(data_dir, {**own, **(settings or {})}, command)
