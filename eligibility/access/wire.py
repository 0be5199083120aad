"""JSON format of POST /v1/access and of its batch.

msgspec decodes (fast: this runs for every query); StrictReader finds faults that msgspec accepts.
A query is decoded as sent (`QueryFields`), and validated (`to_query`) only if no cached answer fits.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import astuple

from eligibility.access.codes import AccountKind, Consistency
from eligibility.access.model import AccessQuery, Account, Decision, Device, Revision, Settling
from eligibility.errors import Fault, Faults, InvalidInput
from eligibility.formats import strict_json
from eligibility.formats.lru_cache import LruCache
from eligibility.formats.moments import parse_moment
from eligibility.formats.strict_struct import StrictReader, nothing_twice, shown
from eligibility.windows.package_versions import canonical_package_version
from groups.emails import canonical
from groups.errors import InvalidEmails

LONGEST_BATCH = 1_000
_MOST_DEVICES = 65_536
_MARKET = re.compile(r"[A-Z]{2}")
_Count = Annotated[int, msgspec.Meta(ge=0)]


class AccountFields(Struct, forbid_unknown_fields=True, gc=False):
    """An account as sent: an ID token, or an e-mail address (`id`) with further addresses as aliases.

    server/accounts.py replaces a token by its content before; `to_query` rejects a token.
    """

    id: str = ""
    kind: AccountKind | UnsetType = UNSET
    aliases: list[str] | None | UnsetType = UNSET
    token: str | UnsetType = UNSET


class DeviceFields(Struct, forbid_unknown_fields=True, gc=False):
    """A device as sent. os_version: any of the forms listed in section 3 of the design."""

    family: str
    os_version: str
    architecture: str | None | UnsetType = UNSET


class LeastRevision(Struct, forbid_unknown_fields=True, gc=False):
    """Lowest revisions that an answer may be based on; same fields as a Decision's `revision`."""

    groups: _Count = 0
    catalog: _Count = 0


class QueryFields(Struct, forbid_unknown_fields=True, gc=False):
    """An access query as sent. AccessQuery describes the fields."""

    product_id: str
    device: Raw
    account: AccountFields | None | UnsetType = UNSET
    installed_version: str | None | UnsetType = UNSET
    owned: bool | UnsetType = UNSET
    market: str | None | UnsetType = UNSET
    promotional_code: bool | UnsetType = UNSET
    manual_check: bool | UnsetType = UNSET
    at: str | None | UnsetType = UNSET
    consistency: Consistency | UnsetType = UNSET
    at_least_revision: _Count | LeastRevision | UnsetType = UNSET

    @property
    def for_memory(self) -> bool:
        """Whether memory may answer this query without asking the store."""
        return self.at is UNSET and self.consistency is UNSET and self.at_least_revision is UNSET


class BatchFields(Struct, forbid_unknown_fields=True, gc=False):
    """A batch whose queries are all readable."""

    queries: list[QueryFields]


class _RawBatch(Struct, forbid_unknown_fields=True, gc=False):
    """A batch in which some queries cannot be read."""

    queries: list[Raw]


class _Stamp(Struct, gc=False):
    """The last fields of a Decision, which the evaluator sets."""

    settling: Settling | None
    revision: Revision
    stale_seconds: int


_STAMP_MARK = b',"settling":'  # matches only the field: JSON strings escape quotes
_Query = TypeVar("_Query", QueryFields, Raw)

_encoder = msgspec.json.Encoder()
_query = StrictReader(QueryFields, {"account": AccountFields, "device": DeviceFields})
_batch = StrictReader(BatchFields)
_raw_batch = StrictReader(_RawBatch)
_device = StrictReader(DeviceFields)
_devices: LruCache[bytes, Device] = LruCache(_MOST_DEVICES)

device_read_lately = _devices.recent.get
"""Return the device that these bytes were recently read as, or None. See LruCache.recent."""


