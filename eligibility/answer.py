"""Answer: the body of an answer that knows the decision it tells, for whoever counts answers."""

from eligibility.model import Decision


class Answer(bytes):
    """Bytes as they are sent. decision: without its stamp, the same object for all that are alike."""

    decision: Decision

    @classmethod
    def of(cls, body: bytes, decision: Decision) -> "Answer":
        """The body of an answer that tells a decision."""
        made = cls(body)
        made.decision = decision
        return made
