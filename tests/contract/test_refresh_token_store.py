"""RefreshTokenStore: tokens that are used once."""

import asyncio
import secrets
import uuid

from engine_under_test import EngineUnderTest

from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.refresh_token_store import RefreshTokenFamily, Rotation

NOW = system_clock()
LATER = Timestamp(NOW + 3_600 * SECOND)
MUCH_LATER = Timestamp(NOW + 7_200 * SECOND)


def new_family() -> RefreshTokenFamily:
    """A log-in."""
    return RefreshTokenFamily(str(uuid.uuid4()), UserId(ParticipantId(str(uuid.uuid4()))))


def new_hash() -> bytes:
    """A token's hash."""
    return secrets.token_bytes(32)


async def test_a_token_leads_to_its_successor(under_test: EngineUnderTest) -> None:
    """Rotation gives the family, and the successor can be rotated in turn, also when the engine is opened again."""
    family, first, second, third = new_family(), new_hash(), new_hash(), new_hash()
    async with under_test.open() as engine:
        await engine.refresh_tokens.add(family, first, LATER)
        assert await engine.refresh_tokens.rotate(first, second, NOW, LATER) == (Rotation.ROTATED, family)
    async with under_test.open() as engine:
        assert await engine.refresh_tokens.rotate(second, third, NOW, LATER) == (Rotation.ROTATED, family)


async def test_reuse_revokes_the_family(engine: Engine) -> None:
    """A token that comes a second time ends its whole family, and no other."""
    family, first, second = new_family(), new_hash(), new_hash()
    other, others_token = new_family(), new_hash()
    await engine.refresh_tokens.add(family, first, LATER)
    await engine.refresh_tokens.add(other, others_token, LATER)
    await engine.refresh_tokens.rotate(first, second, NOW, LATER)
    assert await engine.refresh_tokens.rotate(first, new_hash(), NOW, LATER) == (Rotation.REUSED, None)
    assert await engine.refresh_tokens.rotate(second, new_hash(), NOW, LATER) == (Rotation.UNKNOWN, None)
    assert await engine.refresh_tokens.rotate(others_token, new_hash(), NOW, LATER) == (Rotation.ROTATED, other)


async def test_of_two_uses_at_once_one_is_reuse(engine: Engine) -> None:
    """However close they come, one token is rotated at most once, and the second use is noticed."""
    family, first = new_family(), new_hash()
    await engine.refresh_tokens.add(family, first, LATER)
    outcomes = await asyncio.gather(*(engine.refresh_tokens.rotate(first, new_hash(), NOW, LATER) for _ in range(2)))
    assert sorted(rotation.name for rotation, _ in outcomes) == ["REUSED", "ROTATED"]


async def test_a_token_expires(engine: Engine) -> None:
    """An expired token is unknown, and one that has not expired stays good when others are purged."""
    expired, good = new_hash(), new_hash()
    await engine.refresh_tokens.add(new_family(), expired, Timestamp(NOW + 1))
    family = new_family()
    await engine.refresh_tokens.add(family, good, MUCH_LATER)
    assert await engine.refresh_tokens.rotate(expired, new_hash(), LATER, MUCH_LATER) == (Rotation.UNKNOWN, None)
    assert await engine.refresh_tokens.rotate(good, new_hash(), LATER, MUCH_LATER) == (Rotation.ROTATED, family)


async def test_revoking_ends_the_family(engine: Engine) -> None:
    """Any token of a family, used or not, ends it; revoking what is unknown does nothing."""
    family, first, second = new_family(), new_hash(), new_hash()
    await engine.refresh_tokens.add(family, first, LATER)
    await engine.refresh_tokens.rotate(first, second, NOW, LATER)
    await engine.refresh_tokens.revoke(new_hash())
    await engine.refresh_tokens.revoke(first)
    assert await engine.refresh_tokens.rotate(second, new_hash(), NOW, LATER) == (Rotation.UNKNOWN, None)
