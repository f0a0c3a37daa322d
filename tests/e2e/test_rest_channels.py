"""Channels over REST: people on them, and one's own addresses."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from channel_accounts import write_accounts
from platform_process import PlatformProcess
from rest_user import PASSWORD, RestUser, fields, reason

from chat4all_sdk import AsyncClient, IdentityState, NotFound, PermissionDenied

BEA = "whatsapp:+5511987654321"


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """A platform with accounts on channels that nobody answers for."""
    folder = tmp_path_factory.mktemp("channels")
    accounts = write_accounts(folder / "channels.toml")
    process = PlatformProcess(folder / "data", {"CHAT4ALL_CHANNELS_ACCOUNTS_FILE": str(accounts)})
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture
async def ann(process: PlatformProcess) -> AsyncIterator[RestUser]:
    async with aiohttp.ClientSession(process.url) as session:
        yield await RestUser.join(session)


async def test_a_group_with_an_address(ann: RestUser) -> None:
    """An address is a participant as any other, and is removed by its name in the path."""
    status, body = await ann.post("/v1/conversations", type="GROUP", participants=[BEA, "telegram:123456789"])
    assert status == 200, body
    conversation_id = body["conversation"]["conversation_id"]
    message_id = await ann.send(conversation_id, "hello")
    _, body = await ann.get(f"/v1/messages/{message_id}")
    recipients = {(r["participant"], r["channel"]) for r in body["message"]["recipients"]}
    assert recipients == {(BEA, "whatsapp"), ("telegram:123456789", "telegram")}
    status, body = await ann.call("DELETE", f"/v1/conversations/{conversation_id}/participants/{BEA}")
    assert status == 200, body
    _, body = await ann.get(f"/v1/conversations/{conversation_id}")
    assert {p["participant"] for p in body["conversation"]["participants"]} == {ann.user_id, "telegram:123456789"}


async def test_one_direct_conversation_with_an_address(ann: RestUser) -> None:
    """Asking again gives the same conversation, and a wrong address is refused with what is right."""
    ids = set()
    for _ in range(2):
        _, body = await ann.post("/v1/conversations", type="DIRECT", participants=[BEA])
        ids.add(body["conversation"]["conversation_id"])
    assert len(ids) == 1
    status, body = await ann.post("/v1/conversations", type="DIRECT", participants=["whatsapp:12"])
    assert (status, reason(body), fields(body)) == (400, "FIELD_INVALID", ["participants"])
    assert "whatsapp:+5511987654321" in body["message"]


async def test_unknown_channel_on_send(ann: RestUser) -> None:
    """`channels` takes names of channels, and all."""
    _, body = await ann.post("/v1/conversations", type="DIRECT", participants=[BEA])
    message = {"conversation_id": body["conversation"]["conversation_id"], "text": "hi"}
    assert (await ann.post("/v1/messages", channels=["all"], **message))[0] == 200
    status, body = await ann.post("/v1/messages", channels=["fax"], **message)
    assert (status, reason(body), fields(body)) == (400, "FIELD_INVALID", ["channels"])


async def test_identities(ann: RestUser) -> None:
    """A code is sent on the first call; what is not linked is not listed, and can't be given up."""
    address = {"channel": "whatsapp", "address": "+5511987654322"}
    status, body = await ann.post("/v1/users/me/identities", **address)
    assert (status, body["identity"]["state"], body["identity"]["address"]) == (200, "CODE_SENT", "+5511987654322")
    status, body = await ann.post("/v1/users/me/identities", code="abc", **address)
    assert (status, fields(body)) == (400, ["code"])
    assert await ann.get("/v1/users/me/identities") == (200, {"identities": []})
    status, body = await ann.call("DELETE", "/v1/users/me/identities/whatsapp/+5511987654322")
    assert (status, reason(body)) == (404, "IDENTITY_NOT_FOUND")
    detail = next(d for d in body["details"] if d["@type"].endswith("ErrorInfo"))
    assert detail["metadata"] == address


async def test_by_the_client_library(process: PlatformProcess, ann: RestUser) -> None:
    """The SDK writes to an address, shows its way, and has a code sent to one's own."""
    async with AsyncClient(process.target) as client:
        await client.login(ann.username, PASSWORD)
        conversation = await client.create_group("Team", [BEA])
        sent = await client.send(conversation.conversation_id, "hello", channels=["all"])
        message = await client.get_message(sent.message_id)
        assert [(r.participant, r.channel) for r in message.recipients] == [(BEA, "whatsapp")]
        await client.remove_participant(conversation.conversation_id, BEA)
        identity = await client.link_identity("whatsapp", "+5511987654323")
        assert (identity.state, identity.link_time) == (IdentityState.CODE_SENT, None)
        with pytest.raises(PermissionDenied):
            await client.link_identity("whatsapp", "+5511987654324", "123456")
        assert await client.list_identities() == ()
        with pytest.raises(NotFound):
            await client.unlink_identity("whatsapp", "+5511987654323")


def admin(process: PlatformProcess, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command that says who operates the platform, run beside it."""
    environment = {"PATH": os.environ["PATH"], "CHAT4ALL_DATA_DIR": str(process.data_dir)}
    command = [sys.executable, "-m", "chat4all_standalone", "admin", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


async def test_the_first_admin(process: PlatformProcess, ann: RestUser) -> None:
    """A command on the server makes an account an admin while the platform serves; the next login shows it."""
    assert (await ann.get("/v1/admin/status"))[0] == 403
    granted = admin(process, "grant", ann.username)
    assert (granted.returncode, granted.stderr) == (0, "")
    _, tokens = await ann.post("/v1/auth/token", username=ann.username, password=PASSWORD)
    status, body = await ann.call("GET", "/v1/admin/status", token=tokens["access_token"])
    assert (status, body["ready"], body["channels"]) == (200, True, ["instagram", "telegram", "whatsapp"])
    status, body = await ann.call("GET", "/v1/admin/dead-letters", token=tokens["access_token"])
    assert (status, body["next_page_token"]) == (200, "")
    path = "/v1/admin/dead-letters/none/redrive"
    status, body = await ann.call("POST", path, token=tokens["access_token"], json={})
    assert (status, reason(body)) == (404, "DEAD_LETTER_NOT_FOUND")
    async with AsyncClient(process.target) as client:
        await client.login(ann.username, PASSWORD)
        assert (await client.system_status()).ready
        assert all([letter.reason async for letter in client.dead_letters()])
    unknown = admin(process, "grant", "nobody_at_all")
    assert (unknown.returncode, "nobody_at_all" in unknown.stderr) == (1, True)
