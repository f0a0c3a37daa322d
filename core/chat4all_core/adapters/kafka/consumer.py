"""A member of a consumer group, for the event loop."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, unavailable
from chat4all_core.adapters.kafka.client_thread import ClientThread
from chat4all_core.adapters.kafka.group_member import GroupMember, MembershipEndedError
from chat4all_core.adapters.kafka.topic_catalog import TopicCatalog
from chat4all_core.config import KafkaSection
from chat4all_core.ports.event_log import AssignmentListener, Record

_log = structlog.get_logger(__name__)


class KafkaConsumer:
    """Implements Consumer. The client has a thread of its own, which hands batches over and waits for listeners."""

    def __init__(self, section: KafkaSection, catalog: TopicCatalog, topic: str, group: str) -> None:
        self._section = section
        self._catalog = catalog
        self._topic = topic
        self._group = group
        self._thread: ClientThread | None = None
        self._member: GroupMember | None = None
        self._given_up: asyncio.Future[list[Record]] | None = None
        """A poll whose caller was cancelled goes on in the thread."""
        self._parting: asyncio.Future[None] | None = None
        """The member's leave, which goes on when who waits for it is cancelled."""

    async def start(self, on_assigned: AssignmentListener, on_revoked: AssignmentListener) -> None:
        """See Consumer.start. Without Kafka it is the first poll that succeeds which joins the group."""
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._loop = asyncio.get_running_loop()
        self._thread = ClientThread(f"kafka-{self._group}")

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See Consumer.poll.

        Raises:
            UnavailableError: Kafka can't serve now.
        """
        thread = self._thread
        if thread is None:
            raise RuntimeError("the consumer is not started, or is closed")
        member = self._member
        if member is not None and member.generation < self._catalog.generation(self._topic):
            await self._part(member, thread)  # the topic has moved, after everything here was handled
            member = None
        member = member or await self._join()
        if self._given_up is not None:
            await self._take_back(member, self._given_up)
        polling = thread.run(lambda: member.poll(max_records, timeout))
        try:
            return await asyncio.shield(polling)
        except asyncio.CancelledError:
            self._given_up = polling
            raise
        except MembershipEndedError as error:
            await self._part(member, thread)
            raise unavailable(str(error)) from error

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """See Consumer.commit. The broker has it some 0.1 s later, and before the partition moves."""
        if self._member is not None:
            self._member.handled(next_offsets)

    def rewind(self, next_offsets: Mapping[int, int]) -> None:
        """See Consumer.rewind."""
        if self._member is not None:
            self._member.rewind(next_offsets)

    def pause(self, partitions: Sequence[int]) -> None:
        """See Consumer.pause."""
        if self._member is not None and partitions:
            self._member.pause(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """See Consumer.resume."""
        if self._member is not None and partitions:
            self._member.resume(partitions)

    async def close(self) -> None:
        """See Consumer.close."""
        thread, self._thread = self._thread, None
        if thread is not None:
            try:
                if self._member is not None:
                    await self._part(self._member, thread)
            finally:
                thread.end()

    async def _join(self) -> GroupMember:
        await self._catalog.load()
        topic = self._catalog[self._topic]
        self._member = GroupMember(
            self._section,
            topic,
            self._group,
            lambda partitions: self._call(lambda: self._on_assigned(partitions)),
            lambda partitions: self._call(lambda: self._on_revoked(partitions)),
            lambda: self._call(lambda: self._catalog.verify(self._topic, topic.generation)),
        )
        return self._member

    async def _take_back(self, member: GroupMember, given_up: "asyncio.Future[list[Record]]") -> None:
        member.cut_short()
        await asyncio.wait([given_up])
        self._given_up = None
        if given_up.exception() is None:  # else it brought nothing, and what was wrong shows again
            member.unread({r.source.partition: r.source.offset for r in reversed(given_up.result())})

    async def _part(self, member: GroupMember, thread: ClientThread) -> None:
        member.cut_short()
        parting = self._parting = self._parting or thread.run(member.close)
        await asyncio.wait([parting], timeout=REQUEST_TIMEOUT)
        self._member = self._given_up = self._parting = None
        if parting.done():
            parting.result()
        else:  # the group does without it after the session timeout
            _log.warning("Kafka does not answer a member that leaves", topic=self._topic, group=self._group)

    def _call(self, work: Callable[[], Awaitable[None]]) -> None:
        """In the client's thread: have something done by the loop, and wait for it."""

        async def run() -> None:
            await work()

        asyncio.run_coroutine_threadsafe(run(), self._loop).result()
