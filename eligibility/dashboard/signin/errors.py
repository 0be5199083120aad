"""Why somebody could not sign in through the provider, in words for a person."""

from eligibility.server.http.problems import RequestProblem

_WHY: dict[str, tuple[int, str]] = {
    "STATE_MISMATCH": (400, "the sign-in took too long, or was begun in another window: try again"),
    "OTHER_PROVIDER": (400, "the answer is of another provider: try again"),
    "DECLINED": (403, "the provider was not allowed to say who you are"),
    "PROVIDER_REFUSED": (403, "the provider did not sign you in; it knows why"),
    "PROVIDER_UNAVAILABLE": (503, "the provider cannot be asked now; a key works"),
    "CODE_REFUSED": (403, "the provider takes its own answer for used or too old: try again"),
    "CLIENT_REFUSED": (
        503,
        "the provider does not accept this server; whoever runs it has to mend that",
    ),
    "TOKEN_REFUSED": (403, "the provider's answer does not prove who you are"),
    "NO_SCOPE": (
        403,
        "the provider knows you, but says nothing of what you may do here; ask whoever runs it",
    ),
    "NO_PUBLISHER": (
        403,
        "the provider knows you, but not whose pages you may see; ask whoever runs it",
    ),
    "TOO_MANY_PUBLISHERS": (
        403,
        "you may see more publishers than a session can name; `*` means all",
    ),
}


class SignInRefused(RequestProblem):
    """A sign-in that came to nothing. detail: what the log tells, and a person does not need."""

    def __init__(self, code: str, detail: str = "") -> None:
        status, self.told = _WHY[code]
        super().__init__(status, code, f"{self.told}: {detail}" if detail else self.told)
