"""Sessions that the command line saves and its processes share."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from command_line import CommandLine

from chat4all_sdk import AsyncClient, Session
from chat4all_sdk.cli.session_file import SessionFile

from .conftest import PASSWORD
from .memory_platform.server import MemoryPlatform


async def test_session_file_is_private(as_alice: CommandLine) -> None:
    """The saved session is readable by its owner alone."""
    path = as_alice.session_path()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


async def test_sessions_belong_to_a_server_and_a_profile(as_alice: CommandLine, bob: AsyncClient) -> None:
    """A session is used with its own server and its own profile only."""
    assert (await as_alice("--profile", "work", "whoami")).code == 3
    assert (await as_alice("--profile", "work", "login", "bob", password=PASSWORD)).code == 0
    assert (await as_alice("--profile", "work", "whoami", "--json")).json()[0]["username"] == "bob"
    assert (await as_alice("whoami", "--json")).json()[0]["username"] == "alice"
    assert (await as_alice("whoami", "--server", "localhost:1")).code == 3


async def test_expired_session_is_renewed_and_saved(platform: MemoryPlatform, as_alice: CommandLine) -> None:
    """A command with an expired token renews it, and the next one goes on with the new session."""
    before = as_alice.session_path().read_text()
    platform.state.expire_tokens()
    assert (await as_alice("whoami")).code == 0
    assert as_alice.session_path().read_text() != before
    assert (await as_alice("whoami")).code == 0
    assert len(platform.state.requests("RefreshToken")) == 1
    assert list(as_alice.session_path().parent.glob("tmp*")) == []


async def test_processes_share_one_renewal(platform: MemoryPlatform, as_alice: CommandLine) -> None:
    """Commands that run at the same time with an expired token use its refresh token once."""
    platform.state.expire_tokens()
    results = await asyncio.gather(*(as_alice("whoami") for _ in range(4)))
    assert [result.code for result in results] == [0] * 4
    assert len(platform.state.requests("RefreshToken")) == 1
    assert platform.state.revoked == set()


async def test_logout_without_a_server(platform: MemoryPlatform, as_alice: CommandLine) -> None:
    """Logging out forgets the session also when the server can't be reached."""
    await platform.kill()
    result = await as_alice("logout", "--timeout", "0.2", "--json")
    assert (result.code, result.json()) == (0, [{"logged_out": True, "revoked": False}])
    assert (await as_alice("whoami")).code == 3


def test_damaged_session_file_counts_as_none(tmp_path: Path) -> None:
    """A session file that can't be understood asks for a login instead of failing."""
    file = SessionFile(tmp_path, "default", "localhost:8080")
    file.save(Session("a", "b", datetime.now(UTC)))
    (path,) = tmp_path.glob("*.json")
    for content in ("", "{", "[]", '{"access_token": "a"}'):
        path.write_text(content)
        assert file.load() is None


async def test_session_file_is_locked(tmp_path: Path) -> None:
    """Only one holder at a time has the session to itself."""
    inside: list[int] = []

    async def hold(number: int, wait: Callable[[], Awaitable[None]]) -> None:
        async with SessionFile(tmp_path, "default", "localhost:8080").exclusive():
            inside.append(number)
            await wait()
            inside.remove(number)

    async def look() -> None:
        for _ in range(5):
            assert len(inside) == 1
            await asyncio.sleep(0)

    await asyncio.gather(*(hold(number, look) for number in range(3)))
