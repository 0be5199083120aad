"""A decision as it is told to callers who may not read groups: the same verdict, no group's name."""

from msgspec import UNSET
from msgspec.structs import replace

from eligibility import remedies
from eligibility.model import Decision, Settling


def unnamed(decision: Decision) -> Decision:
    """The decision without names of groups, and without its explanation, which is full of them."""
    made = tuple(remedies.unnamed(one) for one in decision.remedies)
    return replace(
        decision,
        remedies=made,
        settling=unnamed_settling(decision.settling),
        trace=UNSET,
        story=UNSET,
        nearest=UNSET,
    )


def unnamed_settling(settling: Settling | None) -> Settling | None:
    """What is settling, without the group."""
    return None if settling is None else replace(settling, group_id=None)
