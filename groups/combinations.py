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
    for place, digests in enumerate(groups):
        bit = 1 << place
        if not masks:
            masks = dict.fromkeys(digests, bit)
            continue
        known = masks.get
        for one in digests:
            masks[one] = known(one, 0) | bit
    ordered = array("Q", sorted(masks))
    return ordered, [masks[one] for one in ordered]


def numbered(
    masks: Sequence[int], group_ids: Sequence[str]
) -> tuple[tuple[frozenset[str], ...], "array[int]"]:
    """Give every mask that occurs a number from 1, and the numbers in the order of the masks."""
    occurring = sorted(set(masks))
    table = [frozenset[str]()]
    table += [
        frozenset(one for place, one in enumerate(group_ids) if mask >> place & 1)
        for mask in occurring
    ]
    number = {mask: place for place, mask in enumerate(occurring, 1)}
    return tuple(table), array(typecode(len(table)), [number[mask] for mask in masks])


def typecode(table_size: int) -> str:
    """Give the smallest array type that holds the numbers of a table of that size."""
    return "B" if table_size <= 1 << 8 else "H" if table_size <= 1 << 16 else "I"


def bucket_bits(count: int) -> int:
    """Give how many top bits choose the bucket among that many digests."""
    return max((count // MIN_PER_BUCKET).bit_length() - 1, 0)


def offsets(digests: "array[int]") -> "array[int]":
    """Give where each bucket of top bits begins, and the end after the last."""
    count, bits = len(digests), bucket_bits(len(digests))
    shift = DIGEST_BITS - bits
    made, at = array("I", [0]), 0
    for bucket in range(1, 1 << bits):
        at = bisect_left(digests, bucket << shift, at, count)
        made.append(at)
    made.append(count)
    return made


class Table:
    """Combinations that grow: what number a combination has after joining or leaving a group."""

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
    for one in sorted(changed):
        end = bisect_left(digests, one, begin)
        here = end < len(digests) and digests[end] == one
        made_digests += digests[begin:end]
        made_numbers += source[begin:end]
        begin = end + here
        if changed[one]:
            made_digests.append(one)
            made_numbers.append(changed[one])
        if here != bool(changed[one]):
            shifts.append((one, -1 if here else 1))
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
    made, delta, shift = array("I"), 0, DIGEST_BITS - bits
    edges = [(0, 0), *(((one >> shift) + 1, step) for one, step in shifts), (len(old), 0)]
    for (begin, step), (end, _) in pairwise(edges):
        delta += step
        segment = old[begin:end]
        made += array("I", [one + delta for one in segment]) if delta else segment
    return made
