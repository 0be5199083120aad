"""Messages for the person: why sign-in through the provider failed."""

from eligibility.server.http.problems import RequestProblem

_MESSAGES: dict[str, tuple[int, str]] = {
    "STATE_MISMATCH": (
        400,
        "the sign-in took too long, or it was started in another window: try again",
    ),
    "OTHER_PROVIDER": (400, "the response came from another provider: try again"),
    "DECLINED": (403, "you did not allow the provider to tell us who you are"),
    "PROVIDER_REFUSED": (403, "the provider did not sign you in; ask the provider for the reason"),
    "PROVIDER_UNAVAILABLE": (503, "the provider cannot be reached now; you can sign in with a key"),
    "CODE_REFUSED": (
        403,
        "the provider says that this sign-in was used already, or is too old: try again",
    ),
    "CLIENT_REFUSED": (
        503,
        "the provider does not accept this server; its operator has to correct that",
    ),
    "TOKEN_REFUSED": (403, "the provider's answer does not prove who you are"),
    "NO_SCOPE": (
        403,
        "the provider knows you, but does not say what you may do here; ask its operator",
    ),
    "NO_PUBLISHER": (
        403,
        "the provider knows you, but does not say which publishers you may see; ask its operator",
    ),
    "TOO_MANY_PUBLISHERS": (
        403,
        "you may see more publishers than a session can list; at the provider, `*` means all",
    ),
}


class SignInRefused(RequestProblem):
    """A sign-in that failed. detail: for the log only; the person sees `message`."""

    def __init__(self, code: str, detail: str = "") -> None:
        status, self.message = _MESSAGES[code]
        super().__init__(status, code, f"{self.message}: {detail}" if detail else self.message)
