"""Dead letters, for operators to look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterId
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True, order=True)
class DeadLetterPosition:
    """A place in the list."""

    rejected_at: Timestamp
    dead_letter_id: DeadLetterId


class DeadLetterStore(Protocol):
    """Letters are kept for at least 30 days. Each method raises UnavailableError."""

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Keep letters durably. One that is there already stays as it is."""
        ...

    async def get(self, dead_letter_id: DeadLetterId) -> DeadLetter | None:
        """A letter, or None."""
        ...

    async def list(self, before: DeadLetterPosition | None, limit: int) -> Sequence[DeadLetter]:
        """The next letters, newest first.

        Args:
            before: where the page before ended; None for the first page.
            limit: the most that are given, at least 1. Fewer are the last ones.
        """
        ...

    async def mark_redriven(self, dead_letter_id: DeadLetterId, at: Timestamp) -> None:
        """Note that it was appended to its topic again. Nothing happens when there is no such letter."""
        ...
