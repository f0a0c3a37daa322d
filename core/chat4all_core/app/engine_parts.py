"""What a process works with, and how each part is asked whether it can be used."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from chat4all_core.domain.errors import Reason, RetryableError, UnavailableError
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.ports.event_log import EventLog
from chat4all_core.ports.user_store import UserStore
from chat4all_core.ports.user_stream import UserStream

EVENT_LOG, STORES, STREAMS = "event_log", "stores", "streams"

Question = Callable[[], Awaitable[object]]
"""Returns when a part can be used, and raises why not."""

_PATIENCE = 5.0  # seconds that a part may take to answer

_NOBODY = UserId(ParticipantId("00000000-0000-0000-0000-000000000000"))


def engine_parts(log: EventLog, users: UserStore, streams: UserStream) -> Mapping[str, Question]:
    """The questions, by name. `users` stands for all the stores, which are of one engine."""

    async def can_append() -> None:
        if not await log.ready():
            raise UnavailableError(Reason.UNAVAILABLE, "no append can be expected to succeed", 1.0)

    return {EVENT_LOG: can_append, STORES: lambda: users.get(_NOBODY), STREAMS: lambda: streams.head(_NOBODY)}


async def reasons_away(parts: Mapping[str, Question]) -> Mapping[str, str]:
    """Of those parts that can't be used now: why."""
    reasons = await asyncio.gather(*map(_reason, parts.values()))
    return {name: reason for name, reason in zip(parts, reasons, strict=True) if reason is not None}


async def _reason(question: Question) -> str | None:
    try:
        async with asyncio.timeout(_PATIENCE):
            await question()
    except RetryableError as error:
        return error.message
    except TimeoutError:
        return f"no answer within {_PATIENCE:.0f} s"
    except Exception as error:  # such as rights that an account has lost
        return f"{type(error).__name__}: {error}"
    return None
