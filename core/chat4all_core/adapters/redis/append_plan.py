"""Which scripts append a batch of events.

All that one stream gets is in one call, so that calls may run in any order.
"""

from collections.abc import Iterator, Sequence

from chat4all_core.adapters.redis.script import Argument
from chat4all_core.adapters.redis.stream_blob import encode_event
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.user_stream import StreamAppend

_EVENTS_PER_CALL = 250
"""A script holds up everybody else: about a millisecond for so many. Only one stream's events may be more."""

UserEvents = tuple[UserId, Sequence[int]]
"""A user, and the numbers of the appends that are theirs."""


def sources_of(appends: Sequence[StreamAppend]) -> Sequence[str]:
    """The name of each append's source: places are only comparable within one."""
    return [f"{a.role}/{a.source.generation}/{a.source.partition}" for a in appends]


def by_user(appends: Sequence[StreamAppend]) -> Sequence[UserEvents]:
    """The users of a batch."""
    users: dict[UserId, list[int]] = {}
    for number, append in enumerate(appends):
        for user in append.users:
            users.setdefault(user, []).append(number)
    return list(users.items())


def groups_of(users: Sequence[UserEvents], *, one_user_each: bool) -> Iterator[Sequence[UserEvents]]:
    """The users that are appended to by one call each."""
    group: list[UserEvents] = []
    events = 0
    for user in users:
        if group and (one_user_each or events + len(user[1]) > _EVENTS_PER_CALL):
            yield group
            group, events = [], 0
        group.append(user)
        events += len(user[1])
    if group:
        yield group


class AppendArguments:
    """The arguments of the append script, for groups of users of one batch."""

    def __init__(self, appends: Sequence[StreamAppend], sources: Sequence[str]) -> None:
        self._encoded: Sequence[Sequence[Argument]] = [
            (source, a.source.offset, a.index, a.conversation_id, a.message_sequence, encode_event(a))
            for a, source in zip(appends, sources, strict=True)
        ]

    def of(self, group: Sequence[UserEvents]) -> Sequence[Argument]:
        """The number of appends that these users need, the appends, and which are whose."""
        numbers: dict[int, int] = {}
        whose: list[Argument] = []
        for _, events in group:
            whose.append(len(events))
            whose += [numbers.setdefault(event, len(numbers)) for event in events]
        return [len(numbers), *(argument for event in numbers for argument in self._encoded[event]), *whose]
