"""Answer: the body of an answer that knows the decision it tells, for whoever counts answers."""

from eligibility.model import Decision


class Answer(bytes):
    """Bytes as they are sent.

    decision: without its stamp, the same object for all that are alike. member: whether the account
    is in a group of the product.
    """

    decision: Decision
    member: bool

    # Two that are the same bytes may tell of different decisions; as keys they are not the same.
    __hash__ = object.__hash__

    @classmethod
    def of(cls, body: bytes, decision: Decision, member: bool) -> "Answer":
        """The body of an answer that tells a decision."""
        made = cls(body)
        made.decision, made.member = decision, member
        return made
