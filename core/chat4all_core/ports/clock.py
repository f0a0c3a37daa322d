"""The time of day."""

from collections.abc import Callable

from chat4all_core.domain.timestamp import Timestamp

Clock = Callable[[], Timestamp]
"""Now. It may jump, also backwards: nothing may depend on it for order."""
