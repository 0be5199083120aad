"""A decision as it is told to callers who may not read groups: the same verdict, no group's name."""

from msgspec import UNSET
from msgspec.structs import replace

from eligibility.access.model import Decision, Remedy, Settling


def unnamed(decision: Decision) -> Decision:
    """The decision without names of groups, and without its explanation, which is full of them."""
    made = tuple(unnamed_remedy(one) for one in decision.remedies)
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


def unnamed_remedy(remedy: Remedy) -> Remedy:
    """A remedy as it is told to somebody who may not read groups: without their names."""
    if not remedy.groups:
        return remedy
    text = remedy.text.replace(listed_groups(remedy.groups), "one of its groups")
    return replace(remedy, text=text, groups=())


def listed_groups(groups: tuple[str, ...]) -> str:
    """Groups as a remedy's text names them."""
    names = ", ".join(f"`{group}`" for group in groups)
    return f"{'group' if len(groups) == 1 else 'one of the groups'} {names}"
