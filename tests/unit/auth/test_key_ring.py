"""The folder of token keys."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from chat4all_core.adapters.auth.key_ring import KeyRing, create_first_key
from chat4all_core.adapters.auth.secret_file import SecretFileError
from chat4all_core.adapters.auth.signing_key import Algorithm, generate_key


@pytest.mark.parametrize("algorithm", Algorithm)
def test_the_first_key_is_made_for_every_algorithm(tmp_path: Path, algorithm: Algorithm) -> None:
    """In a missing folder a key of the wanted kind is made that only its owner may read."""
    directory = tmp_path / "keys"
    create_first_key(directory, algorithm)
    ring = KeyRing(directory, algorithm)
    assert ring.signing_key.algorithm is algorithm
    assert stat.S_IMODE((directory / ring.signing_key.key_id).stat().st_mode) == 0o600


def test_no_second_key_is_made(tmp_path: Path) -> None:
    """Where there is a key, whatever its name, none is added."""
    (tmp_path / "mine").write_bytes(generate_key(Algorithm.EDDSA))
    create_first_key(tmp_path, Algorithm.EDDSA)
    assert KeyRing(tmp_path, Algorithm.EDDSA).signing_key.key_id == "mine"


def test_the_newest_key_by_name_signs_and_all_verify(tmp_path: Path) -> None:
    """During a rotation the last name signs and the earlier ones are still found."""
    for name in ("2026-01", "2026-03", "2026-02"):
        (tmp_path / name).write_bytes(generate_key(Algorithm.EDDSA))
    ring = KeyRing(tmp_path, Algorithm.EDDSA)
    assert ring.signing_key.key_id == "2026-03"
    assert all(ring.find(name) for name in ("2026-01", "2026-02", "2026-03"))


def test_a_key_that_was_added_is_found_but_does_not_sign(tmp_path: Path) -> None:
    """A running server verifies with a key that was added since it started, and signs with its own."""
    now = [0.0]
    create_first_key(tmp_path, Algorithm.EDDSA)
    ring = KeyRing(tmp_path, Algorithm.EDDSA, lambda: now[0])
    (tmp_path / "0002").write_bytes(generate_key(Algorithm.EDDSA))
    assert ring.find("0002") is None  # the folder was read less than five seconds ago
    now[0] = 5.0
    assert ring.find("0002") is not None
    assert ring.signing_key.key_id == "0001"
    assert [jwk["kid"] for jwk in ring.public_keys()] == ["0001", "0002"]


def test_a_bad_key_that_was_added_does_not_stop_a_running_server(tmp_path: Path) -> None:
    """A half-made rotation leaves the keys that were read before in use."""
    now = [0.0]
    create_first_key(tmp_path, Algorithm.EDDSA)
    ring = KeyRing(tmp_path, Algorithm.EDDSA, lambda: now[0])
    (tmp_path / "0002").write_bytes(b"")
    now[0] = 5.0
    assert ring.find("0002") is None
    assert ring.find("0001") is ring.signing_key


def test_hidden_files_are_not_keys(tmp_path: Path) -> None:
    """Files whose name begins with a dot are passed over."""
    create_first_key(tmp_path, Algorithm.EDDSA)
    (tmp_path / ".unfinished").write_bytes(b"")
    assert KeyRing(tmp_path, Algorithm.EDDSA).find(".unfinished") is None


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """Without a key the ring says where to put one."""
    for directory in (tmp_path, tmp_path / "missing"):
        with pytest.raises(SecretFileError, match=f"{directory} has no key: add a file"):
            KeyRing(directory, Algorithm.EDDSA)


EC = ec.generate_private_key(ec.SECP256R1())
SHORT_RSA = rsa.generate_private_key(65_537, 1_024)


def _pem(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    encryption: KeySerializationEncryption | None = None,
) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


@pytest.mark.parametrize(
    ("algorithm", "content", "message"),
    [
        (Algorithm.EDDSA, b"not a key", "must hold a private key in PEM"),
        (Algorithm.EDDSA, _pem(EC, BestAvailableEncryption(b"secret")), "without a pass phrase"),
        (Algorithm.EDDSA, _pem(EC), "must hold an Ed25519 private key for EdDSA, holds another kind"),
        (Algorithm.RS256, generate_key(Algorithm.EDDSA), "must hold an RSA private key for RS256"),
        (Algorithm.RS256, _pem(SHORT_RSA), "at least 2048 bits, has 1024"),
        (Algorithm.HS256, b"x" * 31, "at least 32 random bytes for HS256, has 31"),
        (Algorithm.HS256, _pem(EC), "must hold random bytes for HS256, holds a key of another kind"),
    ],
)
def test_a_wrong_key_is_refused_by_name(tmp_path: Path, algorithm: Algorithm, content: bytes, message: str) -> None:
    """A file that is no key for the algorithm is named, with what is wrong."""
    (tmp_path / "key-7").write_bytes(content)
    with pytest.raises(SecretFileError, match=f"{tmp_path / 'key-7'} .*{message}"):
        KeyRing(tmp_path, algorithm)


@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.RS256])
def test_jwks_hold_no_private_part(tmp_path: Path, algorithm: Algorithm) -> None:
    """Public keys name their id, use and algorithm, and nothing that could sign."""
    create_first_key(tmp_path, algorithm)
    (jwk,) = KeyRing(tmp_path, algorithm).public_keys()
    assert (jwk["kid"], jwk["use"], jwk["alg"]) == ("0001", "sig", algorithm.value)
    assert set(jwk) - {"kid", "use", "alg", "kty"} in ({"crv", "x"}, {"n", "e"})


def test_symmetric_keys_are_never_published(tmp_path: Path) -> None:
    """HS256 has no public keys, and a key's text does not show it."""
    create_first_key(tmp_path, Algorithm.HS256)
    ring = KeyRing(tmp_path, Algorithm.HS256)
    assert ring.public_keys() == []
    assert repr(ring.signing_key.signing) not in repr(ring.signing_key)


def test_keys_are_ordinary_pem() -> None:
    """A key that was made here is read by any other tool that reads PEM."""
    assert load_pem_private_key(generate_key(Algorithm.EDDSA), None)
