"""One key of access tokens: how it lies in a file, and what others may know of it."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import HMACAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.exceptions import InvalidKeyError

from chat4all_core.adapters.auth.secret_file import MIN_SECRET_BYTES, SecretFileError

__all__ = ["Algorithm", "SigningKey", "generate_key", "parse_key"]

_MIN_RSA_BITS = 2_048  # RFC 7518, section 3.3
_NEW_RSA_BITS = 3_072  # NIST SP 800-57 part 1: good beyond 2030


class Algorithm(StrEnum):
    """How tokens are signed, by the names of RFC 7518 and RFC 8037."""

    EDDSA = "EdDSA"
    """Ed25519."""
    RS256 = "RS256"
    HS256 = "HS256"
    """Symmetric: whoever can verify can sign."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key with its id."""

    key_id: str
    algorithm: Algorithm
    signing: Ed25519PrivateKey | RSAPrivateKey | bytes = field(repr=False)
    verifying: Ed25519PublicKey | RSAPublicKey | bytes = field(repr=False)

    def public_jwk(self) -> Mapping[str, Any] | None:
        """The public half as a JWK (RFC 7517), or None for a symmetric key."""
        match self.verifying:
            case Ed25519PublicKey():
                jwk = OKPAlgorithm.to_jwk(self.verifying, as_dict=True)
            case RSAPublicKey():
                jwk = RSAAlgorithm.to_jwk(self.verifying, as_dict=True)
            case _:
                return None
        jwk.pop("key_ops", None)  # not together with "use" (RFC 7517, section 4.3)
        return {**jwk, "kid": self.key_id, "use": "sig", "alg": self.algorithm.value}


def parse_key(key_id: str, algorithm: Algorithm, content: bytes) -> SigningKey:
    """The key in a file: a private key in PEM without a pass phrase, or for HS256 the secret as it is.

    Raises:
        SecretFileError: the content is no such key; the message does not say where it lies.
    """
    if algorithm is Algorithm.HS256:
        if len(content) < MIN_SECRET_BYTES:
            raise SecretFileError(f"must hold at least {MIN_SECRET_BYTES} random bytes for HS256, has {len(content)}")
        try:
            HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(content)
        except InvalidKeyError as error:
            raise SecretFileError("must hold random bytes for HS256, holds a key of another kind") from error
        return SigningKey(key_id, algorithm, content, content)
    private = _load_pem(content)
    if algorithm is Algorithm.EDDSA and isinstance(private, Ed25519PrivateKey):
        return SigningKey(key_id, algorithm, private, private.public_key())
    if algorithm is Algorithm.RS256 and isinstance(private, RSAPrivateKey):
        if private.key_size < _MIN_RSA_BITS:
            raise SecretFileError(f"must have at least {_MIN_RSA_BITS} bits, has {private.key_size}")
        return SigningKey(key_id, algorithm, private, private.public_key())
    wanted = "Ed25519" if algorithm is Algorithm.EDDSA else "RSA"
    raise SecretFileError(f"must hold an {wanted} private key for {algorithm.value}, holds another kind")


def generate_key(algorithm: Algorithm) -> bytes:
    """A new key, as `parse_key` takes it."""
    match algorithm:
        case Algorithm.EDDSA:
            return _to_pem(Ed25519PrivateKey.generate())
        case Algorithm.RS256:
            return _to_pem(generate_private_key(public_exponent=65_537, key_size=_NEW_RSA_BITS))
        case Algorithm.HS256:
            return secrets.token_bytes(MIN_SECRET_BYTES)


def _load_pem(content: bytes) -> object:
    try:
        return load_pem_private_key(content, password=None)
    except TypeError as error:
        raise SecretFileError("must hold a private key without a pass phrase") from error
    except ValueError as error:
        raise SecretFileError("must hold a private key in PEM") from error


def _to_pem(key: Ed25519PrivateKey | RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
