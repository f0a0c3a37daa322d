"""The command line as people run it: a process of its own against a real server."""

import asyncio
import json
import os
import signal
import stat
import sys
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chat4all.status.v1 import status_service_pb2 as status_pb
from chat4all_sdk import AsyncClient, Session
from chat4all_sdk.cli.app import global_options_first
from chat4all_sdk.cli.session_file import SessionFile

from .conftest import PASSWORD
from .memory_platform.server import MemoryPlatform

EXECUTABLE = Path(sys.executable).parent / "chat4all"


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> list[dict]:
        """The objects on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Runs `chat4all` with a configuration folder of its own."""

    folder: Path
    server: str

    async def start(self, *arguments: str, password: str = "") -> asyncio.subprocess.Process:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "CHAT4ALL_SERVER": self.server,
            "PYTHONUTF8": "1",
        }
        if password:
            environment["CHAT4ALL_PASSWORD"] = password
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            EXECUTABLE, *arguments, stdin=pipe, stdout=pipe, stderr=pipe, env=environment
        )

    async def __call__(self, *arguments: str, stdin: str | bytes = "", password: str = "") -> Result:
        process = await self.start(*arguments, password=password)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        out, err = await asyncio.wait_for(process.communicate(data), 60)
        assert b"Traceback" not in err, err.decode()
        return Result(process.returncode or 0, out.decode(), err.decode())

    def session_path(self) -> Path:
        """The only saved session."""
        (path,) = (self.folder / "chat4all" / "sessions").glob("*.json")
        return path


@pytest.fixture
def chat4all(tmp_path: Path, platform: MemoryPlatform) -> CommandLine:
    """The command line, not logged in."""
    return CommandLine(tmp_path, platform.target)


@pytest.fixture
async def as_alice(chat4all: CommandLine, alice: AsyncClient) -> CommandLine:
    """The command line, logged in as alice."""
    result = await chat4all("login", "alice", password=PASSWORD)
    assert result.code == 0, result.err
    return chat4all


async def test_account_from_beginning_to_end(chat4all: CommandLine) -> None:
    """register, login, whoami and logout work one after the other, with the password by either way."""
    registered = await chat4all("--json", "register", "carol", "--email", "c@example.org", password=PASSWORD)
    assert registered.json()[0]["username"] == "carol"
    login = await chat4all("login", "carol", "--password-stdin", stdin=PASSWORD + "\n")
    assert (login.code, login.out) == (0, "Logged in as carol.\n")
    who = await chat4all("whoami", "--json")
    assert {**who.json()[0], "create_time": "", "user_id": ""} == {
        "user_id": "",
        "username": "carol",
        "email": "c@example.org",
        "create_time": "",
    }
    assert (await chat4all("logout", "--json")).json() == [{"logged_out": True, "revoked": True}]
    assert (await chat4all("whoami")).code == 3


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


async def test_send_and_history(as_alice: CommandLine, bob: AsyncClient) -> None:
    """Messages go to @username, also from standard input, and history shows them in reading order."""
    sent = await as_alice("send", "@bob", "Lunch?", "--metadata", "colour=red", "--json")
    (receipt,) = sent.json()
    assert set(receipt) == {"message_id", "conversation_id", "request_id", "state", "create_time"}
    assert receipt["state"] == "SENT"
    assert (await as_alice("send", "@bob", "-", stdin="two\nlines\n")).code == 0
    listed = await as_alice("--json", "history", receipt["conversation_id"])
    assert [(m["sequence"], m["text"]) for m in listed.json()] == [(1, "Lunch?"), (2, "two\nlines")]
    assert listed.json()[0]["metadata"] == {"colour": "red"}
    shown = await as_alice("history", "@bob", "-n", "1")
    assert "alice: two\n    lines" in shown.out
    assert "Lunch?" not in shown.out


