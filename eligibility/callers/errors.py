"""Why a caller is turned away. 401: not known who it is. 403: known, and not allowed."""

from collections.abc import Collection

from eligibility.errors import EligibilityError


class Unauthenticated(EligibilityError):
    """Nobody could be made out from what a request carries; code and message say what is wrong.

    Codes: CREDENTIALS_MISSING, CREDENTIALS_UNREADABLE; KEY_UNKNOWN (also one revoked), KEY_EXPIRED;
    TOKEN_INVALID (signature, form, algorithm), TOKEN_EXPIRED, TOKEN_NOT_YET_VALID,
    TOKEN_ISSUER_UNKNOWN, TOKEN_AUDIENCE, TOKEN_CLAIMS (a claim is missing or not what it has to be),
    EMAIL_UNVERIFIED; TOKEN_REQUIRED (an access query has to carry the account's token).
    A message never holds a secret, a token or an address.
    """

    def __init__(self, code: str, detail: str, loc: str = "header.authorization") -> None:
        super().__init__(f"{loc}: {detail}")
        self.code, self.loc = code, loc


class ScopeMissing(EligibilityError):
    """The caller is known and lacks a scope."""

    code = "SCOPE_MISSING"

    def __init__(self, scope: str, present: Collection[str]) -> None:
        had = ", ".join(sorted(present)) or "none"
        super().__init__(f"this needs the scope `{scope}`; the caller has {had}")
        self.scope = scope


class AllPublishersNeeded(EligibilityError):
    """The caller has the scope for some publishers only, and this concerns the whole deployment."""

    code = "ALL_PUBLISHERS_NEEDED"

    def __init__(self, scope: str) -> None:
        super().__init__(f"this needs the scope `{scope}` for all publishers")
        self.scope = scope


class AccountMismatch(EligibilityError):
    """An account that asks with its own token asked for another account."""

    code = "NOT_YOURSELF"

    def __init__(self) -> None:
        super().__init__("an account may ask for itself only: leave out `account`")


class IssuerUnavailable(EligibilityError):
    """The keys of a token's issuer cannot be had now, so the token can be neither trusted nor refused."""

    code = "ISSUER_UNAVAILABLE"

    def __init__(self, issuer: str, why: str) -> None:
        super().__init__(f"the keys of issuer `{issuer}` cannot be read: {why}")
        self.issuer = issuer


class UnknownKey(EligibilityError):
    """The store has no API key of that id."""

    code = "UNKNOWN_KEY"

    def __init__(self, key_id: str) -> None:
        super().__init__(f"there is no key `{key_id[:40]}`; `eligibility keys list` shows them")
        self.key_id = key_id
