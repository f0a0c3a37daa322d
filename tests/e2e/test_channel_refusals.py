"""What channels refuse, until the cause is gone: by the command line, with the channels simulated."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from channels_platform import ACCOUNTS, ChannelsPlatform, open_channels_platform, until
from command_line import CommandLine
from platform_process import PlatformProcess
from rest_user import PASSWORD, RestUser
from tools.simulators import Channel, Fault, FaultKind, Schedule, Settings
from tools.simulators.whatsapp.settings import WhatsAppSettings

ANA, ANA_WA = "whatsapp:+5511999990001", "5511999990001"
INSTAGRAM, INSTAGRAM_ID = "instagram:6100000000000001", "6100000000000001"

_ONCE = Schedule(next=1)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def platform(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ChannelsPlatform]:
    """One for all tests here."""
    settings = Settings(whatsapp=WhatsAppSettings(delivered_seconds=0.05, pair_interval_seconds=0.01))
    async with open_channels_platform(PlatformProcess, tmp_path_factory.mktemp("channels"), settings) as opened:
        yield opened


@pytest.fixture
def as_inbox(platform: ChannelsPlatform, tmp_path: Path) -> CommandLine:
    """The command line, of whoever has the inbox once they have logged in."""
    return CommandLine(tmp_path, platform.process.target)


async def _send(user: RestUser, address: str, text: str) -> str:
    status, body = await user.post("/v1/conversations", type="DIRECT", participants=[address])
    assert status == 200, body
    return await user.send(body["conversation"]["conversation_id"], text)


async def _message(user: RestUser, message_id: str) -> Any:
    status, body = await user.get(f"/v1/messages/{message_id}")
    assert status == 200, body
    return body["message"]


async def _until_state(user: RestUser, message_id: str, state: str) -> Any:
    return await until(lambda: _message(user, message_id), lambda message: message["state"] == state)


def _grant(platform: ChannelsPlatform, username: str) -> None:
    environment = {"PATH": os.environ["PATH"], "CHAT4ALL_DATA_DIR": str(platform.process.data_dir)}
    command = [sys.executable, "-m", "chat4all_standalone", "admin", "grant", username]
    subprocess.run(command, env=environment, capture_output=True, check=True)


async def test_what_was_refused_is_delivered_once_the_cause_is_gone(
    platform: ChannelsPlatform, as_inbox: CommandLine, tmp_path: Path
) -> None:
    """A refused message is FAILED, and a dead letter with the channel's code, a remedy and what was tried before; the
    sender is shown why. When an admin has it tried again, twice even, it arrives once and goes on to DELIVERED."""
    admin, user = platform.inbox, await RestUser.join(platform.session)
    await asyncio.to_thread(_grant, platform, admin.username)
    assert (await as_inbox("login", admin.username, password=PASSWORD)).code == 0
    before = len(platform.simulators.accepted.read(recipient=ANA_WA))
    busy = Fault(Channel.WHATSAPP, FaultKind.PAIR_LIMIT, recipient=ANA_WA, schedule=_ONCE)
    refused = Fault(Channel.WHATSAPP, FaultKind.UNDELIVERABLE, recipient=ANA_WA, schedule=_ONCE, by_webhook=False)
    for fault in (busy, refused):
        platform.simulators.faults.add(fault)
    message_id = await _send(user, ANA, "not now")
    await _until_state(user, message_id, "FAILED")

    async def letters() -> list[Any]:
        return (await as_inbox("--json", "admin", "dead-letters", "list")).json()

    [letter] = await until(letters, lambda found: len(found) == 1)
    assert (letter["code"], letter["key"]) == ("131026", "+5511999990001")
    assert letter["reason"]
    assert letter["remedy"]
    assert [event["what"].partition(":")[0] for event in letter["history"]] == ["131056"]
    assert len(platform.simulators.accepted.read(recipient=ANA_WA)) == before

    as_user = CommandLine(tmp_path / "user", platform.process.target)
    assert (await as_user("login", user.username, password=PASSWORD)).code == 0
    shown = (await as_user("show", message_id)).out.splitlines()
    assert shown[1] == f"    FAILED for {ANA}: {letter['reason']} (131026). {letter['remedy']}"

    for _ in range(2):
        redriven = await as_inbox("admin", "dead-letters", "redrive", letter["dead_letter_id"])
        assert (redriven.code, redriven.out) == (0, f"{letter['dead_letter_id']} is tried again.\n")
    message = await _until_state(user, message_id, "DELIVERED")
    states = [change["state"] for change in message["history"] if change["participant"] == ANA]
    assert [state for state in states if state in ("FAILED", "DELIVERED")] == ["FAILED", "DELIVERED"]
    await _until_state(user, await _send(user, ANA, "later"), "DELIVERED")
    told = platform.simulators.accepted.read(recipient=ANA_WA)[before:]
    assert [message.text for message in told] == ["not now", "later"]
    assert (await letters())[0]["redrive_time"]


async def test_outside_the_window_the_template_goes(platform: ChannelsPlatform) -> None:
    """On WhatsApp, which says at once that the window is closed, the configured template goes instead, with the text as
    its parameter. Instagram has none: the message is FAILED with its code, and says what helps."""
    user = await RestUser.join(platform.session)
    platform.simulators.faults.add(
        Fault(Channel.WHATSAPP, FaultKind.WINDOW_CLOSED, recipient=ANA_WA, schedule=_ONCE, by_webhook=False)
    )
    before = len(platform.simulators.accepted.read(recipient=ANA_WA))
    await _until_state(user, await _send(user, ANA, "are you there?"), "DELIVERED")
    [told] = platform.simulators.accepted.read(recipient=ANA_WA)[before:]
    assert told.type == "template"
    assert "are you there?" in told.text

    customers = platform.simulators.customers(Channel.INSTAGRAM)
    customers.set_window(ACCOUNTS[Channel.INSTAGRAM], INSTAGRAM_ID, False)
    message = await _until_state(user, await _send(user, INSTAGRAM, "and you?"), "FAILED")
    customers.set_window(ACCOUNTS[Channel.INSTAGRAM], INSTAGRAM_ID, True)
    [recipient] = message["recipients"]
    assert recipient["failure"]["code"] == "10"
    assert "24 hours" in recipient["failure"]["remedy"]