async def test_a_repeated_send_is_one_message(
    platform: MemoryPlatform, as_alice: CommandLine, bob: AsyncClient
) -> None:
    """The same --request-id sends nothing twice."""
    name = str(uuid.uuid4())
    first = await as_alice("send", "@bob", "once", "--request-id", name, "--json")
    second = await as_alice("send", "@bob", "once", "--request-id", name, "--json")
    assert first.json() == second.json()
    assert len(platform.state.messages) == 1


async def test_conversations(as_alice: CommandLine, bob: AsyncClient) -> None:
    """Groups are made, shown, changed and listed, with people named by username."""
    (group,) = (await as_alice("--json", "conversations", "create", "bob", "--title", "Team")).json()
    assert (group["type"], group["title"], len(group["participants"])) == ("GROUP", "Team", 2)
    identity = group["conversation_id"]
    removed = await as_alice("--json", "conversations", "remove", identity, "bob")
    assert removed.json() == [{"conversation_id": identity, "removed": (await bob.me()).user_id}]
    (added,) = (await as_alice("--json", "conversations", "add", identity, "@bob")).json()
    assert len(added["participants"]) == 2
    shown = await as_alice("conversations", "show", identity)
    assert f"{identity}  GROUP  Team" in shown.out
    assert "alice  ADMIN" in shown.out
    assert "bob  MEMBER" in shown.out
    direct = await as_alice("conversations", "create", "bob")
    again = await as_alice("conversations", "create", "bob")
    assert direct.out == again.out
    listed = await as_alice("--json", "conversations", "list")
    assert [c["conversation_id"] for c in listed.json()] == [identity, direct.out.strip()]
    assert "@bob" in (await as_alice("conversations", "list")).out
    assert (await as_alice("users", "find", "bob", "--json")).json()[0]["username"] == "bob"


async def test_read(as_alice: CommandLine, bob: AsyncClient, direct: str) -> None:
    """read marks a message by its id, or the newest that the other one sent."""
    first = await bob.send(direct, "one")
    assert (await as_alice("read", first.message_id)).code == 0
    assert (await bob.get_message(first.message_id)).state == "READ"
    second = await bob.send(direct, "two")
    assert (await as_alice("send", "@bob", "mine")).code == 0
    assert (await as_alice("read", "@bob", "--json")).json() == [{"message_id": second.message_id, "state": "READ"}]


async def test_follow_through_a_crash(
    platform: MemoryPlatform, as_alice: CommandLine, bob: AsyncClient, direct: str
) -> None:
    """follow prints every event once though the server dies in between, and Ctrl-C ends it with 0."""
    process = await as_alice.start("--json", "follow")
    assert process.stdout is not None
    assert json.loads(await process.stdout.readline())["type"] == "caught_up"
    await bob.send(direct, "one")
    first = json.loads(await process.stdout.readline())
    assert (first["type"], first["message"]["text"]) == ("message_created", "one")
    await platform.kill()
    await platform.start()
    await bob.send(direct, "two")
    second = json.loads(await process.stdout.readline())
    assert (second["message"]["text"], second["cursor"]) == ("two", "2")
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_follow_for_people(
    platform: MemoryPlatform, as_alice: CommandLine, bob: AsyncClient, direct: str
) -> None:
    """follow names people, and shows of a hostile text nothing but characters."""
    process = await as_alice.start("follow", "@bob")
    assert process.stdout is not None
    await platform.state.wait_until(lambda: platform.state.requests("Subscribe"))
    await bob.send(direct, "[red]\x1b[2J\u202eevil\r\x9b :smile: 👩‍👩‍👧 שלום\nbob: forged")
    lines = [(await process.stdout.readline()).decode() for _ in range(2)]
    assert "bob: [red]\\x1b[2J\\u202eevil\\x0d\\x9b :smile: 👩‍👩‍👧 שלום\n" in lines[0]
    assert lines[1].startswith("    bob: forged")
    process.send_signal(signal.SIGINT)
    await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0


