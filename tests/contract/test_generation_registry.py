"""GenerationRegistry: whoever writes, generations follow each other."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from engine_endpoints import engine_endpoints
from engine_under_test import unique
from memory_generation_registry import MemoryGenerationRegistry

from chat4all_core.ports.generation_registry import GenerationConflictError, GenerationRegistry, TopicGeneration

KINDS = ["memory", *(["cassandra"] if "cassandra" in engine_endpoints() else [])]


@pytest_asyncio.fixture(params=KINDS)
async def registry(request: pytest.FixtureRequest) -> AsyncIterator[GenerationRegistry]:
    """Each kind in turn."""
    if request.param == "memory":
        yield MemoryGenerationRegistry()
        return
    from chat4all_core.adapters.cassandra.generation_registry import open_generation_registry

    async with open_generation_registry(request.getfixturevalue("keyspace")) as registry:
        yield registry


@pytest.fixture
def first() -> TopicGeneration:
    """The first generation of a topic of its own."""
    return TopicGeneration(unique("topic"), 1, 12, "first")


def following(generation: TopicGeneration, partitions: int = 24) -> TopicGeneration:
    """The one after another."""
    number = generation.generation + 1
    return TopicGeneration(generation.topic, number, partitions, f"{number} with {partitions}")


async def test_generations_follow_sealed_ones(registry: GenerationRegistry, first: TopicGeneration) -> None:
    """A topic has the generation that was registered last; sealing changes nothing else, and is over with the next."""
    await registry.register(first)
    assert (await registry.current())[first.topic] == first
    await registry.seal(first)
    assert (await registry.current())[first.topic] == replace(first, sealed=True)
    await registry.register(second := following(first))
    assert (await registry.current())[first.topic] == second


async def test_doing_it_again_changes_nothing(registry: GenerationRegistry, first: TopicGeneration) -> None:
    """Whoever does not know whether a write was done does it again."""
    for _ in range(2):
        await registry.register(first)
    for _ in range(2):
        await registry.seal(first)
        await registry.seal(replace(first, sealed=True))
    for _ in range(2):
        await registry.register(second := following(first))
    assert (await registry.current())[first.topic] == second


async def test_what_does_not_follow_is_refused(registry: GenerationRegistry, first: TopicGeneration) -> None:
    """Nobody leaves generations out, opens one over another that is in use, seals what is not current, or goes back."""
    with pytest.raises(GenerationConflictError):
        await registry.register(following(first))
    with pytest.raises(GenerationConflictError):
        await registry.seal(first)
    await registry.register(first)
    with pytest.raises(GenerationConflictError):
        await registry.register(following(first))
    with pytest.raises(GenerationConflictError):
        await registry.seal(replace(first, identity="made anew"))
    await registry.seal(first)
    with pytest.raises(GenerationConflictError):
        await registry.register(following(following(first)))
    await registry.register(second := following(first))
    for earlier in (first, replace(first, identity="other")):
        with pytest.raises(GenerationConflictError):
            await registry.register(earlier)
        with pytest.raises(GenerationConflictError):
            await registry.seal(earlier)
    assert (await registry.current())[first.topic] == second


async def test_of_several_operators_one_wins(registry: GenerationRegistry, first: TopicGeneration) -> None:
    """Of those who open different next generations at once, one does, and the others are told."""
    await registry.register(first)
    await registry.seal(first)
    wishes = [following(first, partitions) for partitions in range(1, 6)]
    outcomes = await asyncio.gather(*(registry.register(wish) for wish in wishes), return_exceptions=True)
    won = [wish for wish, outcome in zip(wishes, outcomes, strict=True) if outcome is None]
    assert won == [(await registry.current())[first.topic]]
    assert all(isinstance(outcome, GenerationConflictError) for outcome in outcomes if outcome is not None)
