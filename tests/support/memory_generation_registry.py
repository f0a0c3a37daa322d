"""The registry of the log's generations in memory, for one process."""

from collections.abc import Mapping
from dataclasses import replace

from chat4all_core.ports.generation_registry import GenerationConflictError, TopicGeneration


class MemoryGenerationRegistry:
    """Implements GenerationRegistry."""

    def __init__(self, *generations: TopicGeneration) -> None:
        self._current = {generation.topic: generation for generation in generations}

    async def current(self) -> Mapping[str, TopicGeneration]:
        """See GenerationRegistry.current."""
        return dict(self._current)

    async def seal(self, generation: TopicGeneration) -> None:
        """See GenerationRegistry.seal."""
        current = self._current.get(generation.topic)
        if current is None or replace(current, sealed=generation.sealed) != generation:
            raise GenerationConflictError(f"{generation} is not the current one: {current}")
        self._current[generation.topic] = replace(generation, sealed=True)

    async def register(self, opened: TopicGeneration) -> None:
        """See GenerationRegistry.register."""
        current = self._current.get(opened.topic)
        if current == opened:
            return
        follows = opened.generation == 1 if current is None else opened.generation == current.generation + 1
        if not follows or (current is not None and not current.sealed):
            raise GenerationConflictError(f"{opened} does not follow {current}")
        self._current[opened.topic] = opened
