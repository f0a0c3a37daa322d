"""Use case: an operator moves a topic of the event log to its next generation."""

from collections.abc import Awaitable, Callable, Collection, Sequence

from chat4all_core.ports.event_log import GROUPS
from chat4all_core.ports.generation_registry import GenerationRegistry, TopicGeneration
from chat4all_core.ports.log_admin import LogAdmin, ReaderPosition, TopicCondition

SMALL_BACKLOG = 2_000
"""Records that workers may be behind when a topic is sealed: a fraction of a second's work, for senders wait for it."""

_PAUSE = 0.05
_ROUNDS_BETWEEN_LINES = 60
"""Of pauses, between two lines that tell of the same wait."""

_TORN = """{}.
What was accepted there and not handled by the workers is lost with it, as far as can be known from here. Put the topic
back, or go on without: --lost. Nothing that is stored is touched by that."""


class TopicUnknownError(Exception):
    """There is no such topic to move. The text says what to do."""


class TopicLostError(Exception):
    """Records of a topic are gone, so that it can't be read to its end. The text says what is known, and what to do."""


class OpenGeneration:
    """For more or fewer partitions, and after a topic was lost.

    In this order, each step done again when the call is repeated after an interruption:

    1. make the next generation's place;
    2. wait until the workers have shown that they handle every partition of the present one, nearly to its end;
    3. register that it is sealed: servers that are refused know then what they wait for;
    4. seal it in the log: from here on, what was acknowledged is final, and senders wait;
    5. wait until the workers have handled all of it;
    6. register the next generation: servers append to it, workers read it.

    So a record of the next generation is never met before everything that was acknowledged earlier is stored. A send
    whose answer was lost at the seal may be in both; its message is dropped where it comes the second time.
    """

    def __init__(
        self,
        *,
        registry: GenerationRegistry,
        log: LogAdmin,
        tell: Callable[[str], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`tell` takes lines for the operator."""
        self._registry = registry
        self._log = log
        self._tell = tell
        self._sleep = sleep

    async def __call__(self, topic: str, partitions: int, *, lost: bool = False) -> TopicGeneration:
        """Open the next generation of a topic, unless the present one is whole and has as many partitions as wanted.

        Args:
            topic: as the port names it.
            partitions: of the next generation.
            lost: go on although records are gone that workers have not handled.

        Returns:
            The generation that is in use.

        Raises:
            TopicUnknownError: it was never made, or can't be moved.
            TopicLostError: records are gone, and `lost` is not set.
            GenerationConflictError: another operator is at it, with other wishes.
            UnavailableError: the log or the registry can't be reached; to be repeated.
        """
        if topic not in GROUPS:
            raise TopicUnknownError(f"it is not known who reads {topic!r}")
        current = (await self._registry.current()).get(topic)
        if current is None:
            raise TopicUnknownError(f"no topic {topic!r} is registered: the set-up command makes topics")
        condition = await self._log.condition(current)
        gone = await self._lost_partitions(current, condition, lost)
        is_fine = condition is TopicCondition.AS_REGISTERED and not gone
        if is_fine and not current.sealed and current.partitions == partitions:
            self._tell(f"{_name(current)} is in use, with {partitions} partitions: nothing to do")
            return current
        following = await self._log.create(topic, current.generation + 1, partitions)
        await self._move(current, following, gone)
        self._tell(f"{_name(following)} is open, with {partitions} partitions")
        return following

    async def _move(self, current: TopicGeneration, following: TopicGeneration, gone: Collection[int]) -> None:
        kept = [p for p in range(current.partitions) if p not in gone]
        if not current.sealed and kept:
            await self._until_followed(current, kept)
        await self._registry.seal(current)
        await self._log.seal(current)
        self._tell(f"{_name(current)} is sealed: senders wait")
        if kept:
            await self._until_handled(current, kept, 0)
        await self._registry.register(following)

    async def _lost_partitions(
        self, current: TopicGeneration, condition: TopicCondition, accepted: bool
    ) -> Collection[int]:
        """The partitions that can't be read to their end."""
        if condition.is_lost:
            gone: Collection[int] = range(current.partitions)
            facts = [f"{_name(current)} is {condition.value}"]
        else:
            torn = [p for p in await self._positions(current) if p.contradicts]
            gone = {p.partition for p in torn}
            facts = [_torn(current, p) for p in torn]
        if not gone:
            return gone
        told = "\n".join(facts)
        if not accepted:
            raise TopicLostError(_TORN.format(told))
        self._tell(f"{told}.\nWhat was accepted there and not handled by the workers is given up.")
        return gone

    async def _until_followed(self, current: TopicGeneration, partitions: Collection[int]) -> None:
        """Wait until it is sure that workers handle every partition, and are not far behind."""
        await self._log.mark(current)
        marks = {(p.group, p.partition): p.end for p in await self._positions(current)}

        def is_left(position: ReaderPosition) -> bool:
            return (position.committed or 0) < marks[position.group, position.partition]

        await self._until_handled(current, partitions, SMALL_BACKLOG, is_left)

    async def _until_handled(
        self,
        current: TopicGeneration,
        partitions: Collection[int],
        most_unread: int,
        is_left: Callable[[ReaderPosition], bool] = lambda position: position.unread > 0,
    ) -> None:
        """Wait until no position is left behind, and all together have no more than so much to do."""
        rounds = 0
        while True:
            positions = [p for p in await self._positions(current) if p.partition in partitions]
            if torn := [_torn(current, p) for p in positions if p.contradicts]:
                raise TopicLostError(_TORN.format("\n".join(torn)))
            unread = sum(p.unread for p in positions)
            behind = [p for p in positions if is_left(p)]
            if not behind and unread <= most_unread:
                return
            if rounds % _ROUNDS_BETWEEN_LINES == 0:
                self._tell(_told(behind or positions, unread))
            rounds += 1
            await self._sleep(_PAUSE)

    async def _positions(self, current: TopicGeneration) -> Sequence[ReaderPosition]:
        return await self._log.positions(current, GROUPS[current.topic])


def _name(generation: TopicGeneration) -> str:
    return f"{generation.topic}, generation {generation.generation},"


def _torn(generation: TopicGeneration, position: ReaderPosition) -> str:
    return (
        f"{_name(generation)} partition {position.partition}: {position.group} has read up to {position.committed}, "
        f"but the log holds {position.first} to {position.end}"
    )


def _told(behind: Sequence[ReaderPosition], unread: int) -> str:
    groups = ", ".join(sorted({p.group for p in behind}))
    partitions = ", ".join(str(p) for p in sorted({p.partition for p in behind}))
    return f"waiting for {groups}: {unread} records to handle, in the partitions {partitions}"
