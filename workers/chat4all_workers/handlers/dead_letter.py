"""The dead-letter role: from the log to where operators find them."""

from collections.abc import Sequence

import structlog

from chat4all_core.ports.dead_letter_store import DeadLetterStore
from chat4all_core.ports.event_log import DEAD_LETTER, Record
from chat4all_workers.dead_letter import from_record
from chat4all_workers.handler import Done, Outcome

_log = structlog.get_logger(__name__)


class DeadLetterHandler:
    """Passes over what is no dead letter: rejecting it would put it into the same topic again."""

    topic = DEAD_LETTER
    role = "dead_letter"

    def __init__(self, store: DeadLetterStore) -> None:
        self._store = store

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """There is no state to forget."""

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Keep a batch."""
        letters = []
        for record in records:
            try:
                letters.append(from_record(record))
            except ValueError as error:
                _log.error("a dead letter can't be read", source=str(record.source), cause=str(error))
        await self._store.put(letters)
        return Done()
