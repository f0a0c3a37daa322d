"""IdentityStore: whose an address is."""

import asyncio

from channel_people import new_address, new_user
from engine_under_test import EngineUnderTest

from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.identity_store import Identity

NOW = Timestamp(1_700_000_000_000_001)


async def test_a_linked_address_is_found(under_test: EngineUnderTest) -> None:
    """By its owner, and the owner by it, also when the engine is opened again; of others nothing is found."""
    ann, ben, cid = new_user(), new_user(), new_user()
    telegram, whatsapp, bens = new_address("telegram"), new_address(), new_address()
    async with under_test.open() as engine:
        for user, address in ((ann, whatsapp), (ann, telegram), (ben, bens)):
            assert await engine.identities.link(Identity(user, address, NOW)) == Identity(user, address, NOW)
    async with under_test.open() as engine:
        assert await engine.identities.owner(whatsapp) == ann
        assert await engine.identities.owner(new_address()) is None
        assert await engine.identities.identities_of([ann, ben, cid]) == {
            ann: [Identity(ann, telegram, NOW), Identity(ann, whatsapp, NOW)],
            ben: [Identity(ben, bens, NOW)],
        }
        assert await engine.identities.identities_of([]) == {}


async def test_an_address_has_one_owner(engine: Engine) -> None:
    """Of many who link one address at once one gets it, all are told who, and nobody else is found at it."""
    address = new_address()
    users = [new_user() for _ in range(8)]
    answers = await asyncio.gather(*(engine.identities.link(Identity(user, address, NOW)) for user in users))
    (winner,) = {answer.user_id for answer in answers}
    assert await engine.identities.owner(address) == winner
    assert list(await engine.identities.identities_of(users)) == [winner]
    later = Timestamp(NOW + 5)
    assert await engine.identities.link(Identity(winner, address, later)) == Identity(winner, address, NOW)


async def test_an_address_is_given_up(engine: Engine) -> None:
    """Only its owner can unlink an address, once; then another may link it, and later the first one again."""
    ann, ben, address = new_user(), new_user(), new_address()
    await engine.identities.link(Identity(ann, address, NOW))
    assert not await engine.identities.unlink(ben, address)
    assert await engine.identities.unlink(ann, address)
    assert not await engine.identities.unlink(ann, address)
    assert await engine.identities.owner(address) is None
    assert (await engine.identities.link(Identity(ben, address, NOW))).user_id == ben
    assert list(await engine.identities.identities_of([ann, ben])) == [ben]
    assert await engine.identities.unlink(ben, address)
    assert (await engine.identities.link(Identity(ann, address, NOW))).user_id == ann
    assert list(await engine.identities.identities_of([ann, ben])) == [ann]
