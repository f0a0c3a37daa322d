"""What a member of a group is told."""

from typing import Any

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, client_config
from chat4all_core.config import KafkaSection


def consumer_config(section: KafkaSection, group: str) -> dict[str, Any]:
    """librdkafka's configuration of a member."""
    config: dict[str, Any] = {
        "group.id": f"{section.topic_prefix}{group}",
        "group.protocol": section.group_protocol,
        "auto.offset.reset": "error",
        "max.poll.interval.ms": int(section.max_poll_seconds * 1_000),
        # Only what was handed to `commit` is committed, in the background and soon.
        "enable.auto.commit": True,
        "enable.auto.offset.store": False,
        "auto.commit.interval.ms": 100,
        # A broker that does not answer holds up neither a commit nor a member that leaves for longer than this.
        "socket.timeout.ms": int(REQUEST_TIMEOUT * 1_000),
        # What is fetched ahead of the handler, at most.
        "queued.min.messages": 5_000,
        "queued.max.messages.kbytes": 16_384,
        "fetch.max.bytes": 8 << 20,
        # A partition that was assigned or rewound is fetched when the fetch at hand ends.
        "fetch.wait.max.ms": 100,
        "fetch.queue.backoff.ms": 10,
        "fetch.error.backoff.ms": 100,
    }
    if section.group_protocol == "classic":
        timeout = min(10_000, config["max.poll.interval.ms"])
        config |= {"partition.assignment.strategy": "cooperative-sticky", "session.timeout.ms": timeout}
    return client_config(section) | config
