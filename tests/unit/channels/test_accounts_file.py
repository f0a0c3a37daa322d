"""The file with our accounts."""

from pathlib import Path

import pytest

from chat4all_channels.account_config import TelegramConfig, WhatsAppConfig
from chat4all_channels.accounts_file import AccountsFileError, load_accounts

_GOOD = """
[[whatsapp]]
phone_number_id = "106540352242922"
access_token = "EAAG"
app_secret = "app"
inbox = ["ana"]
messages_per_second = 1000

[[telegram]]
token = "123456:ABC"
poll = true
"""


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "accounts.toml"
    path.write_text(text, "utf-8")
    return path


def test_accounts_are_read_in_order(tmp_path: Path) -> None:
    """A file gives the accounts of each channel, with defaults for what it leaves out."""
    accounts = load_accounts(_write(tmp_path, _GOOD))
    assert list(accounts) == ["whatsapp", "telegram"]
    [number] = accounts["whatsapp"]
    assert isinstance(number, WhatsAppConfig)
    assert (number.access_token.value, number.inbox, number.messages_per_second) == ("EAAG", ("ana",), 1000.0)
    [bot] = accounts["telegram"]
    assert isinstance(bot, TelegramConfig)
    assert (bot.bot_id, bot.poll) == ("123456", True)


def test_every_mistake_is_named_and_no_secret_shown(tmp_path: Path) -> None:
    """All mistakes are told at once, without the values."""
    wrong = (
        '[[whatsap]]\n[[whatsapp]]\naccess_token = ["secret-1"]\ncolour = 1\n[[telegram]]\ntoken = ""\npoll = "yes"\n'
    )
    with pytest.raises(AccountsFileError) as caught:
        load_accounts(_write(tmp_path, wrong))
    message = str(caught.value)
    assert "[[whatsap]] is no channel" in message
    assert "[[whatsapp]] number 1: colour is no setting of it" in message
    assert "[[whatsapp]] number 1: phone_number_id is missing" in message
    assert "[[whatsapp]] number 1: access_token must be a text that is not empty" in message
    assert "[[telegram]] number 1: token must be a text that is not empty" in message
    assert "[[telegram]] number 1: poll must be true or false" in message
    assert "secret-1" not in message


@pytest.mark.parametrize("text", ["[[whatsapp", "whatsapp = 1", "\udcff"])
def test_what_is_no_such_file_is_refused(tmp_path: Path, text: str) -> None:
    """Text that is no TOML, or of another form, is refused with the file's name."""
    path = tmp_path / "accounts.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(AccountsFileError, match=r"accounts\.toml"):
        load_accounts(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(AccountsFileError, match=r"missing\.toml"):
        load_accounts(tmp_path / "missing.toml")
