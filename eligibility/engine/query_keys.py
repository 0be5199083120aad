"""Cache keys of queries as sent, built without parsing the whole query.

A key has everything that the rules use of a query. A query has no key, and must be parsed, unless
each field is checked here or was parsed before. `of` and `of_all` build the same keys; `of_all`
works on columns of a batch, in compiled loops (docs/decisions.md 0014).
"""

from collections.abc import Iterable, Sequence
from itertools import repeat
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import astuple

from eligibility.access.wire import AccountFields, QueryFields, device_read_lately, is_market
from eligibility.engine.decision_cache import CacheKey
from eligibility.engine.device_classes import DeviceClasses
from eligibility.engine.snapshot import Snapshot
from eligibility.rules.rollout import rollout_position
from groups.emails import canonical_or_none, canonical_together

AccountKey = tuple[int | None, object, int]
"""What the rules use of an account: combination of groups, kind, side of the rollouts."""

_NOBODY: AccountKey = (None, None, 0)
_UNTOLD: AccountKey = (-1, None, 0)
_UNREADABLE = object()

SentAccount = AccountFields | UnsetType | None


class QueryKeys:
    """Builds the keys of queries for one product. No key if a membership may be settling."""

    __slots__ = (
        "_class_lately",
        "_digest",
        "_digests",
        "_find",
        "_find_all",
        "_limited_markets",
        "_product_id",
        "_recent",
        "_thresholds",
    )

    def __init__(self, snapshot: Snapshot, classes: DeviceClasses) -> None:
        self._product_id = snapshot.product_id
        self._class_lately = classes.lately
        self._digest, self._digests = snapshot.digester.of, snapshot.digester.of_all
        self._find, self._find_all = snapshot.index.find, snapshot.index.find_all
        self._recent = snapshot.recent.keys()
        self._thresholds = snapshot.thresholds
        self._limited_markets = snapshot.product.markets is not None

    def of(self, query: QueryFields) -> CacheKey | None:
        """Build the key of one query. None if the query has to be parsed."""
        _, raw, account, installed, owned, market, code, manual, at, *_ = astuple(query)
        device = device_read_lately(bytes(raw))
        device_class = self._class_lately(device) if device else None
        who = self._account_key(account)
        offered_in = self._offered_in(market)
        if device_class is None or who is None or offered_in is _UNREADABLE:
            return None
        combination, kind, side = who
        return device_class, combination, kind, side, installed, owned, code, manual, offered_in, at

    def of_all(self, batch: Sequence[QueryFields]) -> Iterable[CacheKey]:
        """Build the keys of queries, in order. A key that matches nothing replaces None of `of`."""
        devices: Iterable[Any] = map(device_read_lately, [bytes(query.device) for query in batch])
        accounts = [query.account for query in batch]
        combinations, kinds, sides = self._account_keys(accounts)
        markets = [query.market for query in batch]
        offered_in = {market: self._offered_in(market) for market in set(markets)}
        return zip(
            map(self._class_lately, devices),
            combinations,
            kinds,
            sides,
            [query.installed_version for query in batch],
            [query.owned for query in batch],
            [query.promotional_code for query in batch],
            [query.manual_check for query in batch],
            map(offered_in.get, markets),
            [query.at for query in batch],
            strict=False,  # `sides` may be infinite
        )

    def _account_key(self, account: SentAccount) -> AccountKey | None:
        """Build the account part of a key. None if it must be parsed, or may be settling."""
        if account is UNSET or account is None:
            return _NOBODY
        if account.aliases is not UNSET or not (address := canonical_or_none(account.id)):
            return None
        digest = self._digest(address)
        if digest in self._recent:
            return None
        return self._find(digest), account.kind, self._side(address) if self._thresholds else 0

    def _account_keys(self, accounts: Sequence[SentAccount]) -> Iterable[Iterable[object]]:
        """Return `_who` of each account, as columns. Fast if no account is missing or has aliases."""
        usual = [account for account in accounts if account and account.aliases is UNSET]
        addresses = canonical_together([account.id for account in usual])
        if addresses is not None and len(usual) == len(accounts):
            digests = self._digests(addresses)
            if self._recent.isdisjoint(digests):
                sides = [self._side(a) for a in addresses] if self._thresholds else repeat(0)
                return self._find_all(digests), [account.kind for account in usual], sides
        return zip(*[self._account_key(account) or _UNTOLD for account in accounts], strict=True)

    def _side(self, address: str) -> int:
        return rollout_position(self._thresholds, self._product_id, address)

    def _offered_in(self, market: str | UnsetType | None) -> object:
        if market is not UNSET and not is_market(market):
            return _UNREADABLE
        return market if self._limited_markets else None
