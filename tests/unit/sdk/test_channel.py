"""How the client reaches a server: encrypted or not."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chat4all_sdk import AsyncClient, Unavailable

from .memory_platform.server import MemoryPlatform


def certificate() -> tuple[bytes, bytes]:
    """A key and a certificate for localhost that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private, signed.public_bytes(pem)


@pytest.fixture
async def encrypted() -> AsyncIterator[tuple[MemoryPlatform, bytes]]:
    """A platform behind TLS, and the certificate to trust."""
    key, chain = certificate()
    platform = MemoryPlatform(grpc.ssl_server_credentials([(key, chain)]))
    await platform.start()
    try:
        yield platform, chain
    finally:
        await platform.kill()


async def test_tls_with_own_authority(encrypted: tuple[MemoryPlatform, bytes]) -> None:
    """Channel credentials reach a server whose certificate they trust."""
    platform, chain = encrypted
    async with AsyncClient(platform.target, tls=grpc.ssl_channel_credentials(chain)) as client:
        assert (await client.register("alice", "correct horse")).username == "alice"


async def test_tls_does_not_trust_anyone(encrypted: tuple[MemoryPlatform, bytes]) -> None:
    """With tls=True a server whose certificate no known authority signed gets no password."""
    platform, _ = encrypted
    async with AsyncClient(platform.target, tls=True, timeout=0.5) as client:
        with pytest.raises(Unavailable):
            await client.register("alice", "correct horse")
    assert platform.state.requests("RegisterUser") == []


async def test_plain_on_this_machine_only(platform: MemoryPlatform) -> None:
    """Left to itself the client speaks plainly to localhost, and to no other name."""
    async with AsyncClient(platform.target) as client:
        await client.register("alice", "correct horse")
    elsewhere = f"ipv4:127.0.0.1:{platform.port}"  # a form that is not recognised as this machine
    async with AsyncClient(elsewhere, timeout=0.5) as client:
        with pytest.raises(Unavailable):
            await client.register("bob", "correct horse")
    async with AsyncClient(elsewhere, tls=False) as client:
        await client.register("bob", "correct horse")
