"""Files of secrets."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chat4all_core.adapters.auth.secret_file import SecretFileError, create_secret_file, load_or_create_secret


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    """A missing secret is made with its folders, and is the same ever after."""
    path = tmp_path / "new" / "secret"
    secret = load_or_create_secret(path)
    assert len(secret) == 32
    assert load_or_create_secret(path) == secret


def test_only_its_owner_may_read_a_secret(tmp_path: Path) -> None:
    """A new secret has mode 0600 and a new folder 0700."""
    path = tmp_path / "new" / "secret"
    load_or_create_secret(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_all_who_start_at_once_get_the_same_secret(tmp_path: Path) -> None:
    """Many callers that find no secret agree on one."""
    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(load_or_create_secret, [tmp_path / "secret"] * 50))
    assert len(secrets) == 1


def test_a_short_secret_is_refused(tmp_path: Path) -> None:
    """A secret that is too short to sign with is refused by name."""
    path = tmp_path / "secret"
    path.write_bytes(b"short")
    with pytest.raises(SecretFileError, match=f"{path} must hold at least 32 bytes, has 5"):
        load_or_create_secret(path)


def test_a_file_is_never_replaced(tmp_path: Path) -> None:
    """Creating a file that exists fails, changes nothing and leaves nothing behind."""
    path = tmp_path / "secret"
    create_secret_file(path, b"first")
    with pytest.raises(FileExistsError):
        create_secret_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]
