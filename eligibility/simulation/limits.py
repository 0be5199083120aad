"""How much one simulation may ask of a server, so that it cannot keep others from their answers."""

from eligibility.errors import Fault, InvalidInput

MOST_ACCOUNTS = 100_000
MOST_DEVICES = 1_000
MOST_CELLS = 20_000_000
"""Accounts x devices."""
MOST_DECISIONS = 50_000
"""Kinds of accounts x kinds of devices: what is really decided, at about 40 us each."""


def check_size(accounts: int, devices: int) -> None:
    """Raise InvalidInput with everything that there is too much of."""
    faults = [
        Fault(loc, code, f"{found:,} {what}; one simulation takes up to {most:,}")
        for loc, code, what, found, most in (
            ("accounts", "TOO_MANY_ACCOUNTS", "accounts", accounts, MOST_ACCOUNTS),
            ("devices", "TOO_MANY_DEVICES", "devices", devices, MOST_DEVICES),
            ("", "TOO_MANY_CELLS", "cells (accounts x devices)", accounts * devices, MOST_CELLS),
        )
        if found > most
    ]
    if faults:
        raise InvalidInput(faults)


def check_decisions(accounts: int, devices: int, most: int | None) -> None:
    """Raise InvalidInput where kinds of accounts x kinds of devices are above a limit; None = none."""
    if most is not None and accounts * devices > most:
        detail = (
            f"{accounts:,} kinds of accounts on {devices:,} kinds of devices are {accounts * devices:,}"
            f" decisions; up to {most:,} are made at once: ask for fewer devices"
        )
        raise InvalidInput([Fault("", "TOO_MANY_DECISIONS", detail)])
