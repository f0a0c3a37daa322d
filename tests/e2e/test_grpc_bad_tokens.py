"""Tokens that prove nothing."""

import base64
import json
import time
from typing import Any

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from grpc_platform import GrpcPlatform, Person
from rpc_shapes import reason_of

from chat4all.identity.v1 import identity_service_pb2 as pb
from chat4all.status.v1 import status_service_pb2 as status_pb


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


async def refused(platform: GrpcPlatform, token: str) -> str:
    """The reason for which a token is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await platform.identity.GetCurrentUser(
            pb.GetCurrentUserRequest(), metadata=(("authorization", f"Bearer {token}"),)
        )
    assert failed.value.code() is grpc.StatusCode.UNAUTHENTICATED
    return reason_of(failed.value)


async def test_good_token(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """The token that the bad ones are made of is good."""
    answer = await grpc_platform.identity.GetCurrentUser(pb.GetCurrentUserRequest(), metadata=ann.metadata)
    assert answer.user.user_id == ann.user_id


async def test_expired_token(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A token is refused as expired from the end of its life on."""
    grpc_platform.clock.ahead = grpc_platform.security.issuer.lifetime + 1
    assert await refused(grpc_platform, ann.token) == "TOKEN_EXPIRED"


async def test_clock_set_back(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A token that was issued before the clock was set back is still good."""
    grpc_platform.clock.ahead = -86_400
    await grpc_platform.identity.GetCurrentUser(pb.GetCurrentUserRequest(), metadata=ann.metadata)


async def test_changed_claims(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A token whose claims were changed under its signature is refused."""
    header, _, signature = ann.token.split(".")
    claims = claims_of(ann.token) | {"exp": int(time.time()) + 10**6}
    forged = f"{header}.{base64url(json.dumps(claims).encode())}.{signature}"
    assert await refused(grpc_platform, forged) == "TOKEN_INVALID"


async def test_no_algorithm(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A token that says it needs no signature is refused."""
    kid = jwt.get_unverified_header(ann.token)["kid"]
    for algorithm in ("none", "None", "NONE"):
        header = base64url(json.dumps({"alg": algorithm, "typ": "JWT", "kid": kid}).encode())
        claims = base64url(json.dumps(claims_of(ann.token)).encode())
        assert await refused(grpc_platform, f"{header}.{claims}.") == "TOKEN_INVALID"


async def test_public_key_as_secret(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A token signed by HS256 with what everybody knows, the public key, is refused in each of its forms."""
    (jwk,) = grpc_platform.security.issuer.public_keys()
    key = jwt.PyJWK(dict(jwk)).key
    raw = base64.urlsafe_b64decode(jwk["x"] + "=")
    forms = (
        raw,
        jwk["x"].encode(),
        json.dumps(jwk).encode(),
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
    pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = {"alg": "HS256", "typ": "JWT", "kid": jwk["kid"]}
    signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    for secret in (*forms, pem, pem.strip()):
        signed = f"{base64url(json.dumps(header).encode())}.{base64url(json.dumps(claims_of(ann.token)).encode())}"
        token = f"{signed}.{base64url(signer.sign(signed.encode(), secret))}"
        assert await refused(grpc_platform, token) == "TOKEN_INVALID"


async def test_foreign_key(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A token signed by somebody else's key is refused, under whatever key id."""
    kid = jwt.get_unverified_header(ann.token)["kid"]
    for claimed in (kid, "another", "../0001", ""):
        token = jwt.encode(claims_of(ann.token), Ed25519PrivateKey.generate(), "EdDSA", {"kid": claimed})
        assert await refused(grpc_platform, token) == "TOKEN_INVALID"


@pytest.mark.parametrize("text", ["x", "a.b.c", "....", "%00", "e30.e30.e30", "x" * 5_000, "eyJhbGciOiJFZERTQSJ9.e30."])
async def test_not_a_token(grpc_platform: GrpcPlatform, text: str) -> None:
    """Text that is no token is refused."""
    assert await refused(grpc_platform, text) == "TOKEN_INVALID"


async def test_streams_need_a_token(grpc_platform: GrpcPlatform) -> None:
    """A subscription without a token does not begin."""
    call = grpc_platform.status.Subscribe(status_pb.SubscribeRequest())
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call.read()
    assert reason_of(failed.value) == "TOKEN_MISSING"
