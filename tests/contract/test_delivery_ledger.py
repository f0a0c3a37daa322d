"""DeliveryLedger: who may tell a channel, and how it ended."""

import asyncio
import uuid

import pytest
from engine_under_test import EngineUnderTest

from chat4all_core.domain.channel import ProviderId
from chat4all_core.domain.delivery import DeliveryFailure, DeliveryId
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.delivery_ledger import Claim, LedgerKey, Settlement
from chat4all_core.ports.engine import Engine

SENT = Settlement(DeliveryState.SENT, Timestamp(5), ProviderId("wamid.1"))
FAILED = Settlement(DeliveryState.FAILED, Timestamp(6), failure=DeliveryFailure("131026", "no such number", "ask"))
UNKNOWN = Settlement(DeliveryState.UNKNOWN, Timestamp(7))


def new_key(part: int = 0) -> LedgerKey:
    """Of a delivery that nobody knows."""
    return LedgerKey(DeliveryId(str(uuid.uuid4())), 1, part)


def claim(owner: str = "one") -> Claim:
    """By somebody."""
    return Claim(owner, Timestamp(1_000))


async def test_only_the_first_claim_holds(engine: Engine) -> None:
    """Of many who claim a part at once, one gets it; the others, and whoever looks, are told whose it is."""
    key = new_key()
    assert await engine.ledger.find(key) is None
    claims = [claim(str(number)) for number in range(8)]
    answers = await asyncio.gather(*(engine.ledger.claim(key, each) for each in claims))
    winner = claims[answers.index(None)]
    assert [answer for answer in answers if answer is not None] == [winner] * 7
    assert await engine.ledger.find(key) == winner


async def test_one_s_own_claim_is_recognised(engine: Engine) -> None:
    """Who claims again, not knowing how the first try ended, is given their own claim."""
    key = new_key()
    assert await engine.ledger.claim(key, claim()) is None
    assert await engine.ledger.claim(key, Claim("one", Timestamp(2_000))) == claim()


async def test_parts_and_attempts_are_apart(engine: Engine) -> None:
    """Each part of each attempt is claimed for itself."""
    key = new_key()
    for each in (key, LedgerKey(key.delivery_id, 1, 1), LedgerKey(key.delivery_id, 2, 0)):
        assert await engine.ledger.claim(each, claim()) is None


async def test_what_nobody_tells_can_be_recorded(under_test: EngineUnderTest) -> None:
    """Without a claim, once or twice; it is found also when the engine is opened again."""
    key = new_key()
    async with under_test.open() as engine:
        for _ in range(2):
            await engine.ledger.record(key, SENT)
    async with under_test.open() as engine:
        assert await engine.ledger.find(key) == SENT


@pytest.mark.parametrize("settlement", [SENT, FAILED, UNKNOWN], ids=["sent", "failed", "unknown"])
async def test_a_settlement_stands(under_test: EngineUnderTest, settlement: Settlement) -> None:
    """What was settled is found with all that it says, also when the engine is opened again, and can't be claimed."""
    key = new_key()
    async with under_test.open() as engine:
        await engine.ledger.claim(key, claim())
        await engine.ledger.settle(key, settlement)
    async with under_test.open() as engine:
        assert await engine.ledger.find(key) == settlement
        assert await engine.ledger.claim(key, claim("other")) == settlement
        await engine.ledger.release(key, "one")
        assert await engine.ledger.find(key) == settlement


@pytest.mark.parametrize("final", [SENT, FAILED], ids=["sent", "failed"])
async def test_what_is_known_is_final(engine: Engine, final: Settlement) -> None:
    """UNKNOWN yields to what is known, and that yields to nothing."""
    key = new_key()
    await engine.ledger.claim(key, claim())
    await engine.ledger.settle(key, UNKNOWN)
    await engine.ledger.settle(key, final)
    for late in (UNKNOWN, SENT, FAILED):
        await engine.ledger.settle(key, late)
    assert await engine.ledger.find(key) == final


async def test_what_nobody_has_claimed_is_not_settled(engine: Engine) -> None:
    """Settling makes no entry."""
    key = new_key()
    await engine.ledger.settle(key, SENT)
    assert await engine.ledger.find(key) is None


async def test_a_claim_is_given_back_by_its_owner_alone(engine: Engine) -> None:
    """A part that was given back may be claimed anew, again and again; nobody gives back what is another's."""
    key = new_key()
    for owner in ("one", "two", "three"):
        assert await engine.ledger.claim(key, claim(owner)) is None
        await engine.ledger.release(key, "somebody else")
        assert await engine.ledger.find(key) == claim(owner)
        await engine.ledger.release(key, owner)
        assert await engine.ledger.find(key) is None
