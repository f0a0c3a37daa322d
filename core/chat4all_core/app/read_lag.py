"""Use case: see how far workers are behind what was appended."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from chat4all_core.domain.channel import ChannelName
from chat4all_core.ports.event_log import GROUPS, connector_group, delivery_requested
from chat4all_core.ports.generation_registry import GenerationRegistry
from chat4all_core.ports.log_admin import LogAdmin, ReaderPosition


class ReadLag:
    """Asks the log, not the workers: it is most wanted when none of them runs."""

    def __init__(self, *, registry: GenerationRegistry, log: LogAdmin, channels: Collection[ChannelName]) -> None:
        """`channels`: those on which the platform has an account."""
        self._registry = registry
        self._log = log
        self._groups: Mapping[str, Sequence[str]] = {
            **GROUPS,
            **{delivery_requested(channel): (connector_group(channel),) for channel in channels},
        }

    async def __call__(self) -> Sequence[ReaderPosition]:
        """Where every group is in every partition of what it reads.

        Raises:
            UnavailableError: it can't be known now.
        """
        registered = await self._registry.current()
        positions = await asyncio.gather(
            *(
                self._log.positions(registered[topic], groups)
                for topic, groups in self._groups.items()
                if topic in registered
            )
        )
        return [position for of_topic in positions for position in of_topic]
