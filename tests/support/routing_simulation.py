"""Routers against engines that fail: every write and every read is a step, and between any two steps a router may
crash, be replaced while it lives on as a zombie, or be overtaken.

The routers are the real ones (`RouteMessages`); the engines are the weakest that the ports allow: batches are
written item by item in any order, what was written before a crash stays, and the highest write timestamp wins.
"""

import random
from collections import defaultdict
from collections.abc import Awaitable, Collection, Coroutine, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.app.route_messages import RouteMessages
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.delivery import Delivery, DeliveryId
from chat4all_core.domain.fold import Entry
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.sent_span import span_of
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessagePosition, MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore
from chat4all_core.ports.user_stream import StreamAppend, UserStream

PARTITION = 0
USERS = [UserId(ParticipantId(name)) for name in ("ann", "ben", "cid")]
BEA = ChannelAddress(ChannelName("whatsapp"), "+5511987654321")
"""Takes part too."""


class _Step(Awaitable[None]):
    """Gives control back to the simulation."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass
class Engines:
    """What survives every crash."""

    rng: random.Random
    ignore_sources: bool = False
    """Take out the rule that only rows from before the record count as state."""
    rows: dict[tuple[ConversationId, int], StoredMessage] = field(default_factory=dict)
    places: dict[MessageId, MessagePosition] = field(default_factory=dict)
    streams: dict[UserId, list[tuple[Source, int, int]]] = field(default_factory=lambda: defaultdict(list))
    taken: dict[UserId, tuple[int, int]] = field(default_factory=dict)
    sent: dict[tuple[ConversationId, UserId], int] = field(default_factory=dict)
    deliveries: dict[DeliveryId, list[Delivery]] = field(default_factory=lambda: defaultdict(list))
    """By their ids, every time that they were asked for."""

    # MessageStore

    async def write(self, messages: Sequence[StoredMessage]) -> None:
        writes = [(kind, message) for message in messages for kind in ("row", "place")]
        self.rng.shuffle(writes)
        for kind, message in writes:
            await _Step()
            if kind == "row":
                self._write_row(message)
            else:
                self._write_place(message)

    def _write_row(self, message: StoredMessage) -> None:
        key = (message.message.conversation_id, message.sequence)
        if key not in self.rows or self.rows[key].source <= message.source:
            self.rows[key] = message

    def _write_place(self, message: StoredMessage) -> None:
        old = self.places.get(message.message.message_id)
        if old is None or old.source <= message.source:
            place = MessagePosition(message.message.conversation_id, message.sequence, message.source)
            self.places[message.message.message_id] = place

    async def positions(self, message_ids: Collection[MessageId]) -> Mapping[MessageId, MessagePosition]:
        await _Step()
        return {m: self.places[m] for m in message_ids if m in self.places}

    async def last_sequences_before(self, sources: Mapping[ConversationId, Source]) -> Mapping[ConversationId, int]:
        await _Step()
        return {
            conversation: max(
                (
                    sequence
                    for (c, sequence), row in self.rows.items()
                    if c == conversation and (self.ignore_sources or row.source < source)
                ),
                default=0,
            )
            for conversation, source in sources.items()
        }

    # ReceiptStore

    async def record_sent(self, sent: Mapping[tuple[ConversationId, UserId], int]) -> None:
        for sender, sequence in sent.items():
            await _Step()
            self.sent[sender] = max(sequence, self.sent.get(sender, 0))

    # ConversationStore

    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation:
        participations = tuple(Participation(p, Role.MEMBER, 1, None, 0) for p in (*USERS, BEA.participant))
        return Conversation(conversation_id, ConversationType.GROUP, "", USERS[0], Timestamp(0), 1, participations)

    async def get_many(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        return [await self.get(conversation_id) for conversation_id in conversation_ids]

    # UserStream

    async def append(self, appends: Sequence[StreamAppend]) -> None:
        for append in appends:
            for user in append.users:
                await _Step()
                mark = (append.source.offset, append.index)
                if mark > self.taken.get(user, (-1, -1)):
                    self.taken[user] = mark
                    self.streams[user].append((append.source, append.index, append.message_sequence))

    # The log, as RequestDeliveries writes it

    async def request_deliveries(self, deliveries: Iterable[Delivery]) -> None:
        for delivery in deliveries:
            await _Step()
            self.deliveries[delivery.delivery_id].append(delivery)


@dataclass
class _Router:
    route: RouteMessages
    position: int
    batch_end: int = 0
    running: Coroutine[Any, Any, Any] | None = None


class Simulation:
    """One partition, its log, and the routers that own it one after the other."""

    def __init__(self, log: Sequence[AcceptedMessage], engines: Engines, rng: random.Random) -> None:
        self._log = log
        self._rng = rng
        self._committed = 0
        self.engines = engines
        self._owner = self._new_router()
        self._zombies: list[_Router] = []

    def run(self, steps: int) -> None:
        """Let anything happen for some steps, then let the last owner and every zombie finish."""
        for _ in range(steps):
            action = self._rng.random()
            if action < 0.02:
                self._owner = self._new_router()  # a crash: what was running never goes on
            elif action < 0.05:
                self._zombies.append(self._owner)  # taken for dead, but only slow
                self._owner = self._new_router()
            elif action < 0.3 and self._zombies:
                self._step(self._rng.choice(self._zombies))
            else:
                self._step(self._owner)
        for router in [self._owner, *self._zombies]:
            while self._step(router):
                pass

    def _new_router(self) -> _Router:
        ports = self.engines
        route = RouteMessages(
            messages=cast(MessageStore, ports),
            receipts=cast(ReceiptStore, ports),
            conversations=cast(ConversationStore, ports),
            streams=cast(UserStream, ports),
            request_deliveries=ports.request_deliveries,
            codec=ProtobufEventCodec(),
        )
        return _Router(route, self._committed)

    def _step(self, router: _Router) -> bool:
        """One step of one router; False when there is nothing left for it to do."""
        if router.running is None:
            if router.position >= len(self._log):
                return False
            if self._rng.random() < 0.1:  # consumers give records again when partitions move
                router.position = max(0, router.position - self._rng.randint(1, 4))
            elif self._rng.random() < 0.1:  # and pass over what others have routed meanwhile
                router.position = max(router.position, self._committed)
                if router.position >= len(self._log):
                    return False
            router.batch_end = min(len(self._log), router.position + self._rng.randint(1, 5))
            router.running = cast(Coroutine[Any, Any, Any], router.route(self._batch(router)))
        try:
            router.running.send(None)
        except StopIteration:
            router.running = None
            router.position = router.batch_end
            if router is self._owner:
                self._committed = router.position
        return True

    def _batch(self, router: _Router) -> Sequence[Entry]:
        offsets = list(range(router.position, router.batch_end))
        if self._rng.random() < 0.1:  # some of them within one batch
            turn = self._rng.randint(1, len(offsets))
            offsets = offsets[:turn] + offsets[self._rng.randint(0, turn) :]
        elif self._rng.random() < 0.1:
            offsets = [offset for offset in offsets if offset == offsets[0] or offset >= self._committed]
        return [Entry(self._log[offset], Source(1, PARTITION, offset)) for offset in offsets]


def violations(log: Sequence[AcceptedMessage], engines: Engines) -> list[str]:
    """What is wrong with the outcome: invariants 1 and 2, in words; empty when all is well."""
    expected: dict[ConversationId, list[MessageId]] = defaultdict(list)
    for message in log:
        if message.message_id not in expected[message.conversation_id]:
            expected[message.conversation_id].append(message.message_id)
    wrong = []
    for conversation, ids in expected.items():
        rows = sorted((s, r.message.message_id) for (c, s), r in engines.rows.items() if c == conversation)
        if rows != list(enumerate(ids, start=1)):
            wrong.append(f"{conversation}: rows {rows}, expected {list(enumerate(ids, start=1))}")
        for sequence, message_id in enumerate(ids, start=1):
            place = engines.places.get(message_id)
            if place is None or (place.conversation_id, place.sequence) != (conversation, sequence):
                wrong.append(f"{message_id}: position {place}, expected {sequence} of {conversation}")
    wrong += _sent_violations(engines)
    wrong += _stream_violations(log, engines)
    wrong += _delivery_violations(expected, engines)
    return wrong


def _sent_violations(engines: Engines) -> list[str]:
    """Of each sender, a message in the span of their newest one is known."""
    newest: dict[tuple[ConversationId, UserId], int] = {}
    for (conversation, sequence), row in engines.rows.items():
        if (sender := row.message.sender) in USERS:
            key = (conversation, UserId(sender))
            newest[key] = max(sequence, newest.get(key, 0))
    return [
        f"{sender}: sent {engines.sent.get(sender)}, newest {sequence}"
        for sender, sequence in newest.items()
        if sender not in engines.sent or span_of(engines.sent[sender]) != span_of(sequence)
    ]


def _delivery_violations(expected: Mapping[ConversationId, Sequence[MessageId]], engines: Engines) -> list[str]:
    """Each message is to be delivered to each address but its sender's, and by each of its routes; when that is asked
    for again, then in the same words."""
    wanted = sorted((m, to, n) for ids in expected.values() for n, m in enumerate(ids, 1) for to in _ways(m, engines))
    found = sorted((d[0].message_id, d[0].to, d[0].sequence) for d in engines.deliveries.values())
    wrong = [] if found == wanted else [f"deliveries {found}, expected {wanted}"]
    return wrong + [
        f"delivery {name} asked for differently" for name, times in engines.deliveries.items() if len(set(times)) > 1
    ]


def _ways(message_id: MessageId, engines: Engines) -> list[ChannelAddress]:
    message = next((r.message for r in engines.rows.values() if r.message.message_id == message_id), None)
    if message is None:  # it was lost, which its row's absence tells
        return []
    addresses = [] if message.sender == BEA.participant else [BEA]
    return [*addresses, *(route.to for route in message.routes)]


def _stream_violations(log: Sequence[AcceptedMessage], engines: Engines) -> list[str]:
    wrong = []
    first = {}
    for offset, message in enumerate(log):
        first.setdefault(message.message_id, offset)
    offsets = sorted(first.values())
    for user in USERS:
        seen = [source.offset for source, _, _ in engines.streams[user]]
        if seen != offsets:
            wrong.append(f"stream of {user}: events of records {seen}, expected {offsets}")
    return wrong
