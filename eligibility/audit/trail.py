"""Every chain of a deployment, and their entries in the order of time."""

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

_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Chain:
    """One chain by its name: `groups:contoso`, `catalog:contoso` or `deployment`.

    replay: makes what its entries come to, where something is in force by them.
    """

    name: str
    trail: Trail[Any]
    replay: Callable[[], Replay] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEntry:
    """One entry of any chain. who: and from where. kind, what: what was done, without addresses."""

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
    """Every chain of a deployment, or those of one publisher, in a fixed order."""

    def wanted(some: Iterable[str]) -> list[str]:
        return [one for one in some if publisher in (None, one)]

    found = [
        Chain(f"catalog:{one}", catalog.trail(one), partial(CatalogReplay, catalog, one))
        for one in wanted(catalog.trails())
    ]
    if publisher is None:
        found.append(Chain(DEPLOYMENT, log))
    found += [
        Chain(f"groups:{one}", groups.trail(one), partial(GroupReplay, groups, one))
        for one in wanted(groups.trails())
    ]
    return found


def page(
    some: Iterable[Chain],
    *,
    since: datetime | None = None,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[TrailEntry]:
    """Entries of some chains, the newest first; what is damaged is left to `verify` to name.

    Args: since = none older than that (UTC-aware).
    Raises: InvalidInput for a cursor that no page gave.
    """
    before = None if cursor is None else _place_of(cursor)
    every = merge(*(_newest_first(one, since) for one in some), key=_place, reverse=True)
    wanted = (one for one in every if before is None or _place(one) < before)
    found = list(islice(wanted, limit + 1))
    items = tuple(found[:limit])
    return Page(items=items, next_cursor=_cursor(items[-1]) if len(found) > limit else None)


def _newest_first(chain: Chain, since: datetime | None) -> Iterator[TrailEntry]:
    last = chain.trail.kept().head.revision
    while last > 0:
        first = max(1, last - _AT_ONCE + 1)
        for entry in reversed(list(chain.trail.entries(first, last))):
            if isinstance(entry, str):
                continue
            record = _record(chain.name, entry)
            if since is not None and record.at < since:
                return
            yield record
        last = first - 1


def _record(chain: str, entry: GroupChange | CatalogWrite | LogEntry) -> TrailEntry:
    if isinstance(entry, LogEntry):
        return TrailEntry(
            at=entry.at,
            chain=chain,
            revision=entry.revision,
            who=entry.who,
            kind=entry.kind,
            what=entry.what,
            digest=entry.chain,
        )
    if isinstance(entry, GroupChange):
        return TrailEntry(
            at=entry.at,
            chain=chain,
            revision=entry.revision,
            who=entry.actor,
            kind="group.consent" if entry.consent else "group.members",
            what=_of_change(entry),
            digest=entry.chain,
        )
    first = entry.versions[0]
    return TrailEntry(
        at=first.at,
        chain=chain,
        revision=first.revision,
        who=first.actor,
        kind="catalog.products",
        what=_of_write(entry),
        digest=entry.chain,
    )


def _of_change(change: GroupChange) -> dict[str, str]:
    if change.consent is not None:
        return {"group_id": change.group_id, "agreed_at": change.consent.at.isoformat()}
    counts = {"added": len(change.added), "removed": len(change.removed)}
    return {"group_id": change.group_id} | {n: str(one) for n, one in counts.items() if one}


def _of_write(write: CatalogWrite) -> dict[str, str]:
    put = [one.product_id for one in write.versions if one.product is not None]
    gone = [one.product_id for one in write.versions if one.product is None]
    return {name: ", ".join(ids) for name, ids in (("put", put), ("deleted", gone)) if ids}


_Place = tuple[datetime, str, int]


def _place(record: TrailEntry) -> _Place:
    return record.at, record.chain, record.revision


def _cursor(record: TrailEntry) -> str:
    return f"{to_us(record.at)}:{record.revision}:{record.chain}"


def _place_of(cursor: str) -> _Place:
    at_us, _, rest = cursor.partition(":")
    revision, _, chain = rest.partition(":")
    try:
        return from_us(int(at_us)), chain, int(revision)
    except (ValueError, OverflowError):
        detail = f"`{cursor[:100]}` was given by no page"
        raise InvalidInput([Fault("--cursor", "UNREADABLE_CURSOR", detail)]) from None
