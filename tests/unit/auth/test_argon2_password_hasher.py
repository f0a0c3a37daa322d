"""Passwords."""

import asyncio
from collections.abc import Iterator

import pytest
from argon2 import Parameters, Type
from argon2.exceptions import VerificationError

from chat4all_core.adapters.auth.argon2_password_hasher import Argon2PasswordHasher
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.password_hasher import PasswordHasher

CHEAP = Parameters(type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def hasher() -> Iterator[PasswordHasher]:
    hasher = Argon2PasswordHasher(parameters=CHEAP)
    yield hasher
    hasher.close()


async def test_the_right_password_matches(hasher: PasswordHasher) -> None:
    """A hash matches its own password and no other."""
    password_hash = await hasher.hash("correct horse")
    assert await hasher.verify(password_hash, "correct horse")
    assert not await hasher.verify(password_hash, "correct horsf")


async def test_equal_passwords_have_different_hashes(hasher: PasswordHasher) -> None:
    """A hash is salted, so that it does not tell who shares a password."""
    assert await hasher.hash("correct horse") != await hasher.hash("correct horse")


async def test_no_account_is_no_match(hasher: PasswordHasher) -> None:
    """Without a hash no password matches."""
    assert not await hasher.verify(None, "correct horse")


async def test_a_hash_that_is_none_is_an_error(hasher: PasswordHasher) -> None:
    """A stored hash that can't be read is an error of the store, not a wrong password."""
    with pytest.raises(VerificationError):
        await hasher.verify("$argon2id$broken", "correct horse")


async def test_the_default_is_the_recommended_cost() -> None:
    """Hashes are made with the second recommendation of RFC 9106: 64 MiB, three passes, four lanes."""
    hasher = Argon2PasswordHasher()
    assert (await hasher.hash("correct horse")).startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    hasher.close()


async def test_a_hash_of_other_parameters_still_matches(hasher: PasswordHasher) -> None:
    """Parameters may change: a hash carries its own."""
    dearer = Argon2PasswordHasher()
    password_hash = await dearer.hash("correct horse")
    dearer.close()
    assert await hasher.verify(password_hash, "correct horse")


async def test_too_many_at_once_are_refused() -> None:
    """Those who would wait behind too many others are told to come again, and the rest are served."""
    hasher = Argon2PasswordHasher(threads=1, max_waiting=1)
    calls = [asyncio.create_task(hasher.hash("correct horse")) for _ in range(20)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, UnavailableError)]
    served = [outcome for outcome in outcomes if isinstance(outcome, str)]
    assert len(served) >= 2
    assert refused
    assert len(served) + len(refused) == 20
    assert await hasher.hash("correct horse")  # there is room again
    hasher.close()


async def test_callers_who_give_up_leave_no_gap() -> None:
    """The places of cancelled calls are free again once their work has ended or was dropped."""
    hasher = Argon2PasswordHasher(threads=1, max_waiting=2)
    first, second, last = (asyncio.create_task(hasher.hash("correct horse")) for _ in range(3))
    await asyncio.sleep(0)  # all have taken their places
    first.cancel()
    second.cancel()
    await last  # the thread is done with those before it
    assert all(await asyncio.gather(*(hasher.hash("correct horse") for _ in range(3))))
    hasher.close()
