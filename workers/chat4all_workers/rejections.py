"""When to stop rejecting: a release that can't read anything must not drain a topic into dead letters."""

from collections.abc import Iterable


class Rejections:
    """Counts, per partition, the records in a row that were rejected."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._in_a_row: dict[int, int] = {}

    def are_too_many(self, partition: int, rejected: Iterable[bool]) -> bool:
        """Whether too many would be rejected in a row if a partition's next records, in order, were, or were not. Of
        a batch that is not too many, the count goes on; another is handled again."""
        in_a_row = self._in_a_row.get(partition, 0)
        for each in rejected:
            in_a_row = in_a_row + 1 if each else 0
            if in_a_row > self._most:
                return True
        self._in_a_row[partition] = in_a_row
        return False

    def forget(self, partitions: Iterable[int]) -> None:
        """These are gone, or have just come."""
        for partition in partitions:
            self._in_a_row.pop(partition, None)
