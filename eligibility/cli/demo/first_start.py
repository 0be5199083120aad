"""Checks of `serve` before it listens: an API key exists, and traffic is encrypted or local."""

import ipaddress
import ssl

import typer

from eligibility.callers.model import Scope
from eligibility.cli.options.base import actor
from eligibility.errors import EligibilityError, Fault, InvalidSettings
from eligibility.service.service import Service
from eligibility.service.settings import Settings


class CannotListen(EligibilityError):
    """The server cannot listen on the address, or must not because that would be unsafe."""

    code = "CANNOT_LISTEN"


def first_key(service: Service) -> str | None:
    """Create an admin key on loopback if no key works and no token issuer is set; else return None.

    Raises: CannotListen if the address is not loopback and there is no key or no TLS;
    InvalidSettings if the certificate is unusable or the provider's secret cannot be read.
    """
    settings = service.settings
    _check_certificate(settings)
    settings.provider_secret()  # fail now, not later in every server process
    loopback = is_loopback(settings.host)
    if not loopback:
        _check_encrypted(settings)
    if settings.issuers or service.key_admin.listed():
        return None
    if not loopback:
        raise CannotListen(
            f"host `{settings.host}` is not loopback, and the store has no API key yet: create one"
            " with `eligibility keys create --name admin --scope admin --all-publishers`"
        )
    return admin_key(service, "first admin")


def admin_key(service: Service, name: str, expires: str | None = None) -> str:
    """Create a key with all rights, and return its text. expires: see KeyAdmin.create."""
    issued = service.key_admin.create(
        actor(), name=name, scopes=[Scope.ADMIN], publishers=None, expires=expires
    )
    return issued.text


def announce(url: str, key: str) -> None:
    """Print the new key, and links that contain it. It is never shown again."""
    typer.echo(
        "the store had no API key, so one was created that may do everything; it is shown only once:\n"
        f"  {key}\n"
        f"open the dashboard: {url}/dashboard/sign-in#key={key}\n"
        f"try the API there: {url}/docs#key={key}"
    )


def _check_encrypted(settings: Settings) -> None:
    if settings.tls_certificate is None and not settings.trusted_proxies:
        raise CannotListen(
            f"host `{settings.host}` is not loopback, and keys and addresses would go over the network"
            " unencrypted: set `tls_certificate` and `tls_key`, or name in `trusted_proxies` the"
            " proxy that terminates TLS"
        )


def _check_certificate(settings: Settings) -> None:
    """Check the TLS files now: else every server process would fail later."""
    certificate, key = settings.tls_certificate, settings.tls_key
    if certificate is None:
        return
    for name, path in (("tls_certificate", certificate), ("tls_key", key or certificate)):
        try:
            path.read_bytes()
        except OSError as error:
            raise InvalidSettings("settings", [Fault(name, "UNREADABLE", str(error))]) from None
    try:
        # Without a password, OpenSSL would prompt for one, and nobody could answer.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        detail = f"is not a PEM certificate whose unencrypted key is in `tls_key`: {error}"
        raise InvalidSettings("settings", [Fault("tls_certificate", "UNUSABLE", detail)]) from None


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
