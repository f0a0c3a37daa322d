"""Names of the events in users' streams."""

from chat4all_core.domain.source import Source


def event_id(role: str, source: Source, index: int = 0) -> str:
    """The same whenever the record at `source` is handled again, and different for every other event."""
    return f"{role}-{source.generation}-{source.partition}-{source.offset}-{index}"
