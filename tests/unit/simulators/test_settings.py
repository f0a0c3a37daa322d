"""Settings files of the simulators, and the process that reads them."""

import asyncio
import json
import signal
import sys
import textwrap
from pathlib import Path

import aiohttp
import pytest
from channel_clients import GraphClient
from tools.simulators import Settings, Simulators, load_settings
from tools.simulators.settings import SettingsError
from webhook_receiver import WebhookReceiver

_TOML = """
[whatsapp]
delivered_seconds = 0
[[whatsapp.accounts]]
phone_number_id = "1"
open_to_strangers = true
customers = [{id = "491700000001", name = "Eva"}]
[[whatsapp.accounts]]
phone_number_id = "2"
access_token = "second"
token_lifetime_seconds = 60
[webhooks]
batch_size = 10
"""


def test_toml_and_json(tmp_path: Path) -> None:
    """A file changes what it names, and nothing else."""
    (tmp_path / "s.toml").write_text(_TOML)
    settings = load_settings(tmp_path / "s.toml")
    first, second = settings.whatsapp.accounts
    assert (first.phone_number_id, first.open_to_strangers, first.customers[0].name) == ("1", True, "Eva")
    assert (second.access_token, second.token_lifetime_seconds) == ("second", 60.0)
    assert (settings.whatsapp.delivered_seconds, settings.webhooks.batch_size) == (0.0, 10)
    assert settings.instagram == Settings().instagram
    (tmp_path / "s.json").write_text(json.dumps({"telegram": {"https_only": True}}))
    assert load_settings(tmp_path / "s.json").telegram.https_only


def test_documented_example(tmp_path: Path) -> None:
    """The file in the documentation is one."""
    page = Path(__file__).parents[3] / "docs" / "channels" / "simulators.md"
    section = page.read_text().partition("## Settings")[2].partition("## ")[0]
    (tmp_path / "s.toml").write_text(textwrap.dedent(section[section.index("    [whatsapp]") :]))
    settings = load_settings(tmp_path / "s.toml")
    assert settings.whatsapp.accounts[0].customers[0].name == "Eva"
    assert (settings.whatsapp.burst, settings.telegram.chat_burst, settings.webhooks.connections) == (1000, 50, 16)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[whatsap]", "there is no whatsap"),
        ("whatsapp = 1", "expected a table"),
        ("[whatsapp]\naccounts = 1", "expected a list"),
        ("[whatsapp]\nburst = 'many'", "doesn't fit"),
        ("[webhooks]\nbatch_size = 0", "1 or more"),
        ("[[telegram.bots]]\ncustomers = [{id = 'x'}]", "name"),
        ("[", "Invalid"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, why: str) -> None:
    """A file that can't be meant is refused with its reason."""
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(SettingsError, match=why):
        load_settings(tmp_path / "s.toml")


async def test_several_accounts(tmp_path: Path, session: aiohttp.ClientSession) -> None:
    """Numbers have tokens of their own, and one's token doesn't act for the other."""
    (tmp_path / "s.toml").write_text(_TOML)
    async with Simulators(load_settings(tmp_path / "s.toml")) as simulators:
        client = GraphClient(session, f"{simulators.url}/whatsapp/v24.0", "second")
        body = {"messaging_product": "whatsapp", "to": "491700000009", "type": "text", "text": {"body": "x"}}
        assert (await client.call("POST", "/1/messages", json=body)).error == (10, None)
        assert (await client.call("POST", "/2/messages", json=body)).error == (131047, None)
        first = GraphClient(session, client.url, "whatsapp-development-token")
        assert (await first.call("POST", "/1/messages", json=body)).status == 200


async def test_process(tmp_path: Path, session: aiohttp.ClientSession, receiver: WebhookReceiver) -> None:
    """The command serves, registers the webhooks at the paths of a server, and ends on a signal."""
    (tmp_path / "s.toml").write_text("[whatsapp]\nsent_seconds = 0")
    command = [sys.executable, "-m", "tools.simulators", "--settings", str(tmp_path / "s.toml")]
    process = await asyncio.create_subprocess_exec(
        *command, "--webhook-base", f"{receiver.url}/", stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(60):
            url = (await process.stdout.readline()).decode().split()[-1]
            webhooks = await _registered(session, url)
        assert webhooks == [
            f"{receiver.url}/v1/channels/{name}/webhook" for name in ("whatsapp", "instagram", "telegram")
        ]
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _registered(session: aiohttp.ClientSession, url: str) -> list[str]:
    while True:
        async with session.get(f"{url}accounts") as response:
            webhooks = [account["webhook_url"] for account in (await response.json())["accounts"]]
        if None not in webhooks:
            return webhooks
        await asyncio.sleep(0.05)


async def test_process_names_mistakes(tmp_path: Path) -> None:
    """A file that can't be used ends the command with a line that says why."""
    command = [sys.executable, "-m", "tools.simulators", "--settings", str(tmp_path / "none.toml")]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, complaint = await process.communicate()
    assert process.returncode == 1
    assert complaint.startswith(b"error: ")
