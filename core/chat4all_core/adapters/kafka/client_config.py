"""What every client of the cluster is told, and how its errors are told to the platform."""

from typing import Any

from confluent_kafka import KafkaError, KafkaException

from chat4all_core.adapters.kafka.client_log import ClientLog
from chat4all_core.config import KafkaSection
from chat4all_core.domain.errors import Reason, UnavailableError

RETRY_AFTER = 1.0
"""Seconds to wait when Kafka can't serve: about as long as it takes to elect a leader."""

REQUEST_TIMEOUT = 5.0
"""Seconds that a question to the cluster, beside appends and polls, may take."""


def client_config(section: KafkaSection) -> dict[str, Any]:
    """librdkafka's configuration of connections."""
    config: dict[str, Any] = {
        "bootstrap.servers": ",".join(section.bootstrap_servers),
        "client.id": "chat4all",
        "security.protocol": section.security,
        "logger": ClientLog(),
        # A broker that is away is tried again soon: waiting callers are told "unavailable" meanwhile.
        "reconnect.backoff.ms": 50,
        "reconnect.backoff.max.ms": 1_000,
        "socket.keepalive.enable": True,
    }
    if section.security.startswith("SASL"):
        config["sasl.mechanism"] = section.sasl_mechanism
        config["sasl.username"] = section.username
        config["sasl.password"] = section.password.value
    files = {
        "ssl.ca.location": section.tls_ca_file,
        "ssl.certificate.location": section.tls_cert_file,
        "ssl.key.location": section.tls_key_file,
    }
    return config | {name: str(path) for name, path in files.items() if path is not None}


def unavailable(error: KafkaError | KafkaException | str) -> UnavailableError:
    """What the callers of the port are told of an error of the client's."""
    return UnavailableError(Reason.UNAVAILABLE, f"the event log can't serve now: {error}", RETRY_AFTER)


def code_of(exception: KafkaException) -> int:
    """The code of what a client raised."""
    error = exception.args[0]
    return error.code() if isinstance(error, KafkaError) else KafkaError.UNKNOWN


def is_fatal(error: KafkaError | KafkaException) -> bool:
    """Whether the client that says so can't go on."""
    cause = error.args[0] if isinstance(error, KafkaException) else error
    return isinstance(cause, KafkaError) and (cause.fatal() or cause.code() == KafkaError._FATAL)
