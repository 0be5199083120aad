"""What a change does to access, in words: the same on a terminal and on a page."""

from eligibility.effects import AccessChange


def in_words(change: AccessChange) -> str:
    """`gain flight canary`, `lose sight of the private product`: what the accounts do."""
    if change.kind == "audience":
        verb = "gain" if change.change == "gains" else "lose"
        return f"{verb} sight of the private product"
    words = {
        "gains": f"gain flight {change.to_flight}",
        "loses": f"lose flight {change.from_flight}",
        "moves": f"move from flight {change.from_flight} to {change.to_flight}",
    }[change.change]
    return f"{words} (no use: not in the private audience)" if change.blocked_by_audience else words
