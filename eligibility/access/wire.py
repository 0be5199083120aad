"""Access queries and decisions as JSON: the wire format of POST /v1/access and of its batch.

Compiled (msgspec), for this runs once a query; strict_fields.py finds what msgspec lets pass. A query
is taken as sent first (`QueryFields`) and read (`to_query`) only where that is needed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType
from msgspec.structs import astuple

from eligibility.access.model import (
    AccessQuery,
    Account,
    AccountKind,
    Consistency,
    Decision,
    Device,
    Revision,
    Settling,
)
from eligibility.errors import Fault, InvalidInput
from eligibility.formats import strict_json
from eligibility.formats.lru_cache import LruCache
from eligibility.formats.strict_struct import StrictReader, nothing_twice, shown
from eligibility.windows.package_versions import canonical_package_version
from groups.emails import canonical
from groups.errors import InvalidEmails

LONGEST_BATCH = 1_000
_MOST_DEVICES = 65_536
_MARKET = re.compile(r"[A-Z]{2}")
_Count = Annotated[int, msgspec.Meta(ge=0)]


class AccountFields(Struct, forbid_unknown_fields=True, gc=False):
    """An account as sent: its ID token, or `id`, an e-mail address, with further ones as aliases.

    Whoever reads a token puts in its place what it says (server/accounts.py); here it is refused.
    """

    id: str = ""
    kind: AccountKind | UnsetType = UNSET
    aliases: list[str] | None | UnsetType = UNSET
    token: str | UnsetType = UNSET


class DeviceFields(Struct, forbid_unknown_fields=True, gc=False):
    """A device as sent; the OS version in any of the forms of the design's section 3."""

    family: str
    os_version: str
    architecture: str | None | UnsetType = UNSET


class LeastRevision(Struct, forbid_unknown_fields=True, gc=False):
    """Revisions that an answer must not be from before; as `revision` of a Decision."""

    groups: _Count = 0
    catalog: _Count = 0


class QueryFields(Struct, forbid_unknown_fields=True, gc=False):
    """An access query as sent. See AccessQuery for what the fields mean."""

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
        """Whether what is in memory may answer, without a look at the store."""
        return self.at is UNSET and self.consistency is UNSET and self.at_least_revision is UNSET


class BatchFields(Struct, forbid_unknown_fields=True, gc=False):
    """A batch as sent, all of it readable."""

    queries: list[QueryFields]


class _RawBatch(Struct, forbid_unknown_fields=True, gc=False):
    """A batch of which some queries cannot be read."""

    queries: list[Raw]


class _Stamp(Struct, gc=False):
    """The last fields of a Decision: what the evaluator adds to what the rules decided."""

    settling: Settling | None
    revision: Revision
    stale_seconds: int


_STAMP_MARK = b',"settling":'
_Query = TypeVar("_Query", QueryFields, Raw)

_encoder = msgspec.json.Encoder()
_query = StrictReader(QueryFields, {"account": AccountFields, "device": DeviceFields})
_batch = StrictReader(BatchFields)
_raw_batch = StrictReader(_RawBatch)
_device = StrictReader(DeviceFields)
_devices: LruCache[bytes, Device] = LruCache(_MOST_DEVICES)

device_read_lately = _devices.recent.get
"""The device that these very bytes were read as lately, or None; see LruCache.recent."""


