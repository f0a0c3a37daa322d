"""Access tokens."""

import base64
import hmac
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from chat4all_core.adapters.auth.jwt_token_issuer import JwtTokenIssuer
from chat4all_core.adapters.auth.key_ring import KeyRing, create_first_key
from chat4all_core.adapters.auth.signing_key import Algorithm, generate_key
from chat4all_core.domain.errors import Reason, UnauthenticatedError
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.token_issuer import AccessToken, TokenIssuer

ADA = UserId(ParticipantId("0190163d-8694-739b-aea5-966c26f8ad91"))
NOW = 1_800_000_000
LIFETIME = 3_600


class Desk:
    """An issuer with a clock that stands still until it is set."""

    def __init__(self, directory: Path, algorithm: Algorithm = Algorithm.EDDSA) -> None:
        create_first_key(directory, algorithm)
        self.now = Timestamp(NOW * SECOND)
        self.keys = KeyRing(directory, algorithm)
        self.tokens: TokenIssuer = JwtTokenIssuer(
            keys=self.keys,
            issuer="chat4all",
            audience="chat4all-api",
            lifetime=LIFETIME,
            clock=lambda: self.now,
            new_id=lambda: str(uuid.uuid4()),
        )

    def forge(self, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token of the desk's own key with other claims; None leaves one out."""
        good = jwt.decode(self.tokens.issue(ADA), options={"verify_signature": False})
        changed = {name: value for name, value in (good | claims).items() if value is not None}
        key = self.keys.signing_key
        return jwt.encode(changed, key.signing, key.algorithm.value, {"kid": key.key_id} | (header or {}))

    def refusal(self, token: str) -> Reason:
        """Why a token is refused."""
        with pytest.raises(UnauthenticatedError) as refused:
            self.tokens.verify(token)
        return refused.value.reason


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "keys")


@pytest.mark.parametrize("algorithm", Algorithm)
def test_a_token_says_who_and_until_when(tmp_path: Path, algorithm: Algorithm) -> None:
    """With every algorithm, a token that was issued verifies again and again as its user until its expiry."""
    desk = Desk(tmp_path, algorithm)
    token = desk.tokens.issue(ADA)
    expected = AccessToken(ADA, Timestamp((NOW + LIFETIME) * SECOND))
    assert desk.tokens.verify(token) == expected
    assert desk.tokens.verify(token) == expected
    assert jwt.get_unverified_header(token) == {"alg": algorithm.value, "typ": "JWT", "kid": "0001"}


