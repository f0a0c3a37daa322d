"""The command line against a real server: what each command does."""

import asyncio
import json
import os
import signal
import uuid

import pytest
from command_line import CommandLine

from chat4all.status.v1 import status_service_pb2 as status_pb
from chat4all_sdk import AsyncClient

from .conftest import PASSWORD
from .memory_platform.server import MemoryPlatform


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


async def test_people_on_channels(as_alice: CommandLine) -> None:
    """CHANNEL:ADDRESS names a person who has no account: in groups, and for the direct conversation."""
    address = "whatsapp:+5511987654321"
    (sent,) = (await as_alice("send", address, "Olá", "--json")).json()
    assert "Olá" in (await as_alice("history", address)).out
    assert f"{address}  MEMBER" in (await as_alice("conversations", "show", sent["conversation_id"])).out
    assert f" {address}  alice: Olá" in (await as_alice("conversations", "list")).out
    (group,) = (await as_alice("--json", "conversations", "create", address, "--title", "Team")).json()
    removed = await as_alice("conversations", "remove", group["conversation_id"], address)
    assert removed.out == f"{address} is removed.\n"


async def test_addresses_are_linked(as_alice: CommandLine) -> None:
    """identities link sends a code and links with it; list shows the address, unlink gives it up."""
    address = ("whatsapp", "+5511987654321")
    sent = await as_alice("identities", "link", *address)
    assert (sent.code, sent.out) == (0, "whatsapp:+5511987654321 was sent a code.\n")
    wrong = await as_alice("--json", "identities", "link", *address, "--code", "000000")
    assert (wrong.code, json.loads(wrong.err)["error"]["reason"]) == (1, "LINK_CODE_INVALID")
    (linked,) = (await as_alice("--json", "identities", "link", *address, "--code", "123456")).json()
    assert (linked["channel"], linked["address"], linked["state"]) == (*address, "LINKED")
    assert (await as_alice("identities", "list")).out == "whatsapp:+5511987654321\n"
    assert (await as_alice("identities", "unlink", *address)).code == 0
    assert (await as_alice("identities", "list", "--json")).json() == []


@pytest.mark.parametrize(
    ("code", "ends_with", "says"),
    [("123456", 0, "whatsapp:+5511987654321 is linked to your account.\n"), ("000000", 1, "the code is wrong")],
)
async def test_a_code_is_asked_for_on_a_terminal(as_alice: CommandLine, code: str, ends_with: int, says: str) -> None:
    """On a terminal one command does it all: it says that a code was sent, asks for it, and links, or says why not."""
    ours, terminal = os.openpty()
    try:
        process = await as_alice.start("identities", "link", "whatsapp", "+5511987654321", stdin=terminal)
        assert process.stderr is not None
        asked = await asyncio.wait_for(process.stderr.readuntil(b"Code:"), 60)
        assert b"whatsapp:+5511987654321 was sent a code." in asked
        os.write(ours, f"{code}\n".encode())
        out, err = await asyncio.wait_for(process.communicate(), 60)
    finally:
        os.close(ours)
        os.close(terminal)
    assert process.returncode == ends_with, err.decode()
    assert says in (out if ends_with == 0 else err).decode()
    assert bool((await as_alice("identities", "list")).out) == (ends_with == 0)


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
