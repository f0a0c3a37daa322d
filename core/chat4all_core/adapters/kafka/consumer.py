"""A member of a consumer group, for the event loop."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from chat4all_core.adapters.kafka.client_config import unavailable
from chat4all_core.adapters.kafka.group_member import GroupMember, MembershipEndedError
from chat4all_core.adapters.kafka.topic_catalog import TopicCatalog
from chat4all_core.config import KafkaSection
from chat4all_core.ports.event_log import AssignmentListener, Record


class KafkaConsumer:
    """Implements Consumer. The client has a thread of its own, which hands batches over and waits for listeners."""

    def __init__(self, section: KafkaSection, catalog: TopicCatalog, topic: str, group: str) -> None:
        self._section = section
        self._catalog = catalog
        self._topic = topic
        self._group = group
        self._thread: ThreadPoolExecutor | None = None
        self._member: GroupMember | None = None
        self._polling: asyncio.Future[list[Record]] | None = None

    async def start(self, on_assigned: AssignmentListener, on_revoked: AssignmentListener) -> None:
        """See Consumer.start. Without Kafka it is the first poll that succeeds which joins the group."""
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, f"kafka-{self._group}")

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See Consumer.poll.

        Raises:
            UnavailableError: Kafka can't serve now.
        """
        member = self._member or await self._join()
        if self._polling is None:
            self._polling = self._loop.run_in_executor(self._thread, member.poll, max_records, timeout)
        try:
            # A poll that is given up goes on, and what it brings is the next one's.
            records = await asyncio.shield(self._polling)
        except asyncio.CancelledError:
            raise
        except MembershipEndedError as error:
            self._polling = None
            await self._part(member)
            raise unavailable(str(error)) from error
        except BaseException:
            self._polling = None
            raise
        self._polling = None
        return records

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
        if thread is None:
            return
        try:
            if self._member is not None:
                await self._part(self._member, thread)
        finally:
            thread.shutdown(wait=False)

    async def _join(self) -> GroupMember:
        await self._catalog.load()
        self._member = GroupMember(
            self._section,
            self._catalog[self._topic],
            self._group,
            lambda partitions: self._call(self._on_assigned, partitions),
            lambda partitions: self._call(self._on_revoked, partitions),
        )
        return self._member

    async def _part(self, member: GroupMember, thread: ThreadPoolExecutor | None = None) -> None:
        member.leave_soon()
        await self._loop.run_in_executor(thread or self._thread, member.close)
        self._member = None

    def _call(self, listener: AssignmentListener, partitions: Sequence[int]) -> None:
        """In the client's thread: run a listener on the loop, and wait for it."""

        async def listen() -> None:
            await listener(partitions)

        asyncio.run_coroutine_threadsafe(listen(), self._loop).result()
