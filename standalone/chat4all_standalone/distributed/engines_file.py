"""The engines that `python -m tools.engines up` has started, as settings."""

import json
from collections.abc import Mapping
from pathlib import Path


class EnginesFileError(Exception):
    """There are no engines to work with. The message says how to have them."""


def engine_settings(path: Path) -> Mapping[str, str]:
    """What the environment must say for processes to use these engines.

    Raises:
        EnginesFileError: the file is missing, or has not all that are needed.
    """
    try:
        endpoints = json.loads(path.read_text(encoding="utf-8"))["endpoints"]
        kafka, cassandra, redis, minio = (endpoints[name] for name in ("kafka", "cassandra", "redis", "minio"))
    except (OSError, KeyError) as error:
        needed = "Kafka, Cassandra, Redis and MinIO"
        raise EnginesFileError(f"{path} does not name running {needed}: run `make engines-up`") from error
    copies = kafka["replication_factor"]
    return {
        "CHAT4ALL_KAFKA_BOOTSTRAP_SERVERS": kafka["bootstrap_servers"],
        "CHAT4ALL_KAFKA_REPLICATION": str(copies),
        "CHAT4ALL_KAFKA_MIN_IN_SYNC": str(1 if copies == 1 else 2),
        "CHAT4ALL_CASSANDRA_CONTACT_POINTS": ",".join(cassandra["contact_points"]),
        "CHAT4ALL_CASSANDRA_PORT": str(cassandra["port"]),
        "CHAT4ALL_CASSANDRA_DATACENTER": cassandra["datacenter"],
        "CHAT4ALL_CASSANDRA_REPLICATION": f"{cassandra['datacenter']}={cassandra['replication_factor']}",
        "CHAT4ALL_REDIS_URL": redis["url"],
        "CHAT4ALL_S3_ENDPOINT_URL": minio["endpoint_url"],
        "CHAT4ALL_S3_REGION": minio["region"],
        "CHAT4ALL_S3_ACCESS_KEY": minio["access_key"],
        "CHAT4ALL_S3_SECRET_KEY": minio["secret_key"],
    }