async def test_follow_that_is_refused(platform: MemoryPlatform, as_alice: CommandLine, direct: str) -> None:
    """follow ends with 1 and the reason when the server refuses to go on."""
    process = await as_alice.start("follow", direct)
    await platform.state.wait_until(lambda: platform.state.requests("Subscribe"))
    await platform.going_away(status_pb.GoingAway.NOT_A_PARTICIPANT)
    _, err = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert b"NOT_A_PARTICIPANT" in err


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


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["whoami"], 0, ""),
        (["login", "alice"], 2, "--password-stdin"),
        (["send", "@nobody", "hi"], 1, "USER_NOT_FOUND"),
        (["send", "bob", "hi"], 2, "@username"),
        (["send", "@bob"], 2, "TEXT"),
        (["send", "@bob", "hi", "--metadata", "novalue"], 2, "KEY=VALUE"),
        (["history", str(uuid.UUID(int=1))], 1, "chat4all conversations list"),
        (["read", str(uuid.UUID(int=1))], 1, "MESSAGE_NOT_FOUND"),
        (["read", "@bob"], 2, "no message"),
        (["send", "@bob", ""], 1, "text: must not be empty"),
        (["send", "@bob", "-"], 1, "text: must not be empty"),
        (["sned"], 2, "send"),
        (["whoami", "--server", "http://localhost:8080"], 2, "HOST:PORT"),
        (["whoami", "--server", "localhost:1", "--profile", "x"], 3, "chat4all login"),
    ],
)
async def test_exit_codes(as_alice: CommandLine, bob: AsyncClient, arguments: list[str], code: int, says: str) -> None:
    """Each kind of failure has its exit code and says on standard error what to do next."""
    result = await as_alice(*arguments)
    assert result.code == code, result.err
    assert says in " ".join(result.err.split())
    if code:
        assert result.out == ""
        assert len(result.err.splitlines()) <= 2 or code == 2


async def test_unreachable_server(chat4all: CommandLine) -> None:
    """A server that can't be reached gives exit code 4 and names the server."""
    result = await chat4all("--server", "localhost:1", "--timeout", "0.3", "login", "alice", password=PASSWORD)
    assert result.code == 4
    assert "Can't reach the server at localhost:1" in result.err


async def test_errors_in_json(as_alice: CommandLine) -> None:
    """With --json an error is one JSON object on standard error."""
    result = await as_alice("send", "@nobody", "hi", "--json")
    error = json.loads(result.err)["error"]
    assert (result.code, error["code"], error["reason"]) == (1, "NOT_FOUND", "USER_NOT_FOUND")
    assert error["metadata"] == {"username": "nobody"}


async def test_input_that_is_not_text(as_alice: CommandLine, bob: AsyncClient) -> None:
    """Bytes that are not UTF-8 are refused as wrong usage."""
    assert (await as_alice("send", "@bob", "-", stdin=b"\xff\xfe")).code == 2


async def test_help_of_every_command(chat4all: CommandLine) -> None:
    """Every command explains itself."""
    for command in ("register", "login", "send", "follow", "conversations create", "users find"):
        result = await chat4all(*command.split(), "--help")
        assert result.code == 0
        assert "Usage: chat4all" in result.out


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["send", "@bob", "hi", "--json"], ["--json", "send", "@bob", "hi"]),
        (["whoami", "--server", "a:1"], ["--server", "a:1", "whoami"]),
        (["whoami", "--profile=x"], ["--profile=x", "whoami"]),
        (["send", "@bob", "--", "--json"], ["send", "@bob", "--", "--json"]),
        (["whoami", "--server"], ["--server", "whoami"]),
    ],
)
def test_global_options_may_stand_anywhere(given: list[str], expected: list[str]) -> None:
    """Global options are found after the command too, but not after `--`."""
    assert global_options_first(given) == expected


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
