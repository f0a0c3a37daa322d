"""When partitions whose batch failed are tried again."""

from collections.abc import Iterable
from dataclasses import dataclass

_FIRST_SECONDS = 0.1
_LONGEST_SECONDS = 2.0  # an engine that is back must not wait long for us


@dataclass(slots=True)
class _Retry:
    tries: int
    due: float
    waiting: bool


class RetrySchedule:
    """Exponential backoff per partition. Times are those of the event loop's clock, in seconds."""

    def __init__(self) -> None:
        self._retries: dict[int, _Retry] = {}

    def postpone(self, partitions: Iterable[int], at_least: float, now: float) -> float:
        """Note a failure of these partitions; returns how long to wait."""
        partitions = list(partitions)
        tries = 1 + max((self._retries[p].tries for p in partitions if p in self._retries), default=0)
        seconds = max(at_least, min(_FIRST_SECONDS * 2.0 ** (tries - 1), _LONGEST_SECONDS))
        for partition in partitions:
            self._retries[partition] = _Retry(tries, now + seconds, waiting=True)
        return seconds

    def due(self, now: float) -> list[int]:
        """The partitions whose time has come; each is given once for each failure."""
        due = [p for p, retry in self._retries.items() if retry.waiting and retry.due <= now]
        for partition in due:
            self._retries[partition].waiting = False
        return due

    def forget(self, partitions: Iterable[int]) -> None:
        """These have succeeded, or are somebody else's now."""
        for partition in partitions:
            self._retries.pop(partition, None)

    def patience(self, longest: float, now: float) -> float:
        """How long may be waited for something else."""
        times = [retry.due - now for retry in self._retries.values() if retry.waiting]
        return max(0.0, min([longest, *times]))
