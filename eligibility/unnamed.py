"""A decision as it is told to callers who may not read groups: the same verdict, no group's name."""

from msgspec.structs import replace

from eligibility import remedies
from eligibility.model import Decision, Settling


def unnamed(decision: Decision) -> Decision:
    """The decision without names of groups; one with a trace, which tells them, is not to be given."""
    made = tuple(remedies.unnamed(one) for one in decision.remedies)
    return replace(decision, remedies=made, settling=unnamed_settling(decision.settling))


def unnamed_settling(settling: Settling | None) -> Settling | None:
    """What is settling, without the group."""
    return None if settling is None else replace(settling, group_id=None)
