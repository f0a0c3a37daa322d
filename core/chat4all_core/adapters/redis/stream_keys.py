"""The keys of a user's stream, in one hash slot."""

from collections.abc import Sequence

_PARTS = ("stream", "events", "announced", "trimmed", "active")


class StreamKeys:
    """Names keys and channels."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def of(self, user_id: str) -> Sequence[str]:
        """The keys, as `scripts/_stream.lua` expects them."""
        return [f"{self._prefix}{{{user_id}}}:{part}" for part in _PARTS]

    def channel(self, user_id: str) -> str:
        """Where a user's new events are published: it is called as the first of the keys."""
        return f"{self._prefix}{{{user_id}}}:{_PARTS[0]}"
