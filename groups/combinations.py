"""Array operations for MemberIndex: merge groups, number combinations, copy with changes."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

DIGEST_BITS = 64
MIN_PER_BUCKET = 6  # a bucket has 6 to 12 digests, so offsets cost at most 0.7 bytes per digest


def merged(groups: Sequence["array[int]"]) -> tuple["array[int]", list[int]]:
    """Merge sorted digests. Returns: all digests, and masks with bit i set for those of group i."""
    masks: dict[int, int] = {}
    for position, digests in enumerate(groups):
        bit = 1 << position
        if not masks:
            masks = dict.fromkeys(digests, bit)
            continue
        known = masks.get
        for digest in digests:
            masks[digest] = known(digest, 0) | bit
    ordered = array("Q", sorted(masks))
    return ordered, [masks[digest] for digest in ordered]


def numbered(
    masks: Sequence[int], group_ids: Sequence[str]
) -> tuple[tuple[frozenset[str], ...], "array[int]"]:
    """Number the distinct masks from 1. Returns: group ids by number, and each mask's number."""
    occurring = sorted(set(masks))
    table = [frozenset[str]()]
    table += [
        frozenset(group_id for bit, group_id in enumerate(group_ids) if mask >> bit & 1)
        for mask in occurring
    ]
    number_of = {mask: number for number, mask in enumerate(occurring, 1)}
    return tuple(table), array(typecode(len(table)), [number_of[mask] for mask in masks])


def typecode(table_size: int) -> str:
    """Return the smallest array typecode for the numbers of a table with `table_size` entries."""
    return "B" if table_size <= 1 << 8 else "H" if table_size <= 1 << 16 else "I"


def bucket_bits(count: int) -> int:
    """Compute how many top bits of a digest select its bucket in an index of `count` digests."""
    return max((count // MIN_PER_BUCKET).bit_length() - 1, 0)


def offsets(digests: "array[int]") -> "array[int]":
    """Compute the position where each bucket begins, and the position where the last bucket ends."""
    count, bits = len(digests), bucket_bits(len(digests))
    shift = DIGEST_BITS - bits
    begins, begin = array("I", [0]), 0
    for bucket in range(1, 1 << bits):
        begin = bisect_left(digests, bucket << shift, begin, count)
        begins.append(begin)
    begins.append(count)
    return begins


class Table:
    """A growing table that numbers combinations of groups. A new combination gets the next number."""

    def __init__(self, entries: Sequence[frozenset[str]]) -> None:
        self._entries = list(entries)
        self._numbers = {entry: number for number, entry in enumerate(entries)}

    def joined(self, number: int, group_id: str) -> int:
        """Return the number of the combination that is combination `number` plus a group."""
        return self._number(self._entries[number] | {group_id})

    def left(self, number: int, group_id: str) -> int:
        """Return the number of the combination that is combination `number` minus a group."""
        return self._number(self._entries[number] - {group_id})

    def entries(self) -> tuple[frozenset[str], ...]:
        """Return all combinations, ordered by number."""
        return tuple(self._entries)

    def _number(self, entry: frozenset[str]) -> int:
        number = self._numbers.setdefault(entry, len(self._entries))
        if number == len(self._entries):
            self._entries.append(entry)
        return number


def spliced(
    digests: "array[int]", numbers: "array[int]", changed: Mapping[int, int]
) -> tuple["array[int]", "array[int]", list[tuple[int, int]]]:
    """Copy digests and numbers and apply changes. A changed number of 0 removes the digest.

    Returns: both copies, and in rising order (digest, +1) for each digest that was added and
        (digest, -1) for each that was removed.
    """
    new_digests, new_numbers = array("Q"), array(_widest(numbers, changed.values()))
    same_type = new_numbers.typecode == numbers.typecode
    source = numbers if same_type else array(new_numbers.typecode, numbers)
    shifts: list[tuple[int, int]] = []
    begin = 0
    for digest in sorted(changed):
        end = bisect_left(digests, digest, begin)
        here = end < len(digests) and digests[end] == digest
        new_digests += digests[begin:end]
        new_numbers += source[begin:end]
        begin = end + here
        if changed[digest]:
            new_digests.append(digest)
            new_numbers.append(changed[digest])
        if here != bool(changed[digest]):
            shifts.append((digest, -1 if here else 1))
    new_digests += digests[begin:]
    new_numbers += source[begin:]
    return new_digests, new_numbers, shifts


def _widest(numbers: "array[int]", more: Iterable[int]) -> str:
    needed = array(typecode(max(more, default=0) + 1))
    return needed.typecode if needed.itemsize > numbers.itemsize else numbers.typecode


def moved(old: "array[int]", shifts: Sequence[tuple[int, int]], count: int) -> "array[int] | None":
    """Copy offsets, adjusted to `shifts` of `spliced`; None if `count` needs other buckets."""
    bits = (len(old) - 1).bit_length() - 1
    if bits != bucket_bits(count):
        return None
    shifted, delta, shift = array("I"), 0, DIGEST_BITS - bits
    edges = [(0, 0), *(((digest >> shift) + 1, step) for digest, step in shifts), (len(old), 0)]
    for (begin, step), (end, _) in pairwise(edges):
        delta += step
        segment = old[begin:end]
        shifted += array("I", [digest + delta for digest in segment]) if delta else segment
    return shifted
