"""The array work under MemberIndex: merging groups, numbering combinations, patching copies."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

DIGEST_BITS = 64
MIN_PER_BUCKET = 6  # 6 to 12 digests share their top bits: at most 0.7 bytes a digest for offsets


def merged(groups: Sequence["array[int]"]) -> tuple["array[int]", list[int]]:
    """Merge sorted digests of groups; beside each digest a mask, bit i set for the i-th group."""
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
    """Number the distinct masks from 1.

    Returns: the group ids of each number, and the number of each mask in the order given.
    """
    occurring = sorted(set(masks))
    table = [frozenset[str]()]
    table += [
        frozenset(group_id for bit, group_id in enumerate(group_ids) if mask >> bit & 1)
        for mask in occurring
    ]
    number_of = {mask: number for number, mask in enumerate(occurring, 1)}
    return tuple(table), array(typecode(len(table)), [number_of[mask] for mask in masks])


def typecode(table_size: int) -> str:
    """Give the smallest array type that holds the numbers of a table of that size."""
    return "B" if table_size <= 1 << 8 else "H" if table_size <= 1 << 16 else "I"


def bucket_bits(count: int) -> int:
    """Compute how many top bits of a digest choose its bucket among that many digests."""
    return max((count // MIN_PER_BUCKET).bit_length() - 1, 0)


def offsets(digests: "array[int]") -> "array[int]":
    """Compute where each bucket begins, and where the last one ends."""
    count, bits = len(digests), bucket_bits(len(digests))
    shift = DIGEST_BITS - bits
    begins, begin = array("I", [0]), 0
    for bucket in range(1, 1 << bits):
        begin = bisect_left(digests, bucket << shift, begin, count)
        begins.append(begin)
    begins.append(count)
    return begins


class Table:
    """A growing table of combinations: gives the number of a combination after a group is joined or left."""

    def __init__(self, entries: Sequence[frozenset[str]]) -> None:
        self._entries = list(entries)
        self._numbers = {entry: number for number, entry in enumerate(entries)}

    def joined(self, number: int, group_id: str) -> int:
        """Give the number of a combination with one more group."""
        return self._number(self._entries[number] | {group_id})

    def left(self, number: int, group_id: str) -> int:
        """Give the number of a combination without a group."""
        return self._number(self._entries[number] - {group_id})

    def entries(self) -> tuple[frozenset[str], ...]:
        """Give all combinations, by number."""
        return tuple(self._entries)

    def _number(self, entry: frozenset[str]) -> int:
        number = self._numbers.setdefault(entry, len(self._entries))
        if number == len(self._entries):
            self._entries.append(entry)
        return number


def spliced(
    digests: "array[int]", numbers: "array[int]", changed: Mapping[int, int]
) -> tuple["array[int]", "array[int]", list[tuple[int, int]]]:
    """Copy digests and numbers with some changed; number 0 takes a digest out.

    Returns: both copies, and (digest, +1 or -1) in rising order for each that came or went.
    """
    made_digests, made_numbers = array("Q"), array(_widest(numbers, changed.values()))
    same_type = made_numbers.typecode == numbers.typecode
    source = numbers if same_type else array(made_numbers.typecode, numbers)
    shifts: list[tuple[int, int]] = []
    begin = 0
    for digest in sorted(changed):
        end = bisect_left(digests, digest, begin)
        here = end < len(digests) and digests[end] == digest
        made_digests += digests[begin:end]
        made_numbers += source[begin:end]
        begin = end + here
        if changed[digest]:
            made_digests.append(digest)
            made_numbers.append(changed[digest])
        if here != bool(changed[digest]):
            shifts.append((digest, -1 if here else 1))
    made_digests += digests[begin:]
    made_numbers += source[begin:]
    return made_digests, made_numbers, shifts


def _widest(numbers: "array[int]", more: Iterable[int]) -> str:
    needed = array(typecode(max(more, default=0) + 1))
    return needed.typecode if needed.itemsize > numbers.itemsize else numbers.typecode


def moved(old: "array[int]", shifts: Sequence[tuple[int, int]], count: int) -> "array[int] | None":
    """Copy offsets for digests that came and went; None when there are now too many or too few."""
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
