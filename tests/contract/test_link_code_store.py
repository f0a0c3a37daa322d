"""LinkCodeStore: codes that were sent to addresses."""

import asyncio

from channel_people import new_address, new_user
from engine_under_test import EngineUnderTest

from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.link_code_store import LinkCode

NOW = system_clock()
LATER = Timestamp(NOW + 600 * SECOND)


async def test_a_code_can_be_tried_so_often(under_test: EngineUnderTest) -> None:
    """Each try gives the hash, also when the engine is opened again, until all are used up."""
    code = LinkCode(new_user(), new_address(), b"hash", LATER)
    async with under_test.open() as engine:
        await engine.link_codes.put(code, tries=2)
        assert await engine.link_codes.take_try(code.user_id, code.address, NOW) == b"hash"
    async with under_test.open() as engine:
        assert await engine.link_codes.take_try(code.user_id, code.address, NOW) == b"hash"
        assert await engine.link_codes.take_try(code.user_id, code.address, NOW) is None


async def test_tries_at_once_are_counted(engine: Engine) -> None:
    """However many try at the same time, no more succeed than may."""
    code = LinkCode(new_user(), new_address(), b"hash", LATER)
    await engine.link_codes.put(code, tries=3)
    answers = await asyncio.gather(
        *(engine.link_codes.take_try(code.user_id, code.address, NOW) for _ in range(6)), return_exceptions=True
    )
    assert answers.count(b"hash") <= 3


async def test_the_newest_code_counts(engine: Engine) -> None:
    """A new code replaces the one before with new tries, for its user and address alone."""
    code = LinkCode(new_user(), new_address(), b"old", LATER)
    await engine.link_codes.put(code, tries=1)
    await engine.link_codes.take_try(code.user_id, code.address, NOW)
    await engine.link_codes.put(LinkCode(code.user_id, code.address, b"new", LATER), tries=1)
    assert await engine.link_codes.take_try(new_user(), code.address, NOW) is None
    assert await engine.link_codes.take_try(code.user_id, new_address(), NOW) is None
    assert await engine.link_codes.take_try(code.user_id, code.address, NOW) == b"new"


async def test_codes_end(engine: Engine) -> None:
    """A code that has expired, and one that was dropped, is none; dropping what is not there does nothing."""
    code = LinkCode(new_user(), new_address(), b"hash", LATER)
    await engine.link_codes.put(code, tries=5)
    assert await engine.link_codes.take_try(code.user_id, code.address, LATER) is None
    await engine.link_codes.forget(code.user_id, code.address)
    assert await engine.link_codes.take_try(code.user_id, code.address, NOW) is None
    await engine.link_codes.forget(new_user(), code.address)
