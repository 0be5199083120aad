"""Whom an access query is about: who may say so, and what an account's own ID token says."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from eligibility.access.model import Account
from eligibility.access.wire import AccountFields, QueryFields, not_one_of_both
from eligibility.callers.errors import AccountMismatch, Unauthenticated
from eligibility.callers.tokens import Verifier
from eligibility.errors import EligibilityError, InvalidInput
from eligibility.server.http.authentication import AuthenticatedCaller
from groups.emails import canonical
from groups.errors import InvalidEmails


class AccountResolver:
    """Settles queries: each then names its account as if a caller that may had asserted it.

    A caller without `access:assert` has to send the account's token. An account that asks for
    itself need not name itself, and may name nobody else.
    """

    def __init__(self, tokens: Verifier) -> None:
        self._tokens = tokens

    def settle(self, asked: QueryFields, by: AuthenticatedCaller) -> QueryFields | None:
        """Settle a query from memory; None where a token has to be verified first.

        Raises: Unauthenticated, NotYourself, InvalidInput.
        """
        account = asked.account
        if by.may_assert and not (account and account.token is not UNSET):
            return asked
        return self._settled(asked, by, self._tokens.known_account)

    def settle_in_thread(self, asked: QueryFields, by: AuthenticatedCaller) -> QueryFields:
        """Settle a query, verifying its token; may ask the token's issuer for its keys.

        Raises: as `settle`, and IssuerUnavailable.
        """
        settled = self._settled(asked, by, self._tokens.account_of)
        assert settled is not None  # noqa: S101 - account_of gives an account or raises
        return settled

    def settle_all(
        self, batch: Sequence[QueryFields | EligibilityError], by: AuthenticatedCaller
    ) -> Sequence[QueryFields | EligibilityError] | None:
        """Settle the queries of a batch; None where a token has to be verified first.

        What is wrong with one query is in its place.
        """
        made: list[QueryFields | EligibilityError] = []
        for asked in batch:
            try:
                settled = asked if isinstance(asked, EligibilityError) else self.settle(asked, by)
            except EligibilityError as error:
                settled = error
            if settled is None:
                return None
            made.append(settled)
        return made

    def _settled(
        self, asked: QueryFields, by: AuthenticatedCaller, read: Callable[[str], Account | None]
    ) -> QueryFields | None:
        account, own = asked.account, by.caller.account
        if not account:
            return asked if own is None else _about(asked, own)
        if account.token is not UNSET:
            if account.id or account.kind is not UNSET or account.aliases is not UNSET:
                raise InvalidInput([not_one_of_both(account)])
            found = read(account.token)
            if found is not None and own is not None and found.id != own.id:
                raise AccountMismatch
            return None if found is None else _about(asked, found)
        if own is not None:
            if not are_of(own, (account.id, *(account.aliases or ()))):
                raise AccountMismatch
            return _about(asked, own)
        if not by.may_assert:
            raise Unauthenticated(
                "TOKEN_REQUIRED",
                "the caller has no scope `access:assert`: send the ID token of the account",
                "account.token",
            )
        return asked


def may_hold_tokens(body: bytes) -> bool:
    """Whether the text of a batch could hold a token at all; a quick look that errs to True."""
    return b"token" in body or b"\\" in body


def are_of(own: Account, named: Iterable[str]) -> bool:
    """Whether all the addresses are the account's; what is no address is not."""
    try:
        return set(map(canonical, named)) <= set(own.addresses)
    except InvalidEmails:
        return False


def _about(asked: QueryFields, account: Account) -> QueryFields:
    aliases = list(account.aliases) or UNSET
    return replace(asked, account=AccountFields(account.id, account.kind, aliases))
