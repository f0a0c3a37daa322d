"""Use case: see what could not be handled, and have it tried again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from chat4all_core.domain.channel import CHANNELS
from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterId
from chat4all_core.domain.errors import FailedPreconditionError, NotFoundError, Reason
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.dead_letter_store import DeadLetterPosition, DeadLetterStore
from chat4all_core.ports.event_codec import EventCodec, UndecodableError
from chat4all_core.ports.event_log import EventLog, delivery_requested
from chat4all_core.telemetry.tracing import trace_headers

_DELIVERIES = frozenset(map(delivery_requested, CHANNELS))


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """A page of the list."""

    items: Sequence[DeadLetter]
    next_before: DeadLetterPosition | None
    """Where the next page begins, or None on the last one."""


class DeadLetters:
    """What operators do about dead letters."""

    def __init__(self, *, letters: DeadLetterStore, log: EventLog, codec: EventCodec, clock: Clock) -> None:
        self._letters = letters
        self._log = log
        self._codec = codec
        self._clock = clock

    async def list(self, page_size: int, before: DeadLetterPosition | None) -> DeadLetterPage:
        """A page, newest first.

        Raises:
            UnavailableError.
        """
        found = await self._letters.list(before, page_size + 1)
        page = found[:page_size]
        last = page[-1] if len(found) > page_size else None
        return DeadLetterPage(page, DeadLetterPosition(last.rejected_at, last.dead_letter_id) if last else None)

    async def redrive(self, dead_letter_id: str) -> DeadLetter:
        """Append a letter to its topic again. A delivery is tried once more under its id, as the attempt after the one
        that failed: asking twice for that has it tried once.

        Raises:
            NotFoundError: DEAD_LETTER_NOT_FOUND.
            FailedPreconditionError: DEAD_LETTER_UNREADABLE.
            UnavailableError: perhaps it was appended.
        """
        letter = await self._letters.get(DeadLetterId(dead_letter_id))
        if letter is None:
            raise NotFoundError(
                Reason.DEAD_LETTER_NOT_FOUND, "there is no such dead letter", {"dead_letter_id": dead_letter_id}
            )
        await self._log.append(letter.topic, letter.key, self._value_again(letter), trace_headers())
        now = self._clock()
        await self._letters.mark_redriven(letter.dead_letter_id, now)
        return replace(letter, redriven_at=now)

    def _value_again(self, letter: DeadLetter) -> bytes:
        if letter.topic not in _DELIVERIES:
            return letter.value
        try:
            delivery = self._codec.decode_delivery(letter.value)
        except UndecodableError as error:
            raise FailedPreconditionError(
                Reason.DEAD_LETTER_UNREADABLE, f"this release can't read the delivery: {error}"
            ) from error
        return self._codec.encode_delivery(replace(delivery, attempt=delivery.attempt + 1))
