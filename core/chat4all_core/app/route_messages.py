"""Use case: give accepted messages their sequence, store them and fan them out (ADR 1)."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

import structlog
from cachetools import LRUCache

from chat4all_core.app.event_id import event_id
from chat4all_core.app.members import Members, MembersOfVersions
from chat4all_core.app.record_sent import RecordSent
from chat4all_core.app.request_deliveries import deliveries_of
from chat4all_core.domain.channel import ChannelAddress, users_among
from chat4all_core.domain.delivery import Delivery
from chat4all_core.domain.fold import Entry, fold
from chat4all_core.domain.ids import ConversationId, MessageId, UserId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.event_log import LogContradictionError
from chat4all_core.ports.message_store import MessagePosition, MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore
from chat4all_core.ports.user_stream import StreamAppend, UserStream

ROLE = "router"

_log = structlog.get_logger(__name__)

_CONVERSATIONS_PER_PARTITION = 20_000


class RouteMessages:
    """One writer per partition. It keeps the last sequence of the conversations it has met, and only of rows
    that are durable; anything it forgets is read again from before the record at hand."""

    def __init__(
        self,
        *,
        messages: MessageStore,
        receipts: ReceiptStore,
        conversations: ConversationStore,
        streams: UserStream,
        request_deliveries: Callable[[Iterable[Delivery]], Awaitable[None]],
        codec: EventCodec,
    ) -> None:
        """`request_deliveries`: see RequestDeliveries."""
        self._messages = messages
        self._record_sent = RecordSent(receipts)
        self._streams = streams
        self._request_deliveries = request_deliveries
        self._codec = codec
        self._sequences: dict[int, LRUCache[ConversationId, int]] = {}
        self._routed: dict[int, Source] = {}
        """The last record of each partition whose sequences are in the cache."""
        self._members_at = MembersOfVersions(conversations)

    def forget(self, partitions: Sequence[int]) -> None:
        """Drop all state of partitions that were given away or have just come."""
        for partition in partitions:
            self._sequences.pop(partition, None)
            self._routed.pop(partition, None)

    async def __call__(self, entries: Sequence[Entry]) -> Sequence[StoredMessage]:
        """Route a batch; afterwards everything is durable and the offsets may be committed. Any records of it may be
        routed again, in this call or in another, after an error or after none: consumers give some again when
        partitions move. They may pass some over too, which another router has routed meanwhile.

        Returns:
            What was stored: the entries without those whose message was stored before.

        Raises:
            UnavailableError: an engine can't be had now.
            LogContradictionError: a message is stored from a later life of the log than its record's.
        """
        stored: list[StoredMessage] = []
        for run in _gapless_runs(entries):
            stored += await self._route(run)
        return stored

    async def _route(self, entries: Sequence[Entry]) -> Sequence[StoredMessage]:
        self._forget_other_states(entries)
        positions = await self._messages.positions({entry.message.message_id for entry in entries})
        _check_generations(entries, positions)
        folded = fold(
            entries,
            await self._state_before(entries),
            {message_id: position.source for message_id, position in positions.items()},
        )
        # Before the rows, so that nobody finds their own message unread; it gets this sequence whatever happens.
        await self._record_sent(folded.stored)
        # Rows first: whoever sees an event, or is written to, can read the message, and answer it.
        await self._messages.write(folded.stored)
        await self._members_at.learn({_membership(stored) for stored in folded.stored})
        appends: list[StreamAppend] = []
        away: list[tuple[StoredMessage, Sequence[ChannelAddress]]] = []
        for stored in folded.stored:
            members = await self._members_at(*_membership(stored))
            appends += self._appends(stored, members)
            if members.addresses or stored.message.routes:
                away.append((stored, members.addresses_without(stored.message.sender)))
        await self._streams.append(appends)
        await self._request_deliveries(d for stored, to in away for d in deliveries_of(stored, to))
        for entry in entries:
            conversation_id = entry.message.conversation_id
            self._cache(entry.source.partition)[conversation_id] = folded.state[conversation_id]
            self._routed[entry.source.partition] = entry.source
        return folded.stored

    def _forget_other_states(self, entries: Sequence[Entry]) -> None:
        """A cache is the state to fold a record from only where it ends with the record just before."""
        first = {entry.source.partition: entry.source for entry in reversed(entries)}
        for partition, source in first.items():
            routed = self._routed.get(partition)
            if routed is not None and not _follows(source, routed):
                what = "records come again" if routed >= source else "records were passed over"
                _log.info(what, partition=partition, first=source.offset, routed=routed.offset)
                self.forget([partition])

    def _cache(self, partition: int) -> LRUCache[ConversationId, int]:
        return self._sequences.setdefault(partition, LRUCache(_CONVERSATIONS_PER_PARTITION))

    async def _state_before(self, entries: Sequence[Entry]) -> Mapping[ConversationId, int]:
        state: dict[ConversationId, int] = {}
        unknown: dict[ConversationId, Source] = {}
        for entry in entries:
            conversation_id = entry.message.conversation_id
            if conversation_id in state or conversation_id in unknown:
                continue
            known = self._cache(entry.source.partition).get(conversation_id)
            if known is None:
                unknown[conversation_id] = entry.source
            else:
                state[conversation_id] = known
        if unknown:
            state |= await self._messages.last_sequences_before(unknown)
        return state

    def _appends(self, stored: StoredMessage, members: Members) -> Sequence[StreamAppend]:
        message = stored.message
        users = [user for user in members.users if user != message.sender]
        recipient_count = len(users) + len(members.addresses_without(message.sender))
        payload = self._codec.message_created(event_id(ROLE, stored.source), stored, recipient_count)

        def append(index: int, users: Sequence[UserId], sequence: int) -> StreamAppend:
            return StreamAppend(ROLE, stored.source, index, users, payload, message.conversation_id, sequence)

        # The sender's other devices learn of it too, and owe no acknowledgement.
        own = users_among([message.sender])
        appends = (append(0, users, stored.sequence), append(1, own, 0))
        return [appended for appended in appends if appended.users]


def _gapless_runs(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    """Divided wherever a partition goes back or leaves records out: in one piece as a rule."""
    begin = 0
    last: dict[int, Source] = {}
    for index, entry in enumerate(entries):
        before = last.get(entry.source.partition)
        if before is not None and not _follows(entry.source, before):
            yield entries[begin:index]
            begin = index
            last.clear()
        last[entry.source.partition] = entry.source
    if entries:
        yield entries[begin:]


def _follows(source: Source, before: Source) -> bool:
    return source.offset == before.offset + 1 and source.generation == before.generation


def _check_generations(entries: Sequence[Entry], positions: Mapping[MessageId, MessagePosition]) -> None:
    for entry in entries:
        position = positions.get(entry.message.message_id)
        if position is not None and position.source.generation > entry.source.generation:
            raise LogContradictionError(
                f"message {entry.message.message_id} is stored from {position.source}, "
                f"but the log being read is at {entry.source}: it was lost or re-created",
                entry.source.partition,
            )


def _membership(stored: StoredMessage) -> tuple[ConversationId, int]:
    """Whose version has the recipients."""
    return stored.message.conversation_id, stored.message.membership_version
