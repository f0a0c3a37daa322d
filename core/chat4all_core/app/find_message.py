"""A message by its id, also when it was accepted only a moment ago."""

import asyncio

from chat4all_core.domain.errors import NotFoundError, Reason
from chat4all_core.domain.ids import MessageId
from chat4all_core.ports.message_store import MessagePosition, MessageStore

PATIENCE = 1.0
"""Seconds that a message may take from its acceptance to its row before its own sender is told NOT_FOUND."""

_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.1


async def find_message(messages: MessageStore, message_id: str) -> MessagePosition:
    """Where a message lies, waiting for it up to PATIENCE.

    Raises:
        NotFoundError: MESSAGE_NOT_FOUND.
    """
    wanted = MessageId(message_id.lower())
    pause = _FIRST_PAUSE
    try:
        async with asyncio.timeout(PATIENCE):
            while not (found := await messages.positions([wanted])):
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
    except TimeoutError:
        raise NotFoundError(Reason.MESSAGE_NOT_FOUND, "there is no such message", {"message_id": message_id}) from None
    return found[wanted]
