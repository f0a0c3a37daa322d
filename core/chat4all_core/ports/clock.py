"""The time of day."""

import time
from collections.abc import Callable

from chat4all_core.domain.timestamp import Timestamp

Clock = Callable[[], Timestamp]
"""Now. It may jump, also backwards: nothing may depend on it for order."""


def system_clock() -> Timestamp:
    """The machine's own: what composition roots hand out."""
    return Timestamp(time.time_ns() // 1_000)
