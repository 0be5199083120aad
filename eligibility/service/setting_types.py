"""Types of settings, which read and check values from a file or the environment."""

import json
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, IPvAnyNetwork

from eligibility.callers.issuers import AccountIssuer, CallerIssuer, check_unique
from eligibility.callers.provider import SignInProvider

_ORIGIN = re.compile(r"https://[a-z0-9.-]+(?::[0-9]{1,5})?|https://\[[0-9a-f:.]+\](?::[0-9]{1,5})?")


def _from_json(value: Any) -> Any:
    """Parse the JSON text of an environment variable. A value from a file is already parsed."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"not JSON: {error}") from None


def _from_commas(value: Any) -> Any:
    """Split the text of an environment variable at commas. A value from a file is already a list."""
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


def _store_url(store: str) -> str:
    if "://" not in store:
        raise ValueError("write it as a store URL, as in sqlite:///eligibility.db")
    return store


def _https_origin(url: str) -> str:
    if not _ORIGIN.fullmatch(url):
        raise ValueError("write it as https://store.example.com, without a path or a last slash")
    return url


StoreUrl = Annotated[str, AfterValidator(_store_url)]
HttpsOrigin = Annotated[str, AfterValidator(_https_origin)]
Networks = Annotated[tuple[IPvAnyNetwork, ...], BeforeValidator(_from_commas)]
CallerIssuers = Annotated[
    tuple[CallerIssuer, ...], BeforeValidator(_from_json), AfterValidator(check_unique)
]
AccountIssuers = Annotated[
    tuple[AccountIssuer, ...], BeforeValidator(_from_json), AfterValidator(check_unique)
]
DashboardProvider = Annotated[SignInProvider | None, BeforeValidator(_from_json)]
