"""List the audit chains of a deployment, and read their entries page by page, newest first."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from heapq import merge
from itertools import islice
from typing import Any

from eligibility.audit.in_force import CatalogReplay, GroupReplay, Replay
from eligibility.audit.log import AuditLog, LogEntry
from eligibility.catalog.store import CatalogStore, CatalogWrite
from eligibility.errors import Fault, InvalidInput
from groups.chain import Trail
from groups.model import GroupChange, Page
from groups.moments import from_us, to_us
from groups.store import GroupStore

DEPLOYMENT = "deployment"

_CHUNK = 50


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain of entries. name: `groups:contoso`, `catalog:contoso` or `deployment`.

    replay: creates an empty Replay for its entries; None for `deployment`, whose entries are not
        changes of stored groups or products.
    """

    name: str
    trail: Trail[Any]
    replay: Callable[[], Replay] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEntry:
    """An entry of any chain. who: actor and origin. kind, what: the action, without addresses."""

    at: datetime
    chain: str
    revision: int
    who: str
    kind: str
    what: Mapping[str, str]
    digest: str


def chains(
    groups: GroupStore, catalog: CatalogStore, log: AuditLog, publisher: str | None = None
) -> list[Chain]:
    """List every chain of a deployment, or only those of one publisher, in a fixed order."""

    def selected(publishers: Iterable[str]) -> list[str]:
        return [name for name in publishers if publisher in (None, name)]

    listed = [
        Chain(f"catalog:{name}", catalog.trail(name), partial(CatalogReplay, catalog, name))
        for name in selected(catalog.trails())
    ]
    if publisher is None:
        listed.append(Chain(DEPLOYMENT, log))
    listed += [
        Chain(f"groups:{name}", groups.trail(name), partial(GroupReplay, groups, name))
        for name in selected(groups.trails())
    ]
    return listed


def page(
    some: Iterable[Chain],
    *,
    since: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[TrailEntry]:
    """Read a page of the chains' entries, newest first. Skips damaged entries (see `verify`).

    Args: since = skip entries older than this date and time (UTC-aware).
    Raises: InvalidInput unless the cursor is the `next_cursor` of a page.
    """
    before = None if cursor is None else _position_of(cursor)
    entries = merge(*(_newest_first(chain, since) for chain in some), key=_position, reverse=True)
    following = (entry for entry in entries if before is None or _position(entry) < before)
    read = list(islice(following, limit + 1))
    items = tuple(read[:limit])
    if len(read) <= limit:
        return Page(items=items, next_cursor=None)
    last = items[-1]
    return Page(items=items, next_cursor=f"{to_us(last.at)}:{last.revision}:{last.chain}")


def _newest_first(chain: Chain, since: datetime | None) -> Iterator[TrailEntry]:
    last = chain.trail.kept().head.revision
    while last > 0:
        first = max(1, last - _CHUNK + 1)
        for entry in reversed(list(chain.trail.entries(first, last))):
            if isinstance(entry, str):
                continue
            record = _record(chain.name, entry)
            if since is not None and record.at < since:
                return
            yield record
        last = first - 1


def _record(chain: str, entry: GroupChange | CatalogWrite | LogEntry) -> TrailEntry:
    what: Mapping[str, str]
    if isinstance(entry, LogEntry):
        who, kind, what = entry.who, entry.kind, entry.what
    elif isinstance(entry, GroupChange):
        kind = "group.consent" if entry.consent else "group.members"
        who, what = entry.actor, _of_change(entry)
    else:
        who, kind, what = entry.versions[0].actor, "catalog.products", _of_write(entry)
    write = entry.versions[0] if isinstance(entry, CatalogWrite) else entry
    return TrailEntry(
        at=write.at,
        chain=chain,
        revision=write.revision,
        who=who,
        kind=kind,
        what=what,
        digest=entry.chain,
    )


def _of_change(change: GroupChange) -> dict[str, str]:
    if change.consent is not None:
        return {"group_id": change.group_id, "agreed_at": change.consent.at.isoformat()}
    counts = {"added": len(change.added), "removed": len(change.removed)}
    return {"group_id": change.group_id} | {n: str(count) for n, count in counts.items() if count}


def _of_write(write: CatalogWrite) -> dict[str, str]:
    put = [version.product_id for version in write.versions if version.product is not None]
    deleted = [version.product_id for version in write.versions if version.product is None]
    return {name: ", ".join(ids) for name, ids in (("put", put), ("deleted", deleted)) if ids}


_Position = tuple[datetime, str, int]


def _position(record: TrailEntry) -> _Position:
    return record.at, record.chain, record.revision


def _position_of(cursor: str) -> _Position:
    at_us, _, rest = cursor.partition(":")
    revision, _, chain = rest.partition(":")
    try:
        return from_us(int(at_us)), chain, int(revision)
    except (ValueError, OverflowError):
        detail = f"`{cursor[:100]}` is not the cursor of a page"
        raise InvalidInput([Fault("--cursor", "UNREADABLE_CURSOR", detail)]) from None
