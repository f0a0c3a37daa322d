"""Moving a topic to its next generation, interrupted between any two steps."""

import random

import pytest
from moving_topic import GROUP, TOPIC, KilledError, MovingTopic, violations

from chat4all_core.app.open_generation import OpenGeneration, TopicLostError, TopicUnknownError
from chat4all_core.ports.generation_registry import GenerationConflictError

SCHEDULES = 150


async def moved(seed: int, *, is_fenced: bool = True) -> MovingTopic:
    """A topic that was moved from 3 to 5 to 2 partitions while the command was killed up to eight times."""
    topic = MovingTopic(random.Random(seed), kills=8, is_fenced=is_fenced)
    await topic.begin(3)
    for partitions in (5, 2):
        for _ in range(30):
            await topic.act()
        await topic.command(partitions)
    await topic.finish()
    return topic


async def test_nothing_is_lost_or_reordered_whenever_it_is_killed() -> None:
    """Whatever servers and workers do between its steps and wherever it is killed, what was acknowledged is handled,
    in order, and each command that is repeated opens one generation."""
    for seed in range(SCHEDULES):
        topic = await moved(seed)
        assert violations(topic) == [], seed
        current = (await topic.registry.current())[TOPIC]
        assert (current.generation, current.partitions, current.sealed) == (3, 2, False)
        assert topic.acknowledged


async def test_without_the_log_s_own_refusal_records_are_lost() -> None:
    """The simulation finds what is wrong: a seal that only well-behaved servers keep to loses records."""
    assert any([violations(await moved(seed, is_fenced=False)) for seed in range(SCHEDULES)])


async def test_done_again_it_does_nothing() -> None:
    """A command that has succeeded changes nothing when it is repeated, with or without --lost."""
    topic = MovingTopic(random.Random(1), kills=0)
    await topic.begin(3)
    opened = await topic.command(5)
    assert await topic.command(5) == opened
    assert await topic.command(5, lost=True) == opened


async def test_a_topic_that_is_gone_is_succeeded_only_when_told_to() -> None:
    """Without --lost nothing is changed for a topic that is gone; with it the next generation is opened."""
    topic = MovingTopic(random.Random(1), kills=3)
    await topic.begin(3)
    del topic.places[1]
    before = await topic.registry.current()
    with pytest.raises(TopicLostError, match="missing"):
        await topic.command(3)
    assert await topic.registry.current() == before
    assert (await topic.command(3, lost=True)).generation == 2
    await topic.finish()
    assert topic.acknowledged
    assert violations(topic) == []


async def test_a_partition_that_is_torn_is_given_up_and_the_others_are_not() -> None:
    """A partition whose readers have come further than the log is named; with --lost the command waits for the
    others to be read to their ends, not for it."""
    topic = MovingTopic(random.Random(1), kills=0)
    await topic.begin(3)
    place = topic.places[1]
    place.partitions = [[("key-a", n) for n in range(1, 20)] for _ in range(3)]
    place.committed = [0, 50, 0]
    topic.servers.clear()
    told: list[str] = []
    command = OpenGeneration(registry=topic.registry, log=topic, tell=told.append, sleep=topic.step)
    with pytest.raises(TopicLostError, match=rf"partition 1: {GROUP} has read up to 50, but the log holds 0 to 19"):
        await command(TOPIC, 3)
    assert (await command(TOPIC, 3, lost=True)).generation == 2
    assert place.committed == [21, 50, 21]
    assert any("given up" in line for line in told)


async def test_nothing_is_sealed_before_its_readers_show_up() -> None:
    """While nobody handles one of the partitions, even an empty one, the command waits, and senders go on."""
    topic = MovingTopic(random.Random(1), kills=0)
    await topic.begin(3)
    waits: list[str] = []

    async def sleep(_: float) -> None:
        if len(waits) >= 2:
            raise KilledError

    command = OpenGeneration(registry=topic.registry, log=topic, tell=waits.append, sleep=sleep)
    topic.servers.clear()
    topic.stopped = True
    with pytest.raises(KilledError):
        await command(TOPIC, 5)
    assert all(GROUP in line for line in waits)
    assert not (await topic.registry.current())[TOPIC].sealed


async def test_another_operator_s_wish_is_not_overridden() -> None:
    """A second command with other partitions is refused while the first has begun."""
    topic = MovingTopic(random.Random(1), kills=0)
    await topic.begin(3)
    await topic.create(TOPIC, 2, 5)
    with pytest.raises(GenerationConflictError):
        await topic.command(6)


async def test_a_topic_that_was_never_made_is_named() -> None:
    """There is nothing to move where nothing was set up."""
    topic = MovingTopic(random.Random(1), kills=0)
    with pytest.raises(TopicUnknownError, match="set-up"):
        await topic.command(3)


async def test_a_topic_whose_readers_are_not_known_is_not_moved() -> None:
    """Nobody could say when everything in it was handled."""
    topic = MovingTopic(random.Random(1), kills=0)
    command = OpenGeneration(registry=topic.registry, log=topic, tell=print, sleep=topic.step)
    with pytest.raises(TopicUnknownError, match="elsewhere"):
        await command("elsewhere", 3)
