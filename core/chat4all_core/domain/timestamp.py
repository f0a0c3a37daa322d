"""Points in time."""

from datetime import UTC, datetime, timedelta
from typing import NewType

Timestamp = NewType("Timestamp", int)
"""Microseconds since 1970-01-01T00:00:00Z. An integer, for it is stored, compared and sent as one."""

SECOND = 1_000_000
"""One second, in the unit of Timestamp."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(at: Timestamp) -> datetime:
    """The same point as an aware datetime in UTC."""
    return _EPOCH + timedelta(microseconds=at)
