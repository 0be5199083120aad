"""Removal of group names from decisions, for callers who may not read groups."""

from msgspec import UNSET
from msgspec.structs import replace

from eligibility.access.model import Decision, Remedy, Settling


def unnamed(decision: Decision) -> Decision:
    """Remove group names from a decision, and its explanation, which contains many of them."""
    remedies = tuple(unnamed_remedy(remedy) for remedy in decision.remedies)
    return replace(
        decision,
        remedies=remedies,
        settling=unnamed_settling(decision.settling),
        trace=UNSET,
        story=UNSET,
        nearest=UNSET,
    )


def unnamed_settling(settling: Settling | None) -> Settling | None:
    """Remove the group from a settling change."""
    return None if settling is None else replace(settling, group_id=None)


def unnamed_remedy(remedy: Remedy) -> Remedy:
    """Remove the names of groups from a remedy."""
    if not remedy.groups:
        return remedy
    text = remedy.text.replace(listed_groups(remedy.groups), "one of its groups")
    return replace(remedy, text=text, groups=())


def listed_groups(groups: tuple[str, ...]) -> str:
    """Format groups for the text of a remedy."""
    names = ", ".join(f"`{group}`" for group in groups)
    return f"{'group' if len(groups) == 1 else 'one of the groups'} {names}"
