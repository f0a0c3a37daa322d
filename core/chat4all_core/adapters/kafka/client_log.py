"""What librdkafka says goes to the platform's log, but not every second."""

import logging
import time

_REPEAT_SECONDS = 30.0


class ClientLog:
    """Given to one client as its `logger`, of which it calls nothing but `log`. While a broker is away it would say
    so at each attempt to connect."""

    def __init__(self) -> None:
        self._logger = logging.getLogger("confluent_kafka")
        self._said: dict[str, float] = {}

    def log(self, level: int, text: str, kind: str, *rest: str) -> None:
        """Write a line, unless one of its kind ("FAIL", "GETPID", …) was written a short while ago."""
        now = time.monotonic()
        if now - self._said.get(kind, -_REPEAT_SECONDS) >= _REPEAT_SECONDS:
            self._said[kind] = now
            self._logger.log(level, text, kind, *rest)
