"""A decision with all that explains it: its trace told as a story, and the least change."""

from msgspec import UNSET
from msgspec.structs import replace

from eligibility.grounds import Grounds
from eligibility.model import Decision
from eligibility.simulation.nearest import GRANTED, Wanted, nearest
from eligibility.simulation.story import story


def explained(
    decision: Decision, grounds: Grounds, wanted: Wanted = GRANTED, *, search: bool = True
) -> Decision:
    """The decision with its story, and with the least change that gives what is wanted.

    Args: decision = with its trace; grounds = what it was made from; search = whether to look for
    the change, which takes up to nearest.MOST_TRIES decisions.
    """
    found = nearest(grounds, wanted) if search else UNSET
    return replace(decision, story=story(decision, grounds), nearest=found)
