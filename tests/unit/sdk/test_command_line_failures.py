"""The command line when something is wrong: exit codes and what is said."""

import json
import uuid

import pytest
from command_line import CommandLine

from chat4all_sdk import AsyncClient
from chat4all_sdk.cli.app import global_options_first

from .conftest import PASSWORD


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
