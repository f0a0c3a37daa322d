"""Brokers that let nobody in, told from brokers that are away: to whoever waits for an answer both look the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from chat4all_core.adapters.kafka.client_config import client_config
from chat4all_core.config import KafkaSection
from chat4all_core.domain.errors import Reason, UnavailableError

_FILES = "CHAT4ALL_KAFKA_TLS_CA_FILE (or CERT_FILE, KEY_FILE)"
_SETTINGS = {
    KafkaError._AUTHENTICATION: "CHAT4ALL_KAFKA_USERNAME and PASSWORD",
    KafkaError._SSL: _FILES,
}
_RETRY_AFTER = 10.0


class KafkaRefusedError(UnavailableError):
    """Brokers and this process do not trust each other. The message names the setting."""

    def __init__(self, setting: str, cause: str) -> None:
        super().__init__(Reason.UNAVAILABLE, f"{setting}: Kafka can't be used: {cause}", _RETRY_AFTER)


class CautiousAdmin:
    """A client for administration that notes why connections fail. It says so apart from its answers."""

    def __init__(self, section: KafkaSection) -> None:
        """Raises KafkaRefusedError when a file of certificates is none."""
        self._refused: KafkaRefusedError | None = None
        config = client_config(section)
        config["error_cb"] = self._note
        try:
            self.client = AdminClient(config)
        except KafkaException as error:
            raise KafkaRefusedError(_FILES, str(error)) from error

    @contextmanager
    def told(self) -> Iterator[None]:
        """Within it an UnavailableError becomes a KafkaRefusedError if that is why."""
        try:
            yield
        except UnavailableError as error:
            self.client.poll(0)
            if self._refused is not None:
                raise self._refused from error
            raise

    def _note(self, error: KafkaError) -> None:
        if error.code() in _SETTINGS:
            self._refused = KafkaRefusedError(_SETTINGS[error.code()], error.str())