def decode_query(body: bytes) -> QueryFields:
    """Take one access query as sent. Raises InvalidInput (or InvalidJson) with every fault of shape."""
    try:  # what StrictReader.read does first, without its calls; it reads every other body
        query = _query.decode(body)
        encoded = _encoder.encode(query)
        if len(encoded) == len(body) or encoded.count(b":") == body.count(b":"):
            return query if b"\\" not in body else _query.read(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    return _query.read(body)


def query_of(**fields: object) -> AccessQuery:
    """An access query from the same fields as plain values. Raises InvalidInput with every fault."""
    return to_query(decode_query(_encoder.encode(fields)))


def decode_batch(body: bytes) -> Sequence[QueryFields | InvalidInput]:
    """Take a batch as sent: in order, each query or what is wrong with its shape.

    Raises: InvalidInput when the batch itself cannot be read or is longer than LONGEST_BATCH.
    """
    try:
        read = _batch.decode(body)
        if nothing_twice(body, read):
            return _within_bounds(read.queries)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # one query or more, or the batch itself: told apart one by one
    try:
        queries = _raw_batch.decode(body).queries
        strict_json.loads(_around(queries, body))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        queries = _raw_batch.read(body).queries
    return [*map(_fields_or_fault, _within_bounds(queries))]


def _around(queries: list[Raw], body: bytes) -> bytes:
    """A batch with a number in the place of each query, whose own faults are no fault of the batch."""
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
        detail = f"{len(queries)} queries; a batch has 1 to {LONGEST_BATCH}"
        raise InvalidInput([Fault("queries", "BATCH_LENGTH", detail)])
    return queries


def encode(decision: Decision) -> bytes:
    """A decision as JSON; the trace only where there is one."""
    return _encoder.encode(decision)


def encoded_verdict(decision: Decision) -> bytes:
    """A decision as JSON up to its stamp; with encoded_stamp after it, what `encode` gives.

    Inside a JSON text quotes are escaped, so the mark can only be the field itself.
    """
    return encode(decision).partition(_STAMP_MARK)[0]


def encoded_stamp(settling: Settling | None, revision: Revision, stale_seconds: int) -> bytes:
    """The rest of a decision as JSON: its stamp, and the end."""
    return b"," + _encoder.encode(_Stamp(settling, revision, stale_seconds))[1:]


def encoded_batch(answers: Iterable[bytes]) -> bytes:
    """Decisions, and problems in the place of queries that have none, each as JSON already."""
    return b"".join((b'{"decisions":[', b",".join(answers), b"]}"))


def _fields_or_fault(query: Raw) -> QueryFields | InvalidInput:
    try:
        return decode_query(bytes(query))
    except InvalidInput as error:
        return error


# --- from fields to a query ---------------------------------------------------------------------


def to_query(fields: QueryFields) -> AccessQuery:
    """Read an access query as sent. Raises InvalidInput with every field that cannot be read."""
    # In one step into locals: nine reads of attributes would take twice the time.
    product_id, raw, sent, installed, owned, market, code, manual, at, fresh, least = astuple(
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
            owned is True,
            None if market is None or market is UNSET else _to_market(market),
            code is True,
            manual is True,
            None if at is None or at is UNSET else moment_of(at),
            fresh is Consistency.STRONG,
            None if least is UNSET else _to_revision(least),
        )
    except (InvalidInput, InvalidEmails):
        raise InvalidInput(_unreadable(fields)) from None


def _unreadable(fields: QueryFields) -> list[Fault]:
    """The faults of every field that cannot be read, not only of the first."""
    readers: dict[str, Callable[[Any], object]] = {
        "device": lambda raw: _device_of(bytes(raw)),
        "account": _parsed_account,
        "installed_version": _to_package_version,
        "market": _to_market,
        "at": moment_of,
    }
    faults: list[Fault] = []
    for name, read in readers.items():
        value = getattr(fields, name)
        if value is not None and value is not UNSET:
            try:
                read(value)
            except InvalidInput as error:
                faults += error.faults
    return faults


def _device_of(raw: bytes) -> Device:
    """Read a device, and remember it by its very bytes."""
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
        raise InvalidInput([not_one_of_both(fields)])
    kind = AccountKind.MICROSOFT if fields.kind is UNSET else fields.kind
    if fields.aliases is UNSET or not fields.aliases:
        return Account(canonical(fields.id), kind)  # what parse does, without its detours
    return Account.parse(fields.id, kind, fields.aliases)


def _parsed_account(fields: AccountFields) -> Account:
    """As `_to_account`; what cannot be read is told with its place."""
    if not fields.id or fields.token is not UNSET:
        raise InvalidInput([not_one_of_both(fields)])
    return Account.parse(fields.id, aliases=fields.aliases or ())


def not_one_of_both(fields: AccountFields) -> Fault:
    """What is wrong with an account that has neither address nor token, or both."""
    if fields.token is UNSET:
        detail = "needs `id`, an address, or `token`, the account's ID token"
        return Fault("account", "ACCOUNT_MISSING", detail)
    return Fault("account.token", "ACCOUNT_TWICE", "a token says it all: send no `id` beside it")


def _to_package_version(text: str) -> str:
    try:
        return canonical_package_version(text)
    except InvalidInput as error:
        fault = error.faults[0]
        raise InvalidInput([Fault("installed_version", fault.code, fault.detail)]) from None


def is_market(text: str | None) -> bool:
    """Whether a market can be read; none told can."""
    return text is None or _MARKET.fullmatch(text) is not None


def _to_market(text: str) -> str:
    if is_market(text):
        return text
    detail = f"`{shown(text)}` is not a market: two capital letters, as in US"
    raise InvalidInput([Fault("market", "UNREADABLE_MARKET", detail)])


def _to_revision(least: int | LeastRevision) -> Revision:
    """A number alone is a groups revision, as an edit of members answers it."""
    if isinstance(least, int):
        return Revision(least, 0)
    return Revision(least.groups, least.catalog)


def moment_of(text: str, loc: str = "at") -> datetime:
    """Read a moment, UTC-aware. Raises: InvalidInput."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):  # the latter within a day of the first and the last year
        pass
    detail = f"`{shown(text)}` is not a moment: ISO 8601 with an offset, as in 2026-12-01T09:00:00Z"
    raise InvalidInput([Fault(loc, "UNREADABLE_MOMENT", detail)])
