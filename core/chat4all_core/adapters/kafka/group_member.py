"""A membership of a consumer group, as its own thread sees it."""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

import structlog
from confluent_kafka import Consumer as Client
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from chat4all_core.adapters.kafka.client_config import is_fatal, unavailable
from chat4all_core.adapters.kafka.consumer_config import consumer_config
from chat4all_core.adapters.kafka.positions import Positions
from chat4all_core.adapters.kafka.topic import Topic, TopicError
from chat4all_core.config import KafkaSection
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import Record

_log = structlog.get_logger(__name__)

Listener = Callable[[Sequence[int]], None]

_VERIFIED_SECONDS = 1.0
"""So long what is read is believed to be of the topic of which it was."""

_SLICE_SECONDS = 0.25
"""So soon a waiting poll notices that the member is to leave."""

_NOT_IN_THE_LOG = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._LOG_TRUNCATION)


class MembershipEndedError(Exception):
    """The client can't go on as this member; a new one may."""


class GroupMember:
    """Joins when it is made. `poll` and `close` block, call the listeners, and are called in one thread; the other
    methods only leave a note for them."""

    def __init__(
        self,
        section: KafkaSection,
        topic: Topic,
        group: str,
        on_assigned: Listener,
        on_revoked: Listener,
        verify: Callable[[], None],
    ) -> None:
        """`verify` raises TopicError when the topic is not the one that was registered, UnavailableError when that
        can't be known."""
        self._topic = topic
        self._verify = verify
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._max_poll_seconds = section.max_poll_seconds
        self._last_poll = time.monotonic()
        self._verified_at = float("-inf")
        self._owned: set[int] = set()
        self._revoked_in_poll: set[int] = set()
        self._handled: dict[int, int] = {}
        """Next offsets that are not yet given to the client to commit."""
        self._orders: deque[Callable[[], None]] = deque()
        self._cut_short = threading.Event()
        self._failure: BaseException | None = None
        self._client = Client(consumer_config(section, group))
        self._positions = Positions(self._client, topic.physical_name)
        self._client.subscribe(
            [topic.physical_name], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost
        )

    @property
    def generation(self) -> int:
        """Of the topic that it reads."""
        return self._topic.generation

    def handled(self, next_offsets: Mapping[int, int]) -> None:
        """Note what to commit. Too late a note is passed over: others have the partitions by then."""
        if time.monotonic() - self._last_poll < self._max_poll_seconds:
            self._handled.update({p: offset for p, offset in next_offsets.items() if p in self._owned})

    def rewind(self, next_offsets: Mapping[int, int]) -> None:
        """Note where to go on."""
        offsets = dict(next_offsets)
        self._orders.append(lambda: self._positions.rewind({p: o for p, o in offsets.items() if p in self._owned}))

    def pause(self, partitions: Sequence[int]) -> None:
        """Note what to pause."""
        noted = tuple(partitions)
        self._orders.append(lambda: self._positions.pause(self._owned.intersection(noted)))

    def resume(self, partitions: Sequence[int]) -> None:
        """Note what to resume."""
        noted = tuple(partitions)
        self._orders.append(lambda: self._positions.resume(self._owned.intersection(noted)))

    def cut_short(self) -> None:
        """End a poll that waits."""
        self._cut_short.set()

    def unread(self, next_offsets: Mapping[int, int]) -> None:
        """Before all that was noted meanwhile, go back to where a poll began whose records nobody has got."""
        offsets = dict(next_offsets)
        self._orders.appendleft(lambda: self._positions.rewind({p: o for p, o in offsets.items() if p in self._owned}))

    def poll(self, max_records: int, timeout: float) -> list[Record]:
        """See Consumer.poll.

        Raises:
            MembershipEndedError: close this member and make another.
        """
        deadline = time.monotonic() + timeout
        self._cut_short.clear()
        try:
            self._follow_orders()
            while True:
                records = self._next_batch(max_records, deadline)
                # Records first: whatever else has come up is for the next poll, or they would be lost.
                if records:
                    return records
                self._raise_failure()
                if self._last_poll >= deadline and not self._positions.unsettled:
                    return records
                if self._cut_short.is_set():
                    return records
        except KafkaException as error:
            if is_fatal(error):
                raise MembershipEndedError(str(error)) from error
            raise unavailable(error) from error

    def _next_batch(self, max_records: int, deadline: float) -> list[Record]:
        self._raise_failure()
        self._positions.settle()
        patience = min(deadline - time.monotonic(), _SLICE_SECONDS)
        records = self._records(self._receive(max_records, max(patience, 0.0)))
        self._last_poll = time.monotonic()
        return records if self._are_of_the_topic(records) else []

    def _are_of_the_topic(self, records: Sequence[Record]) -> bool:
        """Whether records are surely of the topic that was registered. The client reads on in one that was made anew
        under its name if the offset is in it, as 0 always is; otherwise it says so, unless the new one has grown past
        the offset in no time."""
        begun = time.monotonic()
        is_first = any(record.source.offset == 0 for record in records)
        if not records or not (is_first or begun - self._verified_at > _VERIFIED_SECONDS):
            return True
        try:
            self._verify()
        except TopicError as error:
            self._positions.contradict(self._owned, str(error))
            return False
        except UnavailableError:
            self._positions.rewind({record.source.partition: record.source.offset for record in reversed(records)})
            raise
        self._verified_at = begun
        return True

    def _raise_failure(self) -> None:
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure

    def close(self) -> None:
        """Hand everything over and leave the group."""
        try:
            self._store_handled()
        finally:
            self._client.close()
        self._raise_failure()

    def _follow_orders(self) -> None:
        self._store_handled()
        while self._orders:
            self._orders[0]()
            self._orders.popleft()

    def _store_handled(self) -> None:
        """The client commits in the background what is stored here, every auto.commit.interval.ms."""
        if self._handled:
            self._client.store_offsets(offsets=self._take_handled(self._owned))

    def _take_handled(self, partitions: set[int]) -> list[TopicPartition]:
        taken = [p for p in self._handled if p in partitions]
        return [TopicPartition(self._topic.physical_name, p, self._handled.pop(p)) for p in taken]

    def _receive(self, max_records: int, timeout: float) -> list[Message]:
        # `consume` alone would wait for the batch to be full.
        first = self._client.poll(timeout)
        if first is None:
            return []
        self._revoked_in_poll.clear()
        rest = self._client.consume(max_records - 1, 0) if max_records > 1 else []
        return rest if first.partition() in self._revoked_in_poll else [first, *rest]

    def _records(self, messages: Sequence[Message]) -> list[Record]:
        name, generation = self._topic.name, self._topic.generation
        records = []
        reached: dict[int, int] = {}
        for message in messages:
            error = message.error()
            partition, offset = message.partition(), message.offset()
            if error is not None:
                self._note_error(error, partition, offset)
                continue
            if partition is None or offset is None or partition not in self._owned:
                continue
            reached[partition] = offset + 1
            records.append(
                Record(
                    name,
                    Source(generation, partition, offset),
                    (message.key() or b"").decode(),
                    message.value() or b"",
                    _headers(message),
                    is_mark=message.key() is None,
                )
            )
        self._positions.advance(reached)
        return records

    def _note_error(self, error: KafkaError, partition: int | None, offset: int | None) -> None:
        if error.code() in _NOT_IN_THE_LOG and partition is not None:
            if partition in self._owned:
                self._positions.doubt(partition, offset, error.str())
        elif error.code() == KafkaError._MAX_POLL_EXCEEDED:
            _log.warning("taken for dead after too long without a poll", topic=self._topic.name)
        elif is_fatal(error):
            self._failure = MembershipEndedError(error.str())
        else:
            self._failure = unavailable(error)

    def _assigned(self, client: Client, partitions: list[TopicPartition]) -> None:
        client.incremental_assign(partitions)
        given = sorted(p.partition for p in partitions)
        self._owned.update(given)
        self._verified_at = float("-inf")
        self._tell(self._on_assigned, given)

    def _revoked(self, client: Client, partitions: list[TopicPartition]) -> None:
        taken = {p.partition for p in partitions}
        self._tell(self._on_revoked, sorted(taken))
        # After the listener, who may still have committed; and before others get the partitions.
        handled = self._take_handled(taken)
        try:
            if handled:
                client.commit(offsets=handled, asynchronous=False)
        except KafkaException as error:
            _log.warning("handled records will come again", topic=self._topic.name, cause=str(error))
        self._give_up(client, partitions)

    def _lost(self, client: Client, partitions: list[TopicPartition]) -> None:
        lost = {p.partition for p in partitions}
        self._tell(self._on_revoked, sorted(lost))
        self._take_handled(lost)
        self._give_up(client, partitions)

    def _give_up(self, client: Client, partitions: list[TopicPartition]) -> None:
        gone = {p.partition for p in partitions}
        self._owned -= gone
        self._revoked_in_poll |= gone
        self._positions.forget(gone)
        client.incremental_unassign(partitions)

    def _tell(self, listener: Listener, partitions: Sequence[int]) -> None:
        # What a listener raises must not pass through the client, which has to finish the rebalance.
        try:
            if partitions:
                listener(partitions)
        except Exception as error:
            self._failure = error


def _headers(message: Message) -> dict[str, str]:
    return {
        name: text.decode() if isinstance(text, bytes) else text or ""
        for name, text in dict(message.headers() or ()).items()
    }
