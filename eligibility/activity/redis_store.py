"""ActivityStore in the Redis or Valkey server that also has the groups. Keys:

    eligibility:{p}:activity:minutes:498800  hash  one hour: minute|product|kind|flight|reason -> count
    eligibility:{p}:activity:hours:20783     hash  one day: hour|product|kind|flight|reason -> count
    eligibility:{p}:activity:days            set   days that have counts
    eligibility:{p}:activity:last:APP        hash  one product: digest -> last answer
    eligibility:{p}:activity:products        set   products that have last answers
    eligibility:{p}:activity:seen            list  the latest decisions, newest first
    eligibility:{p}:activity:forgotten       zset  digest -> time of forgetting, seconds since the epoch
    eligibility:activity                     set   publishers that have activity

The writes are not published, because they change no decision. They are not atomic, because a partly
saved write does no harm.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from eligibility.activity.model import (
    DAY,
    HOUR,
    Batch,
    CountKey,
    DecisionCount,
    LastAnswer,
    RecentDecision,
)
from eligibility.activity.store import FORGOTTEN_FOR, MINUTES_KEPT, SEEN_KEPT, ActivityStore
from eligibility.explain.outcome import OutcomeKind
from groups.moments import from_us
from groups.storage.redis_server import Command, RedisServer

_CHUNK = 1_000
_KEPT_S = int(MINUTES_KEPT.total_seconds()) + HOUR
_pack = msgspec.msgpack.Encoder().encode
_last = msgspec.msgpack.Decoder(LastAnswer).decode
_seen = msgspec.msgpack.Decoder(RecentDecision).decode
_field = msgspec.json.Encoder().encode
_unfield = msgspec.json.Decoder(tuple[int, str, OutcomeKind, str, str]).decode


class RedisActivityStore(ActivityStore):
    """Implements ActivityStore, which documents the methods."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._publishers = f"{server.keys.prefix}:activity"

    def add(self, publisher: str, batch: Batch) -> None:
        self._run([*self._counting(publisher, batch), *self._noting(publisher, batch)])
        since = (self._server.clock() - FORGOTTEN_FOR).timestamp()
        # Check after the write, so that a person forgotten meanwhile is erased by `forget` or here.
        key = self._key(publisher, "forgotten")
        for gone in self._server.call("ZRANGEBYSCORE", key, f"({since}", "+inf"):
            self._erase(publisher, gone.decode())

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[DecisionCount]:
        first, last = since.timestamp(), until.timestamp()
        days = [day for day in self._days(publisher) if first // DAY <= day <= last // DAY]
        keys = [self._key(publisher, "hours", str(day)) for day in days]
        if by_minute:
            hours = [day * 24 + hour for day in days for hour in range(24)]
            keys = [
                self._key(publisher, "minutes", str(hour))
                for hour in hours
                if first // HOUR <= hour <= last // HOUR
            ]
        counts = []
        for counted in self._run([("HGETALL", key) for key in keys]):
            for field, decisions in counted.items():
                at, product_id, kind, flight_id, reason = _unfield(field)
                if first <= at < last:
                    counted_as = CountKey(product_id, kind, flight_id, reason)
                    counts.append(
                        DecisionCount(from_us(at * 1_000_000), counted_as, int(decisions))
                    )
        return sorted(counts)

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        return {
            int(digest, 16): answer for digest, answer in self._every_last(publisher, product_id)
        }

    def seen(self, publisher: str, since: float) -> list[RecentDecision]:
        packed = self._server.call("LRANGE", self._key(publisher, "seen"), "0", "-1")
        return [decision for decision in map(_seen, reversed(packed)) if decision.answer.at > since]

    def forget(self, publisher: str, digest: int) -> None:
        at, key = str(self._server.clock().timestamp()), self._key(publisher, "forgotten")
        self._server.call("ZADD", key, at, f"{digest:016x}")
        self._erase(publisher, f"{digest:016x}")

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        """See ActivityStore. The server also removes counts by minute itself when they expire."""
        oldest = (now - keep).timestamp()
        minute = max(oldest, (now - MINUTES_KEPT).timestamp())
        self._prune_counts(publisher, oldest, minute)
        for product_id in self._products(publisher):
            key = self._key(publisher, "last", product_id)
            every = self._every_last(publisher, product_id)
            old = [digest for digest, answer in every if answer.at < oldest]
            self._run([("HDEL", key, digest) for digest in old])
        self._run(self._without_latest(publisher, lambda decision: decision.answer.at < oldest))
        gone = str((now - FORGOTTEN_FOR).timestamp())
        self._server.call("ZREMRANGEBYSCORE", self._key(publisher, "forgotten"), "-inf", gone)
        if not self._is_kept(publisher):
            self._server.call("SREM", self._publishers, publisher)

    def clear(self, publisher: str) -> None:
        keys = [self._key(publisher, part) for part in ("days", "products", "seen", "forgotten")]
        for day in self._days(publisher):
            keys += self._of_day(publisher, day)
        keys += [self._key(publisher, "last", part) for part in self._products(publisher)]
        self._run([("DEL", key) for key in keys])
        self._server.call("SREM", self._publishers, publisher)

    def publishers(self) -> tuple[str, ...]:
        return tuple(sorted(self._members(self._publishers)))

    def close(self) -> None:
        """Do nothing, because other stores use the same server."""

    def _counting(self, publisher: str, batch: Batch) -> Iterator[Command]:
        for (at, key), decisions in batch.counts.items():
            hours = self._key(publisher, "hours", str(at // DAY))
            minutes = self._minutes(publisher, at)
            yield "HINCRBY", hours, _field((at - at % HOUR, *key)), str(decisions)
            yield "HINCRBY", minutes, _field((at, *key)), str(decisions)
        for minutes in {self._minutes(publisher, at) for at, _ in batch.counts}:
            yield "EXPIRE", minutes, str(_KEPT_S)
        days = sorted({str(at // DAY) for at, _ in batch.counts})
        if days:
            yield "SADD", self._key(publisher, "days"), *days

    def _noting(self, publisher: str, batch: Batch) -> Iterator[Command]:
        products = sorted({product_id for product_id, _ in batch.last})
        if products:
            yield "SADD", self._key(publisher, "products"), *products
        fields = [
            (self._key(publisher, "last", product_id), f"{digest:016x}")
            for product_id, digest in batch.last
        ]
        there = self._run([("HGET", *field) for field in fields])
        for field, before, answer in zip(fields, there, batch.last.values(), strict=True):
            if before is None or _last(before).at <= answer.at:
                yield "HSET", *field, _pack(answer)
        if batch.seen:
            key = self._key(publisher, "seen")
            yield "LPUSH", key, *map(_pack, batch.seen)
            yield "LTRIM", key, "0", str(SEEN_KEPT - 1)
        yield "SADD", self._publishers, publisher

    def _erase(self, publisher: str, digest: str) -> None:
        """Remove everything about a person except counts. Args: digest = in hexadecimal."""
        keys = [self._key(publisher, "last", decision) for decision in self._products(publisher)]
        self._run([("HDEL", key, digest) for key in keys])
        number = int(digest, 16)
        self._run(self._without_latest(publisher, lambda decision: decision.digest == number))

    def _without_latest(
        self, publisher: str, unwanted: Callable[[RecentDecision], bool]
    ) -> list[Command]:
        """Build the commands that remove unwanted decisions from the list of latest decisions."""
        key = self._key(publisher, "seen")
        packed = self._server.call("LRANGE", key, "0", "-1")
        return [("LREM", key, "0", body) for body in packed if unwanted(_seen(body))]

    def _prune_counts(self, publisher: str, oldest: float, minute: float) -> None:
        for day in self._days(publisher):
            hours, *minutes = self._of_day(publisher, day)
            first = day * 24
            gone = [key for hour, key in enumerate(minutes, first) if hour < minute // HOUR]
            commands: list[Command] = [("DEL", key) for key in gone]
            if day < oldest // DAY:
                commands.append(("DEL", hours))
                commands.append(("SREM", self._key(publisher, "days"), str(day)))
            self._run(commands)

    def _of_day(self, publisher: str, day: int) -> list[str]:
        """Return the keys of a day's counts: first the key of counts by hour, then 24 by minute."""
        minutes = [self._minutes(publisher, day * DAY + hour * HOUR) for hour in range(24)]
        return [self._key(publisher, "hours", str(day)), *minutes]

    def _is_kept(self, publisher: str) -> bool:
        """Return whether a publisher has any stored activity."""
        lasts = [
            self._key(publisher, "last", product_id) for product_id in self._products(publisher)
        ]
        lengths = self._run(
            [
                ("SCARD", self._key(publisher, "days")),
                ("LLEN", self._key(publisher, "seen")),
                *(("HLEN", key) for key in lasts),
            ]
        )
        return any(lengths)

    def _every_last(self, publisher: str, product_id: str) -> Iterator[tuple[str, LastAnswer]]:
        """Iterate over every digest and last answer of a product; read them in parts."""
        key, cursor = self._key(publisher, "last", product_id), 0
        while True:
            cursor, some = self._server.call("HSCAN", key, str(cursor), "COUNT", str(_CHUNK))
            for digest, packed in some.items():
                yield digest.decode(), _last(packed)
            if not cursor:
                return

    def _run(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands on any keys, _CHUNK at a time, so that other clients do not wait long."""
        answers: list[Any] = []
        for start in range(0, len(commands), _CHUNK):
            answers += self._server.read_apart(commands[start : start + _CHUNK])
        return answers

    def _days(self, publisher: str) -> list[int]:
        return sorted(map(int, self._members(self._key(publisher, "days"))))

    def _products(self, publisher: str) -> list[str]:
        return sorted(self._members(self._key(publisher, "products")))

    def _members(self, key: str) -> list[str]:
        return [member.decode() for member in self._server.call("SMEMBERS", key)]

    def _minutes(self, publisher: str, at: int) -> str:
        return self._key(publisher, "minutes", str(at // HOUR))

    def _key(self, publisher: str, *parts: str) -> str:
        return self._server.keys.of(publisher, "activity", *parts)
