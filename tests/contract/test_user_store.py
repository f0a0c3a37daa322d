"""UserStore: accounts with unique names."""

import asyncio
import uuid
from dataclasses import replace

from engine_under_test import EngineUnderTest

from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.user import User
from chat4all_core.ports.engine import Engine


def new_user(username: str | None = None, email: str = "") -> User:
    """An account that nobody has."""
    user_id = uuid.uuid4()
    return User(
        UserId(ParticipantId(str(user_id))), username or f"U_{user_id.hex}", email, Timestamp(1_700_000_000_000_001)
    )


async def test_an_account_is_read_as_it_was_created(under_test: EngineUnderTest) -> None:
    """By id and by name without case, also when the engine is opened again; unknown ones are None."""
    user = new_user(email="ann@example.org")
    async with under_test.open() as engine:
        assert await engine.users.create(user, "hash")
    async with under_test.open() as engine:
        assert await engine.users.get(user.user_id) == user
        assert await engine.users.find(user.username.swapcase()) == (user, "hash")
        assert await engine.users.get(new_user().user_id) is None
        assert await engine.users.find("nobody") is None


async def test_a_name_is_given_once(engine: Engine) -> None:
    """Of many who register one name at the same time, in any case, one gets it, and the account stays theirs."""
    name = f"Name_{uuid.uuid4().hex}"
    users = [new_user(name.upper() if n % 2 else name.lower()) for n in range(10)]
    created = await asyncio.gather(*(engine.users.create(user, user.user_id) for user in users))
    assert created.count(True) == 1
    winner = users[created.index(True)]
    assert await engine.users.find(name) == (winner, winner.user_id)
    assert [await engine.users.get(user.user_id) for user in users if user != winner] == [None] * 9


async def test_an_account_becomes_an_admin(under_test: EngineUnderTest) -> None:
    """By its name without case, and none any more later, also when the engine is opened again; nobody else does."""
    user, other = new_user(), new_user()
    admin = replace(user, is_admin=True)
    async with under_test.open() as engine:
        for account in (user, other):
            await engine.users.create(account, "hash")
        assert await engine.users.set_admin(user.username.swapcase(), True) == admin
        assert await engine.users.set_admin("nobody", True) is None
        assert await engine.users.get(other.user_id) == other
    async with under_test.open() as engine:
        assert await engine.users.get(user.user_id) == admin
        assert await engine.users.find(user.username) == (admin, "hash")
        assert await engine.users.set_admin(user.username, False) == user
        assert await engine.users.get(user.user_id) == user


async def test_existing_ids_are_told_from_unknown_ones(engine: Engine) -> None:
    """`existing` gives those that are accounts, of however many are asked."""
    known = [new_user() for _ in range(3)]
    for user in known:
        await engine.users.create(user, "hash")
    asked = [user.user_id for user in known] + [new_user().user_id for _ in range(1_000)]
    assert set(await engine.users.existing(asked)) == {user.user_id for user in known}
    assert not await engine.users.existing([])
