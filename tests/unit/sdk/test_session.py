"""Sessions: renewed once, never with a refresh token that was used."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import grpc
import pytest

from chat4all_sdk import AsyncClient, LoginRequired, Session, Unauthenticated, Unavailable

from .conftest import PASSWORD
from .memory_platform.refusal import Refusal, connection_lost, unavailable
from .memory_platform.server import MemoryPlatform


def expiring(session: Session | None) -> Session:
    """The same session a moment before its expiry."""
    assert session is not None
    return replace(session, expires_at=datetime.now(UTC))


async def test_one_refresh_serves_fifty_calls(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """Fifty concurrent calls with an expired token cause one refresh, and all succeed."""
    platform.state.expire_tokens()
    users = await asyncio.gather(*(alice.me() for _ in range(50)))
    assert len({user.user_id for user in users}) == 1
    assert len(platform.state.requests("RefreshToken")) == 1


async def test_late_refusals_do_not_refresh_again(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A call refused for the old token after another has renewed it goes on with the new one."""
    gate = platform.hold("FindUser")
    platform.state.expire_tokens()
    late = asyncio.create_task(alice.find_user("alice"))
    await platform.state.wait_until(lambda: platform.state.requests("FindUser"))
    await alice.me()
    gate.set()
    await late
    assert len(platform.state.requests("RefreshToken")) == 1


async def test_rotation(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """Each renewal uses the refresh token of the one before, and none twice."""
    for _ in range(4):
        platform.state.expire_tokens()
        await alice.me()
    used = [request.refresh_token for request in platform.state.requests("RefreshToken")]
    assert len(used) == len(set(used)) == 4
    assert platform.state.revoked == set()


async def test_renewal_before_expiry(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A token about to expire is renewed before the call goes out."""
    async with AsyncClient(platform.target, session=expiring(alice.session)) as client:
        await client.me()
    assert [name for name, _ in platform.state.calls][-2:] == ["RefreshToken", "GetCurrentUser"]


async def test_session_changes_are_told(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """The hook sees every new session and the log-out; a saved session goes on in another client."""
    seen: list[Session | None] = []
    async with AsyncClient(platform.target, on_session_change=seen.append) as client:
        await client.login("alice", PASSWORD)
        platform.state.expire_tokens()
        await client.me()
    async with AsyncClient(platform.target, session=seen[-1], on_session_change=seen.append) as client:
        assert (await client.me()).username == "alice"
        await client.logout()
        with pytest.raises(LoginRequired):
            await client.me()
    assert [session is not None for session in seen] == [True, True, False]
    assert len(platform.state.revoked) == 1


async def test_lost_refresh_asks_for_a_login(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """When the answer to a refresh gets lost its token is not used again: a new login is asked for."""
    platform.state.expire_tokens()
    platform.fail("RefreshToken", connection_lost(), after=True)
    for _ in range(3):
        with pytest.raises(LoginRequired, match="log in again"):
            await alice.me()
    assert len(platform.state.requests("RefreshToken")) == 1
    await alice.login("alice", PASSWORD)
    await alice.me()


async def test_refused_refresh_asks_for_a_login(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A refresh token that the server no longer takes leads to a login, not to a loop."""
    assert alice.session is not None
    platform.state.refresh.clear()
    platform.state.expire_tokens()
    for _ in range(3):
        with pytest.raises(LoginRequired, match="REFRESH_TOKEN_INVALID"):
            await alice.me()
    assert len(platform.state.requests("RefreshToken")) == 1


async def test_unused_refresh_token_is_kept(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A refresh that the server says it did not do is tried again with the same token."""
    platform.state.expire_tokens()
    platform.fail("RefreshToken", unavailable())
    await alice.me()
    used = [request.refresh_token for request in platform.state.requests("RefreshToken")]
    assert len(used) == 2
    assert len(set(used)) == 1


async def test_unreachable_server_keeps_the_session(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A server that can't be reached does not cost the session: it goes on when the server is back."""
    session = expiring(alice.session)
    await platform.kill()
    async with AsyncClient(platform.target, session=session, timeout=0.3) as client:
        with pytest.raises(Unavailable):
            await client.me()
        await platform.start()
        await asyncio.wait_for(_until_reached(client), 10)
    assert len(platform.state.requests("RefreshToken")) == 1


async def _until_reached(client: AsyncClient) -> None:
    while True:
        try:
            await client.me()
        except Unavailable:
            continue
        return


async def test_failed_early_renewal_uses_the_valid_token(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """While the access token is valid a renewal that fails does not stop calls."""
    assert alice.session is not None
    soon = replace(alice.session, expires_at=datetime.now(UTC) + timedelta(seconds=2))
    platform.fail("RefreshToken", Refusal(grpc.StatusCode.INTERNAL, reason="INTERNAL_ERROR"))
    async with AsyncClient(platform.target, session=soon) as client:
        while not platform.state.requests("RefreshToken"):
            await client.me()
        await client.me()
    assert len(platform.state.requests("RefreshToken")) == 1


async def test_cancelled_caller_does_not_lose_the_refresh(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A caller that gives up during a refresh leaves it running, so the session stays usable."""
    gate = platform.hold("RefreshToken")
    platform.state.expire_tokens()
    call = asyncio.create_task(alice.me())
    await platform.state.wait_until(lambda: platform.state.requests("RefreshToken"))
    call.cancel()
    await asyncio.wait([call])
    gate.set()
    await alice.me()
    assert len(platform.state.requests("RefreshToken")) == 1


async def test_closing_waits_for_the_refresh(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A client that closes during a refresh still learns and tells the new session."""
    seen: list[Session | None] = []
    gate = platform.hold("RefreshToken")
    session = expiring(alice.session)
    client = await AsyncClient(platform.target, session=session, on_session_change=seen.append).open()
    call = asyncio.create_task(client.me())
    await platform.state.wait_until(lambda: platform.state.requests("RefreshToken"))
    call.cancel()
    closing = asyncio.create_task(client.close())
    gate.set()
    await closing
    assert [s.refresh_token for s in seen if s] == [client.session.refresh_token]


async def test_wrong_password_is_no_lost_session(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """Wrong credentials are Unauthenticated with their reason, and keep the present session."""
    with pytest.raises(Unauthenticated, match="CREDENTIALS_INVALID") as caught:
        await alice.login("alice", "wrong horse")
    assert not isinstance(caught.value, LoginRequired)
    await alice.me()


def test_tokens_are_not_printed() -> None:
    """The text form of a session does not give its tokens away."""
    assert "secret" not in repr(Session("secret-access", "secret-refresh", datetime.now(UTC)))
