"""An authority of a test's own, and what it signs."""

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files in PEM."""

    authority: Path
    """What clients trust."""
    certificate: Path
    """Of a server on 127.0.0.1."""
    key: Path
    both: Path
    """Key and certificate in one file."""


def make_certificates(folder: Path) -> Certificates:
    """Make an authority and have it sign the certificate of a server on 127.0.0.1."""
    folder.mkdir(parents=True)
    root, root_key = _sign("an authority of a test", is_authority=True)
    server, key = _sign("127.0.0.1", is_authority=False, issuer=(root, root_key))
    pem = server.public_bytes(serialization.Encoding.PEM)
    key_pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Certificates(
        authority=_write(folder / "ca.pem", root.public_bytes(serialization.Encoding.PEM)),
        certificate=_write(folder / "server.pem", pem),
        key=_write(folder / "server.key", key_pem),
        both=_write(folder / "both.pem", key_pem + pem),
    )


_Signer = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def _sign(name: str, *, is_authority: bool, issuer: _Signer | None = None) -> _Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
    )
    if not is_authority:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    signer = issuer[1] if issuer else key
    return builder.sign(signer, hashes.SHA256()), key


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path