@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.RS256])
def test_others_verify_with_the_published_keys(tmp_path: Path, algorithm: Algorithm) -> None:
    """Whoever has the JWKs can check a token's signature and read its claims."""
    desk = Desk(tmp_path, algorithm)
    token = desk.tokens.issue(ADA)
    published = jwt.PyJWKSet.from_dict({"keys": list(desk.tokens.public_keys())})
    key = published[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(
        token,
        key,
        [algorithm.value],
        {"verify_exp": False, "verify_iat": False},
        audience="chat4all-api",
        issuer="chat4all",
    )
    assert (claims["sub"], claims["iat"], claims["exp"]) == (ADA, NOW, NOW + LIFETIME)


def test_a_token_says_who_operates_the_platform(desk: Desk) -> None:
    """The scope `admin`, among others, makes an admin's token; any other scope, or none, does not."""
    assert desk.tokens.verify(desk.tokens.issue(ADA, is_admin=True)).is_admin
    assert desk.tokens.verify(desk.forge(scope="read admin")).is_admin
    for scope in ("", "administrator", 1, None, ["adm"]):
        assert not desk.tokens.verify(desk.forge(scope=scope)).is_admin


def test_every_token_has_its_own_id(desk: Desk) -> None:
    """Two tokens of one user at one moment differ."""
    assert desk.tokens.issue(ADA) != desk.tokens.issue(ADA)


def test_a_token_expires_to_the_microsecond(desk: Desk) -> None:
    """A token is good until just before its expiry, also when it was seen before, and is then expired."""
    token = desk.tokens.issue(ADA)
    desk.now = Timestamp((NOW + LIFETIME) * SECOND - 1)
    desk.tokens.verify(token)
    desk.now = Timestamp((NOW + LIFETIME) * SECOND)
    assert desk.refusal(token) is Reason.TOKEN_EXPIRED


def test_a_token_from_a_clock_ahead_is_good(desk: Desk) -> None:
    """A server whose clock is behind takes the token of one that is ahead."""
    token = desk.tokens.issue(ADA)
    desk.now = Timestamp((NOW - 2) * SECOND)
    desk.tokens.verify(token)


WRONG: dict[str, Callable[[Desk], str]] = {
    "another issuer": lambda desk: desk.forge(iss="someone"),
    "another audience": lambda desk: desk.forge(aud="another-api"),
    "no issuer": lambda desk: desk.forge(iss=None),
    "no audience": lambda desk: desk.forge(aud=None),
    "no subject": lambda desk: desk.forge(sub=None),
    "no expiry": lambda desk: desk.forge(exp=None),
    "no id": lambda desk: desk.forge(jti=None),
    "a subject that is no UUID": lambda desk: desk.forge(sub="ada"),
    "a subject in another form": lambda desk: desk.forge(sub=ADA.upper()),
    "an expiry that is no number": lambda desk: desk.forge(exp="never"),
    "an expiry that is true": lambda desk: desk.forge(exp=True),
    "not yet valid": lambda desk: desk.forge(nbf=NOW + 1),
    "an unknown key": lambda desk: desk.forge(header={"kid": "0000"}),
    "no key": lambda desk: _with_header(desk.tokens.issue(ADA), {"alg": "EdDSA"}),
    "a key id that is no text": lambda desk: _with_header(desk.tokens.issue(ADA), {"alg": "EdDSA", "kid": 1}),
    "a key id that is a path": lambda desk: desk.forge(header={"kid": "../keys/0001"}),
    "no text": lambda desk: "",
    "no token": lambda desk: "a.b.c",
    "too long": lambda desk: desk.forge(extra="x" * 5_000),
    "not ASCII": lambda desk: desk.tokens.issue(ADA) + "é",
    "a changed signature": lambda desk: desk.tokens.issue(ADA)[:-10] + "A" * 10,
    "a changed claim": lambda desk: _with_payload(desk.tokens.issue(ADA), desk.forge(sub=str(uuid.uuid4()))),
    "alg none": lambda desk: _unsigned(_with_header(desk.tokens.issue(ADA), {"alg": "none", "kid": "0001"})),
    "no signature": lambda desk: _unsigned(desk.tokens.issue(ADA)),
    "a deeply nested header": lambda desk: _part(b"[" * 2_900) + ".e30.AA",
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_token_is_refused(desk: Desk, wrong: str) -> None:
    """Whatever is wrong with a token, it is refused as TOKEN_INVALID."""
    assert desk.refusal(WRONG[wrong](desk)) is Reason.TOKEN_INVALID


def test_a_foreign_key_is_refused(desk: Desk, tmp_path: Path) -> None:
    """A token that another key signed under the same key id is refused."""
    foreign = Desk(tmp_path / "foreign")
    assert desk.refusal(foreign.tokens.issue(ADA)) is Reason.TOKEN_INVALID


@pytest.mark.parametrize("algorithm", [Algorithm.EDDSA, Algorithm.RS256])
def test_a_public_key_is_no_secret(tmp_path: Path, algorithm: Algorithm) -> None:
    """A token signed by HMAC with the public key as its secret is refused: the key fixes the algorithm."""
    desk = Desk(tmp_path, algorithm)
    public = desk.keys.signing_key.verifying
    assert not isinstance(public, bytes)
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = _part(json.dumps({"alg": "HS256", "kid": "0001"}).encode())
    signed = f"{header}.{desk.tokens.issue(ADA).split('.')[1]}"
    forged = f"{signed}.{_part(hmac.digest(secret, signed.encode(), 'sha256'))}"
    assert desk.refusal(forged) is Reason.TOKEN_INVALID


def test_two_keys_are_valid_during_a_rotation(tmp_path: Path) -> None:
    """Tokens of the old key go on verifying on a server that signs with a new one."""
    before = Desk(tmp_path)
    (tmp_path / "0002").write_bytes(generate_key(Algorithm.EDDSA))
    after = Desk(tmp_path)
    old, new = before.tokens.issue(ADA), after.tokens.issue(ADA)
    assert jwt.get_unverified_header(new)["kid"] == "0002"
    assert after.tokens.verify(old) == after.tokens.verify(new)


def test_any_text_is_refused_cleanly(tmp_path: Path) -> None:
    """No text that is not a token of ours causes any other error than TOKEN_INVALID."""
    desk = Desk(tmp_path)

    @given(st.text(max_size=80) | st.lists(st.binary(max_size=60), min_size=3, max_size=3).map(_joined))
    def refused(text: str) -> None:
        assert desk.refusal(text) is Reason.TOKEN_INVALID

    refused()


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _joined(parts: list[bytes]) -> str:
    return ".".join(map(_part, parts))


def _with_payload(token: str, other: str) -> str:
    header, _, signature = token.split(".")
    return ".".join((header, other.split(".")[1], signature))


def _with_header(token: str, header: dict[str, Any]) -> str:
    return ".".join((_part(json.dumps(header).encode()), *token.split(".")[1:]))


def _unsigned(token: str) -> str:
    return token[: token.rindex(".") + 1]
