"""Certificates that tests make themselves, for loopback."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass(frozen=True)
class Certificate:
    """A certificate that signs itself, and its private key, as PEM files. encrypted: the key again."""

    certificate: Path
    key: Path
    encrypted: Path


def make_certificate(directory: Path, name: str = "tls") -> Certificate:
    """Make one for 127.0.0.1 and `localhost`, as the files NAME_certificate and NAME_key."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    hosts = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(named, named, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    made = Certificate(*(directory / f"{name}_{of}" for of in ("certificate", "key", "encrypted")))
    made.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain, secret = serialization.NoEncryption(), serialization.BestAvailableEncryption(b"secret")
    made.key.write_bytes(_pem(key, plain))
    made.encrypted.write_bytes(_pem(key, secret))
    return made


def _pem(
    key: ec.EllipticCurvePrivateKey, encryption: serialization.KeySerializationEncryption
) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )
