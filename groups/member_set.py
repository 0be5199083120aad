"""The members of groups in memory, stored as 64-bit digests of addresses, never as addresses.

A digest is the 8-byte keyed BLAKE2b hash of a canonical address, read as a big-endian integer. The key
is a secret of the deployment, so nobody else can search for collisions or test guessed addresses.
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
    """Compute the digest of a canonical address: an integer from 0 to 2**64 - 1."""
    hashed = blake2b(address.encode(), digest_size=DIGEST_BITS // 8, key=key).digest()
    return int.from_bytes(hashed, "big")


class Digester:
    """Computes the digests of many addresses faster than `digest`: it sets up the key only once."""

    __slots__ = ("of", "of_all")

    of: Callable[[str], int]
    """Compute the digest of one canonical address."""

    of_all: Callable[[Collection[str]], Sequence[int]]
    """Compute the digests of canonical addresses, in the order given."""

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
        """Return the digest of an address in history, or the digest that replaced the address."""
        if address.startswith(FORGOTTEN):
            return int(address.removeprefix(FORGOTTEN), 16)
        return self.of(address)

    def forgotten(self, address: str) -> str:
        """Return the text that replaces an address in history when the person is forgotten."""
        return f"{FORGOTTEN}{self.of(address):016x}"


class MemberSet:
    """The members of one group at one revision. Immutable; takes 8 bytes per member."""

    __slots__ = ("digests",)

    def __init__(self, digests: "array[int]") -> None:
        """Args: digests = distinct, rising, typecode Q; the caller must not change the array later."""
        self.digests = digests

    @classmethod
    def of(cls, digests: Iterable[int]) -> "MemberSet":
        """Build a set from digests in any order, which may contain duplicates."""
        return cls(array("Q", sorted(set(digests))))

    def __len__(self) -> int:
        return len(self.digests)


class MemberIndex:
    """Finds the groups of a digest among several groups. Immutable: a change builds a new index.

    A combination is a set of group ids that some digest is in; each digest has the number of its
    combination. Number 0 is the empty combination, which a digest in no group has.
    INVARIANT: _digests is in rising order; _numbers has the combination of each digest, never 0;
    _offsets[b] is the number of digests whose top bits are below b, so a search checks few entries.
    """

    __slots__ = ("_digests", "_numbers", "_offsets", "_table", "find", "find_all")

    find: Callable[[int], int]
    """Return the number of a digest's combination; 0 if the digest is in no group."""

    find_all: Callable[[Iterable[int]], list[int]]
    """Return the number of the combination of each digest, in the order given."""

    def __init__(
        self,
        digests: "array[int]",
        numbers: "array[int]",
        table: tuple[frozenset[str], ...],
        offsets: "array[int]",
    ) -> None:
        """Use `build` or `with_changes` instead. Args: offsets = 2**bits + 1 of them."""
        self._digests, self._numbers, self._table, self._offsets = digests, numbers, table, offsets
        shift = DIGEST_BITS - (len(offsets) - 1).bit_length() + 1

        def find(digest: int) -> int:  # a closure: a method would look up each attribute again
            bucket = digest >> shift
            end = offsets[bucket + 1]
            index = bisect_left(digests, digest, offsets[bucket], end)
            return numbers[index] if index < end and digests[index] == digest else 0

        def find_all(batch: Iterable[int]) -> list[int]:
            # Repeats the body of `find`: calling it would take twice the time.
            results = []
            for digest in batch:
                bucket = digest >> shift
                end = offsets[bucket + 1]
                index = bisect_left(digests, digest, offsets[bucket], end)
                results.append(numbers[index] if index < end and digests[index] == digest else 0)
            return results

        self.find, self.find_all = find, find_all

    @classmethod
    def build(cls, sets: Mapping[str, MemberSet]) -> "MemberIndex":
        """Build the index of groups. Args: sets = the members of each group, by group id."""
        digests, masks = combinations.merged([members.digests for members in sets.values()])
        table, numbers = combinations.numbered(masks, tuple(sets))
        return cls(digests, numbers, table, combinations.offsets(digests))

    def combination(self, number: int) -> frozenset[str]:
        """Return the group ids of a combination. Args: number = from `find` or `find_all`."""
        return self._table[number]

    def by_digest(self) -> dict[int, int]:
        """Return a dict from every digest to the number of its combination.

        Use it to look up more accounts than there are members: compared with `find`, a dict takes a
        tenth of the time and ten times the memory.
        """
        return dict(zip(self._digests, self._numbers, strict=True))

    def sizes(self) -> dict[int, int]:
        """Count the digests of each combination. Returns: the counts by combination number."""
        return dict(Counter(self._numbers))

    def sole(self, digests: Iterable[int]) -> frozenset[str]:
        """Return the groups in which nobody is but these digests."""
        own = Counter(map(self.find, set(digests)))
        others = Counter(self._numbers) - own
        return (
            frozenset()
            .union(*map(self.combination, own))
            .difference(*map(self.combination, others))
        )

    def with_changes(
        self, changes: Iterable[tuple[str, Collection[int], Collection[int]]]
    ) -> "MemberIndex":
        """Build the index that results from edits. The combination numbers of this index stay valid.

        Fast if there are few changes.
        Args: changes = in order, for each edit: group id, digests added, digests removed.
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
        """Bytes in the arrays, without the table of combinations."""
        return sum(
            len(part) * part.itemsize for part in (self._digests, self._numbers, self._offsets)
        )
