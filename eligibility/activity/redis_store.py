"""ActivityStore in the Redis or Valkey server that also holds the groups.

    eligibility:{p}:activity:minutes:20783   hash  of a day: minute|product|kind|flight|reason -> count
    eligibility:{p}:activity:hours:20783     hash  of a day, likewise by hour
    eligibility:{p}:activity:days            set   days of which there are counts
    eligibility:{p}:activity:last            hash  product|digest -> last answer
    eligibility:{p}:activity:seen            list  the latest decisions, newest first
    eligibility:activity                     set   publishers of which anything is kept

Nobody is told of these writes: they change no answer.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from eligibility.activity.model import HOUR, MINUTE, Batch, Count, CountKey, LastAnswer, Seen
from eligibility.activity.store import MINUTES_KEPT, SEEN_KEPT
from eligibility.simulation.outcome import Kind
from groups.moments import from_us
from groups.redis_server import Command, RedisServer

_DAY = 86_400
_WIDTHS = {"minutes": MINUTE, "hours": HOUR}
_AT_ONCE = 1_000
_pack = msgspec.msgpack.Encoder().encode
_last = msgspec.msgpack.Decoder(LastAnswer).decode
_seen = msgspec.msgpack.Decoder(Seen).decode
_field = msgspec.json.Encoder().encode
_unfield = msgspec.json.Decoder(tuple[int, str, Kind, str, str]).decode


class RedisActivityStore:
    """See ActivityStore for what the methods promise."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._publishers = f"{server.keys.prefix}:activity"

    def add(self, publisher: str, batch: Batch) -> None:
        """See ActivityStore."""
        commands: list[Command] = [("SADD", self._publishers, publisher)]
        for (at, counted), decisions in batch.counts.items():
            for name, width in _WIDTHS.items():
                begins = at - at % width
                commands.append(
                    (
                        "HINCRBY",
                        self._counts(publisher, name, begins // _DAY),
                        _field((begins, *counted)),
                        str(decisions),
                    )
                )
        days = sorted({str(at // _DAY) for at, _ in batch.counts})
        if days:
            commands.append(("SADD", self._key(publisher, "days"), *days))
        for (product_id, digest), answer in batch.last.items():
            field = f"{product_id}|{digest:016x}"
            commands.append(("HSET", self._key(publisher, "last"), field, _pack(answer)))
        if batch.seen:
            key = self._key(publisher, "seen")
            commands.append(("LPUSH", key, *map(_pack, batch.seen)))
            commands.append(("LTRIM", key, "0", str(SEEN_KEPT - 1)))
        for start in range(0, len(commands), _AT_ONCE):
            self._server.read_apart(commands[start : start + _AT_ONCE])

    def counts(
        self, publisher: str, since: datetime, until: datetime, *, by_minute: bool
    ) -> list[Count]:
        """See ActivityStore."""
        name = "minutes" if by_minute else "hours"
        first, last = since.timestamp(), until.timestamp()
        days = [day for day in self._days(publisher) if first // _DAY <= day <= last // _DAY]
        if not days:
            return []
        answers = self._server.read(
            [("HGETALL", self._counts(publisher, name, day)) for day in days]
        )
        found = []
        for answer in answers:
            for field, decisions in zip(answer[::2], answer[1::2], strict=True):
                at, product_id, kind, flight_id, reason = _unfield(field)
                if first <= at < last:
                    key = CountKey(product_id, kind, flight_id, reason)
                    found.append(Count(from_us(at * 1_000_000), key, int(decisions)))
        return sorted(found)

    def last_answers(self, publisher: str, product_id: str) -> Mapping[int, LastAnswer]:
        """See ActivityStore."""
        return {
            int(digest, 16): answer
            for of, digest, answer in self._every_last(publisher)
            if of == product_id
        }

    def seen(self, publisher: str, since: float) -> list[Seen]:
        """See ActivityStore."""
        found = self._server.call("LRANGE", self._key(publisher, "seen"), "0", "-1")
        return [one for one in map(_seen, reversed(found)) if one.answer.at > since]

    def forget(self, publisher: str, digest: int) -> None:
        """See ActivityStore."""
        wanted = f"{digest:016x}"
        gone = [f"{of}|{one}" for of, one, _ in self._every_last(publisher) if one == wanted]
        if gone:
            self._server.call("HDEL", self._key(publisher, "last"), *gone)
        key = self._key(publisher, "seen")
        for packed in self._server.call("LRANGE", key, "0", "-1"):
            if _seen(packed).digest == digest:
                self._server.call("LREM", key, "0", packed)

    def prune(self, publisher: str, keep: timedelta, now: datetime) -> None:
        """See ActivityStore. Counts go by whole days."""
        oldest = (now - keep).timestamp()
        minutes = max(oldest, (now - MINUTES_KEPT).timestamp())
        for day in self._days(publisher):
            if day < minutes // _DAY:
                self._server.call("DEL", self._counts(publisher, "minutes", day))
            if day < oldest // _DAY:
                self._server.call("DEL", self._counts(publisher, "hours", day))
                self._server.call("SREM", self._key(publisher, "days"), str(day))
        old = [
            f"{of}|{one}" for of, one, answer in self._every_last(publisher) if answer.at < oldest
        ]
        for start in range(0, len(old), _AT_ONCE):
            self._server.call("HDEL", self._key(publisher, "last"), *old[start : start + _AT_ONCE])
        if not self.seen(publisher, oldest):
            self._server.call("DEL", self._key(publisher, "seen"))

    def publishers(self) -> tuple[str, ...]:
        """See ActivityStore."""
        return tuple(
            sorted(one.decode() for one in self._server.call("SMEMBERS", self._publishers))
        )

    def close(self) -> None:
        """Nothing: the server is not its own."""

    def _every_last(self, publisher: str) -> Iterator[tuple[str, str, LastAnswer]]:
        """Product, digest and answer of everybody, some at a time."""
        cursor = 0
        while True:
            cursor, found = self._server.call(
                "HSCAN", self._key(publisher, "last"), str(cursor), "COUNT", str(_AT_ONCE)
            )
            for field, packed in found.items():
                product_id, _, digest = field.decode().rpartition("|")
                yield product_id, digest, _last(packed)
            if not cursor:
                return

    def _days(self, publisher: str) -> list[int]:
        return sorted(
            int(day) for day in self._server.call("SMEMBERS", self._key(publisher, "days"))
        )

    def _counts(self, publisher: str, name: str, day: int) -> str:
        return self._key(publisher, name, str(day))

    def _key(self, publisher: str, *parts: str) -> str:
        return self._server.keys.of(publisher, "activity", *parts)