def decode_query(body: bytes) -> QueryFields:
    """Decode one access query. Raises InvalidInput (or InvalidJson) with every fault of structure."""
    try:  # inlines the fast path of StrictReader.read; all other bodies go to `read` below
        query = _query.decode(body)
        encoded = _encoder.encode(query)
        if len(encoded) == len(body) or encoded.count(b":") == body.count(b":"):
            return query if b"\\" not in body else _query.read(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return _query.read(body)


def query_of(**fields: object) -> AccessQuery:
    """Build an access query from plain values. Raises InvalidInput with every fault."""
    if fields.get("owned", True) is None:
        del fields["owned"]
    return to_query(decode_query(_encoder.encode(fields)))


def decode_batch(body: bytes) -> Sequence[QueryFields | InvalidInput]:
    """Decode a batch: each query or its faults. Raises InvalidInput above LONGEST_BATCH queries."""
    try:
        read = _batch.decode(body)
        if nothing_twice(body, read):
            return _within_bounds(read.queries)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # the batch or some of its queries are invalid: decode each query by itself below
    try:
        queries = _raw_batch.decode(body).queries
        strict_json.loads(_around(queries, body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        queries = _raw_batch.read(body).queries
    return [*map(_fields_or_fault, _within_bounds(queries))]


def _around(queries: list[Raw], body: bytes) -> bytes:
    """Replace each query of a batch by 0, so that only faults outside the queries remain."""
    parts: list[bytes] = []
    at = body.find(b"[")
    before = body[:at]
    for query in queries:
        raw = bytes(query)
        begins = body.find(raw, at)
        parts.append(body[at:begins])
        at = begins + len(raw)
    return before + b"0".join([*parts, body[at:]])


def _within_bounds(queries: list[_Query]) -> list[_Query]:
    if not 1 <= len(queries) <= LONGEST_BATCH:
        detail = f"the batch has {len(queries)} queries; it must have 1 to {LONGEST_BATCH}"
        raise InvalidInput([Fault("queries", "BATCH_LENGTH", detail)])
    return queries


def encode(decision: Decision) -> bytes:
    """Encode a decision as JSON. Omits explanation fields that are UNSET."""
    return _encoder.encode(decision)


def encoded_verdict(decision: Decision) -> bytes:
    """Encode a decision up to its stamp, where encoded_stamp continues."""
    return encode(decision).partition(_STAMP_MARK)[0]


def encoded_stamp(settling: Settling | None, revision: Revision, stale_seconds: int) -> bytes:
    """Encode the stamp of a decision and the closing brace."""
    return b"," + _encoder.encode(_Stamp(settling, revision, stale_seconds))[1:]


def encoded_batch(answers: Iterable[bytes]) -> bytes:
    """Join encoded decisions into a batch answer. A failed query has a problem instead."""
    return b"".join((b'{"decisions":[', b",".join(answers), b"]}"))


def _fields_or_fault(query: Raw) -> QueryFields | InvalidInput:
    try:
        return decode_query(bytes(query))
    except InvalidInput as error:
        return error


def to_query(fields: QueryFields) -> AccessQuery:
    """Validate a decoded query. Raises InvalidInput with every field that is invalid."""
    # One astuple call takes half the time of reading the attributes one by one.
    product_id, raw, sent, installed, owned, market, promotion, manual, at, fresh, least = astuple(
        fields
    )
    raw_device = bytes(raw)
    try:
        return AccessQuery(
            product_id,
            device_read_lately(raw_device) or _device_of(raw_device),
            None if sent is None or sent is UNSET else _to_account(sent),
            None
            if installed is None or installed is UNSET
            else canonical_package_version(installed),
            None if owned is UNSET else owned,
            None if market is None or market is UNSET else market_of(market),
            promotion is True,
            manual is True,
            None if at is None or at is UNSET else parse_moment(at),
            fresh is Consistency.STRONG,
            None if least is UNSET else _to_revision(least),
        )
    except (InvalidInput, InvalidEmails):
        raise InvalidInput(_unreadable(fields)) from None


def _unreadable(fields: QueryFields) -> list[Fault]:
    """List the faults of all invalid fields, not only of the first."""
    readers: dict[str, Callable[[Any], object]] = {
        "device": lambda raw: _device_of(bytes(raw)),
        "account": _parsed_account,
        "installed_version": _to_package_version,
        "market": market_of,
        "at": parse_moment,
    }
    faults = Faults()
    for name, read in readers.items():
        value = getattr(fields, name)
        if value is not None and value is not UNSET:
            with faults.collect():
                read(value)
    return faults


def _device_of(raw: bytes) -> Device:
    """Read a device, and cache it by its exact bytes."""
    known = _devices.get(raw)
    if known is not None:
        return known
    try:
        fields = _device.read(raw)
    except InvalidInput as error:
        located = [Fault(f"device.{f.loc}".rstrip("."), f.code, f.detail) for f in error.faults]
        raise InvalidInput(located) from None
    architecture = None if fields.architecture is UNSET else fields.architecture
    device = Device.parse(fields.family, fields.os_version, architecture)
    _devices.put(raw, device)
    return device


def _to_account(fields: AccountFields) -> Account:
    if not fields.id or fields.token is not UNSET:
        raise InvalidInput([id_or_token_fault(fields)])
    kind = AccountKind.MICROSOFT if fields.kind is UNSET else fields.kind
    if fields.aliases is UNSET or not fields.aliases:
        return Account(canonical(fields.id, strict=False), kind)  # as Account.parse, but faster
    return Account.parse(fields.id, kind, fields.aliases)


def _parsed_account(fields: AccountFields) -> Account:
    """Same as `_to_account`, but a fault names the invalid field."""
    if not fields.id or fields.token is not UNSET:
        raise InvalidInput([id_or_token_fault(fields)])
    return Account.parse(fields.id, aliases=fields.aliases or ())


def id_or_token_fault(fields: AccountFields) -> Fault:
    """Describe the fault of an account that has neither address nor token, or has both."""
    if fields.token is UNSET:
        detail = "needs either `id` (an address) or `token` (an ID token)"
        return Fault("account", "ACCOUNT_MISSING", detail)
    return Fault(
        "account.token", "ACCOUNT_TWICE", "already names the account: do not send `id` with it"
    )


def _to_package_version(text: str) -> str:
    try:
        return canonical_package_version(text)
    except InvalidInput as error:
        fault = error.faults[0]
        raise InvalidInput([Fault("installed_version", fault.code, fault.detail)]) from None


def is_market(text: str | None) -> bool:
    """Check that a market is two capital letters or None."""
    return text is None or _MARKET.fullmatch(text) is not None


def market_of(text: str) -> str:
    """Check a market. Raises: InvalidInput."""
    if is_market(text):
        return text
    detail = f"`{shown(text)}` is not a market: write two capital letters, as in US"
    raise InvalidInput([Fault("market", "UNREADABLE_MARKET", detail)])


def _to_revision(least: int | LeastRevision) -> Revision:
    """A plain number is a groups revision, as returned by an edit of members."""
    if isinstance(least, int):
        return Revision(least, 0)
    return Revision(least.groups, least.catalog)
