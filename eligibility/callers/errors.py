"""Errors that refuse a request. 401: the caller is unknown. 403: the caller lacks a right."""

from collections.abc import Collection

from eligibility.errors import EligibilityError


class Unauthenticated(EligibilityError):
    """A request's credentials do not identify a caller; code and message contain the reason.

    Codes: CREDENTIALS_MISSING, CREDENTIALS_UNREADABLE; KEY_UNKNOWN (or revoked), KEY_EXPIRED;
    TOKEN_INVALID (signature, form, algorithm), TOKEN_EXPIRED, TOKEN_NOT_YET_VALID,
    TOKEN_ISSUER_UNKNOWN, TOKEN_AUDIENCE, TOKEN_CLAIMS (a claim is missing or has a wrong value),
    EMAIL_UNVERIFIED; TOKEN_REQUIRED (an access query must contain the account's token).
    A message never contains a secret, a token or an address.
    """

    def __init__(self, code: str, detail: str, loc: str = "header.authorization") -> None:
        super().__init__(f"{loc}: {detail}")
        self.code, self.loc = code, loc


class ScopeMissing(EligibilityError):
    """The caller is known but does not have the scope that the request needs."""

    code = "SCOPE_MISSING"

    def __init__(self, scope: str, present: Collection[str]) -> None:
        scopes = ", ".join(sorted(present)) or "none"
        super().__init__(f"this needs the scope `{scope}`; the caller has {scopes}")


class AllPublishersNeeded(EligibilityError):
    """The caller has the scope for some publishers, but the request concerns all publishers."""

    code = "ALL_PUBLISHERS_NEEDED"

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope `{scope}` for all publishers")


class AccountMismatch(EligibilityError):
    """An account that identified itself by its own token sent a query about another account."""

    code = "NOT_YOURSELF"

    def __init__(self) -> None:
        super().__init__("an account may ask only about itself: leave out `account`")


class IssuerUnavailable(EligibilityError):
    """The keys of a token's issuer cannot be fetched now, so the token cannot be verified."""

    code = "ISSUER_UNAVAILABLE"

    def __init__(self, issuer: str, why: str) -> None:
        super().__init__(f"the keys of issuer `{issuer}` cannot be read: {why}")
        self.issuer = issuer


class UnknownKey(EligibilityError):
    """The store has no API key with that id."""

    code = "UNKNOWN_KEY"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no key `{key_id[:40]}`; `eligibility keys list` shows them")


class UnknownPublisher(EligibilityError):
    """No publisher has this id, or the caller may not see it. Both cases have the same message."""

    code = "UNKNOWN_PUBLISHER"

    def __init__(self, publisher: str) -> None:
        super().__init__(f"unknown publisher `{publisher[:64]}`")
