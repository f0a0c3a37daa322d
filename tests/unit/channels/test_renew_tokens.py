"""Tokens are renewed by the simulated Instagram."""

import asyncio
import os
import sys
from pathlib import Path

from channels_platform import ACCOUNTS
from tools.simulators import Channel, Settings, Simulators
from tools.simulators.instagram.settings import InstagramSettings

from chat4all_channels.accounts_file import load_accounts
from chat4all_core.domain.channel import ChannelName

INSTAGRAM = ACCOUNTS[Channel.INSTAGRAM]


def _write(path: Path, url: str, token: str) -> str:
    text = f"""
[[telegram]]
token = "1:two"  # stays

[[instagram]]
instagram_id = "{INSTAGRAM}"
access_token = "{token}"  # a comment
base_url = "{url}/instagram/v25.0"
"""
    path.write_text(text, "utf-8")
    path.chmod(0o640)
    return text


async def _run(path: Path) -> tuple[int | None, str, str]:
    """The command's exit code, and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chat4all_channels", "renew-tokens", str(path)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_token_is_renewed_in_the_file(tmp_path: Path) -> None:
    """The file has the new token, which the channel takes and which is not printed; all else in it, and who may read
    it, stays."""
    path = tmp_path / "accounts.toml"
    async with Simulators(Settings(instagram=InstagramSettings(refresh_after_seconds=0))) as simulators:
        [before] = simulators.service(Channel.INSTAGRAM).accounts()
        text = _write(path, simulators.url, str(before["access_token"]))
        code, out, err = await _run(path)
        [after] = simulators.service(Channel.INSTAGRAM).accounts()
    assert (code, err) == (0, "")
    assert out.startswith(f"instagram {INSTAGRAM}: renewed, ends on 2")
    assert after["access_token"] != before["access_token"]
    assert str(after["access_token"]) not in out
    assert path.read_text("utf-8") == text.replace(str(before["access_token"]), str(after["access_token"]))
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == [path.name]
    [account] = load_accounts(path)[ChannelName("instagram")]
    assert account.access_token.value == after["access_token"]


async def test_a_token_that_is_not_renewed_stays(tmp_path: Path) -> None:
    """A token that the channel does not renew makes the command fail, which says whose it is and why; the file stays
    as it is."""
    path = tmp_path / "accounts.toml"
    async with Simulators(Settings()) as simulators:
        text = _write(path, simulators.url, "wrong")
        code, out, err = await _run(path)
    assert (code, out) == (1, "")
    assert err.startswith(f"instagram {INSTAGRAM}: not renewed: Invalid OAuth access token")
    assert "wrong" not in err
    assert path.read_text("utf-8") == text
    assert os.listdir(tmp_path) == [path.name]


async def test_a_file_with_mistakes_is_said(tmp_path: Path) -> None:
    """Without a file that can be read nothing is asked for, and the command says what is wrong."""
    code, out, err = await _run(tmp_path / "none.toml")
    assert (code, out) == (1, "")
    assert "none.toml" in err
