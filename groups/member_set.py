"""The members of groups in memory: 64-bit digests of addresses, never an address.

A digest is the 8-byte keyed BLAKE2b of a canonical address, read as a big-endian integer. The key
is a secret of the deployment, so that nobody can look for collisions or test guesses offline.
Source: design.md section 2, "Memory".
"""

import struct
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b

from groups import combinations
from groups.model import FORGOTTEN

DIGEST_BITS = 64


def digest(address: str, key: bytes) -> int:
    """Give the digest of one canonical address, 0 to 2**64 - 1."""
    hashed = blake2b(address.encode(), digest_size=DIGEST_BITS // 8, key=key).digest()
    return int.from_bytes(hashed, "big")


class Digester:
    """Computes `digest` for many addresses, with the key set up once."""

    __slots__ = ("of", "of_all")

    of: Callable[[str], int]
    """The digest of one canonical address."""

    of_all: Callable[[Collection[str]], Sequence[int]]
    """The digests of canonical addresses, in order."""

    def __init__(self, key: bytes) -> None:
        size = DIGEST_BITS // 8
        keyed, read = blake2b(digest_size=size, key=key).copy, int.from_bytes

        def hashed(address: str) -> bytes:
            state = keyed()
            state.update(address.encode())
            return state.digest()

        def of(address: str) -> int:  # a closure: a method would look up each attribute again
            state = keyed()
            state.update(address.encode())
            return read(state.digest(), "big")

        def of_all(addresses: Collection[str]) -> Sequence[int]:
            digests = b"".join([hashed(address) for address in addresses])
            return struct.unpack(f">{len(addresses)}Q", digests)

        self.of, self.of_all = of, of_all

    def of_recorded(self, address: str) -> int:
        """Give the digest of an address in history, also where it stands for a forgotten person."""
        if address.startswith(FORGOTTEN):
            return int(address.removeprefix(FORGOTTEN), 16)
        return self.of(address)

    def forgotten(self, address: str) -> str:
        """Give the text that replaces a forgotten address in history."""
        return f"{FORGOTTEN}{self.of(address):016x}"


class MemberSet:
    """One group's members at one revision. Immutable; 8 bytes a member."""

    __slots__ = ("digests",)

    def __init__(self, digests: "array[int]") -> None:
        """Take distinct digests in rising order, typecode Q; the caller must not change the array later."""
        self.digests = digests

    @classmethod
    def from_addresses(cls, addresses: Iterable[str], key: bytes) -> "MemberSet":
        """Make the set of some canonical addresses."""
        return cls.of(map(Digester(key).of, addresses))

    @classmethod
    def of(cls, digests: Iterable[int]) -> "MemberSet":
        """Make the set of some digests, in any order."""
        return cls(array("Q", sorted(set(digests))))

    def __len__(self) -> int:
        return len(self.digests)

    def contains_digest(self, wanted: int) -> bool:
        """Tell whether a digest is a member's."""
        at = bisect_left(self.digests, wanted)
        return at < len(self.digests) and self.digests[at] == wanted

    @property
    def nbytes(self) -> int:
        """Bytes held, without the few of the objects around them."""
        return len(self.digests) * self.digests.itemsize


class MemberIndex:
    """Which of several groups a digest is in. Immutable: a change makes a new index.

    A combination is a set of group ids that occurs; each digest has the number of its combination.
    Number 0 is the empty combination, so it answers for strangers too.
    INVARIANT: digests rise; combinations run beside them and are never 0; offsets[b] is the number
    of digests whose top bits are below b, so that a search looks at a handful of entries.
    """

    __slots__ = ("_digests", "_numbers", "_offsets", "_table", "find", "find_all")

    find: Callable[[int], int]
    """The number of a digest's combination; 0 when it is in no group."""

    find_all: Callable[[Iterable[int]], list[int]]
    """The numbers of digests' combinations, in order."""

    def __init__(
        self,
        digests: "array[int]",
        numbers: "array[int]",
        table: tuple[frozenset[str], ...],
        offsets: "array[int]",
    ) -> None:
        """Take the parts as `build` and `with_changes` make them; 2**bits + 1 offsets."""
        self._digests, self._numbers, self._table, self._offsets = digests, numbers, table, offsets
        shift = DIGEST_BITS - (len(offsets) - 1).bit_length() + 1

        def find(digest: int) -> int:  # a closure: a method would look up each attribute again
            bucket = digest >> shift
            end = offsets[bucket + 1]
            at = bisect_left(digests, digest, offsets[bucket], end)
            return numbers[at] if at < end and digests[at] == digest else 0

        def find_all(
            wanted: Iterable[int],
        ) -> list[int]:  # inlined: calling `find` would double the cost
            numbers_found = []
            for digest in wanted:
                bucket = digest >> shift
                end = offsets[bucket + 1]
                at = bisect_left(digests, digest, offsets[bucket], end)
                numbers_found.append(numbers[at] if at < end and digests[at] == digest else 0)
            return numbers_found

        self.find, self.find_all = find, find_all

    @classmethod
    def build(cls, sets: Mapping[str, MemberSet]) -> "MemberIndex":
        """Make the index of some groups, by group id."""
        digests, masks = combinations.merged([members.digests for members in sets.values()])
        table, numbers = combinations.numbered(masks, tuple(sets))
        return cls(digests, numbers, table, combinations.offsets(digests))

    def combination(self, number: int) -> frozenset[str]:
        """Give the group ids of a combination number that `find` gave."""
        return self._table[number]

    def by_digest(self) -> dict[int, int]:
        """Give every digest with the number of its combination.

        Meant for looking up more accounts than there are members: a dict needs a tenth of the time and
        ten times the memory.
        """
        return dict(zip(self._digests, self._numbers, strict=True))

    def sizes(self) -> dict[int, int]:
        """Count the digests of each combination that occurs, by its number."""
        return dict(Counter(self._numbers))

    def with_changes(
        self, changes: Iterable[tuple[str, Collection[int], Collection[int]]]
    ) -> "MemberIndex":
        """Make the index after some edits, in order: (group id, digests added, digests removed).

        Cheap for few changes; numbers of the old index keep their meaning in the new one.
        """
        table = combinations.Table(self._table)
        changed: dict[int, int] = {}
        for group_id, added, removed in changes:
            for digest in added:
                changed[digest] = table.joined(changed.get(digest, self.find(digest)), group_id)
            for digest in removed:
                changed[digest] = table.left(changed.get(digest, self.find(digest)), group_id)
        digests, numbers, shifts = combinations.spliced(self._digests, self._numbers, changed)
        offsets = combinations.moved(self._offsets, shifts, len(digests)) or combinations.offsets(
            digests
        )
        return MemberIndex(digests, numbers, table.entries(), offsets)

    def __len__(self) -> int:
        return len(self._digests)

    @property
    def nbytes(self) -> int:
        """Bytes held in the arrays, without the table of combinations."""
        return sum(
            len(part) * part.itemsize for part in (self._digests, self._numbers, self._offsets)
        )
