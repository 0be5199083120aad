"""Decide which account an access query is for: who may name it, and whose ID token was sent."""

from collections.abc import Callable, Iterable, Sequence

from msgspec import UNSET
from msgspec.structs import replace

from eligibility.access.model import Account
from eligibility.access.wire import AccountFields, QueryFields, id_or_token_fault
from eligibility.callers.errors import AccountMismatch, Unauthenticated
from eligibility.callers.tokens import Verifier
from eligibility.errors import EligibilityError, InvalidInput
from eligibility.server.http.authentication import AuthenticatedCaller
from groups.emails import canonical
from groups.errors import InvalidEmails


class AccountResolver:
    """Settles queries: checks the account of each query, and fills it in from an ID token.

    A caller without `access:assert` has to send the account's ID token. An account that asks for
    itself may leave its name out, and may not name another account.
    """

    def __init__(self, tokens: Verifier) -> None:
        self._tokens = tokens

    def settle(self, query: QueryFields, by: AuthenticatedCaller) -> QueryFields | None:
        """Settle from memory, else None. Raises: Unauthenticated, AccountMismatch, InvalidInput."""
        account = query.account
        if by.may_assert and not (account and account.token is not UNSET):
            return query
        return self._settled(query, by, self._tokens.known_account)

    def settle_in_thread(self, query: QueryFields, by: AuthenticatedCaller) -> QueryFields:
        """Settle a query; may fetch an issuer's keys. Raises: as `settle`; IssuerUnavailable."""
        settled = self._settled(query, by, self._tokens.account_of)
        assert settled is not None  # noqa: S101 - account_of returns an account or raises
        return settled

    def settle_all(
        self, batch: Sequence[QueryFields | EligibilityError], by: AuthenticatedCaller
    ) -> Sequence[QueryFields | EligibilityError] | None:
        """Settle the queries of a batch; return None if a token must be verified first.

        The result has an error in place of each query that cannot be settled.
        """
        settled_batch: list[QueryFields | EligibilityError] = []
        for query in batch:
            try:
                settled = query if isinstance(query, EligibilityError) else self.settle(query, by)
            except EligibilityError as error:
                settled = error
            if settled is None:
                return None
            settled_batch.append(settled)
        return settled_batch

    def _settled(
        self, query: QueryFields, by: AuthenticatedCaller, read: Callable[[str], Account | None]
    ) -> QueryFields | None:
        account, own = query.account, by.caller.account
        if not account:
            return query if own is None else _about(query, own)
        if account.token is not UNSET:
            if account.id or account.kind is not UNSET or account.aliases is not UNSET:
                raise InvalidInput([id_or_token_fault(account)])
            account_of_token = read(account.token)
            if account_of_token is not None and own is not None and account_of_token.id != own.id:
                raise AccountMismatch
            return None if account_of_token is None else _about(query, account_of_token)
        if own is not None:
            if not are_of(own, (account.id, *(account.aliases or ()))):
                raise AccountMismatch
            return _about(query, own)
        if not by.may_assert:
            raise Unauthenticated(
                "TOKEN_REQUIRED",
                "the caller has no scope `access:assert`: send the ID token of the account",
                "account.token",
            )
        return query


def may_hold_tokens(body: bytes) -> bool:
    """Return whether a batch may contain a token: a quick check, which returns True if unsure."""
    return b"token" in body or b"\\" in body


def are_of(own: Account, named: Iterable[str]) -> bool:
    """Return whether all these texts are addresses of the account."""
    try:
        return {canonical(text, strict=False) for text in named} <= set(own.addresses)
    except InvalidEmails:
        return False


def _about(query: QueryFields, account: Account) -> QueryFields:
    aliases = list(account.aliases) or UNSET
    return replace(query, account=AccountFields(account.id, account.kind, aliases))
